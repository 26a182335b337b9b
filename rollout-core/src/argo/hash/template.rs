use super::{
    fnv::{fnv1a, safe},
    text::Text,
};
use crate::Revision;
use alloc::string::String;
use serde_json::Value;

/// A revision for a pod template: the same for the same content, in whatever order its keys stand.
///
/// It is a hash of our own, in Argo Rollouts' alphabet. Theirs has other digits: whether two
/// templates are the same is decided by comparing them, never by this.
///
/// ```
/// use rollout_core::argo::template_hash;
/// use serde_json::json;
/// let v1 = json!({"spec": {"containers": [{"name": "c", "image": "demo:v1"}]}});
/// let reordered = json!({"spec": {"containers": [{"image": "demo:v1", "name": "c"}]}});
/// let v2 = json!({"spec": {"containers": [{"name": "c", "image": "demo:v2"}]}});
/// assert_eq!(template_hash(&v1), template_hash(&reordered));
/// assert_ne!(template_hash(&v1), template_hash(&v2));
/// ```
#[must_use]
pub fn template_hash(template: &Value) -> Revision {
    let mut text = String::new();
    template.write(&mut text);
    safe(fnv1a(text.as_bytes())).into()
}
