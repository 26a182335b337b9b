//! What an API server's answer means.

use kube::{Error, core::Status};
use rollout_core::{backend::StoreError, traffic::ObjectRef};

/// A read that failed: nothing changed.
pub(super) fn of_read(object: &ObjectRef, error: &Error) -> StoreError {
    if status(error).is_some_and(|status| status.code == 404) {
        return StoreError::NotFound(object.clone());
    }
    StoreError::Unreadable { object: object.clone(), why: words(error) }
}

/// A write that failed: only a 4xx says for certain that nothing changed.
pub(super) fn of_write(object: &ObjectRef, error: &Error) -> StoreError {
    let object = object.clone();
    let was_never_sent = matches!(error, Error::BuildRequest(_) | Error::HttpError(_));
    let code = if was_never_sent { 400 } else { status(error).map_or(0, |status| status.code) };
    match code {
        404 => StoreError::NotFound(object),
        409 => StoreError::Conflict(object),
        // The server gave up waiting: what it had begun may still happen.
        408 => StoreError::Unclear { object, why: words(error) },
        400..=499 => StoreError::Refused { object, why: words(error) },
        _ => StoreError::Unclear { object, why: words(error) },
    }
}

fn status(error: &Error) -> Option<&Status> {
    if let Error::Api(status) = error { Some(status) } else { None }
}

/// The server's own words where it has some.
fn words(error: &Error) -> String {
    match status(error) {
        Some(status) if !status.message.is_empty() => status.message.clone(),
        _ => error.to_string(),
    }
}
