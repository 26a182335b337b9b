//! ReplicaSets: each one holds the pods of one revision.

mod anti_affinity;
mod counts;
mod make;
mod names;
mod number;
mod pod_metadata;
#[cfg(feature = "controller")]
mod quantity;
mod read;
mod sets;
#[cfg(feature = "controller")]
mod template;
mod workloads;

pub(crate) use counts::Counts;
pub(crate) use make::name;
#[cfg(feature = "controller")]
pub(crate) use make::{owner, refresh};
pub use names::Names;
pub(crate) use number::highest;
#[cfg(feature = "controller")]
pub(crate) use number::next;
#[cfg(feature = "controller")]
pub(crate) use pod_metadata::{PodMetadata, Role, change as change_metadata, is_used as uses_metadata};
pub(crate) use read::{ReplicaSet, labels, revision_seen};
pub use sets::ReplicaSets;
#[cfg(feature = "controller")]
pub(crate) use sets::took_effect;
#[cfg(feature = "controller")]
pub(crate) use template::{own_template, same_template};

/// The annotation with a revision's number.
pub(crate) const REVISION: &str = "rollout.argoproj.io/revision";
/// The annotation with a revision's earlier numbers.
pub(crate) const HISTORY: &str = "rollout.argoproj.io/revision-history";
/// The annotation with the pods of the whole rollout when the ReplicaSet was last written.
pub(crate) const DESIRED: &str = "rollout.argoproj.io/desired-replicas";
/// The annotation with the scale-down deadline.
pub(crate) const DEADLINE: &str = "scale-down-deadline";
