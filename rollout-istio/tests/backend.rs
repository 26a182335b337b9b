//! The suite for backends over the Istio editor, and over backends that do it wrong.
mod support;

use rollout_core::{
    Revision,
    backend::{
        BackendError, Chain, MemoryStore, NoDataPlane, ObjectBackend, ObjectEditor, ServiceEditor,
        TrafficBackend, Written, ready,
    },
    testing::{Try, try_backend},
    traffic::{ObjectRef, Routes, Seen, Selectors, Version, Weight, WeightChange},
};
use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{dr, hosts, http, route, rule, subset_route, subsets, vs};

fn over(
    config: IstioConfig,
) -> (Arc<MemoryStore>, ObjectBackend<IstioEditor, Arc<MemoryStore>, NoDataPlane>) {
    let store = Arc::new(MemoryStore::new());
    let with_subsets = config.destination_rule.is_some();
    let editor = IstioEditor::new(config.managed_route("testers").managed_route("others"));
    for name in editor.objects() {
        let mut own = if with_subsets { subset_route("p", 100, 0) } else { route("p", 100, 0) };
        if *name.namespace != *"shop" {
            for entry in own.pointer_mut("/route").and_then(Value::as_array_mut).into_iter().flatten() {
                *entry = json!({"destination": {
                    "host": "provider.shop.svc.cluster.local", "subset": entry.pointer("/destination/subset"),
                }, "weight": entry.get("weight")});
            }
        }
        store.apply(&name, if name == dr() { rule() } else { http(&json!([own])) });
    }
    (store.clone(), ObjectBackend::new(editor, store, NoDataPlane))
}

fn what() -> Try {
    Try::new().managed("testers").managed("others")
}

#[test]
fn subsets_and_hosts_do_all_that_a_backend_must() {
    let (store, backend) = over(subsets().virtual_service(VirtualServiceRef::new("edge.gateways")));
    let before: Vec<_> = store.all().into_values().map(|object| object.value).collect();
    assert_eq!(ready(try_backend(&backend, &what())).unwrap(), []);
    let after: Vec<_> = store.all().into_values().map(|object| object.value).collect();
    assert_eq!(after, before, "given back as they were");

    let (store, backend) = over(hosts());
    for name in ["a", "b"] {
        store
            .apply(&ObjectRef::new("", "Service", "shop", name), json!({"spec": {"selector": {"app": "p"}}}));
    }
    let services = ObjectBackend::new(ServiceEditor::new("shop", Some("a"), Some("b")), store, NoDataPlane);
    assert_eq!(ready(try_backend(&Chain::new(services, backend), &what())).unwrap(), []);
}

/// How a backend can be wrong.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    IgnoresVersions,
    SaysNothingChanged,
    RoundsTo10,
    ForgetsOneSelector,
    FencesNothing,
    KeepsTheNonce,
}

#[derive(Debug)]
struct Careless<B>(B, Wrong);

#[async_trait::async_trait]
impl<B: TrafficBackend> TrafficBackend for Careless<B> {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        self.0.observe(revisions).await
    }

    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError> {
        let mut to = to.clone();
        if matches!(self.1, Wrong::ForgetsOneSelector) {
            to.canary = None;
        }
        self.0.select(&to, seen).await
    }

    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError> {
        let mut to = to.clone();
        if let (Wrong::RoundsTo10, WeightChange::To(weight)) = (self.1, to.weight) {
            to.weight = WeightChange::To(Weight::new(weight.parts().div_ceil(10) * 10, weight.of()));
        }
        let now = self.0.observe(&[]).await?.version;
        let seen = if matches!(self.1, Wrong::IgnoresVersions) { &now } else { seen };
        let mut written = self.0.route(&to, seen).await?;
        if matches!(self.1, Wrong::SaysNothingChanged) {
            written.changed.clear();
        }
        Ok(written)
    }

    async fn release(&self, seen: &Version) -> Result<Written, BackendError> {
        let nonce = self.0.observe(&[]).await?.nonces.first().cloned();
        let written = self.0.release(seen).await?;
        match (self.1, nonce) {
            (Wrong::KeepsTheNonce, Some(nonce)) => self.0.fence(&nonce, &written.version).await,
            _ => Ok(written),
        }
    }

    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError> {
        if matches!(self.1, Wrong::FencesNothing) {
            return Ok(Written::default());
        }
        self.0.fence(nonce, seen).await
    }
}

#[test]
fn each_way_to_be_wrong_is_found() {
    for (wrong, tried) in [
        (Wrong::IgnoresVersions, "a weight on an old observation"),
        (Wrong::SaysNothingChanged, "a weight of 5 for v2"),
        (Wrong::RoundsTo10, "a weight of 5 for v2"),
        (Wrong::ForgetsOneSelector, "selectors"),
        (Wrong::FencesNothing, "a fence"),
        (Wrong::KeepsTheNonce, "release"),
    ] {
        let (_, backend) = over(subsets());
        let found = ready(try_backend(&Careless(backend, wrong), &what())).unwrap();
        assert!(found.iter().any(|deviation| deviation.tried == tried), "{wrong:?}: {found:?}");
    }
    let (store, backend) = over(hosts());
    store.delete(&vs("provider"));
    let found = ready(try_backend(&backend, &what())).unwrap();
    assert_eq!(found[0].to_string(), "observing: it fails: VirtualService shop/provider not found");
}
