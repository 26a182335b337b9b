//! A sticky canary: users with cookies, through a real Envoy.

use crate::{
    bed::{Bed, Canary, Load, Target, User, secs},
    story::{PROVIDER, Story},
};
use rollout_core::argo::STICKY_ANNOTATION;
use serde_json::json;

const USERS: usize = 400;

#[test]
fn users_who_met_the_canary_keep_meeting_it_and_its_share_is_its_weight() {
    let bed = Bed::shared();
    let space = bed.namespace("sticky");
    space.apply(&Canary::Weight.provider("1h"));
    let annotation = json!({"metadata": {"annotations": {STICKY_ANNOTATION: "provider-canary"}}});
    space.patch("rollout/dubbo3-provider", "", &annotation).ok();
    let story = Story::begin(&space, PROVIDER);
    let target = Target::service("sidecar-1", &space, PROVIDER, 20880);
    space.until_answered(&target, secs(20));
    let old = story.now(|rollout| rollout.stable().to_owned());
    let load = Load::start(&bed, 50, secs(300), &[target]);

    let mut users = vec![User::default(); USERS];
    let visit = |users: &mut Vec<User>| -> Vec<String> {
        users.iter_mut().map(|user| user.visit(&space, "sidecar-1", PROVIDER, 20880)).collect()
    };
    story.set_image("v0.3");
    story.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
    let new = story.now(|rollout| rollout.newest().to_owned());
    let share = |met: &[String]| met.iter().filter(|revision| **revision == new).count();
    let first = visit(&mut users);
    assert!(users.iter().all(|user| user.cookie.is_some()), "every newcomer gets a cookie");
    let at_five = share(&first);
    println!("at 5 %: {at_five} of {USERS} users meet the canary");
    // With 400 users at 5 %, fewer than 3 or more than 45 happens less than once in a million runs.
    assert!((3..=45).contains(&at_five), "{at_five}");
    let cookies: Vec<_> = users.iter().map(|user| user.cookie.clone()).collect();
    assert_eq!(visit(&mut users), first, "everybody meets the same again");
    assert!(users.iter().map(|user| &user.cookie).eq(&cookies), "and keeps the cookie");

    space.plugin(&["promote", PROVIDER]).ok();
    story.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    let second = visit(&mut users);
    let at_fifty = share(&second);
    println!("at 50 %: {at_fifty} of {USERS} users meet the canary");
    assert!((140..=260).contains(&at_fifty), "{at_fifty}");
    let lost = first.iter().zip(&second).filter(|(was, is)| **was == new && **is != new).count();
    assert_eq!(lost, 0, "a rising weight takes nobody away from the canary");
    assert_eq!(visit(&mut users), second);

    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    // The selector changes only when no proxy sends anything to the canary any more.
    space.until("the canary's subset leads to stable", secs(60), |seen| {
        let rule = seen.object("DestinationRule", "dubbo-provider").unwrap();
        let subsets = rule["spec"]["subsets"].as_array().unwrap();
        subsets.iter().all(|subset| subset["labels"]["rollouts-pod-template-hash"] == *old)
    });
    space.seen(|seen| {
        let routes = seen.object("VirtualService", "provider").unwrap()["spec"]["http"].to_string();
        assert!(!routes.contains("sticky."), "{routes}");
    });
    assert_eq!(share(&visit(&mut users)), 0);
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
