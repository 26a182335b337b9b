use rollout_core::{
    argo::{check, step_hash, wire::IntOrText},
    conformance::{fenceposts, goal_of, pause_seconds, phase, phase_for_clients, refused_by_argo_rollouts},
};
use serde_json::{Value, json};

/// The lines of a kind's file, each as question and wanted answer.
fn each(kind: &str, answer: impl Fn(&Value) -> Value) {
    let path = format!("{}/tests/conformance/{kind}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let got = answer(&line["input"]);
        if got != line["want"] {
            wrong.push(format!("{}: {} gives {got}, not {}", line["id"], line["input"], line["want"]));
        }
    }
    assert!(text.lines().count() >= 250, "{path} has too few lines");
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), text.lines().count(), wrong.join("\n"));
}

fn optional(value: &Value) -> Option<IntOrText> {
    (!value.is_null()).then(|| IntOrText::from_value(value).unwrap())
}

#[test]
fn pause() {
    each("pause", |input| {
        match IntOrText::from_value(&input["duration"]).map(|duration| pause_seconds(&duration)) {
            Ok(Ok(seconds)) => json!({ "seconds": seconds }),
            Ok(Err(_)) | Err(_) => json!({ "error": true }),
        }
    });
}

#[test]
fn pod_limits() {
    each("fenceposts", |input| {
        let replicas = input["replicas"].as_u64().unwrap_or(1).try_into().unwrap();
        let (surge, unavailable) = (optional(&input["maxSurge"]), optional(&input["maxUnavailable"]));
        let posts = fenceposts(replicas, surge.as_ref(), unavailable.as_ref());
        json!({ "maxSurge": posts.surge, "maxUnavailable": posts.unavailable })
    });
}

#[test]
fn hash_of_the_steps() {
    each("stepHash", |input| json!({ "hash": step_hash(&input["rollout"]).unwrap() }));
}

/// The paths that Argo Rollouts names; ours have the word `canary` in them, where it belongs.
#[test]
fn rules_of_the_language() {
    let mut refused = 0;
    let path = format!("{}/tests/conformance/validate.jsonl", env!("CARGO_MANIFEST_DIR"));
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let report = check(&line["input"]["rollout"]);
        let refusals = refused_by_argo_rollouts(&report);
        assert_eq!(refusals.is_empty(), line["want"]["valid"], "{line}\n{:?}", report.findings);
        for error in line["want"]["errors"].as_array().unwrap() {
            let (path, message) = (error["path"].as_str().unwrap(), error["detail"].as_str().unwrap());
            let same = |path: &str| path.replacen("strategy.canary.", "strategy.", 1);
            let found = refusals.iter().any(|ours| same(&ours.path) == path && ours.what == message);
            assert!(found, "{path}: {message}\n{line}\n{:?}", report.findings);
            refused += 1;
        }
    }
    assert!(refused > 200, "only {refused} errors were looked for");
}

#[test]
fn pods_and_weight_at_rest() {
    each("replicas", |input| {
        let goal = goal_of(&input["rollout"]).unwrap();
        json!({ "weight": goal.weight.parts(), "canary": goal.canary, "stable": goal.stable })
    });
}

#[test]
fn what_is_said_about_a_rollout() {
    each("phase", |input| {
        let (stored, shown) = (phase(&input["rollout"]), phase_for_clients(&input["rollout"]));
        json!({
            "phase": stored.name, "message": stored.message,
            "clientPhase": shown.name, "clientMessage": shown.message,
        })
    });
}
