use super::{
    adopt::{InTheWay, in_the_way},
    context::Context,
    memory::{Key, Memory},
    observe::Reading,
};
use crate::{
    replica_set::{self, ReplicaSet},
    store::Received,
};
use rollout_core::{
    Action, Failure, Outcome, Revision, Time,
    backend::{BackendError, FENCE_ANNOTATION, StoreError, TrafficBackend, Written},
    traffic::ObjectRef,
};
use serde_json::json;

/// Carries out one action on what was read.
pub(super) async fn act(
    context: &Context,
    memory: &Memory,
    reading: &mut Reading,
    backend: &dyn TrafficBackend,
    target: &Revision,
    action: &Action,
) -> Result<Outcome, Failure> {
    match action {
        Action::Scale { revision, pods, scale_down_deadline } => {
            workload(context, memory, reading, target, revision, (*pods, *scale_down_deadline)).await
        }
        Action::Select(to) => {
            let written = backend.select(to, &reading.traffic).await;
            traffic(reading, written)
        }
        Action::Route(to) => {
            let written = backend.route(to, &reading.traffic).await;
            traffic(reading, written)
        }
        Action::Prune { revision } => prune(context, reading, revision).await,
    }
}

/// Writes a nonce to every object that decisions rest on.
pub(super) async fn fence(
    context: &Context,
    nonce: &str,
    reading: &mut Reading,
    backend: &dyn TrafficBackend,
) -> Result<Outcome, Failure> {
    if reading.observed.traffic.is_some() {
        let written = backend.fence(nonce, &reading.traffic).await;
        traffic(reading, written)?;
    }
    for index in 0..reading.sets.len() {
        let Some(set) = reading.sets.get(index) else { break };
        let patch = json!({"metadata": {
            "resourceVersion": *set.entry.version.write,
            "annotations": {FENCE_ANNOTATION: nonce}
        }});
        let written = context.shelves.requests().merge(&set.object(), &patch).await.map_err(failure)?;
        remember(context, reading, written);
    }
    Ok(Outcome::Changed)
}

/// The versions that a write left, also a half one.
fn traffic(reading: &mut Reading, written: Result<Written, BackendError>) -> Result<Outcome, Failure> {
    match written {
        Ok(written) => {
            reading.traffic = reading.traffic.after(&written.version);
            Ok(written.outcome())
        }
        Err(error) => {
            reading.traffic = reading.traffic.after(&error.written().version);
            Err(Failure::from(&error))
        }
    }
}

async fn workload(
    context: &Context,
    memory: &Memory,
    reading: &mut Reading,
    target: &Revision,
    revision: &Revision,
    to: (u32, Option<Time>),
) -> Result<Outcome, Failure> {
    let highest = replica_set::highest(&reading.sets);
    let rollout = reading.rollout.value.clone();
    if let Some(set) = reading.sets.iter().find(|set| set.revision == *revision) {
        // The current revision has the highest number, also one that was there before.
        let highest = (revision == target).then_some(highest);
        let Some(patch) = replica_set::patch(&rollout, set, to, highest) else {
            return Ok(Outcome::Unchanged);
        };
        let written = context.shelves.requests().merge(&set.object(), &patch).await.map_err(failure)?;
        remember(context, reading, written);
        return took_effect(reading, revision, to.0);
    }
    if revision != target {
        return Err(Failure::Refused(format!(
            "there is no ReplicaSet of revision {revision} any more, and its template is not the Rollout's"
        )));
    }
    let nonce = memory.driver.nonce();
    let set = replica_set::replica_set(&rollout, revision, replica_set::next(highest), to, nonce);
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    let object = ObjectRef::new("apps", "ReplicaSet", namespace, &replica_set::name(&rollout, revision));
    match context.shelves.requests().create(&object, &set).await {
        Ok(written) => remember(context, reading, written),
        Err(StoreError::AlreadyExists(_)) => {
            let found = in_the_way(context, &reading.rollout, &object).await.map_err(failure)?;
            taken(context, reading, found, to).await?;
        }
        Err(error) => return Err(failure(error)),
    }
    Ok(Outcome::Changed)
}

/// Whether a ReplicaSet asks for what was just written. What goes in between and puts it back would otherwise be
/// written against for ever.
fn took_effect(reading: &Reading, revision: &Revision, pods: u32) -> Result<Outcome, Failure> {
    match reading.sets.iter().find(|set| set.revision == *revision) {
        Some(set) if set.wanted != pods => Err(Failure::Refused(format!(
            "ReplicaSet {}: spec.replicas: {pods} was written, and the answer says {}; see which admission webhook \
             changes it",
            set.name(),
            set.wanted
        ))),
        Some(_) | None => Ok(Outcome::Changed),
    }
}

/// A ReplicaSet that was there has the pods that a new one would have been made with.
async fn taken(
    context: &Context,
    reading: &mut Reading,
    found: InTheWay,
    to: (u32, Option<Time>),
) -> Result<(), Failure> {
    let set = match found {
        InTheWay::Adopted(set) => set,
        InTheWay::Changed => return Err(Failure::Conflict),
        InTheWay::Others(why) => return Err(Failure::Refused(why)),
    };
    let highest = replica_set::highest(&reading.sets);
    let patch = replica_set::patch(&reading.rollout.value, &set, to, Some(highest));
    let object = set.object();
    reading.sets.push(set);
    if let Some(patch) = patch {
        let written = context.shelves.requests().merge(&object, &patch).await.map_err(failure)?;
        remember(context, reading, written);
    }
    Ok(())
}

async fn prune(context: &Context, reading: &mut Reading, revision: &Revision) -> Result<Outcome, Failure> {
    let Some(set) = reading.sets.iter().find(|set| set.revision == *revision) else {
        return Ok(Outcome::Unchanged);
    };
    if set.wanted > 0 || set.replicas > 0 {
        return Err(Failure::Refused(format!("ReplicaSet {} still has pods", set.name())));
    }
    let options = json!({
        "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
        "preconditions": {"uid": set.entry.uid(), "resourceVersion": *set.entry.version.write}
    });
    let object = set.object();
    let asked = context.shelves.asks(&object);
    match context.shelves.requests().delete(&object, &options).await {
        Ok(()) | Err(StoreError::NotFound(_)) => {
            context.shelves.absent(&object, asked, Some(&key(reading)));
            reading.sets.retain(|set| set.revision != *revision);
            Ok(Outcome::Changed)
        }
        Err(error) => Err(failure(error)),
    }
}

fn key(reading: &Reading) -> Key {
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    (namespace.to_owned(), reading.rollout.name().to_owned())
}

/// The next write of the same turn carries the version of this one.
fn remember(context: &Context, reading: &mut Reading, written: Received) {
    let like = ObjectRef::new("apps", "ReplicaSet", "", "");
    let object = crate::cache::reference(&like, &written.value);
    let Some(read) = ReplicaSet::read(context.shelves.wrote(&object, written)) else { return };
    match reading.sets.iter_mut().find(|set| set.revision == read.revision) {
        Some(set) => *set = read,
        None => reading.sets.push(read),
    }
}

/// What a store's refusal means for the turn. An object that is gone is a new snapshot.
pub(super) fn failure(error: StoreError) -> Failure {
    if matches!(error, StoreError::NotFound(_)) {
        return Failure::Conflict;
    }
    Failure::from(&BackendError::from(error))
}
