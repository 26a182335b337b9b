//! A rollout's Istio objects for a random history, and what of them is the user's own.

use super::{ANNOTATIONS, dr, vs};
use rollout_core::{
    backend::{Chain, NoDataPlane, ObjectBackend, REVISION_LABEL, ServiceEditor},
    sim::{MeshStore, ObjectMesh},
    testing::history::{History, MANAGED},
    traffic::ObjectRef,
};
use rollout_istio::{DestinationRuleRef, IstioConfig, IstioEditor, VirtualServiceRef};
use serde_json::{Value, json};
use std::sync::Arc;

/// The objects of one history: their shape follows from its seed.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) store: Arc<MeshStore>,
    pub(crate) config: IstioConfig,
    /// With `pingPong`, the same while the other Service is stable.
    swapped: Option<IstioConfig>,
    services: bool,
}

impl Played {
    pub(crate) fn new(history: &History) -> Self {
        // `pingPong` names two Services.
        let services = history.recipe.services || history.recipe.ping_pong;
        let shape = history.seed;
        let store = MeshStore::new();
        let mut configs = if services {
            vec![IstioConfig::hosts("shop", "a", "b")]
        } else {
            store.user_applies(&dr(), rule());
            vec![IstioConfig::subsets("shop", DestinationRuleRef::new("rule", "stable", "canary"))]
        };
        if history.recipe.ping_pong {
            configs.push(IstioConfig::hosts("shop", "b", "a"));
        }
        for (name, role) in [("a", "stable"), ("b", "canary")].into_iter().filter(|_| services) {
            store.user_applies(
                &service(name),
                json!({"kind": "Service", "metadata": {"name": name}, "spec": {
                    "ports": [{"port": 80}], "selector": {"app": "provider", "role": role},
                }}),
            );
        }
        for number in 0..history.recipe.objects {
            let shape = shape.rotate_right(8 * u32::from(number));
            let (entry, name) = match number {
                1 => ("provider.gateways".to_owned(), far("provider")),
                _ => (format!("provider-{number}"), vs(&format!("provider-{number}"))),
            };
            let mut entry = VirtualServiceRef::new(&entry);
            // A VirtualService without http routes takes no managed ones; the first must.
            let raw = number > 0 && shape & 3 == 3;
            if !raw && shape & 4 == 0 {
                entry = entry.route("own");
            }
            // In another namespace a short host would be another one.
            let shape = if number == 1 { shape | 8 } else { shape };
            store.user_applies(&name, virtual_service(services, raw, shape));
            configs = configs.into_iter().map(|config| config.virtual_service(entry.clone())).collect();
        }
        // Which notes are the Rollout's own does not depend on the roles.
        let managed = |config: IstioConfig| {
            MANAGED.iter().fold(config.of_rollout("web"), |config, name| config.managed_route(name))
        };
        let totalled = |mut config: IstioConfig| {
            config.max_weight = history.recipe.max_weight;
            config
        };
        let mut configs = configs.into_iter().map(managed).map(totalled);
        let config = configs.next().expect("there is one for the roles as they are named");
        Self { store, config, swapped: configs.next(), services }
    }

    /// The mesh that the engine drives. With `pingPong` it swaps roles as the engine says.
    pub(crate) fn mesh(&self) -> ObjectMesh {
        let mesh = self.mesh_of(&self.config, ["a", "b"]);
        match &self.swapped {
            Some(swapped) => mesh.swapped(self.mesh_of(swapped, ["b", "a"])),
            None => mesh,
        }
    }

    fn mesh_of(&self, config: &IstioConfig, [stable, canary]: [&'static str; 2]) -> ObjectMesh {
        let editor = IstioEditor::new(config.clone());
        let istio = ObjectBackend::new(editor.clone(), self.store.clone(), NoDataPlane);
        if !self.services {
            return ObjectMesh::new(self.store.clone(), istio).objects_of(editor);
        }
        let services = || ServiceEditor::new("shop", Some(stable), Some(canary)).of_rollout("web");
        let both = Chain::new(ObjectBackend::new(services(), self.store.clone(), NoDataPlane), istio);
        ObjectMesh::new(self.store.clone(), both).objects_of(services()).objects_of(editor)
    }
}

fn service(name: &str) -> ObjectRef {
    ObjectRef::new("", "Service", "shop", name)
}

fn far(name: &str) -> ObjectRef {
    ObjectRef::new("networking.istio.io", "VirtualService", "gateways", name)
}

fn rule() -> Value {
    let subset =
        |name| json!({"name": name, "labels": {"role": name}, "trafficPolicy": {"tls": {"mode": "DISABLE"}}});
    json!({"metadata": {"name": "rule", "annotations": {"team": "shop"}}, "spec": {
        "host": "provider", "subsets": [subset("stable"), subset("other"), subset("canary")], "xNext": null,
    }})
}

fn virtual_service(services: bool, raw: bool, shape: u64) -> Value {
    let suffix = if shape & 8 == 0 { "" } else { ".shop.svc.cluster.local" };
    let to = |role: &str| match (services, role) {
        (false, role) => json!({"host": format!("provider{suffix}"), "subset": role, "port": {"number": 80}}),
        (true, "stable") => json!({"host": format!("a{suffix}"), "port": {"number": 80}}),
        (true, _) => json!({"host": format!("b{suffix}"), "port": {"number": 80}}),
    };
    let foreign = if shape & 0x30 == 0x30 { 7 } else { 0 };
    let mut route = vec![
        json!({"destination": to("stable"), "weight": 100 - foreign, "headers": {"request": {"set": {"a": "b"}}}}),
        json!({"destination": to("canary"), "weight": 0}),
    ];
    if foreign > 0 {
        route.insert(1, json!({"destination": {"host": "other", "port": {"number": 80}}, "weight": foreign}));
    }
    if raw {
        return json!({"metadata": {"name": "raw"}, "spec": {"tcp": [{"route": route}], "hosts": ["*"]}});
    }
    let mut own = json!({"retries": {"attempts": 3}, "route": route, "xNext": [1, {"weight": 2}]});
    let mut http = Vec::new();
    if shape & 4 == 0 {
        own["name"] = "own".into();
        http.push(json!({"match": [{"uri": {"exact": "/health"}}], "directResponse": {"status": 200}}));
    }
    http.push(own);
    let mut object = json!({"metadata": {"name": "provider"}, "spec": {"http": http, "hosts": ["provider"]}});
    if shape & 0x40 == 0x40 {
        object["metadata"]["annotations"] = json!({"team": "shop"});
    }
    object
}

/// Everything in an object that is not the engine's, as text.
pub(crate) fn foreign(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut()
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        for key in ANNOTATIONS {
            annotations.shift_remove(key);
        }
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        if let Some(http) = spec.get_mut("http").and_then(Value::as_array_mut) {
            http.retain(|rule| !MANAGED.contains(&rule["name"].as_str().unwrap_or_default()));
        }
        for protocol in ["http", "tcp"] {
            let rules = spec.get_mut(protocol).and_then(Value::as_array_mut).into_iter().flatten();
            for entry in rules.filter_map(|rule| rule.get_mut("route")?.as_array_mut()).flatten() {
                if entry["destination"]["host"] != "other" {
                    entry.as_object_mut().map(|entry| entry.shift_remove("weight"));
                }
            }
        }
        if let Some(selector) = spec.get_mut("selector").and_then(Value::as_object_mut) {
            selector.shift_remove(REVISION_LABEL);
        }
        for subset in spec.get_mut("subsets").and_then(Value::as_array_mut).into_iter().flatten() {
            if let (true, Some(labels)) = (subset["name"] != "other", subset["labels"].as_object_mut()) {
                labels.shift_remove(REVISION_LABEL);
            }
        }
    }
    object.to_string()
}
