//! What one Rollout drives, and in which objects.

use super::{
    diagnostics::Findings,
    elsewhere,
    given::{Given, Leading},
    model::namespace,
};
use rollout_core::{
    argo::{Document, Severity, wire::Rollout},
    backend::{Chain, Claim, NoDataPlane, ObjectBackend, ObjectEditor, ServiceEditor, TrafficBackend},
    sim::{MeshStore, ObjectMesh},
    traffic::{ObjectRef, StablePingPong},
};
use rollout_istio::{IstioConfig, IstioEditor};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// The editors of one Rollout.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) services: ServiceEditor,
    pub(crate) istio: Option<IstioEditor>,
    /// With `pingPong`, the same while the other Service is stable.
    swapped: Option<Box<Self>>,
}

impl Parts {
    /// Of what a manifest says; what is wrong with it, or not given, is noted.
    pub(crate) fn of(rollout: &Document, given: Given<'_>, findings: &mut Findings) -> Option<Self> {
        let mut wire = Rollout::from_value(rollout.value());
        wire.metadata.get_or_insert_default().namespace = Some(namespace(rollout).to_owned());
        let services = services(rollout, &wire);
        let services_there = missing(rollout, &services, given, findings);
        let istio = istio(rollout, &wire, findings).ok()?;
        let istio_there = istio.as_ref().is_none_or(|istio| missing(rollout, istio, given, findings));
        let swapped = wire.canary().is_some_and(|canary| canary.ping_pong.is_some()).then(|| {
            let wire = wire.with_roles(StablePingPong::Pong);
            let istio = self::istio(rollout, &wire, &mut Findings::default()).ok().flatten();
            Box::new(Self { services: self::services(rollout, &wire), istio, swapped: None })
        });
        (services_there && istio_there).then_some(Self { services, istio, swapped })
    }

    /// The mesh that the engine drives, over these objects.
    pub(crate) fn mesh(&self, store: &Arc<MeshStore>) -> ObjectMesh {
        let mut mesh = ObjectMesh::new(store.clone(), self.backend(store)).objects_of(self.services.clone());
        if let Some(istio) = &self.istio {
            mesh = mesh.objects_of(istio.clone());
        }
        match &self.swapped {
            Some(swapped) => mesh.swapped(swapped.mesh(store)),
            None => mesh,
        }
    }

    /// The objects that are edited, as they are given.
    pub(crate) fn objects(&self, given: Given<'_>) -> BTreeSet<ObjectRef> {
        let editors = self.editors();
        let named = editors.iter().flat_map(|editor| {
            editor.objects().into_iter().map(|name| match editor.otherwise(&name) {
                Some(other) if given.get(&name).is_none() => other,
                _ => name,
            })
        });
        named.collect()
    }

    /// These, and what leads to the same destinations.
    pub(crate) fn around(&self, given: Given<'_>, leading: &Leading) -> BTreeSet<ObjectRef> {
        let mut around = self.objects(given);
        let names: Vec<Arc<str>> = self.services.objects().into_iter().map(|name| name.name).collect();
        let mut hosts: Vec<&str> = names.iter().map(|name| &**name).collect();
        let rule =
            around.iter().find(|name| &*name.kind == "DestinationRule").and_then(|name| given.get(name));
        hosts.extend(rule.and_then(|rule| rule.value().pointer("/spec/host")).and_then(Value::as_str));
        let namespace = &self.services.rollout().namespace;
        around.extend(leading.to(namespace, &hosts));
        around
    }

    /// What it drives in them.
    pub(crate) fn claims(&self) -> Vec<Claim> {
        self.editors().into_iter().flat_map(ObjectEditor::claims).collect()
    }

    /// How the engine reads and edits them.
    pub(crate) fn backend(&self, store: &Arc<MeshStore>) -> Box<dyn TrafficBackend> {
        let services = ObjectBackend::new(self.services.clone(), store.clone(), NoDataPlane);
        match &self.istio {
            None => Box::new(services),
            Some(istio) => {
                Box::new(Chain::new(services, ObjectBackend::new(istio.clone(), store.clone(), NoDataPlane)))
            }
        }
    }

    fn editors(&self) -> Vec<&dyn ObjectEditor> {
        let istio = self.istio.iter().map(|istio| istio as &dyn ObjectEditor);
        std::iter::once(&self.services as &dyn ObjectEditor).chain(istio).collect()
    }
}

/// The Services that the strategy names.
fn services(rollout: &Document, wire: &Rollout) -> ServiceEditor {
    let (services, name) = (wire.services(), rollout.name().unwrap_or_default());
    ServiceEditor::new(namespace(rollout), services.stable, services.canary).of_rollout(name)
}

/// The editor for what the strategy says about Istio, if it says anything. An error is noted.
fn istio(rollout: &Document, wire: &Rollout, findings: &mut Findings) -> Result<Option<IstioEditor>, ()> {
    match IstioConfig::from_wire(wire) {
        Ok(config) => Ok(config.map(IstioEditor::new)),
        Err(invalid) => {
            for error in invalid {
                // What is said of the whole is not said of its parts again.
                if findings.covers(rollout.file(), &error.path) {
                    continue;
                }
                findings.located(rollout.locate(&error));
            }
            Err(())
        }
    }
}

/// Whether every object that is named was given; those that were not are noted.
fn missing(rollout: &Document, editor: &dyn ObjectEditor, given: Given<'_>, findings: &mut Findings) -> bool {
    let there = |name: &ObjectRef| given.get(name).is_some();
    let mut all = true;
    for name in editor.objects() {
        if there(&name) || editor.otherwise(&name).is_some_and(|other| there(&other)) {
            continue;
        }
        all = false;
        let (what, instead) = elsewhere::words(rollout, &name, given);
        findings.located(rollout.finding(Severity::Error, &named_at(rollout, &name), &what, &instead));
    }
    all
}

/// Where in the Rollout an object is named.
pub(crate) fn named_at(rollout: &Document, object: &ObjectRef) -> String {
    let canary = "spec.strategy.canary";
    let istio = format!("{canary}.trafficRouting.istio");
    let places: Vec<String> = match &*object.kind {
        "Service" => ["canaryService", "stableService", "pingPong.pingService", "pingPong.pongService"]
            .map(|place| format!("{canary}.{place}"))
            .into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::load::load;

    /// How many objects are read for each of so many Rollouts, all given together.
    fn read_for_each(rollouts: usize) -> Vec<usize> {
        let one = |number: usize| {
            format!(
                "kind: Rollout\napiVersion: argoproj.io/v1alpha1\nmetadata: {{name: r{number}}}\n\
                 spec: {{template: {{}}, strategy: {{canary: {{stableService: s{number}, canaryService: c{number}, \
                 trafficRouting: {{istio: {{virtualService: {{name: v{number}}}}}}}}}}}}}\n---\n\
                 kind: Service\napiVersion: v1\nmetadata: {{name: s{number}}}\n---\n\
                 kind: Service\napiVersion: v1\nmetadata: {{name: c{number}}}\n---\n\
                 kind: VirtualService\napiVersion: networking.istio.io/v1\nmetadata: {{name: v{number}}}\n\
                 spec: {{http: [{{route: [{{destination: {{host: s{number}}}}}, {{destination: {{host: c{number}}}}}]}}]}}\n---\n\
                 kind: VirtualService\napiVersion: networking.istio.io/v1\nmetadata: {{name: other{number}}}\n\
                 spec: {{http: [{{route: [{{destination: {{host: s{number}}}}}]}}]}}\n---\n"
            )
        };
        let text = (0..rollouts).map(one).collect::<Vec<_>>().concat();
        let mut findings = Findings::default();
        let model = load(&["-".into()], &mut text.as_bytes(), &mut findings);
        assert_eq!(model.objects.len(), 4 * rollouts, "{}", findings.render());
        let given = Given { model: &model, update: None };
        let leading = Leading::of(given);
        let around =
            |rollout| Parts::of(rollout, given, &mut findings).unwrap().around(given, &leading).len();
        model.rollouts.iter().map(around).collect()
    }

    /// Its own three objects, and the VirtualService that leads to one of them: whatever lies beside it.
    #[test]
    fn what_is_read_for_one_does_not_grow_with_how_many_there_are() {
        assert_eq!(read_for_each(2), [4; 2]);
        assert_eq!(read_for_each(100), [4; 100]);
    }
}
