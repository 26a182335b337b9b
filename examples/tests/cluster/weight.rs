//! The weight canary of the guide, driven by the real plugin.

use crate::bed::{Bed, Canary, IMAGE, Load, Rollout, Target, secs};

const PROVIDER: &str = "dubbo3-provider";

#[test]
fn an_update_goes_by_its_steps_and_no_request_fails() {
    let bed = Bed::shared();
    let space = bed.namespace("update");
    space.apply(&Canary::Weight.folder(&space, "3s"));
    let controller = space.controller().start();
    space.until("the first deploy is healthy", secs(30), |seen| {
        seen.rollout(PROVIDER).is_some_and(Rollout::is_healthy)
    });
    println!("{}", space.get(PROVIDER));
    for target in Target::all(&space) {
        space.until_answered(&target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(120), &Target::all(&space));
    space.plugin(&["set", "image", PROVIDER, &format!("container-1={IMAGE}:v0.3")]).ok();
    space.until("paused at 5 %", secs(30), |seen| seen.rollout(PROVIDER).unwrap().is_paused_at(1));
    println!("{}", space.get(PROVIDER));
    space.until("paused at 50 %", secs(30), |seen| seen.rollout(PROVIDER).unwrap().is_paused_at(3));
    println!("{}", space.get(PROVIDER));
    space.until("the update is finished", secs(60), |seen| {
        seen.rollout(PROVIDER).is_some_and(Rollout::is_healthy)
    });
    println!("{}", space.get(PROVIDER));
    let answers = load.stop();
    println!("{answers}{}{:?}", space.requests(), controller.memory());
    space.seen(|seen| {
        for (reason, text) in seen.events(PROVIDER) {
            println!("{reason}: {text}");
        }
    });
    answers.assert_none_failed(100);
}
