//! Proof that all proxies of a replica have a state that the replica has seen.

use super::replica::Replica;
use std::time::Duration;

/// The time from the beginning of a push until every proxy has been sent it: the first, plus the second for each proxy.
const PUSHING: Duration = Duration::from_millis(100);
const PUSHING_TO_ONE: Duration = Duration::from_millis(10);
/// In addition, this multiple of the time that the replica took to list its proxies, up to a limit: a replica that is
/// slow at listing is slow at pushing. The limit is there because answers may also be slow for their size or because of
/// the network, which says nothing about pushes.
const SLOWER: u32 = 10;
const SLOWEST: Duration = Duration::from_secs(10);
/// The minimum if no push has been seen at all.
const PUSHING_UNSEEN: Duration = Duration::from_secs(1);
/// The longest that istiod holds a push back while changes keep coming.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);

/// One state, as one replica has seen it.
#[derive(Debug)]
pub(super) struct Seen {
    /// When the state was first seen.
    at: Duration,
    /// The newest push at that time.
    newest: u64,
    /// The newest push when the state was not seen yet.
    before: u64,
    /// When a later push was first seen, which may have begun before.
    next: Option<Duration>,
    /// The first push that must have begun after the state was seen, once known.
    first: Option<u64>,
    /// When a push was first seen that must have begun after that.
    pushed: Option<Duration>,
    /// Whether every proxy that has acknowledged all that it was sent has this state. That holds as long as the state
    /// does not change.
    pub(super) done: bool,
}

impl Seen {
    pub(super) fn now(replica: &Replica) -> Self {
        let newest = replica.newest;
        let before = replica.just_before.map_or(newest, |before| before.min(newest));
        Self { at: replica.told.1, newest, before, next: None, first: None, pushed: None, done: false }
    }

    /// Returns the first push that must have begun after the state was seen; larger than any push while that is
    /// unknown.
    pub(super) fn first_push(&self) -> u64 {
        self.first.unwrap_or(u64::MAX)
    }

    /// Takes a round in; returns whether a proxy that has acknowledged all that it was sent has this state.
    pub(super) fn is_pushed(&mut self, replica: &Replica, debounce: Duration) -> bool {
        // The first later push may have begun before. Its number says nothing about that: a push that concerns no proxy
        // also has a number, and is sent to none.
        if self.first.is_none() && replica.newest > self.newest {
            self.first = Some(replica.newest.saturating_add(1));
        }
        let first = self.first_push();
        // If only one push comes, it is the last: another would have begun within the debounce.
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
        // A proxy that has acknowledged the push needs no time to be sent it.
        let pushed = self.pushed.is_some_and(|then| replica.all_acked >= first || since(then) >= pushing);
        let whatever =
            since(self.at) >= debounce.max(LONGEST_DEBOUNCE).saturating_add(pushing.max(PUSHING_UNSEEN));
        let quiet = replica.dumps.quiet().is_some_and(|(_, until)| until >= self.quiet_at(replica, debounce));
        pushed || whatever || quiet
    }

    /// Returns the time until which nothing that could cause a push may have changed, for the state to count.
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
