//! From manifests to a world: the objects in a store, the editors over them, proxies and pods.

use super::{
    args,
    diagnostics::Findings,
    given::{Given, Leading},
    parts::Parts,
    recorder::Recorder,
};
use rollout_core::{
    Spec,
    argo::{Document, Severity},
    backend::{BackendError, StoreError, TrafficBackend, ready},
    sim::{MeshStore, ObjectMesh, Sim, World},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// A world whose traffic manager edits real objects, and that is written down.
pub(crate) type Played = World<ObjectMesh, Recorder>;

/// A store with these objects.
pub(crate) fn store<'a>(names: impl IntoIterator<Item = &'a ObjectRef>, given: Given<'_>) -> Arc<MeshStore> {
    let store = MeshStore::new();
    for name in names {
        if let Some(document) = given.get(name) {
            store.user_applies(name, document.value().clone());
        }
    }
    store
}

/// Reads the objects around one Rollout as the engine will; notes what is wrong with them. Which they are.
pub(crate) fn around(
    rollout: &Document,
    parts: &Parts,
    given: Given<'_>,
    leading: &Leading,
    findings: &mut Findings,
) -> Option<BTreeSet<ObjectRef>> {
    let around = parts.around(given, leading);
    let store = store(&around, given);
    readable(rollout, &*parts.backend(&store), given, findings)?;
    Some(around)
}

/// Makes the world of one Rollout, over a store that it may share.
pub(crate) fn world(
    (manifest, spec): (&Value, Spec),
    parts: &Parts,
    given: Given<'_>,
    store: &Arc<MeshStore>,
    args: &args::Args,
) -> Played {
    let mesh = parts.mesh(store);
    let recorder = Recorder::new(args.output.objects.then(|| (store.clone(), parts.objects(given))));
    let world = &args.world;
    let min_ready = manifest.pointer("/spec/minReadySeconds").and_then(Value::as_u64);
    Sim::new(spec)
        .min_ready(Duration::from_secs(min_ready.unwrap_or(0)))
        .start(world.start)
        .proxies(usize::try_from(world.proxies).unwrap_or(1))
        .proxy_lag(world.proxy_lag)
        .pods_ready_after(world.ready_after.unwrap_or_else(|| readiness(manifest).into()))
        .seed(world.seed)
        .build_with(mesh, recorder)
}

/// Reads the objects once, as the engine will.
fn readable(
    rollout: &Document,
    backend: &dyn TrafficBackend,
    given: Given<'_>,
    findings: &mut Findings,
) -> Option<()> {
    match ready(backend.observe(&[])) {
        Ok(Ok(_)) => return Some(()),
        Ok(Err(BackendError::Edit { error, .. })) => match given.get(&error.object) {
            Some(document) => {
                let found = document.locate(&error.finding);
                // What leads past the pods is said already, with what to write.
                if !findings.marks(&found) {
                    findings.located(found);
                }
            }
            None => findings.plain(error.to_string()),
        },
        Ok(Err(BackendError::Store { error: StoreError::NotFound(name), .. })) => {
            let what = format!("{name} was not given");
            findings.located(rollout.finding(
                Severity::Error,
                "spec",
                &what,
                "add its manifest to what is given",
            ));
        }
        Ok(Err(error)) => findings.plain(error.to_string()),
        Err(error) => findings.plain(error.to_string()),
    }
    None
}

/// When a pod is ready if nobody says otherwise: the longest first delay of its readiness probes, or 5 s.
pub(crate) fn readiness(manifest: &Value) -> Duration {
    let containers = manifest.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let delays = containers.into_iter().flatten().filter_map(|container| {
        container.pointer("/readinessProbe/initialDelaySeconds").and_then(Value::as_u64)
    });
    Duration::from_secs(delays.max().filter(|delay| *delay > 0).unwrap_or(5).min(86_400))
}
