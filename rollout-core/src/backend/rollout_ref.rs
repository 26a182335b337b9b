use alloc::{format, string::String, sync::Arc};
use core::fmt;

/// The name of a Rollout, used to mark ownership in shared objects.
///
/// ```
/// use rollout_core::backend::RolloutRef;
/// assert_eq!(RolloutRef::new("shop", "web").to_string(), "Rollout shop/web");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RolloutRef {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl RolloutRef {
    /// Names a Rollout.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// Returns how an object in `namespace` refers to the Rollout: by name only if the namespace is the same.
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
