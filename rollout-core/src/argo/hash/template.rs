use super::{
    fnv::{fnv1a, safe},
    text::Text,
};
use crate::Revision;
use alloc::string::String;
use serde_json::Value;

/// Computes a revision for a pod template: equal content gives the same revision, whatever the order of keys.
///
/// The hash is the engine's own, in Argo Rollouts' alphabet. Argo Rollouts' hash differs: compare templates to find out
/// whether they are equal, never their hashes.
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
