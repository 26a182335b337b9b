//! Two clusters that release one application in step: each with an API server, an istiod and Envoys of its own.

use crate::{
    bed::{Bed, Canary, Controller, IMAGE, Load, Namespace, Rollout, Target, secs},
    story::PROVIDER,
};
use serde_json::json;
use std::sync::Arc;

const POLICY: &str = r#"rollout-core/fleet={"clusters": ["a", "b"]}"#;

/// A namespace of the same name in each, with the weight canary of the guide.
fn spaces(beds: &[Arc<Bed>; 2]) -> [Namespace; 2] {
    let spaces = beds.each_ref().map(|bed| bed.namespace("fleet"));
    assert_eq!(spaces[0].name, spaces[1].name);
    for (name, space, other) in [("a", &spaces[0], &spaces[1]), ("b", &spaces[1], &spaces[0])] {
        space.apply(&Canary::Weight.provider("3s"));
        space.kubectl(&["annotate", "rollout", PROVIDER, POLICY]).ok();
        other.kubectl_with(&["apply", "-f", "-"], &secret((name, space), &other.name)).ok();
    }
    spaces
}

/// The Secret by which the controller of the other cluster may read Rollouts here, and nothing else.
fn secret((name, of): (&str, &Namespace), namespace: &str) -> String {
    of.kubectl(&["create", "serviceaccount", "reader"]).ok();
    let rights = ["--verb=get,list,watch", "--resource=rollouts.argoproj.io"];
    of.kubectl(&[&["create", "role", "reader"][..], &rights].concat()).ok();
    let account = format!("--serviceaccount={}:reader", of.name);
    of.kubectl(&["create", "rolebinding", "reader", "--role=reader", &account]).ok();
    let token = of.kubectl(&["create", "token", "reader", "--duration=2h"]).ok().out;
    let server = of.kubectl(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]).ok().out;
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "reader"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": true}}],
        "users": [{"name": "reader", "user": {"token": token.trim()}}],
    });
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "other-cluster", "namespace": namespace, "labels": {"rollout-core/cluster": "true"}},
        "stringData": {name: kubeconfig.to_string()},
    })
    .to_string()
}

fn start<'n>(space: &'n Namespace, cluster: &str) -> Controller<'n> {
    space.controller().flags(&["--cluster", cluster, "--cluster-secrets", &space.name]).start()
}

fn until(space: &Namespace, what: &str, holds: impl Fn(Rollout<'_>) -> bool) {
    space.until(what, secs(120), |seen| seen.rollout(PROVIDER).is_some_and(&holds));
}

fn both(spaces: &[Namespace; 2], what: &str, holds: impl Fn(Rollout<'_>) -> bool) {
    for space in spaces {
        until(space, what, &holds);
    }
}

fn set_image(space: &Namespace, version: &str) {
    space.plugin(&["set", "image", PROVIDER, &format!("container-1={IMAGE}:{version}")]).ok();
}

fn is_done(rollout: Rollout<'_>) -> bool {
    rollout.is_healthy() && rollout.newest() == rollout.stable() && !rollout.stable().is_empty()
}

/// GitOps reaches one cluster later; a person promotes in one and aborts in the other; one API server is silent.
#[test]
fn two_clusters_release_in_step_and_no_request_fails() {
    let beds = ["fleet-a", "fleet-b"].map(|name| Bed::own(name, &["--mesh"]));
    let spaces = spaces(&beds);
    let [a, b] = &spaces;
    let _controllers = [start(a, "a"), start(b, "b")];
    let loads = [a, b].map(|space| {
        until(space, "the first deploy waits for nobody", is_done);
        let target = Target::service("sidecar-1", space, PROVIDER, 20880);
        space.until_answered(&target, secs(20));
        Load::start(&space.bed, 50, secs(600), &[target])
    });

    set_image(a, "v0.3");
    until(a, "it waits for the other cluster, whose Git lags", |rollout| {
        rollout
            .message()
            .contains("waiting until cluster b has the pods for step 1 of 4; it has another revision: ")
    });
    let shown = a.plugin(&["get", "rollout", PROVIDER]).ok().out;
    assert!(shown.contains("waiting until cluster b has the pods"), "{shown}");
    assert_eq!(
        a.seen(|seen| seen.weights("provider")),
        Some((100, 0)),
        "no request before both have the pods"
    );
    set_image(b, "v0.3");
    both(&spaces, "released", is_done);

    // Timed pauses would end by themselves.
    for space in [a, b] {
        let steps = json!([{"setWeight": 5}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]);
        space
            .patch(
                &format!("rollout/{PROVIDER}"),
                "",
                &json!({"spec": {"strategy": {"canary": {"steps": steps}}}}),
            )
            .ok();
    }
    for space in &spaces {
        set_image(space, "v0.4");
    }
    both(&spaces, "paused at 5 %", |rollout| rollout.is_paused_at(1));
    b.plugin(&["promote", PROVIDER]).ok();
    both(&spaces, "one promotion counts in both", |rollout| rollout.is_paused_at(3));
    a.plugin(&["abort", PROVIDER]).ok();
    both(&spaces, "one abort counts in both", |rollout| rollout.is_aborted());
    until(b, "it says who aborted", |rollout| rollout.message().contains("cluster a"));
    for space in &spaces {
        space.until("all requests go to stable", secs(60), |seen| seen.weights("provider") == Some((100, 0)));
    }
    a.plugin(&["retry", "rollout", PROVIDER]).ok();
    both(&spaces, "one retry begins in both", |rollout| rollout.is_paused_at(1));

    let frozen = beds[1].freeze("kube-apiserver");
    a.plugin(&["promote", PROVIDER]).ok();
    until(a, "it says since when the other cannot be read", |rollout| {
        rollout.message().contains("waiting until cluster b ")
            && rollout.message().contains("it cannot be read since")
    });
    assert_eq!(a.seen(|seen| seen.weights("provider")), Some((95, 5)), "it does not go on alone");
    drop(frozen);
    both(&spaces, "it goes on", |rollout| rollout.is_paused_at(3));
    b.plugin(&["promote", PROVIDER]).ok();
    both(&spaces, "released", is_done);
    for load in loads {
        let answers = load.stop();
        println!("{answers}");
        answers.assert_none_failed();
    }
}
