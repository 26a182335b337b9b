//! What a Rollout left behind in objects that it no longer names.

use super::{
    context::Context,
    memory::{Key, RolloutMemory},
};
use crate::{cache::Index, store::conditional};
use rollout_core::{
    backend::{EditError, RolloutRef, StoreError, note, rollouts_in},
    traffic::{ObjectRef, Settled, Version},
};
use serde_json::Value;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How to take out what a Rollout left in the objects of one kind.
#[derive(Clone)]
pub(crate) struct Release {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) remove: Arc<Remove>,
}

type Remove = dyn Fn(&ObjectRef, &mut Value, &RolloutRef) -> Result<bool, EditError> + Send + Sync;

/// The prefix of the annotations that hold our notes. What only Argo Rollouts has noted is left alone.
const OURS: &str = "rollout-core/";
const LEFT_BY: &str = "left by ";

/// How many objects are released in one turn.
const IN_A_TURN: usize = 10;

/// How long pods stay after the last label that selected them is out, where nobody knows what proxies have.
const NOBODY_KNOWS: Duration = Duration::from_secs(30);

/// Finds objects of a kind by the Rollouts that have a note of ours in them.
pub(crate) fn index(group: &str, kind: &str) -> Index {
    let (group, kind) = (group.to_owned(), kind.to_owned());
    Index::new(move |namespace, object| {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let name = ObjectRef::new(&group, &kind, namespace, name);
        let ours = rollouts_in(&name, object).into_iter().filter(|rollout| has_note(&name, object, rollout));
        ours.map(|rollout| key(&rollout)).collect()
    })
}

fn has_note(name: &ObjectRef, object: &Value, rollout: &RolloutRef) -> bool {
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let mut ours = annotations.into_iter().flatten().map(|(key, _)| key).filter(|key| key.starts_with(OURS));
    ours.any(|key| note(name, object, key, rollout).is_some())
}

fn key(rollout: &RolloutRef) -> String {
    format!("{LEFT_BY}{}/{}", rollout.namespace, rollout.name)
}

/// The Rollout that an index key is about, if it is about one: it may have to look for what it left.
pub(crate) fn rollout_of(key: &str) -> Option<Key> {
    let (namespace, name) = key.strip_prefix(LEFT_BY)?.split_once('/')?;
    Some((namespace.to_owned(), name.to_owned()))
}

/// The outcome of looking for what was left behind.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cleanup {
    Nothing,
    /// Something is still there, or was there a moment ago, so the pods that it selects must not go: why.
    Waits(String),
    /// The Rollout is not as it was thought to be.
    LookAgain,
}

/// Takes out what a Rollout left in objects that it no longer names; if it is gone, that is all of them.
///
/// The server itself must confirm that it is gone, or no longer names them: what the watches showed may be old.
///
/// # Errors
/// Something could not be read or written.
pub(super) async fn clean_up(
    context: &Context,
    memory: &mut RolloutMemory,
    rollout: &Key,
    there: Option<(&str, &HashSet<ObjectRef>)>,
) -> Result<Cleanup, StoreError> {
    let who = RolloutRef::new(&rollout.0, &rollout.1);
    let mut found = Vec::new();
    for release in &context.releases {
        let like = ObjectRef::new(&release.group, &release.kind, "", "");
        for entry in context.caches.known_having(&like, &[key(&who)]) {
            let object = crate::cache::reference(&like, &entry.value);
            if there.is_none_or(|(_, named)| !named.contains(&object)) {
                found.push((release, object, entry));
            }
        }
    }
    if found.is_empty() && there.is_none() {
        return Ok(Cleanup::Nothing);
    }
    if found.is_empty() {
        return Ok(settled(context, memory, rollout).await);
    }
    if context.dry_run {
        return Ok(Cleanup::Nothing);
    }
    let object = ObjectRef::new("argoproj.io", "Rollout", &rollout.0, &rollout.1);
    match (context.caches.get_live(&object, Some(rollout)).await, there) {
        (Err(StoreError::NotFound(_)), None) => {}
        (Ok(now), Some((version, _))) if *now.version.write == *version => {}
        (Err(error), _) if !matches!(error, StoreError::NotFound(_)) => return Err(error),
        _ => return Ok(Cleanup::LookAgain),
    }
    for (release, object, entry) in found.into_iter().take(IN_A_TURN) {
        let mut value = (*entry.value).clone();
        match (release.remove)(&object, &mut value, &who) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => return Err(StoreError::Refused { object, why: error.to_string() }),
        }
        conditional(&object, &mut value, &entry.version)?;
        let written = context.caches.requests().replace(&object, &value).await?;
        let written = crate::cache::Entry::from(written);
        tracing::info!(rollout = %who, %object, "released: the Rollout no longer names it");
        memory.released.push((object.clone(), written.version.clone()));
        memory.released_at = Some(Instant::now());
        context.caches.put(&object, written, Some(rollout));
    }
    let what = memory.released.iter().map(|(object, _)| object.to_string()).collect::<Vec<_>>();
    Ok(Cleanup::Waits(format!("what it no longer names is released: {}", what.join(", "))))
}

/// Whether the proxies already know that nothing selects the pods any more.
async fn settled(context: &Context, memory: &mut RolloutMemory, rollout: &Key) -> Cleanup {
    let Some(at) = memory.released_at else { return Cleanup::Nothing };
    let version: Version = memory.released.iter().cloned().collect();
    let names = memory.released.iter().map(|(object, _)| object.to_string()).collect::<Vec<_>>().join(", ");
    let settled = context.data_planes.of(rollout).objects(&version).await;
    let is_over = match settled {
        Settled::Yes => true,
        Settled::NotYet { .. } => false,
        Settled::Unknown { .. } => at.elapsed() >= NOBODY_KNOWS,
    };
    if is_over {
        memory.released.clear();
        memory.released_at = None;
        return Cleanup::Nothing;
    }
    Cleanup::Waits(format!("{names} selected its pods until a moment ago, and proxies may not know yet"))
}
