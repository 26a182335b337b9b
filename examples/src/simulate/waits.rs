//! Which waits are worth a line: those over which time passes, each once.

use super::happening::State;
use rollout_core::{EndsBy, Time, WaitReason, Waiting};

/// What the last decision waits for.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// Since when, for what, and how everything stood.
    now: Option<(Time, Vec<Waiting>)>,
    state: State,
    told: Vec<Waiting>,
}

impl Waits {
    /// A decision waits for this.
    pub(crate) fn decided(&mut self, at: Time, waiting: &[Waiting], state: &State) {
        let waiting: Vec<Waiting> = waiting.iter().filter(|waiting| is_news(waiting)).cloned().collect();
        self.told.retain(|told| waiting.iter().any(|waiting| same(told, waiting)));
        self.now = Some((at, waiting));
        self.state = state.clone();
    }

    /// How everything stands after the last thing that happened.
    pub(crate) fn stands(&mut self, state: &State) {
        self.state = state.clone();
    }

    /// Time has come to `now`: the waits that it passed over, if they were not told before.
    pub(crate) fn told_at(&mut self, now: Time) -> Vec<(Time, Waiting, State)> {
        let Some((at, waiting)) = self.now.take_if(|(at, _)| *at < now) else { return Vec::new() };
        let new: Vec<Waiting> =
            waiting.into_iter().filter(|waiting| !self.told.iter().any(|told| same(told, waiting))).collect();
        self.told.extend(new.iter().cloned());
        new.into_iter().map(|waiting| (at, waiting, self.state.clone())).collect()
    }
}

/// What has a line of its own already is not told again: a pause step, the mark, a write under way.
fn is_news(waiting: &Waiting) -> bool {
    match &waiting.reason {
        WaitReason::CarryingOut | WaitReason::ScaleDownDelay { .. } => false,
        WaitReason::Pause => false,
        _ => true,
    }
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
        (one_reason, other_reason) => {
            let deadline =
                |waiting: &Waiting| matches!(waiting.ends, EndsBy::Time(_)).then(|| waiting.ends.clone());
            one_reason == other_reason && deadline(one) == deadline(other)
        }
    }
}
