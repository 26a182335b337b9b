//! How much is asked of the API server.

use crate::{
    bed::{Bed, Canary, Rollout, now, secs},
    story::{PROVIDER, Story},
};
use serde_json::json;
use std::time::Duration;

/// The window for what is asked at rest and in error.
const WINDOW: u64 = 60;

#[test]
fn one_update_takes_few_requests_and_at_rest_nothing_is_asked() {
    let space = Bed::shared().namespace("requests");
    space.apply(&Canary::Weight.provider("3s"));
    let story = Story::begin(&space, PROVIDER);
    let at_rest =
        |rollout: Rollout<'_>| rollout.condition("Healthy").map(|(status, ..)| status) == Some("True");
    story.until("the first deploy is at rest", at_rest);
    space.until("both subsets lead to it", secs(30), |seen| {
        let newest = seen.rollout(PROVIDER).unwrap().newest().to_owned();
        let subsets = seen.object("DestinationRule", "dubbo-provider").unwrap()["spec"]["subsets"].clone();
        let mut subsets = subsets.as_array().unwrap().iter();
        subsets.all(|subset| subset["labels"]["rollouts-pod-template-hash"] == newest)
    });
    let begin = now();
    story.set_image("v0.3");
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    let took = now().since(begin);
    space.until("the old pods are gone", secs(60), |seen| seen.objects("Pod").count() == 1);
    story.until("all is said", at_rest);
    let requests = space.requests().between(begin, now());
    println!("one update of the weight canary, {took:?} and the scale-down delay:\n{requests}");
    let (resident, most) = story.controller.memory();
    println!("memory of the controller with 1 rollout: {resident} kB now, {most} kB at most");
    // Pods that a busy machine keeps waiting for more than 5 s are counted in a write of its own.
    let slow = took.saturating_sub(Duration::from_secs(15)).as_secs().div_ceil(5);
    assert!(requests.count() <= 18 + usize::try_from(slow).unwrap(), "in {took:?}:\n{requests}");

    let begin = now();
    space.within(secs(WINDOW), |_| false);
    let requests = space.requests().between(begin, now());
    println!("at rest, in {WINDOW} s:\n{requests}");
    assert_eq!(requests.count(), 0, "{requests}");
}

/// In error, what is asked is bounded by the back-off.
#[test]
fn what_is_wrong_makes_no_hot_loop() {
    let space = Bed::shared().namespace("error");
    let invalid = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "invalid"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "invalid"}},
            "strategy": {"canary": {"steps": [{"setWeight": 101}]}},
            "template": {
                "metadata": {"labels": {"app": "invalid"}},
                "spec": {"containers": [{"name": "c", "image": "web:v1"}]}
            }
        }
    });
    space.apply(&invalid.to_string());
    // This one has no VirtualService and no DestinationRule; the other's ReplicaSet may not be made.
    let provider = Canary::Weight.provider("3s");
    space.apply(provider.split("---").next().unwrap());
    let quota = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "refused"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "refused"}}, "strategy": {"canary": {"steps": []}},
            "template": {
                "metadata": {"labels": {"app": "refused"}},
                "spec": {"containers": [{"name": "c", "image": "web:v1", "ports": [{"containerPort": 99_999_999}]}]}
            }
        }
    });
    space.apply(&quota.to_string());
    let _controller = space.controller().start();
    for name in ["invalid", PROVIDER] {
        space.until("it is refused", secs(30), |seen| {
            seen.rollout(name).is_some_and(|rollout| rollout.condition("InvalidSpec").is_some())
        });
    }
    let begin = now();
    space.within(secs(WINDOW), |_| false);
    let requests = space.requests().between(begin, now());
    println!("three Rollouts in error, in {WINDOW} s:\n{requests}");
    // The back-off after refusals is 2, 4, 8, 16, 32, 64 s; each try is at most a handful of requests.
    assert!(requests.count() <= 40, "{requests}");
}
