//! An API server that answers as a test says.

use http::{Request, Response};
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// One request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: Value,
}

/// What is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Is(u16, Value),
    /// Nothing, for ever.
    Never,
}

impl Answer {
    pub(crate) fn ok(value: Value) -> Self {
        Self::Is(200, value)
    }

    pub(crate) fn failure(code: u16, message: &str) -> Self {
        Self::Is(code, json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
    }
}

/// A client of a server that answers like `answer`, and what it was asked.
pub(crate) fn server(
    answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> (Client, Arc<Mutex<Vec<Asked>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&seen);
    let answer = Arc::new(answer);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let request = Asked { method: parts.method.to_string(), uri: parts.uri.to_string(), body };
            asked.lock().unwrap().push(request.clone());
            match answer(&request) {
                Answer::Is(code, value) => {
                    let body = Body::from(serde_json::to_vec(&value).unwrap());
                    Ok::<_, kube::Error>(Response::builder().status(code).body(body).unwrap())
                }
                Answer::Never => std::future::pending().await,
            }
        }
    });
    (Client::new(service, "shop"), seen)
}
