//! A Rollout whose pod template is in another object.

use super::*;
use crate::cache::Entry;

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

impl World {
    /// Makes the Rollout refer to a Deployment instead of having a template.
    pub(super) fn refer(&mut self, scale_down: &str) {
        let reference =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": scale_down});
        self.edit(&json!({"spec": {"template": null, "selector": null, "workloadRef": reference}}));
    }

    /// Creates or changes the Deployment, and shows it to the controller as a watch does.
    pub(super) fn deployment(&mut self, image: &str, replicas: u32) {
        let existing = self.cluster().objects.get(DEPLOYMENT).cloned();
        let generation =
            existing.as_ref().and_then(|one| one["metadata"]["generation"].as_u64()).unwrap_or(0);
        let mut deployment = existing.unwrap_or_else(|| json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
            }
        }));
        deployment["metadata"]["generation"] = json!(generation + 1);
        deployment["spec"]["replicas"] = json!(replicas);
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        let stored = self.cluster().put(DEPLOYMENT, deployment);
        let object = ObjectRef::new("apps", "Deployment", "shop", "web");
        self.context.caches.put(&object, Entry::new(stored), None);
    }

    pub(super) fn replicas_of_deployment(&self) -> u64 {
        self.cluster().objects[DEPLOYMENT]["spec"]["replicas"].as_u64().unwrap()
    }

    fn generations(&self) -> [Value; 2] {
        let rollout = self.cluster().objects[ROLLOUT].clone();
        [
            rollout["status"]["workloadObservedGeneration"].clone(),
            rollout["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"].clone(),
        ]
    }
}

#[tokio::test(start_paused = true)]
async fn the_template_comes_from_the_deployment_and_is_never_stored() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.refer("never");
    world.until_phase("Degraded").await;
    let message = world.status()["message"].clone();
    assert_eq!(
        message,
        "InvalidSpec: The Rollout \"web\" is invalid: spec.workloadRef: Deployment shop/web does not exist; create \
         it, or correct the name"
    );
    world.deployment("web:v1", 2);
    world.until_phase("Healthy").await;
    world.settle().await;
    assert_eq!(world.generations(), [json!("1"), json!("1")]);
    let set = world.replica_sets().remove(0);
    assert_eq!(set["spec"]["template"]["spec"]["containers"][0]["image"], "web:v1");
    assert_eq!(set["spec"]["selector"]["matchLabels"]["app"], "web");

    world.deployment("web:v2", 2);
    world.until_phase("Paused").await;
    world.settle().await;
    assert_eq!(world.generations(), [json!("2"), json!("2")]);
    let spec = world.cluster().objects[ROLLOUT]["spec"].clone();
    assert_eq!((&spec["template"], &spec["selector"]), (&json!(null), &json!(null)));
    assert_eq!(world.replicas_of_deployment(), 2, "it is never scaled down");

    let template = world.replica_sets().iter().map(|set| set["spec"]["template"].clone()).next().unwrap();
    let own = json!({"workloadRef": null, "template": template, "selector": {"matchLabels": {"app": "web"}}});
    world.edit(&json!({"spec": own}));
    world.until(|rollout| rollout["status"]["workloadObservedGeneration"].is_null()).await;
    world.settle().await;
    assert_eq!(world.generations(), [json!(null), json!(null)]);
}

#[tokio::test(start_paused = true)]
async fn both_a_template_and_a_reference_are_one_error() {
    let mut world = World::new(json!([])).await;
    world.deployment("web:v1", 2);
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    world.edit(&json!({"spec": {"workloadRef": reference}}));
    world.until_phase("Degraded").await;
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("spec.template: template must be empty for workload reference rollout"),
        "{message}"
    );
    assert_eq!(world.replica_sets().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_deployment_is_scaled_down_when_the_rollout_serves() {
    for (setting, early) in [("onsuccess", 2), ("progressively", 1)] {
        let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
        world.deployment("web:v1", 2);
        world.refer(setting);
        world.until(|rollout| rollout["status"]["replicas"] == 2).await;
        let mut set = world.replica_sets().remove(0);
        let path = format!(
            "/apis/apps/v1/namespaces/shop/replicasets/{}",
            set["metadata"]["name"].as_str().unwrap()
        );
        set["status"]["readyReplicas"] = json!(1);
        set["status"]["availableReplicas"] = json!(1);
        world.cluster().put(&path, set);
        for _ in 0..3 {
            world.memory.driver.read_live();
            world.turn().await;
        }
        // The rest of the first deploy.
        if world.status()["stableRS"].is_null() {
            assert_eq!(world.replicas_of_deployment(), early, "{setting}");
        }
        world.run_pods();
        world.until_phase("Healthy").await;
        world.settle().await;
        assert_eq!(world.replicas_of_deployment(), 0, "{setting}");
        let annotations = world.cluster().objects[DEPLOYMENT]["metadata"]["annotations"].clone();
        let scaled: Value =
            serde_json::from_str(annotations["rollout-core/scaled"].as_str().unwrap()).unwrap();
        assert_eq!((&scaled["from"], &scaled["to"]), (&json!(2), &json!(0)), "{setting}");
        // It is still where the template is.
        world.deployment("web:v2", 0);
        world.until_phase("Paused").await;
        assert_eq!((world.replicas_of_deployment(), world.replica_sets().len()), (0, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_that_fails_gives_the_deployment_its_pods_back() {
    let mut world = World::new(json!([])).await;
    let began = Instant::now();
    let start = crate::rollout::wall_clock();
    world.context.clock = Arc::new(move || start + began.elapsed());
    world.deployment("web:v1", 3);
    world.edit(&json!({"spec": {"progressDeadlineSeconds": 30}}));
    world.refer("progressively");
    for _ in 0..4 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    world.counts(1);
    let path = world.cluster().objects.keys().find(|path| path.contains("/replicasets/")).unwrap().clone();
    let mut set = world.cluster().objects[&path].clone();
    set["status"]["availableReplicas"] = json!(1);
    world.cluster().put(&path, set);
    world.memory.driver.read_live();
    world.turn().await;
    assert_eq!(world.replicas_of_deployment(), 2);
    for _ in 0..8 {
        tokio::time::advance(Duration::from_secs(10)).await;
        world.memory.driver.read_live();
        world.turn().await;
    }
    assert_eq!(world.status()["phase"], "Degraded", "{}", world.status());
    assert_eq!(world.replicas_of_deployment(), 3, "its own number, not the Rollout's");
}

#[tokio::test(start_paused = true)]
async fn an_abort_works_while_the_deployment_is_missing() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.deployment("web:v1", 0);
    world.refer("onsuccess");
    world.until_phase("Healthy").await;
    world.deployment("web:v2", 0);
    world.until_phase("Paused").await;
    let object = ObjectRef::new("apps", "Deployment", "shop", "web");
    let as_of = world.context.caches.as_of(&object);
    world.cluster().objects.remove(DEPLOYMENT);
    world.context.caches.absent(&object, as_of, None);
    world.edit(&json!({"status": {"abort": true}}));
    world.until(|rollout| rollout["status"]["abortedAt"].is_string()).await;
    for _ in 0..10 {
        world.memory.driver.read_live();
        world.turn().await;
        world.run_pods();
    }
    let pods: Vec<_> = world.replica_sets().iter().map(|set| set["spec"]["replicas"].clone()).collect();
    assert!(pods.contains(&json!(2)) && pods.contains(&json!(0)), "{pods:?}");
}

#[tokio::test(start_paused = true)]
async fn undo_changes_the_template_of_the_deployment() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.deployment("web:v1", 0);
    world.refer("never");
    world.until_phase("Healthy").await;
    world.deployment("web:v2", 0);
    world.until_phase("Paused").await;
    let revision = world.status()["currentPodHash"].clone();
    let command = json!({"kind": "undo", "at": {"revision": revision, "step": 1}}).to_string();
    world.edit(&json!({"metadata": {"annotations": {"rollout-core/command": command}}}));
    world.settle().await;
    let template = |world: &World| world.cluster().objects[DEPLOYMENT]["spec"]["template"].clone();
    assert_eq!(template(&world)["spec"]["containers"][0]["image"], "web:v1");
    assert_eq!(template(&world)["metadata"]["labels"], json!({"app": "web"}));
    let rollout = world.cluster().objects[ROLLOUT].clone();
    assert!(rollout["spec"]["template"].is_null());
    let receipt = rollout["metadata"]["annotations"]["rollout-core/receipt"].as_str().unwrap().to_owned();
    assert!(receipt.contains("accepted"), "{receipt}");
}

/// An autoscaler had given it more pods than the Rollout asks for.
#[tokio::test(start_paused = true)]
async fn a_large_deployment_keeps_its_pods_until_others_are_available() {
    let mut world = World::new(json!([])).await;
    world.deployment("web:v1", 10);
    world.refer("progressively");
    for _ in 0..4 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    assert_eq!(world.replicas_of_deployment(), 10, "no pod of the Rollout is available");
    world.until_phase("Healthy").await;
    assert_eq!(world.replicas_of_deployment(), 0);
}

/// What another Rollout, or an earlier migration, left behind says nothing about this one.
#[tokio::test(start_paused = true)]
async fn only_its_own_record_says_how_many_pods_to_give_back() {
    let mut world = World::new(json!([])).await;
    let began = Instant::now();
    let start = crate::rollout::wall_clock();
    world.context.clock = Arc::new(move || start + began.elapsed());
    world.deployment("web:v1", 2);
    for (by, to) in [("another", 2), ("uid-", 1)] {
        let mut deployment = world.cluster().objects[DEPLOYMENT].clone();
        let by = if by == "uid-" { format!("uid-{ROLLOUT}") } else { by.to_owned() };
        let record = json!({"by": by, "from": 2_000_000_000, "to": to}).to_string();
        deployment["metadata"]["annotations"] = json!({"rollout-core/scaled": record});
        world.cluster().put(DEPLOYMENT, deployment);
        world.deployment("web:v1", 2);
    }
    world.edit(&json!({"spec": {"progressDeadlineSeconds": 30}}));
    world.refer("progressively");
    for _ in 0..10 {
        world.memory.driver.read_live();
        world.turn().await;
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(world.status()["phase"], "Degraded", "{}", world.status());
    assert_eq!(world.replicas_of_deployment(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_another_client_scales_is_scaled_back_less_and_less_often() {
    let mut world = World::new(json!([])).await;
    world.deployment("web:v1", 2);
    world.refer("onsuccess");
    world.until_phase("Healthy").await;
    world.settle().await;
    let mut writes = 0;
    for _ in 0..600 {
        world.deployment("web:v1", 2);
        let (written, _) = world.turn().await;
        writes += written.iter().filter(|(_, path)| path == DEPLOYMENT).count();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!((3..15).contains(&writes), "{writes} writes in ten minutes");
    let notes = world.event_notes().await;
    assert!(notes.iter().any(|note| note.contains("scaled again and again")), "{notes:?}");
}

/// An admission webhook may answer so, too: no watch tells about a newer version then.
#[tokio::test(start_paused = true)]
async fn a_conflict_without_a_newer_version_is_tried_again() {
    let mut world = World::new(json!([])).await;
    world.deployment("web:v1", 2);
    world.refer("onsuccess");
    world.cluster().fails = Some(("/deployments/", 409));
    world.until_phase("Healthy").await;
    let (_, next) = world.turn().await;
    assert_eq!(world.replicas_of_deployment(), 2);
    world.cluster().fails = None;
    tokio::time::advance(next.expect("it is tried again")).await;
    world.turn().await;
    assert_eq!(world.replicas_of_deployment(), 0);
    let notes = world.event_notes().await;
    assert!(!notes.iter().any(|note| note.contains("scaled again and again")), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_of_a_rollout_is_no_template_for_another() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    let name = world.replica_sets()[0]["metadata"]["name"].clone();
    let reference = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name});
    world.edit(&json!({"spec": {"template": null, "workloadRef": reference}}));
    world.until_phase("Degraded").await;
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("belongs to a Rollout"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_the_server_refuses_holds_up_no_abort() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.deployment("web:v1", 0);
    world.refer("never");
    world.until_phase("Healthy").await;
    world.deployment("web:v2", 0);
    world.until_phase("Paused").await;
    world.cluster().fails = Some(("/deployments/", 403));
    world.command_here("undo", None);
    for _ in 0..5 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    world.edit(&json!({"status": {"abort": true}}));
    let (_, next) = world.turn().await;
    assert!(world.status()["abortedAt"].is_string(), "at once, and not after a pause of {next:?}");
}

/// Another process has seen a newer version of the Deployment and recorded that, and our watch lags. No version of the
/// Rollout protects the template: both would release their own, and overwrite each other's record without a pause.
#[tokio::test(start_paused = true)]
async fn a_newer_deployment_that_another_process_has_seen_is_read_from_the_server() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.deployment("web:v1", 0);
    world.refer("never");
    world.until_phase("Healthy").await;
    world.settle().await;
    let mut deployment = world.cluster().objects[DEPLOYMENT].clone();
    deployment["metadata"]["generation"] = json!(2);
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:v2");
    world.cluster().put(DEPLOYMENT, deployment);
    world.edit(&json!({"metadata": {"annotations": {"rollout.argoproj.io/workload-generation": "2"}}}));
    let rollout = world.cluster().objects[ROLLOUT].clone();
    let object = ObjectRef::new("argoproj.io", "Rollout", "shop", "web");
    world.context.caches.put(&object, Entry::new(rollout), None);
    // It reads from the cache, as after a turn without an error.
    assert!(world.memory.driver.take_live());
    world.turn().await;
    assert_eq!(world.generations(), [json!("2"), json!("2")]);
    assert_eq!(world.status()["phase"], "Progressing", "{}", world.status());
}
