//! What is remembered from one round of questions to the next.

use super::reading::Reading;
use rollout_core::{
    Revision,
    traffic::{ObjectRef, ObjectVersion},
};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// From the beginning of a push until every proxy has been sent it: this, and as much for each proxy.
const PUSHING: Duration = Duration::from_millis(100);
const PUSHING_TO_ONE: Duration = Duration::from_millis(10);
/// And so many times what a round of questions takes: a replica that has little time, or much to tell, is as slow
/// when it pushes.
const SLOWER: u32 = 10;
/// Of a reading that is older than this, nothing is concluded about a push that came since.
const JUST_BEFORE: Duration = Duration::from_secs(1);
/// At least so long where no push has been seen at all.
const PUSHING_UNSEEN: Duration = Duration::from_secs(1);
/// The longest that istiod holds a push back while changes keep coming.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);

/// What is asked about: one state of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Object(ObjectRef),
    Endpoints(Revision),
}

/// Which state of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Object(ObjectVersion),
    Endpoints(BTreeSet<String>),
}

impl State {
    /// Whether two states are the same to a proxy: an annotation is not.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(one), Self::Object(other)) => one.content == other.content,
            (one, other) => one == other,
        }
    }
}

/// What is known of one replica.
#[derive(Debug, Default)]
pub(super) struct Replica {
    newest: u64,
    at: Duration,
    /// The newest push in the reading before this one, if that was just before.
    just_before: Option<u64>,
    digest: u64,
    /// Since when nothing has changed that could cause a push.
    quiet_since: Duration,
    seen: HashMap<Subject, Seen>,
}

/// When one state was first seen.
#[derive(Debug)]
struct Seen {
    state: State,
    at: Duration,
    /// The newest push then.
    newest: u64,
    /// The newest push when it was not there yet.
    before: u64,
    /// When a push later than that was first seen: it may have begun before.
    next: Option<Duration>,
    /// When a push was first seen that must have begun after that.
    pushed: Option<Duration>,
    /// Every proxy has it. That does not change as long as the state does not.
    done: bool,
}

impl Replica {
    /// A round in which it did not answer: what it knew may be lost.
    pub(super) fn silent(&mut self) {
        self.seen.retain(|_, seen| seen.done);
    }

    /// Takes a new reading in.
    pub(super) fn read(&mut self, reading: &Reading, at: Duration) {
        if reading.newest < self.newest {
            // It began anew, and numbers its pushes from 1.
            self.seen.clear();
        }
        let is_just_before = at.saturating_sub(self.at) <= JUST_BEFORE && self.newest > 0;
        self.just_before = is_just_before.then_some(self.newest);
        (self.newest, self.at) = (reading.newest, at);
        if reading.digest != self.digest {
            (self.digest, self.quiet_since) = (reading.digest, at);
        }
    }

    /// Whether every proxy of this replica has this state, which it has seen itself.
    pub(super) fn has_pushed(
        &mut self,
        (subject, state): (&Subject, &State),
        reading: &Reading,
        (begun, ended): (Duration, Duration),
        debounce: Duration,
    ) -> bool {
        if self.seen.get(subject).is_none_or(|seen| !seen.state.is_same(state)) {
            let (state, newest) = (state.clone(), reading.newest);
            let before = self.just_before.map_or(newest, |before| before.min(newest));
            let seen = Seen { state, at: ended, newest, before, next: None, pushed: None, done: false };
            self.seen.insert(subject.clone(), seen);
        }
        let (quiet_since, all_acked) =
            (self.quiet_since, reading.proxies.iter().all(|(_, has_all)| *has_all));
        let Some(seen) = self.seen.get_mut(subject) else { return false };
        // The next number may be a push that had begun before; the one after that has begun later. When only one
        // comes, it is the last: one that was still to come would have begun within the debounce.
        for (when, later_than) in
            [(&mut seen.next, seen.before), (&mut seen.pushed, seen.newest.saturating_add(1))]
        {
            if when.is_none() && reading.newest > later_than {
                *when = Some(ended);
            }
        }
        let proxies = u32::try_from(reading.proxies.len()).unwrap_or(u32::MAX);
        let slow = ended.saturating_sub(begun).saturating_mul(SLOWER);
        let pushing = PUSHING + PUSHING_TO_ONE.saturating_mul(proxies) + slow;
        let since = |then: Duration| begun.saturating_sub(then);
        let pushed = seen.pushed.is_some_and(|then| since(then) >= pushing);
        let last = seen.next.is_some_and(|then| since(then.max(quiet_since)) >= debounce + pushing);
        let quiet = since(seen.at.max(quiet_since)) >= debounce + pushing.max(PUSHING_UNSEEN);
        let whatever = since(seen.at) >= debounce.max(LONGEST_DEBOUNCE) + pushing.max(PUSHING_UNSEEN);
        seen.done |= all_acked && (pushed || last || quiet || whatever);
        seen.done
    }

    /// Whether every proxy has had this content of an object: a later annotation changes nothing.
    pub(super) fn had(&self, subject: &Subject, state: &State) -> bool {
        let same = |seen: &Seen| seen.done && seen.state.is_same(state);
        matches!(subject, Subject::Object(_)) && self.seen.get(subject).is_some_and(same)
    }

    /// Whether this state was the last that was asked about, and every proxy had it: asked while the replica does
    /// not answer. Another state ends that, also when the first comes back.
    pub(super) fn had_last(&mut self, subject: &Subject, state: &State) -> bool {
        let had = self.seen.get(subject).is_some_and(|seen| seen.done && seen.state.is_same(state));
        if !had {
            self.forget(subject);
        }
        had
    }

    /// It has not seen this state, or no longer.
    pub(super) fn forget(&mut self, subject: &Subject) {
        self.seen.remove(subject);
    }
}
