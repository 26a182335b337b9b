//! Lists, and their pages.

use super::{api_request::ApiRequest, objects::Objects, refusal::Refusal};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Namespace and name.
type Name = (String, String);

impl Objects {
    /// Returns a list, or a page of one: all pages show the state at the first page, whatever is written meanwhile.
    pub(super) fn list(&self, request: &ApiRequest) -> Result<Value, Refusal> {
        let (version, after) = if request.next.is_empty() {
            (self.version, None)
        } else {
            let (version, name) =
                read(&request.next).ok_or_else(|| Refusal::bad_request("invalid continue token"))?;
            if version < self.oldest {
                return Err(Refusal::expired());
            }
            (version, Some(name))
        };
        let all = self.at(request, version);
        let left = all.into_iter().filter(|(name, _)| after.as_ref().is_none_or(|after| name > after));
        let mut left: Vec<(Name, Arc<Value>)> = left.collect();
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if request.limit > 0 && left.len() > request.limit {
            let more = left.split_off(request.limit);
            if let (Some(((namespace, name), _)), Some(metadata)) = (left.last(), metadata.as_object_mut()) {
                metadata.insert("continue".to_owned(), format!("{version}/{namespace}/{name}").into());
                // With a selector, the server does not know how many remain.
                if request.labels.is_everything() {
                    metadata.insert("remainingItemCount".to_owned(), more.len().into());
                }
            }
        }
        let items: Vec<Value> = left.iter().map(|(_, object)| request.item(object)).collect();
        Ok(json!({
            "apiVersion": request.api_version(), "kind": format!("{}List", request.traits.kind),
            "metadata": metadata, "items": items
        }))
    }

    /// Returns the objects at a version, by namespace and name.
    fn at(&self, request: &ApiRequest, version: u64) -> BTreeMap<Name, Arc<Value>> {
        let name = |object: &Value| {
            let text = |pointer: &str| {
                object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            (text("/metadata/namespace"), text("/metadata/name"))
        };
        let events = self.log.get(&request.kind).map(Vec::as_slice).unwrap_or_default();
        if events.last().is_none_or(|event| event.version <= version) {
            return self.all(request).into_iter().map(|object| (name(&object), object)).collect();
        }
        let mut all = BTreeMap::new();
        for event in events.iter().take_while(|event| event.version <= version) {
            if event.is_deleted || !request.selects(&event.object) {
                all.remove(&name(&event.object));
            } else {
                all.insert(name(&event.object), Arc::clone(&event.object));
            }
        }
        all
    }
}

/// Reads a continue token: the version of the list, and the object after which the page begins.
fn read(next: &str) -> Option<(u64, Name)> {
    let mut parts = next.split('/');
    let version = parts.next()?.parse().ok()?;
    Some((version, (parts.next()?.to_owned(), parts.next()?.to_owned())))
}

impl ApiRequest {
    /// Returns an object as an item of a list: built-in kinds do not repeat their kind there.
    fn item(&self, object: &Value) -> Value {
        let mut item = object.clone();
        if let (false, Some(fields)) = (self.traits.is_custom, item.as_object_mut()) {
            fields.shift_remove("apiVersion");
            fields.shift_remove("kind");
        }
        item
    }
}
