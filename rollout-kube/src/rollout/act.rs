use super::{
    adopt::{NameConflict, resolve_name_conflict},
    analysis,
    context::Context,
    memory::{Key, RolloutMemory},
    observe::Reading,
};
use crate::{
    cache::View,
    replica_set::{self, ReplicaSet, ReplicaSets},
    store::Received,
};
use rollout_core::{
    Action, Failure, Outcome, Revision, Time,
    backend::{StoreError, TrafficBackend, Written},
    traffic::ObjectRef,
};

/// Carries out one action on the objects of a reading.
pub(super) async fn act(
    context: &Context,
    memory: &RolloutMemory,
    reading: &mut Reading,
    (backend, view): (&dyn TrafficBackend, &View),
    (target, stable): (&Revision, Option<&Revision>),
    action: &Action,
) -> Result<Outcome, Failure> {
    match action {
        Action::Scale { revision, pods, scale_down_deadline } => {
            scale(context, memory, reading, target, revision, (*pods, *scale_down_deadline)).await
        }
        Action::Select(to) => {
            let written = backend.select(to, &reading.traffic).await;
            Written::chain(written, &mut reading.traffic)
        }
        Action::Route(to) => {
            let written = backend.route(to, &reading.traffic).await;
            Written::chain(written, &mut reading.traffic)
        }
        Action::Run(change) => analysis::change((context, view), reading, stable, change).await,
        Action::Prune { revision } => prune(context, reading, revision).await,
    }
}

/// Writes a nonce to every object that decisions depend on.
pub(super) async fn fence(
    context: &Context,
    nonce: &str,
    reading: &mut Reading,
    backend: &dyn TrafficBackend,
) -> Result<Outcome, Failure> {
    if reading.observed.traffic.is_some() {
        let written = backend.fence(nonce, &reading.traffic).await;
        Written::chain(written, &mut reading.traffic)?;
    }
    let sets = sets(context, reading);
    for index in 0..reading.sets.len() {
        let Some(set) = reading.sets.get(index) else { break };
        let written = sets.sign(set, nonce).await.map_err(StoreError::into_failure)?;
        remember(context, reading, written);
    }
    Ok(Outcome::Changed)
}

async fn scale(
    context: &Context,
    memory: &RolloutMemory,
    reading: &mut Reading,
    target: &Revision,
    revision: &Revision,
    to: (u32, Option<Time>),
) -> Result<Outcome, Failure> {
    let highest = replica_set::highest(&reading.sets);
    let sets = sets(context, reading);
    if let Some(set) = reading.sets.iter().find(|set| set.revision == *revision) {
        // The current revision has the highest number, even if it is an old one.
        let highest = (revision == target).then_some(highest);
        let written = sets.change(set, to, highest).await.map_err(StoreError::into_failure)?;
        let Some(written) = written else { return Ok(Outcome::Unchanged) };
        remember(context, reading, written);
        let set = reading.sets.iter().find(|set| set.revision == *revision);
        set.map_or(Ok(()), |set| replica_set::took_effect(set, to.0))?;
        return Ok(Outcome::Changed);
    }
    if revision != target {
        return Err(sets.no_template(revision));
    }
    let object = sets.object(revision);
    let number = replica_set::next(highest);
    match sets.make(&object, (revision, number), to, memory.driver.nonce()).await {
        Ok(written) => remember(context, reading, written),
        Err(StoreError::AlreadyExists(_)) => {
            let found = resolve_name_conflict(context, &reading.rollout, &object).await;
            scale_adopted(context, reading, found.map_err(StoreError::into_failure)?, to).await?;
        }
        Err(error) => return Err(error.into_failure()),
    }
    Ok(Outcome::Changed)
}

/// Returns the access to the Rollout's ReplicaSets.
fn sets(context: &Context, reading: &Reading) -> ReplicaSets {
    ReplicaSets::of_rollout(context.caches.requests(), &reading.rollout.value)
}

/// Gives an adopted ReplicaSet the pods that a new one would have.
async fn scale_adopted(
    context: &Context,
    reading: &mut Reading,
    found: NameConflict,
    to: (u32, Option<Time>),
) -> Result<(), Failure> {
    let set = match found {
        NameConflict::Adopted(set) => set,
        NameConflict::Changed => return Err(Failure::Conflict),
        NameConflict::Foreign(why) => return Err(Failure::Refused(why)),
    };
    let highest = replica_set::highest(&reading.sets);
    let sets = sets(context, reading);
    reading.sets.push(set.clone());
    let written = sets.change(&set, to, Some(highest)).await.map_err(StoreError::into_failure)?;
    if let Some(written) = written {
        remember(context, reading, written);
    }
    Ok(())
}

async fn prune(context: &Context, reading: &mut Reading, revision: &Revision) -> Result<Outcome, Failure> {
    let Some(set) = reading.sets.iter().find(|set| set.revision == *revision) else {
        return Ok(Outcome::Unchanged);
    };
    let object = set.object();
    let asked = context.caches.as_of(&object);
    sets(context, reading).remove(set).await?;
    context.caches.absent(&object, asked, Some(&key(reading)));
    reading.sets.retain(|set| set.revision != *revision);
    Ok(Outcome::Changed)
}

fn key(reading: &Reading) -> Key {
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    (namespace.to_owned(), reading.rollout.name().to_owned())
}

/// Records a write, so that the next write of the same turn carries its version.
fn remember(context: &Context, reading: &mut Reading, written: Received) {
    let like = ObjectRef::new("apps", "ReplicaSet", "", "");
    let object = crate::cache::reference(&like, &written.value);
    let Some(read) = ReplicaSet::read(context.caches.wrote(&object, written)) else { return };
    match reading.sets.iter_mut().find(|set| set.revision == read.revision) {
        Some(set) => *set = read,
        None => reading.sets.push(read),
    }
}
