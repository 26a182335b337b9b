use super::merge::set;
use serde_json::{Value, json};

/// The server's reason for refusing a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "BadRequest", message: message.into() }
    }

    pub(super) fn not_found() -> Self {
        Self { code: 404, reason: "NotFound", message: "not found".to_owned() }
    }

    pub(super) fn not_allowed() -> Self {
        Self { code: 405, reason: "MethodNotAllowed", message: "method not allowed".to_owned() }
    }

    pub(super) fn exists() -> Self {
        Self { code: 409, reason: "AlreadyExists", message: "already exists".to_owned() }
    }

    pub(super) fn modified() -> Self {
        let message = "the object has been modified; please apply your changes to the latest version";
        Self { code: 409, reason: "Conflict", message: message.to_owned() }
    }

    pub(super) fn precondition() -> Self {
        Self { code: 409, reason: "Conflict", message: "a precondition does not hold".to_owned() }
    }

    pub(super) fn expired() -> Self {
        Self { code: 410, reason: "Expired", message: "too old resource version".to_owned() }
    }

    pub(super) fn unsupported() -> Self {
        let message = "unsupported media type".to_owned();
        Self { code: 415, reason: "UnsupportedMediaType", message }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 422, reason: "Invalid", message: message.into() }
    }

    /// An internal error.
    pub(super) fn internal(message: &str) -> Self {
        Self { code: 500, reason: "", message: message.to_owned() }
    }

    /// An injected fault.
    pub(super) fn fault(code: u16) -> Self {
        let reason = match code {
            404 => "NotFound",
            409 => "Conflict",
            429 => "TooManyRequests",
            _ => "InternalError",
        };
        Self { code, reason, message: "a fault".to_owned() }
    }

    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code
        });
        if !self.reason.is_empty() {
            set(&mut status, "reason", self.reason.into());
        }
        status
    }
}
