//! Writes runs, on condition that they are as they were read.

use super::runner::RunContext;
use crate::{
    cache::Entry,
    guard::{Guard, off},
    rollout::Key,
    runs::run_ref,
    store::Received,
};
use rollout_core::{analysis::RunStatus, backend::StoreError};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// Stores a status.
///
/// The definition of AnalysisRuns that comes with Argo Rollouts has no status subresource: the status is a field as any
/// other. Where a definition has one, such a write succeeds and leaves the status as it was; then the subresource is
/// written, from then on at once.
///
/// # Errors
/// The run has changed meanwhile, is gone, or could not be written.
pub(super) async fn status(
    context: &RunContext,
    key: &Key,
    run: &Entry,
    status: &RunStatus,
) -> Result<(), StoreError> {
    let object = run_ref(&key.0, &key.1);
    let requests = context.caches.requests();
    let mut to = (*run.value).clone();
    if let Some(fields) = to.as_object_mut() {
        fields.insert("status".to_owned(), status.write());
    }
    if off(Guard::RunIsUnchanged) {
        let newest = context.caches.get_live(&object, None).await?;
        crate::store::conditional(&object, &mut to, &newest.version)?;
    } else {
        crate::store::conditional(&object, &mut to, &run.version)?;
    }
    let written = if context.has_subresource.load(Ordering::Relaxed) {
        requests.replace_status(&object, &to).await?
    } else {
        let written = requests.replace(&object, &to).await?;
        if is_as_before(run, &written) {
            let written = requests.replace_status(&object, &to).await?;
            context.has_subresource.store(true, Ordering::Relaxed);
            written
        } else {
            written
        }
    };
    context.caches.put(&object, written.into(), Some(key));
    Ok(())
}

/// Whether a write had no effect.
fn is_as_before(run: &Entry, written: &Received) -> bool {
    let version = |value: &Value| value.pointer("/metadata/resourceVersion").cloned();
    version(&run.value) == version(&written.value)
}

/// Deletes a run as it was read, and what it owns.
///
/// # Errors
/// The run has changed meanwhile, is gone, or could not be deleted.
pub(super) async fn delete(context: &RunContext, key: &Key, run: &Entry) -> Result<(), StoreError> {
    let object = run_ref(&key.0, &key.1);
    let preconditions = json!({"uid": run.uid(), "resourceVersion": &*run.version.write});
    let options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "propagationPolicy": "Background", "preconditions": preconditions
    });
    let as_of = context.caches.as_of(&object);
    context.caches.requests().delete(&object, &options).await?;
    context.caches.absent(&object, as_of, Some(key));
    Ok(())
}
