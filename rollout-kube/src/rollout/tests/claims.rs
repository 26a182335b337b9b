//! Two Rollouts over one Service.

use super::*;
use crate::{
    cache::Caches,
    store::{
        Requests,
        mock::{Answer, server},
    },
};
use serde_json::json;

fn rollout(name: &str, created: &str, service: &str) -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": name, "uid": name, "creationTimestamp": created, "resourceVersion": "1"
        },
        "spec": {"strategy": {"canary": {"stableService": service}}}
    })
}

/// Returns the refusal of each of these Rollouts, if any.
async fn refusals(rollouts: Vec<Value>) -> Vec<Option<String>> {
    let items = rollouts.clone();
    let (client, _) = server(move |asked| {
        if asked.uri.contains("watch=") {
            return Answer::Never;
        }
        Answer::ok(json!({"metadata": {"resourceVersion": "1"}, "items": items}))
    });
    let factory: Factory = Arc::new(|_, _, _| Ok(None));
    let requests = Requests::new(client, "us");
    let publisher = super::super::Publisher::start(requests.clone(), "p");
    let (caches, _) = Caches::new(requests, None);
    let caches = Arc::new(caches.index("argoproj.io", "Rollout", index(Arc::clone(&factory), None)));
    caches.start(&ObjectRef::new("argoproj.io", "Rollout", "", "")).await.unwrap();
    let mut all = Vec::new();
    let context = Context {
        caches: Arc::clone(&caches),
        publisher,
        factory,
        data_planes: crate::control_plane::DataPlanes::none(),
        clusters: None,
        instance: None,
        dry_run: false,
        runs_analyses: false,
        process: "p".to_owned(),
        clock: Arc::new(crate::rollout::wall_clock),
        releases: Vec::new(),
    };
    for value in rollouts {
        let entry = Entry::new(value);
        let view = View::new(Arc::clone(&caches), ("shop".to_owned(), entry.name().to_owned()));
        let services = ServiceEditor::from_wire(&Rollout::from_value(&entry.value)).unwrap();
        let collision = collision(&context, &view, &entry, &services.claims());
        all.push(collision.map(|error| error.to_string()));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_younger_of_two_rollouts_on_one_service_is_refused_and_both_are_named() {
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let refusals = refusals(vec![
        rollout("old", early, "web"),
        rollout("young", late, "web"),
        rollout("other", late, "other"),
        rollout("also-young", late, "web"),
    ])
    .await;
    assert_eq!((&refusals[0], &refusals[2]), (&None, &None));
    for young in [&refusals[1], &refusals[3]] {
        let young = young.as_deref().unwrap();
        assert!(young.contains("Service shop/web") && young.contains("Rollout shop/old"), "{young}");
    }
    assert!(refusals[1].as_deref().unwrap().contains("Rollout shop/young"));
}

#[tokio::test(start_paused = true)]
async fn at_equal_age_the_name_decides_and_a_lone_rollout_continues() {
    let at = "2026-01-01T00:00:00Z";
    let both = refusals(vec![rollout("a", at, "web"), rollout("b", at, "web")]).await;
    assert!(both[0].is_none() && both[1].is_some());
    assert_eq!(refusals(vec![rollout("b", at, "web")]).await, [None], "the older is gone");
    let mut deleted = rollout("a", at, "web");
    deleted["metadata"]["deletionTimestamp"] = json!(at);
    assert_eq!(refusals(vec![deleted, rollout("b", at, "web")]).await[1], None);
    let mut others = rollout("a", at, "web");
    others["metadata"]["labels"] = json!({INSTANCE: "blue"});
    assert_eq!(
        refusals(vec![others, rollout("b", at, "web")]).await[1],
        None,
        "another controller's Rollout"
    );
}
