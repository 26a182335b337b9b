//! Who meets the canary of a header?

use super::{
    Outcome,
    rest::{stable, until_at_rest, until_it_is},
    run::{Istiod, Run, STOPPED},
    story::{ROLLOUTS, give, set_image},
};
use crate::bed::{Load, Namespace, Target, secs};
use std::time::Instant;

/// How long answers are counted.
const COUNTED: u64 = 4;

/// Through both sidecars with the canary's header, with that of stable, and without any; and through the gateway.
fn targets(space: &Namespace) -> Vec<Target> {
    let [one, two, gateway] = Target::all(space);
    vec![
        one.header("lane", "test-v2"),
        two.header("lane", "test-v2"),
        one.header("lane", "test-v1"),
        two.clone(),
        gateway,
    ]
}

/// Of the targets, those whose requests have the canary's header.
const WITH_HEADER: [usize; 2] = [0, 1];
/// Those whose requests have not.
const WITHOUT: [usize; 2] = [2, 3];

pub(super) fn play(run: &Run, space: &Namespace, rate: u32) -> Outcome {
    let mut outcome = Outcome::default();
    let targets = targets(space);
    // Three Envoys' worth of requests over five targets.
    let rate = rate * 3 / 5;
    let load = Load::start(&space.bed, rate, secs(500), &targets);
    let first = provider(space);
    meets(&mut outcome, space, "before", &first, &first);
    run.story.command(space);
    at_the_header(space);
    let second = newest(space);
    meets(&mut outcome, space, "during", &second, &first);
    let frozen = (run.istiod == Istiod::Stopped).then(|| space.bed.freeze("istiod"));
    let given = Instant::now();
    promote(space);
    if let Some(frozen) = frozen {
        until_it_is(given + STOPPED);
        drop(frozen);
    }
    space.until("the consumer's last pause", secs(120), |seen| {
        seen.rollout(ROLLOUTS[1]).is_some_and(|rollout| rollout.is_paused_at(7))
    });
    give(space, &["promote", ROLLOUTS[1]]);
    until_at_rest(space, "Healthy", secs(120));
    meets(&mut outcome, space, "promoted", &second, &second);
    for rollout in ROLLOUTS {
        set_image(space, rollout, "v0.4");
    }
    at_the_header(space);
    let third = newest(space);
    meets(&mut outcome, space, "during the next", &third, &second);
    for rollout in ROLLOUTS {
        give(space, &["abort", rollout]);
    }
    until_at_rest(space, "Degraded", secs(120));
    meets(&mut outcome, space, "aborted", &second, &second);
    let answers = load.stop();
    outcome.add(&answers);
    for at in WITHOUT {
        let met = answers.by_revision(at);
        outcome.expect(!met.contains_key(&third), || {
            format!("{at}: without the header, {third} was met: {met:?}")
        });
    }
    outcome.expect(space.seen(stable)[0] == second, || "the promoted revision is not stable".to_owned());
    outcome
}

/// Both wait for a person: the provider's header route is there, the consumer's steps have not begun.
fn at_the_header(space: &Namespace) {
    space.until("the header's route", secs(60), |seen| {
        [2, 1]
            .iter()
            .zip(ROLLOUTS)
            .all(|(step, name)| seen.rollout(name).is_some_and(|rollout| rollout.is_paused_at(*step)))
    });
}

fn promote(space: &Namespace) {
    for rollout in ROLLOUTS {
        give(space, &["promote", rollout]);
    }
}

fn provider(space: &Namespace) -> String {
    space.seen(|seen| seen.rollout(ROLLOUTS[0]).unwrap().stable().to_owned())
}

fn newest(space: &Namespace) -> String {
    space.seen(|seen| seen.rollout(ROLLOUTS[0]).unwrap().newest().to_owned())
}

/// Requests with the header meet one revision of the provider, those without it another; all of them.
fn meets(outcome: &mut Outcome, space: &Namespace, when: &str, with: &str, without: &str) {
    let answers = Load::start(&space.bed, 30, secs(COUNTED), &targets(space)).finish();
    outcome.add(&answers);
    for (which, revision) in [(WITH_HEADER, with), (WITHOUT, without)] {
        for at in which {
            let met = answers.by_revision(at);
            let is_all = met.len() == 1 && met.get(revision).is_some_and(|n| *n >= 30 * COUNTED * 9 / 10);
            outcome.expect(is_all, || format!("{when}: target {at} should meet {revision}: {met:?}"));
        }
    }
}
