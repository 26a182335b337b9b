//! What the process has pushed, and when it pushes.

use super::{
    known::Known,
    proxy::{Leads, Types, Weights},
};
use rollout_kube::testing::Change;
use std::time::Duration;
use tokio::time::Instant;

/// It pushes when nothing has changed for so long, …
pub(crate) const QUIET: Duration = Duration::from_millis(100);
/// … or when something has waited for so long.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Istiod {
    /// When this process began, and how long it had run before the history did.
    pub(super) began: (Instant, Duration),
    /// Until when there is none.
    pub(super) down_until: Option<Instant>,
    /// Until when it hears and answers nothing, and goes on afterwards.
    pub(super) frozen_until: Option<Instant>,
    pub(super) known: Known,
    /// The number of its last push: every push has one, whatever is sent in it, and to whom.
    pub(super) pushes: u64,
    pub(super) pushed: (Leads, Weights),
    pub(super) changed: Option<Changed>,
}

/// What has changed since the last push.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    first: Instant,
    last: Instant,
    pub(super) types: Types,
}

impl Changed {
    /// When it is to be pushed.
    pub(super) fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + LONGEST)
    }
}

impl Istiod {
    pub(super) fn new(known: Known, now: Instant, has_run: Duration) -> Self {
        Self {
            began: (now, has_run),
            down_until: None,
            frozen_until: None,
            pushes: 1,
            pushed: (known.leads(), known.weights()),
            known,
            changed: None,
        }
    }

    pub(super) fn answers(&self) -> bool {
        self.down_until.is_none() && self.frozen_until.is_none()
    }

    /// Its watches show a change.
    pub(super) fn hears(&mut self, change: &Change, now: Instant) {
        if let Some(types) = self.known.take_in(change) {
            self.has_to_push(types, now);
        }
    }

    pub(super) fn has_to_push(&mut self, types: Types, now: Instant) {
        let before = self.changed;
        self.changed = Some(Changed {
            first: before.map_or(now, |changed| changed.first),
            last: now,
            types: before.map_or(types, |changed| changed.types.and(types)),
        });
    }
}
