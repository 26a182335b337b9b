//! What happened, for people and dashboards.

use crate::{
    AbortReason, Action, Revision, Step, Time,
    action::RunChange,
    analysis::RunRole,
    traffic::{Routes, Selectors},
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Something that happened. It is reported afterwards, once for each stored change or successful write.
///
/// ```
/// use rollout_core::{Event, Step, Time};
/// let completed = Event::StepCompleted { step: 0, of: 4, what: Step::SetWeight(5) };
/// assert_eq!(completed.to_string(), "step 1/4 completed (setWeight: 5)", "people count from 1");
/// assert_eq!(Event::Paused { until: None }.to_string(), "paused until somebody promotes");
/// let until = Some(Time::from_secs(600));
/// assert_eq!(Event::Paused { until }.to_string(), "paused until 1970-01-01T00:10:00Z");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// The update to a new revision started.
    Started {
        /// The new revision.
        revision: Revision,
        /// The unfinished revision that it replaces, if any.
        instead_of: Option<Revision>,
    },
    /// The target is the stable revision again: the rollout returns to it at once, without steps.
    RolledBack {
        /// The stable revision.
        revision: Revision,
    },
    /// The target was deployed a few revisions ago, within the rollback window: its update skips the steps.
    StepsSkipped {
        /// The target.
        revision: Revision,
    },
    /// The strategy's steps were edited, so they start again.
    StepsEdited,
    /// A step was completed.
    StepCompleted {
        /// The index of the step, from 0.
        step: u32,
        /// The number of steps.
        of: u32,
        /// The step.
        what: Step,
    },
    /// A pause step began.
    Paused {
        /// When the pause ends by itself, if it does.
        until: Option<Time>,
    },
    /// A pause step ended.
    Resumed,
    /// The update was aborted.
    Aborted {
        /// The aborted revision.
        revision: Revision,
        /// The reason.
        why: AbortReason,
    },
    /// The revision became stable and now carries the users' traffic.
    Completed {
        /// The new stable revision.
        revision: Revision,
        /// The stable revision before it, if any.
        before: Option<Revision>,
    },
    /// The pods being waited for missed the progress deadline.
    ProgressDeadlineExceeded {
        /// The revision whose pods are late.
        revision: Revision,
    },
    /// A first deploy continues, although some proxy has not confirmed the revision's endpoints for a while.
    Unconfirmed {
        /// The revision.
        revision: Revision,
        /// The proxies that have not confirmed.
        behind: Vec<String>,
    },
    /// The user scaled everything to 0.
    ScaledToZero,
    /// Stable has a ready pod again.
    ScaledFromZero,
    /// A revision's pod count or scale-down deadline was written.
    Scaled {
        /// The revision.
        revision: Revision,
        /// The number of pods now asked for.
        pods: u32,
        /// The scale-down deadline now set, if any.
        scale_down_deadline: Option<Time>,
    },
    /// Selectors were written.
    Selected(Selectors),
    /// Routes were written.
    Routed(Routes),
    /// A run of an analysis was begun, told to end, or deleted.
    Run(RunChange),
    /// An old revision was deleted.
    Pruned {
        /// The deleted revision.
        revision: Revision,
    },
}

/// The event that reports an action as carried out.
///
/// ```
/// use rollout_core::{Action, Event};
/// let prune = Action::Prune { revision: "v1".into() };
/// assert_eq!(Event::from(&prune), Event::Pruned { revision: "v1".into() });
/// ```
impl From<&Action> for Event {
    fn from(action: &Action) -> Self {
        match action.clone() {
            Action::Scale { revision, pods, scale_down_deadline } => {
                Self::Scaled { revision, pods, scale_down_deadline }
            }
            Action::Select(selectors) => Self::Selected(selectors),
            Action::Route(routes) => Self::Routed(routes),
            Action::Run(change) => Self::Run(change),
            Action::Prune { revision } => Self::Pruned { revision },
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { revision, instead_of: None } => write!(f, "started {revision}"),
            Self::Started { revision, instead_of: Some(old) } => {
                write!(f, "started {revision} instead of {old}")
            }
            Self::RolledBack { revision } => write!(f, "rolled back to stable {revision}"),
            Self::StepsSkipped { revision } => {
                write!(f, "the steps are skipped: {revision} is within the rollback window")
            }
            Self::StepsEdited => f.write_str("the steps were edited and start again"),
            Self::StepCompleted { step, of, what } => {
                write!(f, "step {}/{of} completed ({what})", step.saturating_add(1))
            }
            Self::Paused { until: Some(until) } => write!(f, "paused until {until}"),
            Self::Paused { until: None } => f.write_str("paused until somebody promotes"),
            Self::Resumed => f.write_str("resumed"),
            Self::Aborted { revision, why: AbortReason::Command } => write!(f, "aborted {revision}"),
            Self::Aborted { revision, why: AbortReason::ProgressDeadline } => {
                write!(f, "aborted {revision}: its pods made no progress")
            }
            Self::Aborted { revision, why: AbortReason::Analysis(message) } => {
                write!(f, "aborted {revision}: {message}")
            }
            Self::Aborted { revision, why: AbortReason::Cluster(cluster) } => {
                write!(f, "aborted {revision}: it was aborted in cluster {cluster}")
            }
            Self::Completed { revision, before: Some(before) } => {
                write!(f, "completed: {revision} is stable instead of {before}")
            }
            Self::Completed { revision, before: None } => write!(f, "completed: {revision} is stable"),
            Self::ProgressDeadlineExceeded { revision } => {
                write!(f, "the pods of {revision} make no progress")
            }
            Self::Unconfirmed { revision, behind } => {
                write!(
                    f,
                    "the first deploy of {revision} continues without confirmation of its endpoints by {}: check that a \
                     Service selects its pods",
                    behind.first().map_or("every proxy", String::as_str)
                )
            }
            Self::ScaledToZero => f.write_str("scaled to zero by the user"),
            Self::ScaledFromZero => f.write_str("stable has pods again"),
            Self::Scaled { revision, pods, scale_down_deadline: None } => {
                write!(f, "{revision}: {pods} pods")
            }
            Self::Scaled { revision, pods, scale_down_deadline: Some(at) } => {
                write!(f, "{revision}: {pods} pods, marked for scale-down at {at}")
            }
            Self::Selected(selectors) => write_selectors(f, selectors),
            Self::Routed(routes) => write_routes(f, routes),
            Self::Run(RunChange::Start { id, .. }) => {
                // The attempt counts for all revisions and edits of a rollout: to a person, it says nothing.
                match id.role {
                    RunRole::Step(_) => write!(f, "began the analysis of {} for {}", id.revision, id.role),
                    RunRole::Background => write!(f, "began the background analysis of {}", id.revision),
                }
            }
            Self::Run(RunChange::Stop { name }) => write!(f, "told analysis run {name} to end"),
            Self::Run(RunChange::Prune { name }) => write!(f, "deleted analysis run {name}"),
            Self::Pruned { revision } => write!(f, "deleted old revision {revision}"),
        }
    }
}

fn write_selectors(f: &mut fmt::Formatter<'_>, selectors: &Selectors) -> fmt::Result {
    f.write_str("selected")?;
    for (name, selection) in [("stable", &selectors.stable), ("canary", &selectors.canary)] {
        if let Some(selection) = selection {
            write!(f, " {name} → {selection}")?;
        }
    }
    Ok(())
}

fn write_routes(f: &mut fmt::Formatter<'_>, routes: &Routes) -> fmt::Result {
    use crate::traffic::{ManagedChange, WeightChange};
    f.write_str("routed")?;
    if let WeightChange::To(weight) = routes.weight {
        write!(f, " canary {}, stable {}", weight.parts(), weight.rest())?;
    }
    match &routes.managed {
        ManagedChange::Keep => Ok(()),
        ManagedChange::Retain(names) if names.is_empty() => f.write_str(" without managed routes"),
        ManagedChange::Retain(names) => write_names(f, names.iter().map(|name| &**name)),
        ManagedChange::To(routes) if routes.is_empty() => f.write_str(" without managed routes"),
        ManagedChange::To(routes) => write_names(f, routes.iter().map(|route| &*route.name)),
    }
}

fn write_names<'a>(f: &mut fmt::Formatter<'_>, names: impl Iterator<Item = &'a str>) -> fmt::Result {
    f.write_str(" managed routes:")?;
    names.into_iter().try_for_each(|name| write!(f, " {name}"))
}
