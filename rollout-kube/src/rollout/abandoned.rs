//! Releases objects that a Rollout no longer names: takes out what it left in them.

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

/// How to release the objects of one kind.
#[derive(Clone)]
pub(crate) struct Release {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) remove: Arc<Remove>,
}

type Remove = dyn Fn(&ObjectRef, &mut Value, &RolloutRef) -> Result<bool, EditError> + Send + Sync;

/// The prefix of this engine's annotations. An object that only Argo Rollouts has annotated is left alone.
const OURS: &str = "rollout-core/";
const LEFT_BY: &str = "left by ";

/// The most objects that are released in one turn.
const IN_A_TURN: usize = 10;

/// How long pods stay after the last selector for them is removed, if the proxies' state is unknown.
const GRACE_IF_UNKNOWN: Duration = Duration::from_secs(30);

/// Indexes the objects of a kind by the Rollouts that this engine has noted in them.
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

/// Returns the Rollout in an index key, if there is one: it may have objects to release.
pub(crate) fn rollout_of(key: &str) -> Option<Key> {
    let (namespace, name) = key.strip_prefix(LEFT_BY)?.split_once('/')?;
    Some((namespace.to_owned(), name.to_owned()))
}

/// The outcome of releasing objects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cleanup {
    Done,
    /// An object selects the pods, or did a moment ago, so they must stay; with the reason.
    Wait(String),
    /// The Rollout differs from the cached one: observe again.
    Retry,
}

/// Releases the objects that a Rollout no longer names; if it is gone, all of them.
///
/// A live read must confirm that the Rollout is gone, or no longer names them: the cache may be stale.
///
/// # Errors
/// An object could not be read or written.
pub(super) async fn clean_up(
    context: &Context,
    memory: &mut RolloutMemory,
    rollout: &Key,
    named: Option<(&str, &HashSet<ObjectRef>)>,
) -> Result<Cleanup, StoreError> {
    let who = RolloutRef::new(&rollout.0, &rollout.1);
    let mut found = Vec::new();
    for release in &context.releases {
        let like = ObjectRef::new(&release.group, &release.kind, "", "");
        for entry in context.caches.known_having(&like, &[key(&who)]) {
            let object = crate::cache::reference(&like, &entry.value);
            if named.is_none_or(|(_, named)| !named.contains(&object)) {
                found.push((release, object, entry));
            }
        }
    }
    if found.is_empty() && named.is_none() {
        return Ok(Cleanup::Done);
    }
    if found.is_empty() {
        return Ok(settled(context, memory, rollout).await);
    }
    if context.dry_run {
        return Ok(Cleanup::Done);
    }
    let object = ObjectRef::new("argoproj.io", "Rollout", &rollout.0, &rollout.1);
    match (context.caches.get_live(&object, Some(rollout)).await, named) {
        (Err(StoreError::NotFound(_)), None) => {}
        (Ok(now), Some((version, _))) if *now.version.write == *version => {}
        (Err(error), _) if !matches!(error, StoreError::NotFound(_)) => return Err(error),
        _ => return Ok(Cleanup::Retry),
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
        tracing::info!(rollout = %who, %object, "released an object that the Rollout no longer names");
        memory.released.push((object.clone(), written.version.clone()));
        memory.released_at = Some(Instant::now());
        context.caches.put(&object, written, Some(rollout));
    }
    let what = memory.released.iter().map(|(object, _)| object.to_string()).collect::<Vec<_>>();
    Ok(Cleanup::Wait(format!("released objects that the Rollout no longer names: {}", what.join(", "))))
}

/// Checks whether the proxies know by now that nothing selects the pods.
async fn settled(context: &Context, memory: &mut RolloutMemory, rollout: &Key) -> Cleanup {
    let Some(at) = memory.released_at else { return Cleanup::Done };
    let version: Version = memory.released.iter().cloned().collect();
    let names = memory.released.iter().map(|(object, _)| object.to_string()).collect::<Vec<_>>().join(", ");
    let settled = context.data_planes.of(rollout).objects(&version).await;
    let is_over = match settled {
        Settled::Yes => true,
        Settled::NotYet { .. } => false,
        Settled::Unknown { .. } => at.elapsed() >= GRACE_IF_UNKNOWN,
    };
    if is_over {
        memory.released.clear();
        memory.released_at = None;
        return Cleanup::Done;
    }
    Cleanup::Wait(format!(
        "{names} selected its pods until a moment ago, and proxies may still send requests to them"
    ))
}
