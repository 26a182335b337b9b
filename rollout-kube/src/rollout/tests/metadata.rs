//! Labels and annotations of canary and stable pods.

use super::{pods::PODS, *};

pub(super) fn metadata(canary: &Value, stable: &Value) -> Value {
    json!({"spec": {"strategy": {"canary": {"canaryMetadata": canary, "stableMetadata": stable}}}})
}

impl World {
    /// Returns the metadata of the pod template of the ReplicaSet with this image.
    fn template_of(&self, image: &str) -> Value {
        let mut metadata = self.set_of(image).1["spec"]["template"]["metadata"].clone();
        if let Some(labels) = metadata["labels"].as_object_mut() {
            labels.retain(|key, _| !key.starts_with("rollouts-"));
        }
        metadata
    }

    /// Returns the labels and annotations of a pod that a Rollout may have added.
    fn pod(&self, name: &str) -> Value {
        let mut metadata = self.cluster().objects[&format!("{PODS}/{name}")]["metadata"].clone();
        if let Some(fields) = metadata.as_object_mut() {
            fields.retain(|key, _| matches!(&**key, "labels" | "annotations"));
        }
        if let Some(labels) = metadata["labels"].as_object_mut() {
            labels.retain(|key, _| !key.starts_with("rollouts-"));
        }
        metadata
    }
}

#[tokio::test(start_paused = true)]
async fn pods_have_the_metadata_of_their_role_and_get_back_the_templates_own() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.edit(&json!({"spec": {"template": {"metadata": {"labels": {"role": "app"}}}}}));
    let canary = json!({"labels": {"role": "canary", "track": "new"}, "annotations": {"why": "canary"}});
    world.edit(&metadata(&canary, &json!({"labels": {"role": "stable"}})));
    world.until_phase("Healthy").await;
    assert_eq!(world.template_of("web:v1"), json!({"labels": {"app": "web", "role": "stable"}}));
    world.create_pods("web:v1", ["v1-a".to_owned()]);

    world.image("web:v2");
    world.until_phase("Paused").await;
    world.create_pods("web:v2", ["v2-a".to_owned()]);
    let as_canary = json!({
        "labels": {"app": "web", "role": "canary", "track": "new"}, "annotations": {"why": "canary"}
    });
    assert_eq!((world.pod("v2-a"), world.template_of("web:v2")), (as_canary.clone(), as_canary));
    assert_eq!(
        world.set_of("web:v2").1["metadata"]["annotations"]["rollout.argoproj.io/ephemeral-metadata"],
        canary.to_string(),
        "as Argo Rollouts records it"
    );

    world.edit(&json!({"status": {"promoteFull": true}}));
    world.until(|rollout| rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]).await;
    world.until_phase("Healthy").await;
    let as_stable = json!({"labels": {"app": "web", "role": "stable"}, "annotations": {}});
    assert_eq!((world.pod("v2-a"), world.template_of("web:v2")), (as_stable.clone(), as_stable));
    let itself = json!({"labels": {"app": "web", "role": "app"}});
    assert_eq!((world.pod("v1-a"), world.template_of("web:v1")), (itself.clone(), itself));
    world.settle().await;
    assert_eq!(world.turn().await.0, [], "nothing is left to write");
}

/// The ReplicaSet no longer says what was added; the process that knew is gone.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_no_longer_asked_for_leaves_every_pod_even_after_a_crash() {
    let mut world = World::new(json!([])).await;
    world.edit(&metadata(&json!({}), &json!({"labels": {"one": "1", "two": "2"}})));
    world.until_phase("Healthy").await;
    world.create_pods("web:v1", ["a".to_owned(), "b".to_owned()]);
    world.cluster().fails = Some(("/pods/", 500));
    world.edit(&metadata(&json!(null), &json!({"labels": {"two": "3", "one": null}})));
    for _ in 0..5 {
        world.turn().await;
    }
    assert_eq!(world.pod("a")["labels"], json!({"app": "web", "one": "1", "two": "2"}));
    let left = world.template_of("web:v1");
    assert_eq!(left, json!({"labels": {"app": "web", "two": "3"}}));
    world.memory = RolloutMemory::new("q");
    world.cluster().fails = None;
    world.settle().await;
    for pod in ["a", "b"] {
        assert_eq!(world.pod(pod)["labels"], left["labels"]);
    }
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableMetadata": null}}}}));
    world.settle().await;
    assert_eq!(world.pod("b")["labels"], json!({"app": "web"}));
    let annotations = world.set_of("web:v1").1["metadata"]["annotations"].clone();
    assert_eq!(
        annotations["rollout-core/template-metadata"],
        json!({"labels": {"two": null}}).to_string(),
        "`one` is forgotten, because no pod had it any more"
    );
}

#[tokio::test(start_paused = true)]
async fn pods_that_cannot_be_written_stop_neither_the_others_nor_the_release() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.until_phase("Healthy").await;
    let names = |kind: &'static str, count: usize| (0..count).map(move |index| format!("{kind}-{index:04}"));
    world.create_pods("web:v1", names("bad", 1_000).chain(names("good", 10)));
    world.cluster().fails = Some(("/pods/bad", 422));
    world.edit(&metadata(&json!(null), &json!({"labels": {"role": "stable"}})));
    world.image("web:v2");
    world.until_phase("Paused").await;
    // Fifty pods a turn, and those that failed last.
    for _ in 0..21 {
        world.turn().await;
    }
    for good in names("good", 10) {
        assert_eq!(world.pod(&good)["labels"]["role"], "stable", "{good}");
    }
    let reported =
        world.cluster().event_reasons.iter().filter(|reason| *reason == "PodMetadataError").count();
    assert_eq!(reported, 1);
    // Ten minutes of retries: each pod's become less frequent.
    let mut writes = 0;
    for _ in 0..600 {
        let (written, _) = world.turn().await;
        writes += written.iter().filter(|(_, path)| path.contains("/pods/")).count();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!((4_000..12_000).contains(&writes), "{writes} writes of 1 000 pods in ten minutes");
    world.cluster().fails = None;
    tokio::time::advance(Duration::from_secs(300)).await;
    for _ in 0..21 {
        world.turn().await;
    }
    assert_eq!(world.pod("bad-0999")["labels"]["role"], "stable");
}

#[tokio::test(start_paused = true)]
async fn only_pods_of_the_replica_set_that_run_are_written() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_pods("web:v1", ["mine", "foreign", "ended", "leaving"].map(str::to_owned));
    for (name, field, value) in [
        ("foreign", "/metadata/ownerReferences/0/uid", json!("another")),
        ("ended", "/status/phase", json!("Failed")),
        ("leaving", "/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
    ] {
        let mut pod = world.cluster().objects[&format!("{PODS}/{name}")].clone();
        if name == "leaving" {
            pod["metadata"]["deletionTimestamp"] = value;
        } else {
            *pod.pointer_mut(field).unwrap() = value;
        }
        world.show(name, pod);
    }
    world.edit(&metadata(&json!(null), &json!({"labels": {"role": "stable"}})));
    world.settle().await;
    for (name, role) in [
        ("mine", json!("stable")),
        ("foreign", json!(null)),
        ("ended", json!(null)),
        ("leaving", json!(null)),
    ] {
        assert_eq!(world.pod(name)["labels"]["role"], role, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_effect_is_retried_less_and_less_often() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.create_pods("web:v1", ["a".to_owned()]);
    world.cluster().reverts = Some("/pods/");
    world.edit(&metadata(&json!(null), &json!({"labels": {"role": "stable"}})));
    world.settle().await;
    let waits = [world.turn().await.1, world.turn().await.1].map(|wait| wait.unwrap().as_secs());
    assert_eq!(waits, [2, 2]);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(verbs(&world.turn().await.0), ["PATCH a"]);
    assert_eq!(world.turn().await.1.unwrap().as_secs(), 4);
    let notes = world.cluster().event_notes.join("\n");
    assert!(notes.contains("check for an admission webhook that reverts it"), "{notes}");
}

/// A rollback to a template finds its ReplicaSet, although that has labels that the template does not have.
#[tokio::test(start_paused = true)]
async fn added_metadata_does_not_count_when_templates_are_compared() {
    let mut world = World::new(json!([])).await;
    world.edit(&metadata(
        &json!(null),
        &json!({"labels": {"role": "stable", "app2": "x"}, "annotations": {"a": "b"}}),
    ));
    world.until_phase("Healthy").await;
    // The hash in the label is another program's: only the template can tell.
    let (path, mut set) = world.set_of("web:v1");
    for pointer in ["/metadata/labels", "/spec/selector/matchLabels", "/spec/template/metadata/labels"] {
        set.pointer_mut(pointer).unwrap()["rollouts-pod-template-hash"] = json!("theirs");
    }
    world.cluster().put(&path, set);
    world.edit(&json!({"status": {"stableRS": "theirs", "currentPodHash": "theirs"}}));
    for _ in 0..5 {
        world.turn().await;
    }
    assert_eq!(world.replica_sets().len(), 1);
}

/// `kubectl argo rollouts undo` copies the template of a ReplicaSet, with what the engine added to it.
#[tokio::test(start_paused = true)]
async fn an_undo_that_copies_added_labels_goes_back_to_the_same_revision() {
    let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
    world.edit(&metadata(&json!({"labels": {"role": "canary"}}), &json!({"labels": {"role": "stable"}})));
    world.until_phase("Healthy").await;
    let stable = world.status()["stableRS"].clone();
    world.image("web:v2");
    world.until_phase("Paused").await;
    let mut template = world.set_of("web:v1").1["spec"]["template"].clone();
    assert_eq!(template["metadata"]["labels"]["role"], "stable");
    template["metadata"]["labels"].as_object_mut().unwrap().retain(|key, _| !key.starts_with("rollouts-"));
    world.edit(&json!({"spec": {"template": template}}));
    world.until_phase("Healthy").await;
    assert_eq!(world.status()["currentPodHash"], stable);
    assert_eq!(world.replica_sets().len(), 2);
}
