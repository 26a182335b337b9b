//! Another process that works on the same Rollout.

use super::*;

impl World {
    /// Lets another process write its nonce.
    fn fenced_by(&mut self, nonce: &str) {
        let mut cluster = self.cluster();
        let (path, mut set) = {
            let mut sets = cluster.objects.iter().filter(|(path, _)| path.contains("/replicasets/"));
            let (path, set) = sets.next().unwrap();
            (path.clone(), set.clone())
        };
        set["metadata"]["annotations"]["rollout-core/fence"] = json!(nonce);
        cluster.put(&path, set);
        drop(cluster);
        self.memory.driver.read_live();
    }
}

/// Runs this many turns beside another process that fences after each of them; returns the number of our writes, too.
async fn beside(nonce: &str, turns: usize) -> (World, usize) {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    let mut writes = 0;
    for pods in 0..turns {
        // Each time there is something to do: at rest, nothing is fenced.
        world.edit(&json!({"spec": {"replicas": pods + 3}}));
        world.fenced_by(nonce);
        for _ in 0..3 {
            writes += world.turn().await.0.len();
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    (world, writes)
}

#[tokio::test(start_paused = true)]
async fn the_older_process_yields_to_the_newer_and_reports_it_once() {
    let (mut world, writes) = beside("q-1", 20).await;
    assert!(writes <= 12, "{writes} writes");
    let notes = world.event_notes().await;
    let warnings: Vec<_> = notes.iter().filter(|note| note.starts_with("another controller (q-1)")).collect();
    assert_eq!(warnings.len(), 1, "{notes:#?}");
    assert!(world.turn().await.1.unwrap() > Duration::from_secs(30));
    tokio::time::advance(Duration::from_secs(60)).await;
    world.memory.driver.read_live();
    assert!(!world.turn().await.0.is_empty(), "the other may be gone: this one takes over again");
}

/// As text, the ninth nonce of a process sorts after its tenth.
#[tokio::test(start_paused = true)]
async fn a_late_write_of_our_own_is_no_rival() {
    let (world, _) = beside("p-9", 12).await;
    let notes = world.event_notes().await;
    assert!(!notes.iter().any(|note| note.starts_with("another controller")), "{notes:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_newer_process_continues_and_reports_it_once() {
    let (world, writes) = beside("a-1", 5).await;
    assert!(writes >= 15, "{writes} writes");
    assert_eq!(world.replica_sets()[0]["spec"]["replicas"], 7);
    let notes = world.event_notes().await;
    assert_eq!(
        notes.iter().filter(|note| note.starts_with("another controller (a-1)")).count(),
        1,
        "{notes:#?}"
    );
}

/// Some tools that restore objects drop `managedFields`.
#[tokio::test(start_paused = true)]
async fn objects_without_managed_fields_are_not_foreign() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    world.cluster().managers = json!([]);
    let paths: Vec<String> = world.cluster().objects.keys().cloned().collect();
    for path in paths {
        let object = world.cluster().objects[&path].clone();
        world.cluster().put(&path, object);
    }
    world.crash();
    world.image("web:v2");
    world
        .until(|rollout| {
            rollout["status"]["phase"] == "Healthy" && rollout["status"]["observedGeneration"] == "2"
        })
        .await;
    assert_eq!(world.replica_sets().len(), 2);
}

/// Two processes that start at once overwrite each other's fences before either is established.
#[tokio::test(start_paused = true)]
async fn fences_that_are_never_established_reveal_a_newer_rival_too() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    world.memory = RolloutMemory::new("p");
    let mut fences = 0;
    for pods in 0..12 {
        world.edit(&json!({"spec": {"replicas": pods + 3}}));
        world.fenced_by("q-1");
        world.cluster().fault = Some((409, false));
        fences += world.turn().await.0.len();
        tokio::time::advance(Duration::from_secs(3)).await;
    }
    assert!(fences <= 3, "{fences} writes beside a newer process");
    assert!(world.event_notes().await.iter().any(|note| note.starts_with("another controller (q-1)")));
    tokio::time::advance(Duration::from_secs(90)).await;
    world.memory.driver.read_live();
    assert!(!world.turn().await.0.is_empty(), "the other's remains do not hold the rollout forever");
}

/// With a stale watch of Rollouts and a current one of ReplicaSets, a process mistakes an old revision for the current.
#[tokio::test(start_paused = true)]
async fn a_process_with_a_stale_template_renumbers_nothing() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    let (path, mut set) = {
        let cluster = world.cluster();
        let (path, set) = cluster.objects.iter().find(|(path, _)| path.contains("/replicasets/")).unwrap();
        (path.clone(), set.clone())
    };
    // Another process has begun an update that wants no pods yet.
    set["spec"]["replicas"] = json!(0);
    set["status"] = json!({"observedGeneration": set["metadata"]["generation"], "replicas": 0});
    set["metadata"]["name"] = json!("web-newer");
    set["metadata"]["labels"]["rollouts-pod-template-hash"] = json!("newer");
    set["metadata"]["annotations"]["rollout.argoproj.io/revision"] = json!("2");
    world.cluster().put(&path.replace(path.rsplit('/').next().unwrap(), "web-newer"), set);
    world.image("web:v2");
    let _ = world.memory.driver.take_live();
    let like = ObjectRef::new("apps", "ReplicaSet", "shop", "");
    world.context.caches.all_live(&like, "", None).await.unwrap();
    let (writes, next) = world.turn().await;
    assert!(!verbs(&writes).iter().any(|verb| verb.starts_with("PATCH web-")), "{:?}", verbs(&writes));
    assert_eq!(next, Some(Duration::ZERO), "it is read again");
}
