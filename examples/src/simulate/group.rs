//! Rollouts that share objects are played together: in one world of objects, at one time.

use super::{clusters::Fleet, happening::Rest, play::Play};
use rollout_core::{Time, sim::Stuck, traffic::ObjectRef};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A first deploy that takes longer is given up.
const FIRST_DEPLOY: Duration = Duration::from_secs(24 * 3600);

/// Which of several share objects, directly or through others: their indexes, in order.
pub(crate) fn sharing(objects: &[BTreeSet<ObjectRef>]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..objects.len()).collect();
    let mut owner: BTreeMap<&ObjectRef, usize> = BTreeMap::new();
    for (index, names) in objects.iter().enumerate() {
        for name in names {
            let first = *owner.entry(name).or_insert(index);
            let (one, other) = (first_of(&mut leader, first), first_of(&mut leader, index));
            if let Some(slot) = leader.get_mut(one.max(other)) {
                *slot = one.min(other);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in 0..objects.len() {
        groups.entry(first_of(&mut leader, index)).or_default().push(index);
    }
    groups.into_values().collect()
}

/// The first of a group; the way there is made shorter.
fn first_of(leader: &mut [usize], mut index: usize) -> usize {
    while let Some(&above) = leader.get(index).filter(|above| **above != index) {
        let next = leader.get(above).copied().unwrap_or(above);
        if let Some(slot) = leader.get_mut(index) {
            *slot = next;
        }
        index = above;
    }
    index
}

/// Plays a group: how each of them ends.
pub(crate) fn run(plays: &mut [Play<'_>], fleets: &mut [Fleet]) -> Vec<Result<Rest, Stuck>> {
    let mut stuck: Vec<Option<Stuck>> = plays.iter().map(|_| None).collect();
    let limit = plays.iter().map(|play| play.world.now() + FIRST_DEPLOY).min();
    plays.iter_mut().for_each(Play::begin);
    for fleet in &mut *fleets {
        fleet.begin(plays);
    }
    let first = |play: &Play<'_>| play.world.next_at().filter(|at| limit.is_none_or(|limit| *at <= limit));
    let mut deploys =
        Together { plays: &mut *plays, stuck: &mut stuck, fleets: &mut *fleets, started: false };
    deploys.play(first, |play| play.world.step().map(drop));
    // The update comes to all at the same time; one whose first deploy does not end gets none.
    let deployed: Vec<bool> =
        plays.iter().zip(&stuck).map(|(play, stuck)| stuck.is_none() && play.world.is_at_rest()).collect();
    let rested = plays.iter().zip(&deployed).filter(|(_, deployed)| **deployed);
    if let Some(zero) = rested.map(|(play, _)| play.world.now().ceil_to_second()).max() {
        for ((play, stuck), _) in
            plays.iter_mut().zip(&mut stuck).zip(&deployed).filter(|(_, deployed)| **deployed)
        {
            *stuck = play.start(zero).err();
        }
        let mut update = Together { plays: &mut *plays, stuck: &mut stuck, fleets, started: true };
        update.play(Play::next, Play::step);
    }
    plays.iter_mut().zip(stuck).map(|(play, stuck)| stuck.map_or_else(|| Ok(play.end()), Err)).collect()
}

/// Rollouts on their way, at one time.
struct Together<'g, 'a> {
    plays: &'g mut [Play<'a>],
    stuck: &'g mut [Option<Stuck>],
    fleets: &'g mut [Fleet],
    /// Whether the first deploys are over.
    started: bool,
}

impl<'a> Together<'_, 'a> {
    /// Lets one thing after the other happen, whoever is next; what one wrote into a shared object, the others see.
    fn play(
        &mut self,
        next: impl Fn(&Play<'a>) -> Option<Time>,
        step: impl Fn(&mut Play<'a>) -> Result<(), Stuck>,
    ) {
        loop {
            let running =
                self.plays.iter().zip(&*self.stuck).enumerate().filter(|(_, (_, stuck))| stuck.is_none());
            let first = running.filter_map(|(index, (play, _))| Some((next(play)?, index))).min();
            let news = self.fleets.iter().enumerate();
            let news =
                news.filter_map(|(fleet, of)| Some((of.next_at(self.plays, self.started)?, fleet))).min();
            if let Some((at, fleet)) = news.filter(|(at, _)| first.is_none_or(|(next, _)| *at <= next))
                && at <= self.end()
            {
                if let Some(fleet) = self.fleets.get_mut(fleet) {
                    fleet.step(self.plays, at, self.started);
                }
                self.tell_all();
                continue;
            }
            let Some((at, index)) = first else { return };
            self.step(index, at, &step);
        }
    }

    fn step(&mut self, index: usize, at: Time, step: impl Fn(&mut Play<'a>) -> Result<(), Stuck>) {
        let Some(play) = self.plays.get_mut(index) else { return };
        let store = play.world.mesh().store().clone();
        let written = store.writes();
        if let Err(error) = step(play)
            && let Some(slot) = self.stuck.get_mut(index)
        {
            *slot = Some(error);
        }
        if store.writes() != written {
            let others = self.plays.iter_mut().enumerate().filter(|(other, _)| *other != index);
            for (_, other) in others.filter(|(_, other)| Arc::ptr_eq(other.world.mesh().store(), &store)) {
                other.world.look_again(at);
            }
        }
        for fleet in &mut *self.fleets {
            fleet.tell(self.plays, index);
        }
    }

    fn tell_all(&mut self) {
        for fleet in &mut *self.fleets {
            (0..self.plays.len()).for_each(|index| fleet.tell(self.plays, index));
        }
    }

    /// When the simulation stops at the latest.
    fn end(&self) -> Time {
        let ends = self.plays.iter().map(|play| play.clock.after(play.args.world.until));
        ends.max().unwrap_or(Time::from_millis(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_share_are_together() {
        let of =
            |names: &[&str]| names.iter().map(|name| ObjectRef::new("", "Service", "shop", name)).collect();
        let all: Vec<BTreeSet<ObjectRef>> =
            [&["a"][..], &["b", "x"], &["c"], &["x", "y"], &[], &["y", "a"]].map(of).into();
        assert_eq!(sharing(&all), [vec![0, 1, 3, 5], vec![2], vec![4]]);
    }
}
