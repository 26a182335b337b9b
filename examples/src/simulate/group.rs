//! Rollouts that share objects are played together: in one world of objects, at one time.

use super::{happening::Rest, play::Play};
use rollout_core::{Time, sim::Stuck, traffic::ObjectRef};
use std::{
    collections::{BTreeMap, BTreeSet},
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
pub(crate) fn run(plays: &mut [Play<'_>]) -> Vec<Result<Rest, Stuck>> {
    let mut stuck: Vec<Option<Stuck>> = plays.iter().map(|_| None).collect();
    let limit = plays.iter().map(|play| play.world.now() + FIRST_DEPLOY).min();
    plays.iter_mut().for_each(Play::begin);
    let first = |play: &Play<'_>| play.world.next_at().filter(|at| limit.is_none_or(|limit| *at <= limit));
    together(plays, &mut stuck, first, |play| play.world.step().map(drop));
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
        together(plays, &mut stuck, Play::next, Play::step);
    }
    plays.iter_mut().zip(stuck).map(|(play, stuck)| stuck.map_or_else(|| Ok(play.end()), Err)).collect()
}

/// Lets one thing after the other happen, whoever is next; what one wrote into a shared object, the others see.
fn together<'a>(
    plays: &mut [Play<'a>],
    stuck: &mut [Option<Stuck>],
    next: impl Fn(&Play<'a>) -> Option<Time>,
    step: impl Fn(&mut Play<'a>) -> Result<(), Stuck>,
) {
    let mut written = plays.first().map_or(0, |play| play.world.mesh().store().writes());
    loop {
        let running =
            plays.iter().enumerate().filter(|(index, _)| stuck.get(*index).is_some_and(Option::is_none));
        let first = running.filter_map(|(index, play)| Some((next(play)?, index))).min();
        let Some((at, index)) = first else { return };
        let Some(play) = plays.get_mut(index) else { return };
        if let Err(error) = step(play)
            && let Some(slot) = stuck.get_mut(index)
        {
            *slot = Some(error);
        }
        let now = play.world.mesh().store().writes();
        if now != written && plays.len() > 1 {
            for (_, other) in plays.iter_mut().enumerate().filter(|(other, _)| *other != index) {
                other.world.look_again(at);
            }
        }
        written = now;
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
