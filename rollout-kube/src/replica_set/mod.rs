//! ReplicaSets: one holds the pods of one revision.

mod counts;
mod make;
mod number;
mod quantity;
mod read;
mod template;

pub(crate) use counts::Counts;
pub(crate) use make::{name, owner, patch, renumber, replica_set};
pub(crate) use number::{highest, next};
pub(crate) use read::ReplicaSet;
pub(crate) use template::same_template;

/// The number of a revision.
pub(crate) const REVISION: &str = "rollout.argoproj.io/revision";
/// The numbers that a revision had before.
pub(crate) const HISTORY: &str = "rollout.argoproj.io/revision-history";
/// The pods of the whole rollout, when the ReplicaSet was last written.
pub(crate) const DESIRED: &str = "rollout.argoproj.io/desired-replicas";
/// The scale-down deadline.
pub(crate) const DEADLINE: &str = "scale-down-deadline";
