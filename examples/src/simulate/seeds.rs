//! `--seeds`: the same releases with other requests, to see how often they end in which way.

use super::{
    args::Args,
    diagnostics::Findings,
    duration, group,
    prepare::{Group, Loaded, prepare},
};
use std::{collections::BTreeMap, num::NonZero, panic::resume_unwind, thread, time::Duration};

/// How the releases of one Rollout ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) name: String,
    pub(crate) seeds: usize,
    /// How many ended in each way.
    pub(crate) ends: BTreeMap<&'static str, usize>,
    /// How long after the update they were aborted, in order.
    aborted: Vec<Duration>,
}

/// How one release ended.
struct Ended {
    name: String,
    word: &'static str,
    aborted: Option<Duration>,
}

/// Plays as many other seeds as are asked for, on all processors.
pub(crate) fn play(args: &Args, loaded: &Loaded) -> Vec<Tally> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let all: Vec<Vec<Ended>> = thread::scope(|scope| {
        let start = |worker: usize| {
            scope.spawn(move || {
                let mine = (1..=args.script.seeds).skip(worker).step_by(workers);
                mine.map(|number| one(args, loaded, number)).collect::<Vec<_>>()
            })
        };
        let started: Vec<_> = (0..workers).map(start).collect();
        let joined =
            started.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.flatten().collect()
    });
    let mut tallies: Vec<Tally> = Vec::new();
    for ended in all.into_iter().flatten() {
        let index = tallies.iter().position(|tally| tally.name == ended.name).unwrap_or_else(|| {
            let (name, seeds, ends, aborted) = (ended.name.clone(), 0, BTreeMap::new(), Vec::new());
            tallies.push(Tally { name, seeds, ends, aborted });
            tallies.len() - 1
        });
        let Some(tally) = tallies.get_mut(index) else { continue };
        tally.seeds += 1;
        *tally.ends.entry(ended.word).or_default() += 1;
        tally.aborted.extend(ended.aborted);
    }
    for tally in &mut tallies {
        tally.aborted.sort_unstable();
    }
    tallies
}

/// Plays everything with one seed; in the order of the Rollouts.
fn one(args: &Args, loaded: &Loaded, number: u32) -> Vec<Ended> {
    let mut args = args.clone();
    args.world.seed = args.world.seed.wrapping_add(number.into());
    // Nobody looks at the objects.
    args.output.objects = false;
    let mut ended = Vec::new();
    for Group { places, mut plays, mut fleets } in prepare(&args, loaded, &mut Findings::default()) {
        let rests = group::run(&mut plays, &mut fleets);
        for ((place, play), rest) in places.into_iter().zip(plays).zip(rests) {
            let word = rest.map_or("unfinished", |rest| rest.word());
            let aborted = play.world.truth().status.aborted.as_ref();
            let aborted = aborted.map(|aborted| aborted.at.since(play.clock.zero));
            ended.push((place, Ended { name: play.name, word, aborted }));
        }
    }
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, ended)| ended).collect()
}

impl Tally {
    /// When this share of the releases that were aborted had been.
    pub(crate) fn aborted_by(&self, share: f64) -> Option<Duration> {
        let count = self.aborted.len();
        let rank = share * f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among them")]
        let index = (rank.ceil() as usize).saturating_sub(1);
        self.aborted.get(index.min(count.saturating_sub(1))).copied()
    }
}

/// In words, a line a Rollout.
pub(crate) fn text(tallies: &[Tally]) -> String {
    let mut text = String::new();
    for tally in tallies {
        let ends: Vec<String> = tally.ends.iter().map(|(word, count)| format!("{count} {word}")).collect();
        text += &format!("{}, with {} other seeds: {}", tally.name, tally.seeds, ends.join(", "));
        if let [Some(first), Some(half), Some(most)] = [0.0, 0.5, 0.9].map(|share| tally.aborted_by(share)) {
            let [first, half, most] = [first, half, most].map(duration::show);
            text += &format!(
                "; of the aborted ones, the first after {first}, half within {half}, nine of ten within {most}"
            );
        }
        text.push('\n');
    }
    text
}
