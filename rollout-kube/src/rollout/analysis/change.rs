//! Begins, ends and deletes runs.

use super::{
    identity::{self, RUN},
    templates::composed,
};
use crate::{
    cache::{Entry, View},
    guard::{Guard, off},
    replica_set,
    rollout::{
        context::{Context, INSTANCE},
        observe::Reading,
    },
    runs::run_ref,
};
use rollout_core::{
    Failure, Outcome, Revision,
    analysis::{Analysis, RunChange, RunId},
    backend::StoreError,
    traffic::ObjectRef,
};
use serde_json::{Map, Value, json};

/// How many names are tried for one run.
const NAMES: usize = 10;

/// Carries out one change.
///
/// # Errors
/// It was refused, or its outcome is unknown.
pub(in super::super) async fn change(
    (context, view): (&Context, &View),
    reading: &mut Reading,
    stable: Option<&Revision>,
    change: &RunChange,
) -> Result<Outcome, Failure> {
    match change {
        RunChange::Start { id, analysis } => start((context, view), reading, stable, id, analysis).await,
        RunChange::Stop { name } => stop(context, reading, name).await,
        RunChange::Prune { name } => prune(context, reading, name).await,
    }
}

async fn start(
    (context, view): (&Context, &View),
    reading: &mut Reading,
    stable: Option<&Revision>,
    id: &RunId,
    analysis: &Analysis,
) -> Result<Outcome, Failure> {
    let composed = composed(view, &reading.rollout, analysis, (stable, &id.revision)).await;
    let composed = composed.map_err(StoreError::into_failure)?;
    let composed = composed.map_err(|error| Failure::Refused(error.to_string()))?;
    let rollout = &reading.rollout;
    let set = reading.sets.iter().find(|set| set.revision == id.revision);
    let number = set.map_or_else(|| replica_set::next(replica_set::highest(&reading.sets)), |set| set.number);
    let namespace = rollout.text("/metadata/namespace").unwrap_or_default().to_owned();
    let spec = composed.run(&composed.metrics);
    let name = |more| identity::name(rollout.name(), number, id, more);
    let is_known = |more: &u32| reading.runs.as_ref().is_some_and(|runs| runs.get(&name(*more)).is_some());
    let free: Vec<u32> = (0..).filter(|more| !is_known(more)).take(NAMES).collect();
    // A name may be taken by an earlier attempt that no watch has shown, or by a run that somebody made by hand.
    for more in free {
        let object = run_ref(&namespace, &name(more));
        let metadata = metadata(context, rollout, &object, (id, number), analysis);
        let run = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata, "spec": spec
        });
        match context.caches.requests().create(&object, &run).await {
            Ok(written) => {
                let written = context.caches.wrote(&object, written);
                remember(reading, written);
                return Ok(Outcome::Changed);
            }
            Err(StoreError::AlreadyExists(_)) => {
                let existing =
                    context.caches.get_live(&object, None).await.map_err(StoreError::into_failure)?;
                let is_ours = existing.owner().is_some_and(|(_, uid)| uid == rollout.uid());
                let is_it = is_ours && identity::id(&existing).as_ref() == Some(id);
                if is_it || off(Guard::RunNameIsFree) {
                    remember(reading, existing);
                    return Ok(Outcome::Unchanged);
                }
            }
            Err(error) => return Err(error.into_failure()),
        }
    }
    let why =
        format!("AnalysisRun {namespace}/{} and {} more names are taken; delete them", name(0), NAMES - 1);
    Err(Failure::Refused(why))
}

/// Builds the metadata. The labels of the Rollout's selector override the user's, which override those that identify the
/// run.
fn metadata(
    context: &Context,
    rollout: &Entry,
    object: &ObjectRef,
    (id, number): (&RunId, u64),
    analysis: &Analysis,
) -> Value {
    let mut labels: Map<String, Value> =
        identity::labels(id).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    if let Some(instance) = &context.instance {
        labels.insert(INSTANCE.to_owned(), instance.as_str().into());
    }
    labels.extend(analysis.labels.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
    let selector = rollout.value.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    labels.extend(selector.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    let mut annotations: Map<String, Value> =
        analysis.annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    annotations.insert(replica_set::REVISION.to_owned(), number.to_string().into());
    annotations.insert(RUN.to_owned(), serde_json::to_string(id).unwrap_or_default().into());
    json!({
        "namespace": *object.namespace, "name": *object.name,
        "labels": labels, "annotations": annotations,
        "ownerReferences": [replica_set::owner(&rollout.value)]
    })
}

/// Tells a run to end. What it has measured stays.
async fn stop(context: &Context, reading: &mut Reading, name: &str) -> Result<Outcome, Failure> {
    let Some((object, uid)) = known(reading, name).filter(|_| !off(Guard::OldRunStops)) else {
        return Ok(Outcome::Unchanged);
    };
    let patch = json!({"metadata": {"uid": uid}, "spec": {"terminate": true}});
    match context.caches.requests().merge(&object, &patch).await {
        Ok(written) => {
            let written = context.caches.wrote(&object, written);
            remember(reading, written);
            Ok(Outcome::Changed)
        }
        Err(StoreError::NotFound(_)) => Ok(Outcome::Unchanged),
        Err(error) => Err(error.into_failure()),
    }
}

async fn prune(context: &Context, reading: &mut Reading, name: &str) -> Result<Outcome, Failure> {
    let Some((object, uid)) = known(reading, name).filter(|_| !off(Guard::OldRunIsDeleted)) else {
        return Ok(Outcome::Unchanged);
    };
    let as_of = context.caches.as_of(&object);
    let options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "propagationPolicy": "Background", "preconditions": {"uid": uid}
    });
    match context.caches.requests().delete(&object, &options).await {
        Ok(()) | Err(StoreError::NotFound(_)) => {}
        Err(error) => return Err(error.into_failure()),
    }
    let rollout = (object.namespace.to_string(), reading.rollout.name().to_owned());
    context.caches.absent(&object, as_of, Some(&rollout));
    if let Some(runs) = &mut reading.runs {
        runs.remove(name);
    }
    Ok(Outcome::Changed)
}

fn known(reading: &Reading, name: &str) -> Option<(ObjectRef, String)> {
    let run = reading.runs.as_ref()?.get(name)?;
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    Some((run_ref(namespace, name), run.uid().to_owned()))
}

fn remember(reading: &mut Reading, written: Entry) {
    if let Some(runs) = &mut reading.runs {
        runs.put(written);
    }
}
