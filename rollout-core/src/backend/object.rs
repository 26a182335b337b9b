use crate::traffic::{ObjectRef, ObjectVersion};
use alloc::{string::String, sync::Arc, vec::Vec};

/// An object as it was read. Cloning is cheap.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a value and its version")]
pub struct Object {
    /// The whole object.
    pub value: Arc<serde_json::Value>,
    /// The version.
    pub version: ObjectVersion,
}

/// A query for objects by what they mention.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a query: where, and what")]
pub struct Mentions {
    /// The group, kind and namespace of the objects; the name is ignored.
    pub like: ObjectRef,
    /// The keys, of which each object mentions at least one. The editor defines what a key is; an index of the same
    /// kind has the same keys.
    pub keys: Vec<String>,
}
