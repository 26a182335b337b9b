//! What the controller does not own is left alone: the law `foreign_untouched`, on whole objects.

use crate::recorded::{History, Seen};
use rollout_core::backend::REVISION_LABEL;
use serde_json::Value;
use std::collections::BTreeMap;

/// How often the controller wrote an object of somebody else, and what it changed there that is not its own.
pub(crate) fn touched(history: &History) -> (u64, Vec<String>) {
    let mut last: BTreeMap<(&str, &str), &Seen> = BTreeMap::new();
    let (mut premises, mut wrong) = (0, Vec::new());
    for seen in &history.seen {
        let before = last.insert((seen.kind, &seen.name), seen);
        let Some(before) = before.filter(|before| before.value != seen.value) else { continue };
        let write = history.writes.iter().find(|write| write.version == Some(seen.version));
        // Its own ReplicaSets are its own.
        if write.is_none() || seen.kind == "ReplicaSet" {
            continue;
        }
        premises += 1;
        let (was, is) = (foreign(seen.kind, &before.value), foreign(seen.kind, &seen.value));
        if was != is {
            wrong.push(format!("foreign_untouched: {} {} was {was} and is {is}", seen.kind, seen.name));
        }
    }
    (premises, wrong)
}

/// The object without what the controller owns in it.
fn foreign(kind: &str, object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for of_the_server in ["resourceVersion", "generation", "managedFields"] {
            metadata.remove(of_the_server);
        }
        let annotations = metadata.remove("annotations");
        let kept = annotations.iter().filter_map(Value::as_object).flatten();
        let kept: Vec<_> =
            kept.filter(|(key, _)| !is_ours(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        metadata.insert("annotations".to_owned(), kept.into_iter().collect());
    }
    let parts = |object: &mut Value, path: &str, part: &dyn Fn(&mut Value)| {
        object.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten().for_each(part);
    };
    match kind {
        "Rollout" => {
            let fields = object.as_object_mut();
            fields.and_then(|fields| fields.remove("status"));
        }
        "VirtualService" => parts(&mut object, "/spec/http", &|route| {
            parts(route, "/route", &|destination| remove(destination, "weight"));
        }),
        "DestinationRule" => parts(&mut object, "/spec/subsets", &|subset| {
            if let Some(labels) = subset.get_mut("labels") {
                remove(labels, REVISION_LABEL);
            }
        }),
        _ => {
            if let Some(selector) = object.pointer_mut("/spec/selector") {
                remove(selector, REVISION_LABEL);
            }
        }
    }
    object
}

fn remove(object: &mut Value, key: &str) {
    let fields = object.as_object_mut();
    fields.and_then(|fields| fields.remove(key));
}

fn is_ours(annotation: &str) -> bool {
    annotation.starts_with("rollout-core/")
        || ["rollout.argoproj.io/revision", "argo-rollouts.argoproj.io/managed-by-rollouts"]
            .contains(&annotation)
}
