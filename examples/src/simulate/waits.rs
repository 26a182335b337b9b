//! Which waits are worth a line: those over which time passes, each once.

use super::happening::State;
use rollout_core::{
    Plan, Time, Waiting,
    waiting::{EndsBy, WaitReason, WakeReason},
};
use std::time::Duration;

/// Until every proxy has something takes a moment; only what takes longer is told as a wait.
const MOMENT: Duration = Duration::from_secs(5);

/// What the engine waits for.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    open: Vec<Open>,
}

/// One wait, and how everything stood when it began.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) since: Time,
    pub(crate) waiting: Waiting,
    /// When pods that are waited for are late.
    pub(crate) deadline: Option<Time>,
    pub(crate) state: State,
    told: bool,
}

impl Waits {
    /// A decision waits for this.
    pub(crate) fn decided(&mut self, at: Time, plan: &Plan, state: &State) {
        let late = plan.wake.filter(|wake| wake.why == WakeReason::ProgressDeadline).map(|wake| wake.at);
        let news: Vec<&Waiting> = plan.waiting.iter().filter(|waiting| is_news(waiting)).collect();
        let main = news.iter().any(|waiting| !is_minor(waiting));
        let news: Vec<&Waiting> = news.into_iter().filter(|waiting| !main || !is_minor(waiting)).collect();
        self.open.retain(|open| news.iter().any(|waiting| same(&open.waiting, waiting)));
        for waiting in news {
            let deadline = late.filter(|_| matches!(waiting.reason, WaitReason::Pods { .. }));
            match self.open.iter_mut().find(|open| same(&open.waiting, waiting)) {
                Some(open) if !open.told => {
                    open.waiting = waiting.clone();
                    open.deadline = deadline;
                    open.state = state.clone();
                }
                Some(_) => {}
                None => {
                    let (waiting, state) = (waiting.clone(), state.clone());
                    self.open.push(Open { since: at, waiting, deadline, state, told: false });
                }
            }
        }
    }

    /// How everything stands after the last thing that happened, at this time.
    pub(crate) fn stands(&mut self, at: Time, state: &State) {
        for open in self.open.iter_mut().filter(|open| open.since == at && !open.told) {
            open.state = state.clone();
        }
    }

    /// Time has come to `now`: the waits that it passed over, if they were not told before.
    pub(crate) fn told_at(&mut self, now: Time) -> Vec<Open> {
        let long = |open: &Open| {
            let moment = if is_short(&open.waiting) { MOMENT } else { Duration::ZERO };
            now.since(open.since) > moment
        };
        let mut told = Vec::new();
        for open in self.open.iter_mut().filter(|open| !open.told && long(open)) {
            open.told = true;
            told.push(open.clone());
        }
        told
    }
}

/// What has a line of its own already is not told again: a pause step, the scale-down deadline, a write under way.
fn is_news(waiting: &Waiting) -> bool {
    !matches!(waiting.reason, WaitReason::Pause | WaitReason::CarryingOut | WaitReason::ScaleDownDelay { .. })
}

/// What only follows from another wait.
fn is_minor(waiting: &Waiting) -> bool {
    matches!(
        waiting.reason,
        WaitReason::LeadsElsewhere { .. }
            | WaitReason::RoutesOfAnother { .. }
            | WaitReason::PodsGoing { .. }
            | WaitReason::ScalingDown { .. }
    )
}

fn is_short(waiting: &Waiting) -> bool {
    is_minor(waiting)
        || matches!(
            waiting.reason,
            WaitReason::Settling { long: false, .. }
                | WaitReason::GracePeriod { .. }
                | WaitReason::ProxiesUnknown
                | WaitReason::Fenceposts { .. }
                | WaitReason::OtherCluster(_)
                | WaitReason::KeptForCluster(_)
        )
}

/// Whether it is the same wait, though fewer pods or proxies may be missing by now.
fn same(one: &Waiting, other: &Waiting) -> bool {
    match (&one.reason, &other.reason) {
        (
            WaitReason::Pods { revision, need, .. },
            WaitReason::Pods { revision: other_revision, need: other_need, .. },
        ) => revision == other_revision && need == other_need,
        (WaitReason::StableCannotCarry { need, .. }, WaitReason::StableCannotCarry { need: other, .. }) => {
            need == other
        }
        (
            WaitReason::Settling { what, long, .. },
            WaitReason::Settling { what: other_what, long: other_long, .. },
        ) => what == other_what && long == other_long,
        (
            WaitReason::Analysis { role, run, .. },
            WaitReason::Analysis { role: other_role, run: other_run, .. },
        ) => role == other_role && run == other_run,
        (WaitReason::AnalysisUnanswered { run, .. }, WaitReason::AnalysisUnanswered { run: other, .. }) => {
            run == other
        }
        (one_reason, other_reason) => {
            let deadline =
                |waiting: &Waiting| matches!(waiting.ends, EndsBy::Time(_)).then(|| waiting.ends.clone());
            one_reason == other_reason && deadline(one) == deadline(other)
        }
    }
}
