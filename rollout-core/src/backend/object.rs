use crate::traffic::{ObjectRef, ObjectVersion};
use alloc::{string::String, sync::Arc, vec::Vec};

/// An object as it was read. Cloning is cheap.
///
/// See [`ObjectEditor`](super::ObjectEditor) for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a value and its version")]
pub struct Object {
    /// The whole object.
    pub value: Arc<serde_json::Value>,
    /// The version.
    pub version: ObjectVersion,
}

/// A query for objects by what they mention.
///
/// ```
/// use rollout_core::backend::{MemoryStore, Mentions, ObjectStore, ready};
/// use rollout_core::traffic::ObjectRef;
/// let store = MemoryStore::new();
/// let service = |namespace, name| ObjectRef::new("", "Service", namespace, name);
/// for object in [service("shop", "web"), service("lab", "web")] {
///     store.apply(&object, serde_json::json!({"spec": {}}));
/// }
/// let query = Mentions { like: service("shop", ""), keys: vec!["web.shop.svc".into()] };
/// let found = ready(store.mentioning(&query))??;
/// assert_eq!(found[0].0, service("shop", "web"));
/// assert_eq!(found.len(), 1, "this store has no index: it lists all of the namespace");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a query: where, and what")]
pub struct Mentions {
    /// The group, kind and namespace of the objects; the name is ignored.
    pub like: ObjectRef,
    /// The keys, of which each object mentions at least one. The editor defines what a key is; an index of the same
    /// kind has the same keys.
    pub keys: Vec<String>,
}
