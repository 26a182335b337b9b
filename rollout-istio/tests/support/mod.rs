//! What the tests share: a few objects, an editor over them, and an interpreter that knows nothing of it.
#![expect(dead_code, reason = "each test uses its own part of it")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may stop where it stands"
)]

pub(crate) mod meets;
pub(crate) mod played;
pub(crate) mod random;

use rollout_core::{
    backend::{EditError, FENCE_ANNOTATION, MANAGED_BY_ANNOTATION, Object, ObjectEditor, Objects},
    traffic::{
        ManagedChange, ManagedRoute, ObjectRef, ObjectVersion, RequestMatch, RouteMatch, Routes, Seen,
        Selection, Selectors, StringMatch, Weight, WeightChange,
    },
};
use rollout_istio::{
    DestinationRuleRef, IstioConfig, IstioEditor, MANAGED_ANNOTATION, SUBSETS_ANNOTATION, VirtualServiceRef,
    WEIGHT_ANNOTATION, WRITTEN_FOR_ANNOTATION,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Every annotation that is the engine's.
pub(crate) const ANNOTATIONS: [&str; 6] = [
    WRITTEN_FOR_ANNOTATION,
    WEIGHT_ANNOTATION,
    MANAGED_ANNOTATION,
    SUBSETS_ANNOTATION,
    FENCE_ANNOTATION,
    MANAGED_BY_ANNOTATION,
];

/// Two Services, `a` (stable) and `b` (canary), and one VirtualService `provider`.
pub(crate) fn hosts() -> IstioConfig {
    IstioConfig::hosts("shop", "a", "b").virtual_service(VirtualServiceRef::new("provider"))
}

/// Two subsets of `provider` in DestinationRule `rule`, and one VirtualService `provider`.
pub(crate) fn subsets() -> IstioConfig {
    IstioConfig::subsets("shop", DestinationRuleRef::new("rule", "stable", "canary"))
        .virtual_service(VirtualServiceRef::new("provider"))
}

pub(crate) fn vs(name: &str) -> ObjectRef {
    ObjectRef::new("networking.istio.io", "VirtualService", "shop", name)
}

pub(crate) fn dr() -> ObjectRef {
    ObjectRef::new("networking.istio.io", "DestinationRule", "shop", "rule")
}

pub(crate) fn http(routes: &Value) -> Value {
    json!({"metadata": {"name": "provider"}, "spec": {"hosts": ["provider"], "http": routes}})
}

/// A route between the two Services.
pub(crate) fn route(name: &str, stable: u32, canary: u32) -> Value {
    json!({"name": name, "route": [
        {"destination": {"host": "a"}, "weight": stable},
        {"destination": {"host": "b"}, "weight": canary},
    ]})
}

/// A route between the two subsets.
pub(crate) fn subset_route(name: &str, stable: u32, canary: u32) -> Value {
    json!({"name": name, "route": [
        {"destination": {"host": "provider", "subset": "stable"}, "weight": stable},
        {"destination": {"host": "provider", "subset": "canary"}, "weight": canary},
    ]})
}

pub(crate) fn rule() -> Value {
    json!({"metadata": {"name": "rule"}, "spec": {"host": "provider", "subsets": [
        {"name": "stable", "labels": {"app": "provider"}},
        {"name": "canary", "labels": {"app": "provider"}},
    ]}})
}

pub(crate) fn objects(all: impl IntoIterator<Item = (ObjectRef, Value)>) -> Objects {
    let version = ObjectVersion { write: "1".into(), content: 1 };
    all.into_iter()
        .map(|(name, value)| (name, Object { value: value.into(), version: version.clone() }))
        .collect()
}

/// The objects after edits.
pub(crate) fn after(mut objects: Objects, edits: Vec<(ObjectRef, Value)>) -> Objects {
    for (name, value) in edits {
        objects.get_mut(&name).expect("an edit of an object that is there").value = value.into();
    }
    objects
}

pub(crate) fn to(weight: u32, managed: ManagedChange) -> Routes {
    Routes { weight: WeightChange::To(Weight::new(weight, 100)), managed, written_for: "v2".into() }
}

pub(crate) fn weight(weight: u32) -> Routes {
    to(weight, ManagedChange::Keep)
}

pub(crate) fn header(name: &str, value: &str) -> Arc<ManagedRoute> {
    let matches = vec![RequestMatch::header("lane", StringMatch::Exact(value.into()))];
    Arc::new(ManagedRoute { name: name.into(), matches: RouteMatch::Header(matches) })
}

/// A header route that may also ask for a method, a path and a query parameter.
pub(crate) fn narrow_header(name: &str, value: &str, [method, path, query]: [bool; 3]) -> Arc<ManagedRoute> {
    let mut matches = RequestMatch::header("lane", StringMatch::Exact(value.into()));
    matches.method = method.then(|| StringMatch::Exact("POST".into()));
    matches.path = path.then(|| StringMatch::Prefix("/deep".into()));
    matches.query.extend(query.then(|| ("beta".into(), StringMatch::Exact("1".into()))));
    Arc::new(ManagedRoute { name: name.into(), matches: RouteMatch::Header(vec![matches]) })
}

pub(crate) fn mirror(name: &str, percentage: i32) -> Arc<ManagedRoute> {
    let path = Some(StringMatch::Prefix("/".into()));
    let matches = vec![RequestMatch { path, ..RequestMatch::default() }];
    Arc::new(ManagedRoute { name: name.into(), matches: RouteMatch::Mirror { matches, percentage } })
}

pub(crate) fn both_to(stable: &str, canary: &str) -> Selectors {
    let to = |revision: &str| Some(Selection::Revision(revision.into()));
    Selectors { stable: to(stable), canary: to(canary) }
}

/// An editor over one VirtualService `provider`, and `rule` where there is one.
pub(crate) struct One {
    pub(crate) editor: IstioEditor,
    pub(crate) objects: Objects,
}

impl One {
    pub(crate) fn new(config: IstioConfig, provider: Value) -> Self {
        let rule = config.destination_rule.is_some().then(|| (dr(), rule()));
        Self {
            editor: IstioEditor::new(config),
            objects: objects([(vs("provider"), provider)].into_iter().chain(rule)),
        }
    }

    pub(crate) fn also(mut self, name: ObjectRef, value: Value) -> Self {
        self.objects.extend(objects([(name, value)]));
        self
    }

    pub(crate) fn try_route(&self, to: &Routes) -> Result<Vec<(ObjectRef, Value)>, EditError> {
        self.editor.route(&self.objects, to)
    }

    /// Routes, and says whether anything changed.
    pub(crate) fn route(&mut self, to: &Routes) -> bool {
        let edits = self.try_route(to).unwrap();
        let changed = !edits.is_empty();
        self.objects = after(std::mem::take(&mut self.objects), edits);
        changed
    }

    pub(crate) fn select(&mut self, to: &Selectors) {
        let edits = self.editor.select(&self.objects, to).unwrap();
        self.objects = after(std::mem::take(&mut self.objects), edits);
    }

    pub(crate) fn release(&mut self) {
        let edits = self.editor.release(&self.objects).unwrap();
        self.objects = after(std::mem::take(&mut self.objects), edits);
    }

    pub(crate) fn seen(&self) -> Seen {
        self.editor.read(&self.objects).unwrap()
    }

    /// The VirtualService, for the user to change.
    pub(crate) fn change(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.objects.get_mut(&vs("provider")).unwrap().value)
    }

    pub(crate) fn provider(&self) -> &Value {
        &self.objects[&vs("provider")].value
    }

    pub(crate) fn http(&self) -> &Vec<Value> {
        self.provider()["spec"]["http"].as_array().unwrap()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.http().iter().map(|rule| rule["name"].as_str().unwrap_or("")).collect()
    }

    pub(crate) fn values(&self) -> Vec<Value> {
        self.objects.values().map(|object| (*object.value).clone()).collect()
    }
}

/// The weights of a route, as they stand.
pub(crate) fn weights(rule: &Value) -> Vec<u64> {
    let entries = rule["route"].as_array().unwrap();
    entries.iter().map(|entry| entry["weight"].as_u64().unwrap_or(0)).collect()
}
