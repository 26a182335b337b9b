use core::time::Duration;
use rollout_core::{
    Spec, Step, Strategy,
    backend::{NoDataPlane, ObjectBackend, ObjectEditor},
    sim::{CoreMesh, Delay, Mesh, MeshStore, ObjectMesh, Sim, Summary},
};
use rollout_istio::{DestinationRuleRef, IstioConfig, IstioEditor, VirtualServiceRef};
use serde_json::json;

/// A whole weight canary in the virtual world: first deploy, update, 5 %, ten minutes, 50 %, ten minutes,
/// 100 %, and the old pods gone. Two proxies, each of which has each change after 0.1 to 2 seconds. The
/// traffic manager is the plainest one.
///
/// # Panics
/// When the rollout does not come to its end, which is a fault of the engine.
#[must_use]
pub fn weight_canary(replicas: u32, seed: u64) -> Summary {
    play(replicas, seed, CoreMesh::new())
}

/// The same with a `VirtualService` and a `DestinationRule`, really edited.
///
/// # Panics
/// As [`weight_canary`].
#[must_use]
pub fn weight_canary_with_istio(replicas: u32, seed: u64) -> Summary {
    play(replicas, seed, istio())
}

#[expect(clippy::expect_used, reason = "a benchmark of a rollout that fails is worth nothing")]
fn play(replicas: u32, seed: u64, mesh: impl Mesh) -> Summary {
    let pause = Step::Pause(Some(Duration::from_secs(600)));
    let steps = [Step::SetWeight(5), pause.clone(), Step::SetWeight(50), pause];
    let strategy = Strategy::builder().traffic_routing(true).steps(steps).build().expect("a valid strategy");
    let lag = Delay::between(Duration::from_millis(100), Duration::from_secs(2));
    let mut world = Sim::new(Spec::new(strategy, "v1".into()).replicas(replicas))
        .proxies(2)
        .proxy_lag(lag)
        .seed(seed)
        .build_with(mesh, ());
    let hour = Duration::from_secs(3600);
    assert!(world.run_to_rest(hour).expect("a first deploy"), "the first deploy never ends");
    world.update_to("v2");
    assert!(world.run_to_rest(hour).expect("an update"), "the update never ends");
    world.summary()
}

fn istio() -> ObjectMesh {
    let config = IstioConfig::subsets("shop", DestinationRuleRef::new("provider", "stable", "canary"))
        .virtual_service(VirtualServiceRef::new("provider"));
    let editor = IstioEditor::new(config);
    let to =
        |subset, weight| json!({ "destination": { "host": "provider", "subset": subset }, "weight": weight });
    let subset = |name| json!({ "name": name, "labels": { "app": "provider" } });
    let route = json!({ "name": "primary", "route": [to("stable", 100), to("canary", 0)] });
    let store = MeshStore::new();
    for object in editor.objects() {
        let spec = if &*object.kind == "VirtualService" {
            json!({ "hosts": ["provider"], "http": [route] })
        } else {
            json!({ "host": "provider", "subsets": [subset("stable"), subset("canary")] })
        };
        store.user_applies(&object, json!({ "kind": &*object.kind, "spec": spec }));
    }
    let backend = ObjectBackend::new(editor.clone(), store.clone(), NoDataPlane);
    ObjectMesh::new(store, backend).objects_of(editor)
}

#[cfg(test)]
mod tests {
    use rollout_core::sim::Health;

    #[test]
    fn a_whole_canary_takes_its_two_pauses_and_loses_no_request() {
        for (replicas, seed) in
            [1, 10].into_iter().flat_map(|replicas| (0..20).map(move |seed| (replicas, seed)))
        {
            let summary = super::weight_canary(replicas, seed);
            let with_istio = super::weight_canary_with_istio(replicas, seed);
            assert_eq!((with_istio.decisions, with_istio.writes()), (summary.decisions, summary.writes()));
            assert_eq!((summary.health, summary.at_rest), (Health::Healthy, true), "seed {seed}: {summary}");
            assert!((1200..1400).contains(&summary.took.as_secs()), "seed {seed}: {summary}");
            assert_eq!(summary.requests.per_thousand(), 0, "seed {seed}: {summary}");
        }
    }
}
