//! What is said in events, in which order: Argo Rollouts' own end-to-end assertion
//! (`TestRolloutAbortRetryPromote`).

use crate::{
    bed::{Bed, secs},
    story::Story,
};
use serde_json::json;

const WEB: &str = "web";

/// A first deploy; an update to 50 %, aborted in its pause, retried, and left to itself.
const REASONS: [&str; 21] = [
    "RolloutAddedToInformer",
    "RolloutUpdated",
    "NewReplicaSetCreated",
    "RolloutNotCompleted",
    "ScalingReplicaSet",
    "RolloutCompleted",
    "RolloutUpdated",
    "NewReplicaSetCreated",
    "RolloutNotCompleted",
    "ScalingReplicaSet",
    "RolloutStepCompleted",
    "RolloutPaused",
    "ScalingReplicaSet",
    "RolloutAborted",
    "ScalingReplicaSet",
    "RolloutStepCompleted",
    "RolloutPaused",
    "RolloutStepCompleted",
    "RolloutResumed",
    "ScalingReplicaSet",
    "RolloutCompleted",
];

#[test]
fn abort_retry_and_promote_are_told_as_argo_rollouts_tells_them() {
    let space = Bed::shared().namespace("events");
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": WEB},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": WEB}},
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": "3s"}}]}},
            "template": {
                "metadata": {"labels": {"app": WEB}},
                "spec": {"containers": [{"name": "c", "image": "web:v1"}]}
            }
        }
    });
    space.apply(&rollout.to_string());
    let story = Story::begin(&space, WEB);
    space.plugin(&["set", "image", WEB, "c=web:v2"]).ok();
    story.until("paused", |rollout| rollout.is_paused_at(1));
    space.plugin(&["abort", WEB]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("the canary is gone", secs(30), |seen| seen.objects("Pod").count() == 1);
    space.plugin(&["retry", "rollout", WEB]).ok();
    story.until("finished", |rollout| rollout.is_healthy() && rollout.newest() == rollout.stable());
    space.until("all is said", secs(20), |seen| seen.events(WEB).len() >= REASONS.len());
    space.seen(|seen| {
        let events = seen.events(WEB);
        let told: Vec<String> = events.iter().map(|(reason, text)| format!("{reason}: {text}")).collect();
        println!("{}", told.join("\n"));
        let reasons: Vec<&str> = events.iter().map(|(reason, _)| *reason).collect();
        assert_eq!(reasons, REASONS, "{}", told.join("\n"));
        let of = |reason: &str| -> Vec<&str> {
            events.iter().filter(|(is, _)| *is == reason).map(|(_, text)| *text).collect()
        };
        assert_eq!(of("RolloutUpdated"), ["Rollout updated to revision 1", "Rollout updated to revision 2"]);
        assert_eq!(of("RolloutAborted"), ["Rollout aborted update to revision 2"]);
        assert_eq!(
            of("RolloutStepCompleted"),
            [
                "Rollout step 1/2 completed (setWeight: 50)",
                "Rollout step 1/2 completed (setWeight: 50)",
                "Rollout step 2/2 completed (pause: 3s)"
            ]
        );
        let completed = of("RolloutCompleted");
        assert!(completed[0].ends_with("): Initial deploy"), "{completed:?}");
        assert!(completed[1].ends_with("): Completed all 2 canary steps"), "{completed:?}");
    });
}
