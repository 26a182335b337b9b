//! What a write is for, in words.

use super::proxy::Write;
use crate::recorded::Seen;
use rollout_core::backend::FENCE_ANNOTATION;
use serde_json::Value;

/// What it changes of the version that it was made from.
pub(crate) fn purpose(write: &Write, seen: &[Seen]) -> String {
    let text = |path: &str| write.body.pointer(path).and_then(Value::as_str);
    let from: Option<u64> = text("/metadata/resourceVersion").and_then(|text| text.parse().ok());
    let before = seen.iter().find(|seen| Some(seen.version) == from).map(|seen| &*seen.value);
    let changes = |path: &str| {
        let now = write.body.pointer(path);
        now.is_some() && now != before.and_then(|before| before.pointer(path))
    };
    let annotation = |key: &str| format!("/metadata/annotations/{}", key.replace('/', "~1"));
    let what = match write.path.split('/').next().unwrap_or_default() {
        "rollouts" if write.path.ends_with("/status") => {
            let step = write.body.pointer("/status/currentStepIndex").and_then(Value::as_i64);
            let step = step.map_or(String::new(), |step| format!(" at step {step}"));
            let same = if changes("/status") { "" } else { ", unchanged" };
            format!("status{step}{same}")
        }
        "virtualservices" if changes("/spec") => {
            let weight = write.body.pointer("/spec/http/0/route/1/weight").and_then(Value::as_u64);
            format!("weight {}", weight.unwrap_or(0))
        }
        "destinationrules" | "services" if changes("/spec") => "selectors".to_owned(),
        "replicasets" if write.method == hyper::Method::POST => {
            format!("new, {} pods", write.body.pointer("/spec/replicas").unwrap_or(&Value::Null))
        }
        "replicasets" if write.method == hyper::Method::DELETE => "pruned".to_owned(),
        "replicasets"
            if write.body.pointer(&annotation("scale-down-deadline")).is_some_and(Value::is_string) =>
        {
            "mark".to_owned()
        }
        "replicasets" if changes("/spec/replicas") => {
            format!("{} pods", write.body.pointer("/spec/replicas").unwrap_or(&Value::Null))
        }
        _ if changes(&annotation(FENCE_ANNOTATION)) => "fence".to_owned(),
        _ => "annotations".to_owned(),
    };
    format!("{:6} {}: {what}", write.method, write.path)
}
