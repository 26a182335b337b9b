use rollout_core::backend::REVISION_LABEL;
use serde_json::Value;
use std::{fmt, sync::Arc};

/// The index key of ReplicaSets without an owner; no uid looks like this.
pub(super) const OWNERLESS: &str = "-";

/// Returns the index key of ReplicaSets without an owner that are named as a Rollout of this name would name them; no
/// uid looks like this, either.
pub(super) fn abandoned_by(rollout: &str) -> String {
    format!("{OWNERLESS}{rollout}")
}

/// Computes the index keys of a kind's objects from the namespace and the object.
#[derive(Clone, Default)]
pub(crate) struct Index(Option<Arc<Keys>>);

type Keys = dyn Fn(&str, &Value) -> Vec<String> + Send + Sync;

impl Index {
    pub(crate) fn new(keys: impl Fn(&str, &Value) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(keys)))
    }

    /// Combines two indexes: an object has the keys of both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self::new(move |namespace, object| {
                let mut keys = one(namespace, object);
                keys.extend(other(namespace, object));
                keys
            }),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Indexes ReplicaSets by the uid of the Rollout that owns them; those without an owner as [`OWNERLESS`] and by the
    /// Rollout that they are named after.
    pub(super) fn of_owner() -> Self {
        Self::new(|_, set| match crate::entry::owner(set) {
            Some((_, uid)) => vec![uid.to_owned()],
            None if crate::entry::is_ownerless(set) => {
                let rollout = crate::entry::named_after(set);
                [OWNERLESS.to_owned()].into_iter().chain(rollout.map(abandoned_by)).collect()
            }
            None => Vec::new(),
        })
    }

    /// Indexes objects by the uid of the Rollout that owns them.
    pub(super) fn of_rollout() -> Self {
        Self::new(|_, object| {
            crate::entry::owner(object).map(|(_, uid)| uid.to_owned()).into_iter().collect()
        })
    }

    /// Indexes pods by revision.
    pub(super) fn of_revision() -> Self {
        Self::new(|_, pod| {
            let label = pod.pointer("/metadata/labels").and_then(|labels| labels.get(REVISION_LABEL));
            label.and_then(Value::as_str).map(str::to_owned).into_iter().collect()
        })
    }

    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn keys(&self, namespace: &str, object: &Value) -> Vec<String> {
        self.0.as_ref().map(|keys| keys(namespace, object)).unwrap_or_default()
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Index").field(&self.is_some()).finish()
    }
}
