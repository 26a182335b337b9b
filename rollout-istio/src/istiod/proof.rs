//! When all proxies of a replica have a state that the replica has seen.

use super::replica::Replica;
use std::time::Duration;

/// From the beginning of a push until every proxy has been sent it: this, and as much for each proxy.
const PUSHING: Duration = Duration::from_millis(100);
const PUSHING_TO_ONE: Duration = Duration::from_millis(10);
/// And so many times what it takes to tell about the proxies: a replica that has little time for that has little for
/// pushes. That has an end: of a mesh whose answers are slow because they are large, or because the way to them is,
/// nothing follows for its pushes.
const SLOWER: u32 = 10;
const SLOWEST: Duration = Duration::from_secs(10);
/// At least so long where no push has been seen at all.
const PUSHING_UNSEEN: Duration = Duration::from_secs(1);
/// The longest that istiod holds a push back while changes keep coming.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);

/// One state, as one replica has seen it.
#[derive(Debug)]
pub(super) struct Seen {
    /// When it was first seen.
    at: Duration,
    /// The newest push then.
    newest: u64,
    /// The newest push when it was not there yet.
    before: u64,
    /// When a push later than that was first seen: it may have begun before.
    next: Option<Duration>,
    /// The first push that must have begun after the state was seen, once that is known.
    first: Option<u64>,
    /// When a push was first seen that must have begun after that.
    pushed: Option<Duration>,
    /// Every proxy that has all that was sent to it has this state. That does not change as long as the state does
    /// not.
    pub(super) done: bool,
}

impl Seen {
    pub(super) fn now(replica: &Replica) -> Self {
        let newest = replica.newest;
        let before = replica.just_before.map_or(newest, |before| before.min(newest));
        Self { at: replica.told.1, newest, before, next: None, first: None, pushed: None, done: false }
    }

    /// The first push that must have begun after the state was seen; larger than any as long as that is not known.
    pub(super) fn first_push(&self) -> u64 {
        self.first.unwrap_or(u64::MAX)
    }

    /// Takes a round in; whether a proxy that has all that was sent to it has this state.
    pub(super) fn is_pushed(&mut self, replica: &Replica, debounce: Duration) -> bool {
        // The first one that is seen later may have begun before. How far its number has risen says nothing: a push that
        // concerns no proxy has a number, too, and nobody is sent it.
        if self.first.is_none() && replica.newest > self.newest {
            self.first = Some(replica.newest.saturating_add(1));
        }
        let first = self.first_push();
        // When only one push comes, it is the last: one that was still to come would have begun within the debounce.
        for (when, enough) in
            [(&mut self.next, replica.newest > self.before), (&mut self.pushed, replica.newest >= first)]
        {
            if enough {
                when.get_or_insert(replica.told.1);
            }
        }
        let (begun, _) = replica.told;
        let pushing = pushing(replica);
        let since = |then: Duration| begun.saturating_sub(then);
        // Whoever has acknowledged it needs no time to be sent it.
        let pushed = self.pushed.is_some_and(|then| replica.all_acked >= first || since(then) >= pushing);
        let whatever =
            since(self.at) >= debounce.max(LONGEST_DEBOUNCE).saturating_add(pushing.max(PUSHING_UNSEEN));
        let quiet = replica.dumps.quiet().is_some_and(|(_, until)| until >= self.quiet_at(replica, debounce));
        pushed || whatever || quiet
    }

    /// At which time it is enough that nothing has changed until then that could cause a push.
    pub(super) fn quiet_at(&self, replica: &Replica, debounce: Duration) -> Duration {
        let quiet_since = replica.dumps.quiet().map_or(Duration::ZERO, |(since, _)| since);
        let pushing = pushing(replica);
        let after = |then: Duration, pushing: Duration| {
            then.max(quiet_since).saturating_add(debounce).saturating_add(pushing)
        };
        let unseen = after(self.at, pushing.max(PUSHING_UNSEEN));
        self.next.map_or(unseen, |next| unseen.min(after(next, pushing)))
    }
}

fn pushing(replica: &Replica) -> Duration {
    let proxies = u32::try_from(replica.connections.len()).unwrap_or(u32::MAX);
    let (begun, ended) = replica.told;
    let slow = ended.saturating_sub(begun).saturating_mul(SLOWER).min(SLOWEST);
    PUSHING_TO_ONE.saturating_mul(proxies).saturating_add(PUSHING).saturating_add(slow)
}
