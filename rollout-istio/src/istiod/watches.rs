//! The states that rollouts wait for, and the answers they were given.

use super::{
    proof::Seen,
    subject::{State, Subject},
};
use rollout_core::{Time, backend::RolloutRef, traffic::Settled};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A rollout that has not asked again for this long no longer waits.
const WAITS: Duration = Duration::from_secs(10);
/// A rollout that has asked about other subjects but not this one for this long no longer asks about it.
const FORGOTTEN: Duration = Duration::from_secs(3_600);
/// The maximum number of proxies named.
const NAMES: usize = 8;

/// All states that rollouts ask about.
#[derive(Debug, Default)]
pub(super) struct Watches {
    by_subject: HashMap<Subject, Vec<Watch>>,
    /// The subjects of recent queries: a round costs in proportion to these, however many others are at rest.
    lately: HashSet<Subject>,
    /// The subjects that each rollout asks about, and when it last did.
    asked: HashMap<RolloutRef, HashMap<Subject, Duration>>,
    waits: Option<Waits>,
}

/// The times of the states being waited for.
#[derive(Debug, Clone, Copy)]
struct Waits {
    /// When the youngest of them was first asked about.
    youngest: Duration,
    /// When any of them was last asked about.
    asked: Duration,
}

impl Waits {
    fn and(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or(self);
        Self { youngest: self.youngest.max(other.youngest), asked: self.asked.max(other.asked) }
    }
}

/// One state.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) state: State,
    pub(super) askers: Vec<RolloutRef>,
    asked: Duration,
    /// Since when it is not settled.
    since: Time,
    /// When it was first asked about.
    first: Duration,
    /// By replica.
    pub(super) seen: HashMap<String, Seen>,
    /// Whether every proxy has it, including those that were disconnected for a while.
    pub(super) is_everywhere: bool,
    pub(super) answer: Answer,
    /// The kind of answer that its askers know.
    told: Answer,
}

/// The current answer about one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// The proxies that are behind; may be empty.
    NotYet(Vec<String>),
    Unknown,
}

impl Answer {
    /// Returns the worse of two answers.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotYet(mut all), Self::NotYet(others)) => {
                all.extend(others);
                Self::NotYet(all)
            }
            (not_yet @ Self::NotYet(_), _) | (_, not_yet @ Self::NotYet(_)) => not_yet,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Sorts the names and drops those beyond the maximum.
    fn shortened(mut self) -> Self {
        if let Self::NotYet(names) = &mut self {
            names.sort();
            names.dedup();
            let more = names.len().saturating_sub(NAMES);
            if more > 0 {
                names.truncate(NAMES);
                names.push(format!("and {more} more"));
            }
        }
        self
    }
}

impl Watch {
    fn new(state: &State, first: Answer, (elapsed, now): (Duration, Time)) -> Self {
        Self {
            state: state.clone(),
            askers: Vec::new(),
            asked: elapsed,
            since: now,
            first: elapsed,
            seen: HashMap::new(),
            is_everywhere: false,
            answer: first.clone(),
            told: first,
        }
    }

    /// Returns whether a rollout has asked about it recently.
    fn is_asked_about(&self, elapsed: Duration) -> bool {
        elapsed.saturating_sub(self.asked) <= WAITS
    }

    /// Returns whether a rollout waits for it.
    pub(super) fn is_waited_for(&self, elapsed: Duration) -> bool {
        self.answer != Answer::Yes && self.is_asked_about(elapsed)
    }

    /// Takes in a judgement. Returns whether the askers know another answer.
    pub(super) fn judged(&mut self, answer: Answer, (elapsed, now): (Duration, Time)) -> bool {
        if answer != Answer::Yes && self.answer == Answer::Yes {
            (self.since, self.first) = (now, elapsed);
        }
        self.answer = answer.shortened();
        let is_news = !self.answer.is_like(&self.told);
        if is_news {
            self.told.clone_from(&self.answer);
        }
        // Rollouts at rest learn of it when they ask.
        is_news && self.is_asked_about(elapsed)
    }

    fn settled(&self) -> Settled {
        match &self.answer {
            Answer::Yes => Settled::Yes,
            Answer::NotYet(behind) => Settled::NotYet { since: self.since, behind: behind.clone() },
            Answer::Unknown => Settled::UNKNOWN,
        }
    }
}

impl Watches {
    /// Returns the answer about this state. From now on `who` waits for it, and for no other state of the same subject.
    pub(super) fn ask(
        &mut self,
        who: &RolloutRef,
        (subject, state): (&Subject, &State),
        first: Answer,
        (elapsed, now): (Duration, Time),
    ) -> Settled {
        let all = self.by_subject.entry(subject.clone()).or_default();
        if !all.iter().any(|watch| watch.state.is_same(state)) {
            all.push(Watch::new(state, first, (elapsed, now)));
        }
        let mut settled = Settled::UNKNOWN;
        all.retain_mut(|watch| {
            if !watch.state.is_same(state) {
                watch.askers.retain(|asker| asker != who);
                return !watch.askers.is_empty();
            }
            if !watch.askers.contains(who) {
                watch.askers.push(who.clone());
            }
            // The same contents may have been written again.
            watch.state.clone_from(state);
            watch.asked = elapsed;
            settled = watch.settled();
            if watch.answer != Answer::Yes {
                self.waits = Some(Waits { youngest: watch.first, asked: elapsed }.and(self.waits));
            }
            true
        });
        if !self.lately.contains(subject) {
            self.lately.insert(subject.clone());
        }
        self.asked.entry(who.clone()).or_default().insert(subject.clone(), elapsed);
        self.forget_old(who, elapsed);
        settled
    }

    /// Returns how long ago the youngest state being waited for was first asked about; `None` while no rollout waits.
    pub(super) fn youngest(&self, elapsed: Duration) -> Option<Duration> {
        let waits = self.waits.filter(|waits| elapsed.saturating_sub(waits.asked) <= WAITS)?;
        Some(elapsed.saturating_sub(waits.youngest))
    }

    /// Determines again what is waited for: some states have settled, and some rollouts are gone.
    pub(super) fn count(&mut self, elapsed: Duration) {
        let by_subject = &self.by_subject;
        self.lately.retain(|subject| {
            let all = by_subject.get(subject).map(Vec::as_slice).unwrap_or_default();
            all.iter().any(|watch| watch.is_asked_about(elapsed))
        });
        let waits = |watch: &Watch| Waits { youngest: watch.first, asked: watch.asked };
        let waiting = self.lately().filter(|(_, watch)| watch.is_waited_for(elapsed));
        self.waits = waiting.map(|(_, watch)| waits(watch)).reduce(|one, other| one.and(Some(other)));
    }

    /// Forgets what this rollout no longer asks about.
    fn forget_old(&mut self, who: &RolloutRef, elapsed: Duration) {
        let Some(asked) = self.asked.get_mut(who) else { return };
        let old = |last: &Duration| elapsed.saturating_sub(*last) > FORGOTTEN;
        let gone: Vec<Subject> =
            asked.iter().filter(|(_, last)| old(last)).map(|(subject, _)| subject.clone()).collect();
        for subject in gone {
            asked.remove(&subject);
            leave(&mut self.by_subject, who, &subject);
        }
    }

    /// Forgets a rollout that is gone.
    pub(super) fn forget(&mut self, who: &RolloutRef, elapsed: Duration) {
        let Some(asked) = self.asked.remove(who) else { return };
        for subject in asked.into_keys() {
            leave(&mut self.by_subject, who, &subject);
        }
        self.count(elapsed);
    }

    /// Discards the judgements about a replica that has restarted, and its proxies.
    pub(super) fn began_anew(&mut self, replica: &str) {
        for watch in self.by_subject.values_mut().flatten() {
            watch.seen.remove(replica);
            watch.is_everywhere = false;
        }
    }

    /// Iterates over the states of recent queries.
    pub(super) fn lately(&self) -> impl Iterator<Item = (&Subject, &Watch)> {
        self.lately.iter().flat_map(|subject| {
            self.by_subject.get(subject).into_iter().flatten().map(move |watch| (subject, watch))
        })
    }

    /// Judges the states of recent queries.
    pub(super) fn each_lately(&mut self, mut judge: impl FnMut(&Subject, &mut Watch)) {
        for subject in &self.lately {
            let all = self.by_subject.get_mut(subject).into_iter().flatten();
            all.for_each(|watch| judge(subject, watch));
        }
    }

    /// Returns the rollouts that wait for anything.
    pub(super) fn waiting(&self, elapsed: Duration) -> Vec<RolloutRef> {
        let watches = self.lately().filter(|(_, watch)| watch.is_waited_for(elapsed));
        let askers: HashSet<&RolloutRef> = watches.flat_map(|(_, watch)| &watch.askers).collect();
        askers.into_iter().cloned().collect()
    }
}

fn leave(by_subject: &mut HashMap<Subject, Vec<Watch>>, who: &RolloutRef, subject: &Subject) {
    let Some(all) = by_subject.get_mut(subject) else { return };
    all.retain_mut(|watch| {
        watch.askers.retain(|asker| asker != who);
        !watch.askers.is_empty()
    });
    if all.is_empty() {
        by_subject.remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(namespace: &str) -> Subject {
        Subject::Endpoints { namespace: namespace.to_owned(), revision: "v1".into() }
    }

    /// Asks what one rollout's turn asks.
    fn ask(watches: &mut Watches, namespace: &str, second: u64) {
        let (subject, state) = (endpoints(namespace), State::Endpoints([namespace.to_owned()].into()));
        let who = RolloutRef::new(namespace, "web");
        let at = (Duration::from_secs(second), Time::from_secs(0));
        watches.ask(&who, (&subject, &state), Answer::NotYet(Vec::new()), at);
    }

    fn judged(watches: &mut Watches) -> Vec<Subject> {
        let mut judged = Vec::new();
        watches.each_lately(|subject, _| judged.push(subject.clone()));
        judged
    }

    #[test]
    fn a_round_costs_nothing_for_rollouts_at_rest() {
        let mut watches = Watches::default();
        for namespace in ["at-rest-1", "at-rest-2", "at-work"] {
            ask(&mut watches, namespace, 0);
        }
        ask(&mut watches, "at-work", 8);
        watches.count(Duration::from_secs(11));
        assert_eq!(judged(&mut watches), [endpoints("at-work")]);
        assert_eq!(watches.youngest(Duration::from_secs(11)), Some(Duration::from_secs(11)));
        ask(&mut watches, "at-rest-1", 60);
        watches.forget(&RolloutRef::new("at-work", "web"), Duration::from_secs(60));
        assert_eq!(judged(&mut watches), [endpoints("at-rest-1")], "whoever asks again is judged again");
    }
}
