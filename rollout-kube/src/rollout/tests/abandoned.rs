//! A Service that a Rollout no longer names, or whose Rollout is gone.

use super::*;
use rollout_core::backend::{FENCE_ANNOTATION, MANAGED_BY_ANNOTATION, REVISION_LABEL};

const SERVICE: &str = "/api/v1/namespaces/shop/services/web";

fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}}
    })
}

/// Creates a world with a Rollout at rest, whose stable Service selects its pods.
async fn at_rest() -> World {
    let mut world = World::new(json!([])).await;
    world.cluster().put(SERVICE, service());
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": "web"}}}}));
    world.until_phase("Healthy").await;
    world.settle().await;
    assert!(label(&world).is_string(), "{}", label(&world));
    world
}

fn label(world: &World) -> Value {
    world.cluster().objects[SERVICE]["spec"]["selector"][REVISION_LABEL].clone()
}

#[tokio::test(start_paused = true)]
async fn a_service_no_longer_named_is_released_before_its_pods_are_removed() {
    let mut world = at_rest().await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": null}}}}));
    world.image("web:v2");
    let (begun, mut removed_after) = (Instant::now(), None);
    for _ in 0..90 {
        world.turn().await;
        world.run_pods();
        let is_gone = |set: &Value| set["spec"]["replicas"] == 0;
        if removed_after.is_none() && world.replica_sets().iter().any(is_gone) {
            assert_eq!(label(&world), Value::Null, "selected pods were removed");
            removed_after = Some(begun.elapsed());
        }
        world.memory.driver.read_live();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(
        removed_after.unwrap() >= Duration::from_secs(30),
        "proxies get time to learn of it: {removed_after:?}"
    );
    assert_eq!(world.status()["phase"], "Healthy");
    assert!(world.cluster().event_reasons.contains(&"RolloutHeld".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_rollout_leaves_the_service_as_the_user_wrote_it() {
    let mut world = at_rest().await;
    world.cluster().objects.remove(ROLLOUT);
    world.memory.driver.read_live();
    for _ in 0..3 {
        world.turn().await;
    }
    let object = world.cluster().objects[SERVICE].clone();
    assert_eq!(object["spec"], service()["spec"]);
    assert!(object["metadata"]["annotations"].as_object().is_none_or(serde_json::Map::is_empty), "{object}");
}

#[tokio::test(start_paused = true)]
async fn a_cached_rollout_without_the_service_is_not_enough() {
    let mut world = at_rest().await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": null}}}}));
    let rollout = ObjectRef::new("argoproj.io", "Rollout", "shop", "web");
    world.context.caches.get_live(&rollout, None).await.unwrap();
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": "web"}}}}));
    let _ = world.memory.driver.take_live();
    let (writes, next) = world.turn().await;
    assert_eq!((writes, next.is_some()), (vec![], true));
    assert!(label(&world).is_string(), "the server's Rollout names it again");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_missing_from_the_cache_is_not_enough() {
    let mut world = at_rest().await;
    let mut late = world.cluster().objects[ROLLOUT].clone();
    late["metadata"] = json!({"namespace": "shop", "name": "late", "generation": 1});
    world.cluster().put("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/late", late);
    let mut object = world.cluster().objects[SERVICE].clone();
    object["metadata"]["annotations"] =
        json!({MANAGED_BY_ANNOTATION: "late", FENCE_ANNOTATION: r#"{"late":"n"}"#});
    world.cluster().put(SERVICE, object);
    let service = ObjectRef::new("", "Service", "shop", "web");
    world.context.caches.get_live(&service, None).await.unwrap();
    world.key.1 = "late".to_owned();
    world.memory = RolloutMemory::new("p");
    let (writes, next) = world.turn().await;
    assert_eq!((writes, next.is_some()), (vec![], true));
    assert!(label(&world).is_string());
}

#[tokio::test(start_paused = true)]
async fn an_object_annotated_only_by_argo_rollouts_is_left_alone() {
    for ours in [false, true] {
        let mut world = at_rest().await;
        let mut object = service();
        object["spec"]["selector"][REVISION_LABEL] = json!("59fddc4b57");
        object["metadata"]["annotations"] = json!({MANAGED_BY_ANNOTATION: "web"});
        if ours {
            object["metadata"]["annotations"][FENCE_ANNOTATION] = json!(r#"{"web":"n"}"#);
        }
        world.cluster().put(SERVICE, object);
        let service = ObjectRef::new("", "Service", "shop", "web");
        world.context.caches.get_live(&service, None).await.unwrap();
        world.cluster().objects.remove(ROLLOUT);
        world.memory.driver.read_live();
        world.turn().await;
        assert_eq!(label(&world).is_null(), ours);
    }
}
