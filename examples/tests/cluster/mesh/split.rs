//! Are the answers shared as the weights say?

use super::{
    Outcome,
    rest::{both, until_at_rest},
    run::Run,
};
use crate::bed::{Load, Namespace, Target, secs};
use std::fmt::Write as _;

/// How long answers are counted, within a pause of 20 s.
const COUNTED: u64 = 12;
/// So many standard deviations are chance: more would be once in two million times.
const DEVIATIONS: f64 = 5.0;

pub(super) fn play(run: &Run, space: &Namespace, rate: u32) -> Outcome {
    let mut outcome = Outcome::default();
    let targets = Target::all(space);
    count(&mut outcome, space, rate, 0);
    run.story.command(space);
    for (step, weight) in [(1, 5), (3, 50)] {
        both(space, "paused", secs(120), |rollout| rollout.is_paused_at(step));
        count(&mut outcome, space, rate, weight);
        both(space, "still paused", secs(1), |rollout| rollout.is_paused_at(step));
    }
    let load = Load::start(&space.bed, rate, secs(200), &targets);
    until_at_rest(space, "Healthy", secs(180));
    outcome.add(&load.stop());
    outcome
}

/// Counts answers for a while, through each Envoy and in all.
fn count(outcome: &mut Outcome, space: &Namespace, rate: u32, weight: u32) {
    let targets = Target::all(space);
    let answers = Load::start(&space.bed, rate, secs(COUNTED), &targets).finish();
    outcome.add(&answers);
    let (mut all, mut canary) = (0, 0);
    for (at, rollout) in [(0, "dubbo3-provider"), (1, "dubbo3-provider"), (2, "dubbo3-consumer")] {
        let stable = space.seen(|seen| seen.rollout(rollout).unwrap().stable().to_owned());
        let met = answers.by_revision(at);
        let here: u64 = met.values().sum();
        let of_canary: u64 = met.iter().filter(|(revision, _)| **revision != stable).map(|(_, n)| n).sum();
        outcome.expect(is_chance(of_canary, here, weight), || {
            format!("at {weight} %, through Envoy {at}: {of_canary} of {here} met the canary")
        });
        (all, canary) = (all + here, canary + of_canary);
    }
    outcome.expect(is_chance(canary, all, weight), || {
        format!("at {weight} %: {canary} of {all} met the canary")
    });
    outcome.expect(all >= u64::from(rate) * COUNTED, || format!("at {weight} %: only {all} answers"));
    let and = if outcome.counted.is_empty() { "" } else { "; " };
    let _ = write!(outcome.counted, "{and}at {weight} %: {canary} of {all}");
}

/// Whether so many of all can be chance, when each goes to the canary with this probability in percent.
fn is_chance(canary: u64, all: u64, percent: u32) -> bool {
    let (canary, all) = (f64::from(u32::try_from(canary).unwrap()), f64::from(u32::try_from(all).unwrap()));
    let share = f64::from(percent) / 100.0;
    (canary - all * share).abs() <= DEVIATIONS * (all * share * (1.0 - share)).sqrt()
}

#[test]
fn what_is_not_chance_is_seen() {
    assert!(is_chance(60, 1_200, 5) && is_chance(600, 1_200, 50));
    assert!(!is_chance(100, 1_200, 5) && !is_chance(20, 1_200, 5));
    assert!(!is_chance(700, 1_200, 50) && !is_chance(1, 1_200, 0) && is_chance(0, 1_200, 0));
}
