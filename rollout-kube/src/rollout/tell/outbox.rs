//! Which event is published next: a fair share for every namespace, and none lost.

use super::said::Said;
use rollout_core::Time;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// So many events of one Rollout wait; of what comes beside, the number is told.
pub(super) const OF_A_ROLLOUT: usize = 50;
/// So many events of one namespace wait; likewise.
pub(super) const OF_A_NAMESPACE: usize = 2_000;
/// A warning that was told within this time is counted, not told again.
const FOLDED_WITHIN: Duration = Duration::from_secs(600);
/// So many of a Rollout's last events can be counted on.
const REMEMBERED: usize = 8;
/// After so many events it is looked which Rollouts had none for long.
const SWEPT_AFTER: u32 = 1_000;

/// The Rollout that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Arc<str>,
    pub(super) version: Arc<str>,
}

/// One event, as it is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) about: About,
    pub(super) said: Said,
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) count: u64,
    /// The object that is there already, and only counts on.
    pub(super) is_there: Option<Arc<str>>,
    /// No other event of this process has this number: tried again, it has the same name.
    pub(super) number: u64,
    /// How often it was tried.
    pub(super) tries: u32,
}

/// What waits to be published.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    spaces: HashMap<Arc<str>, Space>,
    /// The namespaces in which something can be published, in turn.
    turns: VecDeque<Arc<str>>,
    pushed: u32,
    numbers: u64,
}

#[derive(Debug, Default)]
struct Space {
    waiting: usize,
    lines: HashMap<Arc<str>, Line>,
    /// The Rollouts of which something can be published, in turn.
    turns: VecDeque<Arc<str>>,
}

/// The events of one Rollout, in their order.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Told>,
    /// One is being published: the next waits for it.
    is_at_work: bool,
    /// It is among those that have their turn.
    has_turn: bool,
    left_out: Option<LeftOut>,
    recent: VecDeque<Recent>,
}

/// Events that were not kept, because too many waited.
#[derive(Debug)]
struct LeftOut {
    count: u64,
    about: About,
    first: Time,
    last: Time,
    what: Said,
}

/// An event that was published.
#[derive(Debug)]
struct Recent {
    said: Said,
    object: Arc<str>,
    first: Time,
    last: Time,
    count: u64,
}

/// What became of an event that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It waits, or one that says the same counts it.
    Waits,
    /// Too many wait; it is counted. This is the first of them for its Rollout.
    LeftOutFirst,
    LeftOut,
}

impl Outbox {
    /// Takes an event in.
    pub(super) fn push(&mut self, about: About, said: Said, now: Time) -> Taken {
        self.sweep(now);
        let space = self.spaces.entry(Arc::clone(&about.namespace)).or_default();
        let line = space.lines.entry(Arc::clone(&about.uid)).or_default();
        if line.counts_on(&said, now) {
            return Taken::Waits;
        }
        if space.waiting >= OF_A_NAMESPACE || line.waiting.len() >= OF_A_ROLLOUT {
            return line.leave_out(about, said, now);
        }
        let (uid, namespace) = (Arc::clone(&about.uid), Arc::clone(&about.namespace));
        self.numbers += 1;
        let told = Told { number: self.numbers, ..line.follows(about, said, now) };
        line.waiting.push_back(told);
        space.waiting += 1;
        self.ready(&namespace, &uid);
        Taken::Waits
    }

    /// The next event to be published: of another namespace, and there of another Rollout, than the one before.
    /// [`published`](Self::published) or [`failed`](Self::failed) must follow.
    pub(super) fn take(&mut self) -> Option<Told> {
        while let Some(namespace) = self.turns.pop_front() {
            let Some(space) = self.spaces.get_mut(&namespace) else { continue };
            let Some(uid) = space.turns.pop_front() else { continue };
            if !space.turns.is_empty() {
                self.turns.push_back(Arc::clone(&namespace));
            }
            let Some(line) = space.lines.get_mut(&uid) else { continue };
            line.has_turn = false;
            let told = if let Some(told) = line.waiting.pop_front() {
                space.waiting = space.waiting.saturating_sub(1);
                if line.waiting.is_empty() {
                    // Nothing is said of most Rollouts for long.
                    line.waiting = VecDeque::new();
                }
                told
            } else {
                let Some(left_out) = line.left_out.take() else { continue };
                self.numbers += 1;
                Told { number: self.numbers, ..left_out.told() }
            };
            line.is_at_work = true;
            return Some(told);
        }
        None
    }

    /// It was published as this object.
    pub(super) fn published(&mut self, told: &Told, object: Arc<str>) {
        if let Some(line) = self.line(&told.about) {
            line.is_at_work = false;
            // What is no warning is counted on only as the last one.
            line.recent.retain(|recent| recent.said.warns && recent.said != told.said);
            let (said, first, last, count) = (told.said.clone(), told.first, told.last, told.count);
            line.recent.push_back(Recent { said, object, first, last, count });
            while line.recent.len() > REMEMBERED {
                line.recent.pop_front();
            }
        }
        self.ready(&told.about.namespace.clone(), &told.about.uid.clone());
    }

    /// It was not: it is tried again, before everything else about its Rollout.
    pub(super) fn failed(&mut self, mut told: Told) {
        told.tries = told.tries.saturating_add(1);
        let about = told.about.clone();
        if let Some(space) = self.spaces.get_mut(&about.namespace) {
            space.waiting += 1;
            if let Some(line) = space.lines.get_mut(&about.uid) {
                line.is_at_work = false;
                line.waiting.push_front(told);
            }
        }
        self.ready(&about.namespace, &about.uid);
    }

    /// It cannot be published, and is not tried again.
    pub(super) fn given_up(&mut self, told: &Told) {
        if let Some(line) = self.line(&told.about) {
            line.is_at_work = false;
        }
        self.ready(&told.about.namespace.clone(), &told.about.uid.clone());
    }

    /// Whether nothing waits and nothing is being published.
    pub(super) fn is_empty(&self) -> bool {
        let idle = |line: &Line| line.waiting.is_empty() && !line.is_at_work && line.left_out.is_none();
        self.spaces.values().all(|space| space.waiting == 0 && space.lines.values().all(idle))
    }

    fn line(&mut self, about: &About) -> Option<&mut Line> {
        self.spaces.get_mut(&about.namespace)?.lines.get_mut(&about.uid)
    }

    /// Gives a Rollout its turn, if something of it can be published.
    fn ready(&mut self, namespace: &Arc<str>, uid: &Arc<str>) {
        let Some(space) = self.spaces.get_mut(namespace) else { return };
        let Some(line) = space.lines.get_mut(uid) else { return };
        let has_work = !line.waiting.is_empty() || line.left_out.is_some();
        if !has_work || line.is_at_work || line.has_turn {
            return;
        }
        line.has_turn = true;
        if space.turns.is_empty() {
            self.turns.push_back(Arc::clone(namespace));
        }
        space.turns.push_back(Arc::clone(uid));
    }

    /// Forgets Rollouts of which nothing was said for long.
    fn sweep(&mut self, now: Time) {
        self.pushed += 1;
        if self.pushed < SWEPT_AFTER {
            return;
        }
        self.pushed = 0;
        for space in self.spaces.values_mut() {
            space.lines.retain(|_, line| {
                line.is_at_work
                    || !line.waiting.is_empty()
                    || line.left_out.is_some()
                    || line.recent.iter().any(|recent| recent.is_fresh(now))
            });
        }
        self.spaces.retain(|_, space| !space.lines.is_empty());
    }
}

impl Line {
    /// Whether one that waits says the same and counts this, too: any warning, or the last.
    fn counts_on(&mut self, said: &Said, now: Time) -> bool {
        let last = self.waiting.len().saturating_sub(1);
        let mut same = self.waiting.iter_mut().enumerate().rev();
        let same = same.find(|(index, told)| (said.warns || *index == last) && told.said == *said);
        if let Some((_, told)) = same {
            told.count = told.count.saturating_add(1);
            told.last = now;
            return true;
        }
        false
    }

    /// A new event; or one that was published, counted on.
    fn follows(&self, about: About, said: Said, now: Time) -> Told {
        let is_last =
            |index: usize| index + 1 == self.recent.len() && self.waiting.is_empty() && !self.is_at_work;
        let recent = self.recent.iter().enumerate().find(|(index, recent)| {
            recent.said == said && recent.is_fresh(now) && (said.warns || is_last(*index))
        });
        match recent {
            Some((_, recent)) => Told {
                count: recent.count.saturating_add(1),
                first: recent.first,
                is_there: Some(Arc::clone(&recent.object)),
                about,
                said,
                last: now,
                number: 0,
                tries: 0,
            },
            None => {
                Told { about, said, first: now, last: now, count: 1, is_there: None, number: 0, tries: 0 }
            }
        }
    }

    fn leave_out(&mut self, about: About, said: Said, now: Time) -> Taken {
        if let Some(left_out) = &mut self.left_out {
            left_out.count = left_out.count.saturating_add(1);
            (left_out.last, left_out.what, left_out.about) = (now, said, about);
            return Taken::LeftOut;
        }
        self.left_out = Some(LeftOut { count: 1, about, first: now, last: now, what: said });
        Taken::LeftOutFirst
    }
}

impl Recent {
    fn is_fresh(&self, now: Time) -> bool {
        now.since(self.last) < FOLDED_WITHIN
    }
}

impl LeftOut {
    /// One event that stands for all of them.
    fn told(self) -> Told {
        let Said { reason, note, .. } = &self.what;
        let note = format!(
            "{} events of this Rollout were not published: too many were waiting. The last was {reason}: {note}",
            self.count
        );
        let said = Said::warning("EventsLeftOut", note);
        Told {
            about: self.about,
            said,
            first: self.first,
            last: self.last,
            count: self.count,
            is_there: None,
            number: 0,
            tries: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(namespace: &str, name: &str) -> About {
        let uid = format!("{namespace}/{name}");
        About { namespace: namespace.into(), name: name.into(), uid: uid.into(), version: "1".into() }
    }

    fn at(seconds: i64) -> Time {
        Time::from_secs(seconds)
    }

    fn warning(note: &str) -> Said {
        Said::warning("Trouble", note)
    }

    /// Publishes all that waits, and says what it was.
    fn drain(outbox: &mut Outbox) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = outbox.take() {
            outbox.published(&told, format!("event-{}", told.number).into());
            all.push(told);
        }
        assert!(outbox.is_empty());
        all
    }

    #[test]
    fn every_namespace_and_in_it_every_rollout_has_its_turn() {
        let mut outbox = Outbox::default();
        for index in 0..20 {
            for name in ["a", "b"] {
                outbox.push(about("loud", name), warning(&format!("{index}")), at(0));
            }
        }
        outbox.push(about("quiet", "web"), warning("one"), at(0));
        let order: Vec<_> = drain(&mut outbox).iter().map(|told| told.about.uid.to_string()).collect();
        assert_eq!(order[..5], ["loud/a", "quiet/web", "loud/b", "loud/a", "loud/b"]);
    }

    #[test]
    fn what_is_about_one_rollout_comes_in_its_order_also_when_one_is_tried_again() {
        let mut outbox = Outbox::default();
        for note in ["1", "2", "3"] {
            outbox.push(about("shop", "web"), warning(note), at(0));
        }
        let first = outbox.take().unwrap();
        assert_eq!(outbox.take(), None, "the next waits until the first is there");
        let number = first.number;
        outbox.failed(first);
        let again = outbox.take().unwrap();
        assert_eq!((again.said.note.as_str(), again.number, again.tries), ("1", number, 1));
        outbox.given_up(&again);
        let notes: Vec<_> = drain(&mut outbox).into_iter().map(|told| told.said.note).collect();
        assert_eq!(notes, ["2", "3"]);
    }

    #[test]
    fn a_warning_that_repeats_itself_is_counted_and_a_story_is_told_as_it_was() {
        let mut outbox = Outbox::default();
        let web = || about("shop", "web");
        for second in 0..3 {
            outbox.push(web(), warning("no"), at(second));
            outbox.push(web(), Said::normal("Paused", "it is paused"), at(second));
        }
        let told = drain(&mut outbox);
        let seen: Vec<_> = told.iter().map(|told| (told.said.reason, told.count, told.last)).collect();
        assert_eq!(seen, [("Trouble", 3, at(2)), ("Paused", 3, at(2))], "while they wait");
        outbox.push(web(), warning("no"), at(60));
        outbox.push(web(), Said::normal("Paused", "it is paused"), at(61));
        let told = drain(&mut outbox);
        let seen: Vec<_> =
            told.iter().map(|told| (told.count, told.first, told.is_there.as_deref())).collect();
        assert_eq!(
            seen,
            [(4, at(0), Some("event-1")), (1, at(61), None)],
            "a warning goes on; a pause after something else is another pause"
        );
        outbox.push(web(), warning("no"), at(1_000));
        assert_eq!(drain(&mut outbox)[0].is_there, None, "after ten minutes it is news again");
    }

    #[test]
    fn what_is_too_much_is_counted_and_the_number_told() {
        let mut outbox = Outbox::default();
        let mut taken = Vec::new();
        for index in 0..OF_A_ROLLOUT + 7 {
            taken.push(outbox.push(about("shop", "web"), warning(&index.to_string()), at(0)));
        }
        assert_eq!(
            taken[OF_A_ROLLOUT - 1..OF_A_ROLLOUT + 2],
            [Taken::Waits, Taken::LeftOutFirst, Taken::LeftOut]
        );
        outbox.push(about("shop", "other"), warning("mine"), at(0));
        let told = drain(&mut outbox);
        assert_eq!(told.len(), OF_A_ROLLOUT + 2, "the other's, and one for those that were left out");
        let last = told.last().unwrap();
        assert_eq!((last.said.reason, last.count), ("EventsLeftOut", 7));
        assert!(last.said.note.starts_with("7 events of this Rollout were not published"), "{last:?}");
        assert!(last.said.note.ends_with(&format!("The last was Trouble: {}", OF_A_ROLLOUT + 6)), "{last:?}");
    }

    /// Five hundred Rollouts that fail at once, while somebody else has one thing to say.
    #[test]
    fn a_namespace_has_a_bound_and_takes_nothing_from_another() {
        let mut outbox = Outbox::default();
        for index in 0..OF_A_NAMESPACE * 2 {
            outbox.push(about("loud", &format!("web{}", index % 500)), warning(&index.to_string()), at(0));
        }
        outbox.push(about("quiet", "web"), warning("one"), at(0));
        let first: Vec<_> = (0..2).filter_map(|_| outbox.take()).map(|told| told.about.namespace).collect();
        assert!(first.iter().any(|namespace| &**namespace == "quiet"), "{first:?}");
        let mut outbox = Outbox::default();
        for index in 0..OF_A_NAMESPACE * 2 {
            outbox.push(about("loud", &format!("web{}", index % 500)), warning(&index.to_string()), at(0));
        }
        let told = drain(&mut outbox);
        let count: u64 = told.iter().map(|told| told.count).sum();
        assert_eq!(count, OF_A_NAMESPACE as u64 * 2, "each is published or counted");
        assert_eq!(told.len(), OF_A_NAMESPACE + 500);
    }

    #[test]
    fn rollouts_of_which_nothing_is_said_for_long_are_forgotten() {
        let mut outbox = Outbox::default();
        for index in 0..3_000_i64 {
            outbox.push(about("shop", &format!("web{index}")), warning("no"), at(index * 10));
            drain(&mut outbox);
        }
        assert!(outbox.spaces.values().map(|space| space.lines.len()).sum::<usize>() < 1_200);
    }
}
