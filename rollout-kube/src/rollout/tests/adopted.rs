//! ReplicaSets left by a deleted Rollout of the same name.

use super::*;

const SETS: &str = "/apis/apps/v1/namespaces/shop/replicasets/";

impl World {
    /// A Rollout that was deleted without its ReplicaSets, and recreated.
    async fn recreated() -> Self {
        let mut world = World::new(json!([])).await;
        world.until_phase("Healthy").await;
        world.settle().await;
        world.recreate(None);
        world
    }

    /// Deletes the Rollout, removes its owner references, and recreates it, with this image.
    fn recreate(&mut self, image: Option<&str>) {
        let mut cluster = self.cluster();
        let mut rollout = cluster.objects.remove(ROLLOUT).unwrap();
        for (path, mut set) in sets(&cluster) {
            set["metadata"]["ownerReferences"] = json!([]);
            cluster.put(&path, set);
        }
        rollout["status"] = Value::Null;
        rollout["metadata"]["uid"] = json!("another");
        rollout["metadata"]["annotations"] = json!({});
        if let Some(image) = image {
            rollout["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        }
        cluster.put(ROLLOUT, rollout);
        drop(cluster);
        self.crash();
    }

    fn only_set(&self) -> (String, Value) {
        let sets = sets(&self.cluster());
        assert_eq!(sets.len(), 1, "{sets:?}");
        sets.into_iter().next().unwrap()
    }

    /// Recreates the Rollout; the watch shows that the old ReplicaSet has lost its owner once the new one is healthy.
    async fn loses_its_owner_later(&mut self) {
        self.recreate(Some("web:v2"));
        let (path, orphan) = self.only_set();
        let mut before = orphan.clone();
        before["metadata"]["ownerReferences"] =
            json!([{"kind": "Rollout", "uid": "gone", "controller": true}]);
        self.cluster().put(&path, before);
        self.until_phase("Healthy").await;
        self.cluster().put(&path, orphan);
        self.seen().await;
    }

    /// Lets the watch show the ReplicaSets.
    async fn seen(&self) {
        let like = ObjectRef::new("apps", "ReplicaSet", "shop", "");
        self.context.caches.all_live(&like, "", None).await.unwrap();
    }
}

fn sets(cluster: &Cluster) -> Vec<(String, Value)> {
    let sets = cluster.objects.iter().filter(|(path, _)| path.starts_with(SETS));
    sets.map(|(path, set)| (path.clone(), set.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_recreated_rollout_adopts_its_replica_set() {
    let mut world = World::recreated().await;
    world.seen().await;
    let uid = world.only_set().1["metadata"]["uid"].clone();
    world.until_phase("Healthy").await;
    let (_, set) = world.only_set();
    assert_eq!(set["metadata"]["uid"], uid, "the same pods stay");
    assert_eq!(set["metadata"]["ownerReferences"][0]["uid"], "another");
    assert_eq!(set["metadata"]["ownerReferences"][0]["controller"], true);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_replica_set_of_an_old_revision_is_scaled_down() {
    let mut world = World::recreated().await;
    world.recreate(Some("web:v2"));
    world.seen().await;
    world.until_phase("Healthy").await;
    world.settle().await;
    let sets = sets(&world.cluster());
    assert_eq!(sets.len(), 2);
    assert!(
        sets.iter().all(|(_, set)| set["metadata"]["ownerReferences"][0]["uid"] == "another"),
        "{sets:?}"
    );
}

/// The watch shows the new Rollout before it shows that the ReplicaSets lost their owner.
#[tokio::test(start_paused = true)]
async fn a_replica_set_that_is_shown_later_is_adopted_then() {
    let mut world = World::recreated().await;
    world.loses_its_owner_later().await;
    world.settle().await;
    let owner = |set: &Value| set["metadata"]["ownerReferences"][0]["uid"].clone();
    let sets = sets(&world.cluster());
    let owners: Vec<_> = sets.iter().map(|(_, set)| owner(set)).collect();
    assert_eq!(owners, ["another", "another"]);
}

/// An admission webhook answers 409, too: no watch tells about a newer version then.
#[tokio::test(start_paused = true)]
async fn an_adoption_that_conflicts_with_no_newer_version_is_tried_again() {
    let mut world = World::recreated().await;
    world.loses_its_owner_later().await;
    world.cluster().fails = Some(("/replicasets/", 409));
    let (_, next) = world.turn().await;
    world.cluster().fails = None;
    tokio::time::advance(next.expect("it is tried again")).await;
    world.settle().await;
    let sets = sets(&world.cluster());
    assert!(
        sets.iter().all(|(_, set)| set["metadata"]["ownerReferences"][0]["uid"] == "another"),
        "{sets:?}"
    );
}

/// The name of a new ReplicaSet is taken, by one that no watch has shown.
#[tokio::test(start_paused = true)]
async fn a_replica_set_with_the_same_name_and_template_is_adopted() {
    let mut world = World::recreated().await;
    let uid = world.only_set().1["metadata"]["uid"].clone();
    world.until_phase("Healthy").await;
    let (_, set) = world.only_set();
    assert_eq!(
        (&set["metadata"]["uid"], &set["metadata"]["ownerReferences"][0]["uid"]),
        (&uid, &json!("another"))
    );
    assert_eq!(set["spec"]["replicas"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_or_different_replica_set_is_reported_and_left_alone() {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "old", "uid": "x", "controller": true}]);
    let cases = [
        ("/metadata/ownerReferences", owner, "it is owned by Deployment old"),
        ("/metadata/labels", json!({"app": "other", "rollouts-pod-template-hash": "x"}), "it has no owner"),
        ("/spec/template/spec/containers/0/image", json!("evil:v1"), "it has no owner"),
        ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"), "it is being deleted"),
    ];
    for (pointer, value, expected) in cases {
        let mut world = World::recreated().await;
        let (path, mut set) = world.only_set();
        if let Some(place) = set.pointer_mut(pointer) {
            *place = value;
        } else {
            set["metadata"]["deletionTimestamp"] = value;
        }
        let before = world.cluster().put(&path, set);
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(world.turn().await.1.unwrap_or_default().as_secs());
        }
        assert!(
            waits.ends_with(&[8, 16]) || waits.ends_with(&[16, 32]),
            "it is retried less and less often: {waits:?}"
        );
        let (_, after) = world.only_set();
        assert_eq!(after, before, "{pointer}");
        let notes = world.event_notes().await;
        assert_eq!(notes.iter().filter(|note| note.contains(expected)).count(), 2, "{notes:#?}");
        assert!(notes.iter().any(|note| note.starts_with("Failed to create new replica set")), "{notes:#?}");
    }
}

/// Something other than a changed object answers every write with 409.
#[tokio::test(start_paused = true)]
async fn a_conflict_that_repeats_while_nothing_changes_counts_as_a_refusal() {
    let mut world = World::new(json!([])).await;
    world.turn().await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        world.cluster().fault = Some((409, false));
        waits.push(world.turn().await.1.unwrap().as_secs());
    }
    assert_eq!(waits[0], 0, "the first is retried at once");
    assert!(waits[3] >= 8, "{waits:?}");
    let notes = world.event_notes().await;
    assert!(notes.iter().any(|note| note.contains("something else refuses the write")), "{notes:#?}");
}
