use rollout_core::backend::{FENCE_ANNOTATION, REVISION_LABEL};
use std::borrow::Cow;

/// The names of the labels and annotations in which ReplicaSets hold the engine's data. Every name has a default: that
/// of Argo Rollouts, where it has one.
///
/// ```
/// use rollout_kube::Names;
/// let names = Names::new().revision("example.com/revision").deadline("example.com/scale-down-at");
/// assert_eq!(names, Names::new().deadline("example.com/scale-down-at").revision("example.com/revision"));
/// assert_ne!(names, Names::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub(crate) revision: Name,
    pub(crate) number: Name,
    pub(crate) history: Name,
    pub(crate) desired: Name,
    pub(crate) deadline: Name,
    pub(crate) fence: Name,
}

type Name = Cow<'static, str>;

/// The names that Argo Rollouts uses.
pub(crate) const ARGO: Names = Names {
    revision: Cow::Borrowed(REVISION_LABEL),
    number: Cow::Borrowed(super::REVISION),
    history: Cow::Borrowed(super::HISTORY),
    desired: Cow::Borrowed(super::DESIRED),
    deadline: Cow::Borrowed(super::DEADLINE),
    fence: Cow::Borrowed(FENCE_ANNOTATION),
};

impl Default for Names {
    fn default() -> Self {
        ARGO
    }
}

impl Names {
    /// Returns the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the label of a revision's ReplicaSet and pods, used in selectors. Default `rollouts-pod-template-hash`.
    /// Give your `ServiceEditor` the same name.
    ///
    /// See [`ReplicaSets::names`](crate::ReplicaSets::names) for an example.
    #[must_use]
    pub fn revision(mut self, label: &str) -> Self {
        self.revision = label.to_owned().into();
        self
    }

    /// Sets the annotation with the number of a revision. Default `rollout.argoproj.io/revision`. The revision's
    /// earlier numbers are in the annotation of the same name with the suffix `-history`.
    ///
    /// See [`ReplicaSets::names`](crate::ReplicaSets::names) for an example.
    #[must_use]
    pub fn number(mut self, annotation: &str) -> Self {
        (self.number, self.history) = (annotation.to_owned().into(), format!("{annotation}-history").into());
        self
    }

    /// Sets the annotation with the pod count of the whole rollout. Default `rollout.argoproj.io/desired-replicas`.
    ///
    /// See [`ReplicaSets::names`](crate::ReplicaSets::names) for an example.
    #[must_use]
    pub fn desired(mut self, annotation: &str) -> Self {
        self.desired = annotation.to_owned().into();
        self
    }

    /// Sets the annotation with the time at which it may scale to 0 pods, in RFC 3339. Default `scale-down-deadline`.
    ///
    /// See [`ReplicaSets::names`](crate::ReplicaSets::names) for an example.
    #[must_use]
    pub fn deadline(mut self, annotation: &str) -> Self {
        self.deadline = annotation.to_owned().into();
        self
    }

    /// Sets the annotation with the fence's nonce. Default `rollout-core/fence`.
    ///
    /// See [`ReplicaSets::names`](crate::ReplicaSets::names) for an example.
    #[must_use]
    pub fn fence(mut self, annotation: &str) -> Self {
        self.fence = annotation.to_owned().into();
        self
    }
}
