use super::EditError;
use crate::{Finding, traffic::ObjectRef};
use alloc::{borrow::ToOwned, format, string::String};
use serde_json::{Map, Value};

/// The pod label that identifies the revision.
///
/// ```
/// use rollout_core::backend::{Object, ObjectEditor, REVISION_LABEL, ServiceEditor};
/// use rollout_core::traffic::{ObjectVersion, Selection};
/// # use serde_json::json;
/// let editor = ServiceEditor::new("shop", Some("web"), None);
/// let value = json!({"spec": {"selector": {"app": "web", REVISION_LABEL: "59fddc4b57"}}}).into();
/// let object = Object { value, version: ObjectVersion { write: "1".into(), content: 1 } };
/// let seen = editor.read(&[(editor.objects()[0].clone(), object)].into())?;
/// assert_eq!(seen.behind.stable, [Selection::Revision("59fddc4b57".into())]);
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub const REVISION_LABEL: &str = "rollouts-pod-template-hash";

/// The annotation that holds the nonce of [`fence`](super::TrafficBackend::fence): as a [`note`](super::note) of each
/// Rollout in an object that several may share, as plain text in an object with one owner.
///
/// ```
/// use rollout_core::backend::{FENCE_ANNOTATION, MemoryStore, NoDataPlane, ObjectBackend, ServiceEditor, note};
/// use rollout_core::backend::{RolloutRef, TrafficBackend, ready};
/// use rollout_core::traffic::ObjectRef;
/// # use serde_json::json;
/// # let store = MemoryStore::new();
/// # let service = ObjectRef::new("", "Service", "shop", "web");
/// # store.apply(&service, json!({"spec": {"selector": {"app": "web"}}}));
/// let backend = ObjectBackend::new(ServiceEditor::new("shop", Some("web"), None), store, NoDataPlane);
/// let seen = ready(backend.observe(&[]))??;
/// let _written = ready(backend.fence("controller-1-1", &seen.version))??;
/// let object = backend.store().peek(&service).unwrap().value;
/// let nonce = note(&service, &object, FENCE_ANNOTATION, &RolloutRef::new("shop", "web"));
/// assert_eq!(nonce.as_deref(), Some("controller-1-1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const FENCE_ANNOTATION: &str = "rollout-core/fence";

/// Returns the text of an annotation.
///
/// ```
/// use rollout_core::backend::annotation;
/// let object = serde_json::json!({"metadata": {"annotations": {"team": "shop", "odd": 7}}});
/// assert_eq!(annotation(&object, "team"), Some("shop"));
/// assert_eq!(annotation(&object, "odd"), None, "not a text");
/// ```
#[must_use]
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Sets or removes an annotation; returns whether anything changed. A map that becomes empty is removed too.
///
/// ```
/// use rollout_core::{backend::annotate, traffic::ObjectRef};
/// # use serde_json::json;
/// let name = ObjectRef::new("", "Service", "shop", "web");
/// let mut object = json!({"metadata": {"name": "web"}});
/// assert!(annotate(&name, &mut object, "team", Some("shop"))?);
/// assert!(!annotate(&name, &mut object, "team", Some("shop"))?, "nothing to write");
/// assert!(annotate(&name, &mut object, "team", None)?);
/// assert_eq!(object, json!({"metadata": {"name": "web"}}), "no trace is left");
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
///
/// # Errors
/// `metadata` or `metadata.annotations` exists and is not a map.
pub fn annotate(
    name: &ObjectRef,
    object: &mut Value,
    key: &str,
    text: Option<&str>,
) -> Result<bool, EditError> {
    if annotation(object, key) == text {
        return Ok(false);
    }
    let metadata = map(name, object, "metadata", "metadata")?;
    let Some(text) = text else {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            remove(annotations, key);
            if annotations.is_empty() {
                remove(metadata, "annotations");
            }
        }
        return Ok(true);
    };
    let annotations = entry(metadata, "annotations");
    let Some(annotations) = annotations.as_object_mut() else {
        return Err(no_map(name, "metadata.annotations"));
    };
    annotations.insert(key.to_owned(), text.into());
    Ok(true)
}

/// Returns a map inside an object, creating it if absent.
fn map<'a>(
    name: &ObjectRef,
    object: &'a mut Value,
    key: &str,
    path: &str,
) -> Result<&'a mut Map<String, Value>, EditError> {
    let object = object.as_object_mut().ok_or_else(|| no_map(name, "the object"))?;
    entry(object, key).as_object_mut().ok_or_else(|| no_map(name, path))
}

fn entry<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Value {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value
}

/// Removes a key and keeps the order of the others, whatever the map is made of.
fn remove(map: &mut Map<String, Value>, key: &str) {
    map.retain(|other, _| other != key);
}

fn no_map(name: &ObjectRef, path: &str) -> EditError {
    let finding = Finding::error(path, format!("{path} is not a map"), "write a map of keys and values");
    EditError::new(name.clone(), finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use serde_json::json;

    #[test]
    fn set_and_taken_away_leaves_no_trace() {
        let name = ObjectRef::new("", "Service", "shop", "provider");
        for before in
            [json!({"metadata": {"name": "provider"}}), json!({"metadata": {"annotations": {"a": "b"}}})]
        {
            let mut object = before.clone();
            assert!(annotate(&name, &mut object, "k", Some("v")).unwrap());
            assert!(!annotate(&name, &mut object, "k", Some("v")).unwrap());
            assert_eq!(annotation(&object, "k"), Some("v"));
            assert!(annotate(&name, &mut object, "k", None).unwrap());
            assert!(!annotate(&name, &mut object, "k", None).unwrap());
            assert_eq!(object, before);
        }
    }

    #[test]
    fn what_is_no_map_is_said() {
        let name = ObjectRef::new("", "Service", "shop", "provider");
        for mut object in [json!([]), json!({"metadata": 1}), json!({"metadata": {"annotations": []}})] {
            let error = annotate(&name, &mut object, "k", Some("v")).unwrap_err();
            assert!(error.to_string().starts_with("Service shop/provider: "), "{error}");
        }
    }
}
