use super::{
    act::failure,
    context::{Context, now},
    observe::Reading,
};
use crate::replica_set::{self, ReplicaSet};
use rollout_core::{
    Failure, Outcome, Spec, Status,
    argo::{Facts, WorkloadFacts, next_status},
    traffic::ObjectRef,
};
use serde_json::{Value, json};

/// The whole next `status` on the wire.
pub(super) fn wire(reading: &Reading, spec: Option<&Spec>, status: &Status, invalid: Option<&str>) -> Value {
    let workloads: Vec<_> = reading
        .sets
        .iter()
        .map(|set| {
            WorkloadFacts::new(set.revision.clone(), set.name(), set.number).pods(
                set.replicas,
                set.ready,
                set.available,
            )
        })
        .collect();
    let mut facts = Facts::new(&reading.rollout.value, status, now()).workloads(&workloads).invalid(invalid);
    if let (Some(spec), Some(seen)) = (spec, &reading.observed.traffic)
        && spec.strategy.routing().is_some()
    {
        facts = facts.weight(seen.weight(), spec.strategy.max_weight());
    }
    next_status(&facts)
}

/// Whether this is what is stored.
pub(super) fn is_stored(reading: &Reading, status: &Value) -> bool {
    reading.rollout.value.get("status") == Some(status)
}

/// Whether this only differs from what is stored in how many there are of what: then it may come a little
/// later, with the next thing that has to be said.
pub(super) fn only_counts(reading: &Reading, status: &Value) -> bool {
    let stored = reading.rollout.value.get("status").unwrap_or(&Value::Null);
    without_counts(stored) == without_counts(status)
}

fn without_counts(status: &Value) -> Value {
    let mut rest = status.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|key, _| !COUNTS.contains(&key.as_str()));
    }
    for condition in rest.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = condition.as_object_mut() {
            fields.retain(|key, _| key != "lastUpdateTime");
        }
    }
    // A condition that was set again stands at the end: its place says nothing.
    if let Some(conditions) = rest.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.sort_by_key(|condition| condition.get("type").map(ToString::to_string));
    }
    rest
}

const COUNTS: [&str; 6] =
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "canary"];

/// Stores a status, if the Rollout is still the one that was read. A status that is unchanged proves that it
/// is.
pub(super) async fn put(
    context: &Context,
    reading: &mut Reading,
    status: &Value,
) -> Result<Outcome, Failure> {
    let mut rollout = (*reading.rollout.value).clone();
    let same = is_stored(reading, status);
    if let Some(fields) = rollout.as_object_mut() {
        fields.insert("status".to_owned(), status.clone());
    }
    let object = object(reading);
    let written = context.shelves.requests().replace_status(&object, &rollout).await.map_err(failure)?;
    reading.rollout = context.shelves.put(&object, written);
    Ok(if same { Outcome::AsItWas } else { Outcome::Changed })
}

/// What clients read beside the status: the current revision has the highest number, also one that was there
/// before, and the Rollout bears it; and the Rollout says how many pods it has.
pub(super) async fn write_back(
    context: &Context,
    reading: &mut Reading,
    status: &Status,
) -> Result<(), Failure> {
    let highest = reading.sets.iter().map(|set| set.number).max().unwrap_or(0);
    let current = reading.sets.iter_mut().find(|set| Some(&set.revision) == status.canary.as_ref());
    let Some(set) = current else { return Ok(()) };
    if let Some(patch) = replica_set::renumber(set, highest) {
        let object = set.object();
        let written = context.shelves.requests().merge(&object, &patch).await.map_err(failure)?;
        if let Some(read) = ReplicaSet::read(context.shelves.put(&object, written)) {
            *set = read;
        }
    }
    let number = set.number.to_string();
    let has_pods = reading.rollout.value.pointer("/spec/replicas").is_some_and(|pods| !pods.is_null());
    let has_number = reading.rollout.annotation(replica_set::REVISION) == Some(&number);
    if has_pods && has_number {
        return Ok(());
    }
    let mut patch = json!({"metadata": {
        "resourceVersion": *reading.rollout.version.write,
        "annotations": {replica_set::REVISION: number}
    }});
    if let (false, Some(fields)) = (has_pods, patch.as_object_mut()) {
        fields.insert("spec".to_owned(), json!({"replicas": 1}));
    }
    merge(context, reading, &patch).await
}

/// Changes leaves of the Rollout.
pub(super) async fn merge(context: &Context, reading: &mut Reading, patch: &Value) -> Result<(), Failure> {
    let object = object(reading);
    let written = context.shelves.requests().merge(&object, patch).await.map_err(failure)?;
    reading.rollout = context.shelves.put(&object, written);
    Ok(())
}

fn object(reading: &Reading) -> ObjectRef {
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    ObjectRef::new("argoproj.io", "Rollout", namespace, reading.rollout.name())
}
