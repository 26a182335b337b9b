use rollout_core::backend::{FENCE_ANNOTATION, REVISION_LABEL};
use std::borrow::Cow;

/// How the labels and annotations are called in which ReplicaSets hold what the engine knows of them. Every name has a
/// default: that of Argo Rollouts where it has one.
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

/// The names that Argo Rollouts gives them.
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
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The label of a revision's ReplicaSet and pods, which selectors name; `rollouts-pod-template-hash` unless set. Tell
    /// your `ServiceEditor` the same.
    #[must_use]
    pub fn revision(mut self, label: &str) -> Self {
        self.revision = label.to_owned().into();
        self
    }

    /// The annotation with the number of a revision; `rollout.argoproj.io/revision` unless set. The numbers that a revision
    /// had before are in an annotation of the same name with `-history` behind it.
    #[must_use]
    pub fn number(mut self, annotation: &str) -> Self {
        (self.number, self.history) = (annotation.to_owned().into(), format!("{annotation}-history").into());
        self
    }

    /// The annotation with how many pods the whole rollout has; `rollout.argoproj.io/desired-replicas` unless set.
    #[must_use]
    pub fn desired(mut self, annotation: &str) -> Self {
        self.desired = annotation.to_owned().into();
        self
    }

    /// The annotation with the time at which it may go to 0 pods, in RFC 3339; `scale-down-deadline` unless set.
    #[must_use]
    pub fn deadline(mut self, annotation: &str) -> Self {
        self.deadline = annotation.to_owned().into();
        self
    }

    /// The annotation with the fence's nonce; `rollout-core/fence` unless set.
    #[must_use]
    pub fn fence(mut self, annotation: &str) -> Self {
        self.fence = annotation.to_owned().into();
        self
    }
}
