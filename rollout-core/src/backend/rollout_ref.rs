use alloc::{format, string::String, sync::Arc};
use core::fmt;

/// Names one Rollout: who it is that something in a shared object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RolloutRef {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl RolloutRef {
    /// The Rollout of this name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// How an object in `namespace` names it: by its name alone where the namespace is its own.
    ///
    /// ```
    /// use rollout_core::backend::RolloutRef;
    /// let web = RolloutRef::new("shop", "web");
    /// assert_eq!((web.seen_from("shop").as_str(), web.seen_from("gateways").as_str()), ("web", "shop/web"));
    /// ```
    #[must_use]
    pub fn seen_from(&self, namespace: &str) -> String {
        if *self.namespace == *namespace {
            (*self.name).into()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

impl fmt::Display for RolloutRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rollout {}/{}", self.namespace, self.name)
    }
}
