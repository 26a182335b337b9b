//! Somebody else writes the same objects, again and again.

use crate::{
    bed::{Bed, Canary, Load, Rollout, Target, secs},
    story::{CONSUMER, PROVIDER, Story},
};
use std::time::Instant;

/// The guide is GitOps: its folder has the weights and the subsets of a VirtualService and a DestinationRule at rest,
/// and each time that it is applied, it puts them back.
#[test]
fn the_users_folder_applied_every_second_hinders_no_update_and_fails_no_request() {
    let bed = Bed::shared();
    let space = bed.namespace("gitops");
    let folder = Canary::Weight.folder(&space, "3s");
    space.apply(&folder);
    let story = Story::begin(&space, PROVIDER);
    story.other_is(CONSUMER, |rollout| rollout.is_healthy());
    for target in Target::all(&space) {
        space.until_answered(&target, secs(20));
    }
    let old =
        [PROVIDER, CONSUMER].map(|name| space.seen(|seen| seen.rollout(name).unwrap().stable().to_owned()));

    let load = Load::start(&bed, 50, secs(600), &Target::all(&space));
    let began = Instant::now();
    let folder = folder.replace(":v0.2", ":v0.3");
    let mut applied = 0;
    let is_over = |rollout: Rollout<'_>, old: &str| rollout.is_healthy() && rollout.stable() != old;
    loop {
        let this_time = Instant::now();
        space.apply(&folder);
        applied += 1;
        let all = |seen: &crate::bed::Seen| {
            let mut both = [PROVIDER, CONSUMER].iter().zip(&old);
            both.all(|(name, old)| seen.rollout(name).is_some_and(|rollout| is_over(rollout, old)))
        };
        if space.within(secs(1).saturating_sub(this_time.elapsed()), all) {
            break;
        }
        assert!(applied < 240, "not finished after {applied} applications\n{}", space.report());
    }
    for service in ["provider", "consumer"] {
        space.until("the routes are at rest", secs(60), |seen| seen.weights(service) == Some((100, 0)));
    }
    for (rule, name) in [("dubbo-provider", PROVIDER), ("dubbo-consumer", CONSUMER)] {
        space.until("both subsets lead to the new pods", secs(60), |seen| {
            let newest = seen.rollout(name).unwrap().newest().to_owned();
            let subsets = seen.object("DestinationRule", rule).unwrap()["spec"]["subsets"].clone();
            let mut subsets = subsets.as_array().unwrap().iter();
            subsets.all(|subset| subset["labels"]["rollouts-pod-template-hash"] == newest)
        });
    }
    let answers = load.stop();
    let requests = space.requests();
    let took = began.elapsed().as_secs_f32();
    println!("the folder was applied {applied} times in {took:.0} s; {answers}{requests}");
    assert!(applied >= 3, "two pauses of 3 s are longer than that");
    answers.assert_none_failed();
}
