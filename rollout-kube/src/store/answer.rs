//! Interprets the answers of an API server.

use super::Received;
use kube::{Error, core::Status};
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;

/// Classifies an error of `kube` from reading `object`: the object does not exist, or could not be read. Nothing
/// changed.
///
/// ```
/// use rollout_core::{backend::StoreError, traffic::ObjectRef};
/// let object = ObjectRef::new("example.com", "Canary", "shop", "web");
/// let gone = kube::Error::Api(kube::core::Status::failure("gone", "NotFound").with_code(404).boxed());
/// assert_eq!(rollout_kube::read_failed(&object, &gone), StoreError::NotFound(object));
/// ```
#[must_use]
pub fn read_failed(object: &ObjectRef, error: &Error) -> StoreError {
    if status(error).is_some_and(|status| status.code == 404) {
        return StoreError::NotFound(object.clone());
    }
    unreadable(object, words(error))
}

/// Classifies an error of `kube` from writing `object`: only a 4xx answer other than 408 proves that nothing changed.
/// Pass [`StoreError::into_failure`] to the turn.
///
/// ```
/// use rollout_core::{Failure, traffic::ObjectRef};
/// let object = ObjectRef::new("example.com", "Canary", "shop", "web");
/// let failure = |code| {
///     let status = kube::core::Status::failure("no", "").with_code(code).boxed();
///     rollout_kube::write_failed(&object, &kube::Error::Api(status)).into_failure()
/// };
/// assert_eq!(failure(409), Failure::Conflict);
/// assert!(matches!(failure(422), Failure::Refused(_)));
/// assert!(matches!(failure(500), Failure::Ambiguous(_)));
/// ```
#[must_use]
pub fn write_failed(object: &ObjectRef, error: &Error) -> StoreError {
    let was_never_sent = matches!(error, Error::BuildRequest(_) | Error::HttpError(_));
    let code = if was_never_sent { 400 } else { status(error).map_or(0, |status| status.code) };
    let is_taken = status(error).is_some_and(|status| status.reason == "AlreadyExists");
    let object = object.clone();
    match code {
        404 => StoreError::NotFound(object),
        // The name is taken: retrying with another version is pointless.
        409 if is_taken => StoreError::AlreadyExists(object),
        409 => StoreError::Conflict(object),
        // The server gave up waiting: the write may still take effect.
        408 => StoreError::Ambiguous { object, why: words(error) },
        400..=499 => StoreError::Refused { object, why: words(error) },
        _ => StoreError::Ambiguous { object, why: words(error) },
    }
}

/// Checks the answer to a read of one object: it is that object, with a version that a write can depend on.
pub(super) fn object(requested: &ObjectRef, answer: Received) -> Result<Received, StoreError> {
    match mismatch(requested, &answer.value) {
        Some(why) => Err(unreadable(requested, why)),
        None => Ok(answer),
    }
}

/// Checks the answer to a write: it is the object as it is now. If not, the outcome of the write is unknown.
pub(super) fn written(requested: &ObjectRef, answer: Received) -> Result<Received, StoreError> {
    match mismatch(requested, &answer.value) {
        Some(why) => Err(StoreError::Ambiguous { object: requested.clone(), why }),
        None => Ok(answer),
    }
}

/// A list in an answer.
#[derive(serde::Deserialize)]
pub(super) struct List {
    items: Vec<Received>,
}

/// Checks the answer to a list of a kind and namespace: all items are named objects of that namespace.
pub(super) fn items(like: &ObjectRef, answer: List) -> Result<Vec<Received>, StoreError> {
    let is_one = |item: &Received| {
        let namespace = text(&item.value, "/metadata/namespace");
        !text(&item.value, "/metadata/name").is_empty()
            && (like.namespace.is_empty() || namespace == &*like.namespace)
    };
    if !answer.items.iter().all(is_one) {
        return Err(unreadable(like, "the answer lists objects that were not requested".to_owned()));
    }
    Ok(answer.items)
}

/// Returns why this is not the requested object, if it is not.
fn mismatch(requested: &ObjectRef, answer: &Value) -> Option<String> {
    if !answer.is_object() {
        return Some("the answer is not an object".to_owned());
    }
    let (namespace, name) = (text(answer, "/metadata/namespace"), text(answer, "/metadata/name"));
    let kind = text(answer, "/kind");
    if (namespace, name) != (&requested.namespace, &requested.name)
        || !(kind.is_empty() || kind == &*requested.kind)
    {
        return Some(format!("the answer is a different object: {kind} {namespace}/{name}"));
    }
    let has_version = !text(answer, "/metadata/resourceVersion").is_empty();
    (!has_version).then(|| "the answer has no metadata.resourceVersion".to_owned())
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn unreadable(object: &ObjectRef, why: String) -> StoreError {
    StoreError::Unreadable { object: object.clone(), why }
}

fn status(error: &Error) -> Option<&Status> {
    if let Error::Api(status) = error { Some(status) } else { None }
}

/// Returns the server's own message, if it sent one.
fn words(error: &Error) -> String {
    match status(error) {
        Some(status) if !status.message.is_empty() => status.message.clone(),
        _ => error.to_string(),
    }
}
