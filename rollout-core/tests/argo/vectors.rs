use rollout_core::argo::{fenceposts, pause_seconds, step_hash, wire::IntOrText};
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
