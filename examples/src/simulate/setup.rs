//! From manifests to a world: the objects in a store, the editors over them, proxies and pods.

use super::{
    args,
    diagnostics::Findings,
    elsewhere,
    model::{Model, namespace},
    recorder::Recorder,
};
use rollout_core::{
    Spec,
    argo::{Document, Severity},
    backend::{
        BackendError, NoDataPlane, ObjectEditor, Pair, ServiceEditor, StoreError, Stored, TrafficBackend,
        ready,
    },
    sim::{MeshStore, ObjectMesh, Sim, World},
    traffic::ObjectRef,
};
use rollout_istio::{IstioConfig, IstioEditor};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// A world whose traffic manager edits real objects, and that is written down.
pub(crate) type Played = World<ObjectMesh, Recorder>;

/// Puts the objects around one Rollout into a store and reads them as the engine will; notes what is wrong
/// with them.
pub(crate) fn objects(rollout: &Document, model: &Model, findings: &mut Findings) -> Option<ObjectMesh> {
    let store = MeshStore::new();
    for (name, document) in &model.objects {
        store.user_applies(name, document.value().clone());
    }
    let services = services(rollout);
    let services_there = missing(rollout, &services, model, findings);
    let istio = istio(rollout, findings).ok()?;
    let istio_there = istio.as_ref().map_or(Some(()), |istio| missing(rollout, istio, model, findings));
    services_there.and(istio_there)?;
    let backend = stored(&services, &store);
    let Some(editor) = istio else {
        readable(rollout, &backend, model, findings)?;
        return Some(ObjectMesh::new(store, backend).objects_of(services));
    };
    let backend = Pair::new(backend, Stored::new(editor.clone(), store.clone(), NoDataPlane));
    readable(rollout, &backend, model, findings)?;
    Some(ObjectMesh::new(store, backend).objects_of(services).objects_of(editor))
}

/// Reads the objects as they are after an update, noting what is wrong with them; `rollout` is the manifest
/// then. `None` when they cannot be read.
pub(crate) fn objects_after(
    rollout: &Document,
    before: &Model,
    update: &Model,
    findings: &mut Findings,
) -> Option<()> {
    let mut after = before.clone();
    after.objects.extend(update.objects.clone());
    objects(rollout, &after, findings).map(drop)
}

/// Makes the world of one Rollout.
pub(crate) fn world(rollout: &Document, spec: Spec, mesh: ObjectMesh, args: &args::Args) -> Played {
    let recorder = Recorder::new(args.objects.then(|| mesh.store().clone()));
    let world = &args.world;
    Sim::new(spec)
        .proxies(usize::try_from(world.proxies).unwrap_or(1))
        .proxy_lag(world.proxy_lag)
        .pods_ready_after(world.ready_after.unwrap_or_else(|| readiness(rollout.value()).into()))
        .seed(world.seed)
        .build_with(mesh, recorder)
}

fn stored(
    services: &ServiceEditor,
    store: &Arc<MeshStore>,
) -> Stored<ServiceEditor, Arc<MeshStore>, NoDataPlane> {
    Stored::new(services.clone(), store.clone(), NoDataPlane)
}

/// The Services that the strategy names.
fn services(rollout: &Document) -> ServiceEditor {
    let named = |field: &str| {
        rollout.value().pointer(&format!("/spec/strategy/canary/{field}")).and_then(Value::as_str)
    };
    let name = rollout.value().pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    ServiceEditor::new(namespace(rollout), named("stableService"), named("canaryService")).of_rollout(name)
}

/// The editor for what the strategy says about Istio, if it says anything. An error is noted.
fn istio(rollout: &Document, findings: &mut Findings) -> Result<Option<IstioEditor>, ()> {
    let mut manifest = rollout.value().clone();
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), Value::String(namespace(rollout).to_owned()));
    }
    match IstioConfig::from_rollout(&manifest) {
        Ok(config) => Ok(config.map(IstioEditor::new)),
        Err(invalid) => {
            for error in invalid.errors() {
                // What is said of the whole is not said of its parts again.
                if findings.covers(rollout.file(), &error.path) {
                    continue;
                }
                let pointer = format!("/{}", error.path.replace(['.', '['], "/").replace(']', ""));
                let slash =
                    rollout.value().pointer(&pointer).and_then(Value::as_str).and_then(elsewhere::slash);
                let instead = slash.unwrap_or_else(|| error.instead.to_string());
                findings.located(rollout.diagnostic(Severity::Error, &error.path, &error.what, &instead));
            }
            Err(())
        }
    }
}

/// Notes every object that is named and was not given.
fn missing(
    rollout: &Document,
    editor: &dyn ObjectEditor,
    model: &Model,
    findings: &mut Findings,
) -> Option<()> {
    let there = |name: &ObjectRef| model.objects.contains_key(name);
    let mut all = Some(());
    for name in editor.objects() {
        if there(&name) || editor.otherwise(&name).is_some_and(|other| there(&other)) {
            continue;
        }
        all = None;
        let (what, instead) = elsewhere::words(rollout, &name, model);
        findings.located(rollout.diagnostic(Severity::Error, &named_at(rollout, &name), &what, &instead));
    }
    all
}

/// Where in the Rollout an object is named.
fn named_at(rollout: &Document, object: &ObjectRef) -> String {
    let canary = "spec.strategy.canary";
    let istio = format!("{canary}.trafficRouting.istio");
    let places: Vec<String> = match &*object.kind {
        "Service" => ["canaryService", "stableService"].map(|place| format!("{canary}.{place}")).into(),
        "VirtualService" => std::iter::once(format!("{istio}.virtualService.name"))
            .chain((0..100).map(|index| format!("{istio}.virtualServices[{index}].name")))
            .collect(),
        _ => [format!("{istio}.destinationRule.name")].into(),
    };
    let names = |place: &String| {
        let pointer = format!("/{}", place.replace(['.', '['], "/").replace(']', ""));
        let value = rollout.value().pointer(&pointer).and_then(Value::as_str);
        value.is_some_and(|value| value == &*object.name || value.split('.').next() == Some(&object.name))
    };
    places.into_iter().find(names).unwrap_or_else(|| canary.to_owned())
}

/// Reads the objects once, as the engine will.
fn readable(
    rollout: &Document,
    backend: &dyn TrafficBackend,
    model: &Model,
    findings: &mut Findings,
) -> Option<()> {
    match ready(backend.observe(&[])) {
        Ok(Ok(_)) => return Some(()),
        Ok(Err(BackendError::Edit { error, .. })) => match model.objects.get(&error.object) {
            Some(document) => {
                findings.located(document.diagnostic(
                    Severity::Error,
                    &error.path,
                    &error.what,
                    &error.instead,
                ));
            }
            None => findings.plain(error.to_string()),
        },
        Ok(Err(BackendError::Store { error: StoreError::NotFound(name), .. })) => {
            let what = format!("{name} was not given");
            findings.located(rollout.diagnostic(
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
