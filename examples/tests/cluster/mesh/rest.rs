//! Waiting until there is nothing left to do.

use super::story::ROLLOUTS;
use crate::bed::{Namespace, Rollout, Seen, secs};
use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

/// Waits until this is so of both rollouts.
pub(super) fn both(space: &Namespace, what: &str, within: Duration, holds: impl Fn(Rollout<'_>) -> bool) {
    space.until(what, within, |seen| ROLLOUTS.iter().all(|name| seen.rollout(name).is_some_and(&holds)));
}

/// Waits until both are in this phase, and no pods are left but stable's.
pub(super) fn until_at_rest(space: &Namespace, phase: &str, within: Duration) {
    let end = Instant::now() + within;
    both(space, phase, within, |rollout| rollout.phase() == phase);
    let left = end.saturating_duration_since(Instant::now()).max(secs(1));
    space.until("no pods but stable's", left, |seen| {
        let stable: Vec<String> = stable(seen);
        seen.objects("Pod").count() == stable.len()
            && seen.objects("Pod").all(|pod| {
                let hash = &pod["metadata"]["labels"]["rollouts-pod-template-hash"];
                stable.iter().any(|stable| hash == stable.as_str())
            })
    });
}

/// The stable revisions of both.
pub(super) fn stable(seen: &Seen) -> Vec<String> {
    ROLLOUTS.iter().filter_map(|name| seen.rollout(name)).map(|rollout| rollout.stable().to_owned()).collect()
}

/// A length of time is what a stopped istiod is about: there is nothing to wait for.
pub(super) fn until_it_is(then: Instant) {
    let (_kept, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(then.saturating_duration_since(Instant::now()));
}
