//! What Kubernetes itself loses: a Deployment instead of a Rollout, beside which the basic canaries are judged.

use super::{NAME, story::Manner};
use crate::{
    bed::{Answers, Bed, Load, Namespace, Target, secs},
    faults::web::{apply, service},
};
use serde_json::json;

/// Two updates and a way back, each over before the next begins.
pub(super) fn rolling_updates(bed: &Bed, space: &Namespace, manner: Manner) -> Answers {
    let template = json!({
        "metadata": {"labels": {"app": NAME}},
        "spec": {"containers": [{"name": "c", "image": format!("{NAME}:v1")}]}
    });
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": NAME}}, "template": template}
    });
    apply(space, &[service(NAME, NAME), object]);
    let deployment = format!("deployment/{NAME}");
    until_done(space, &deployment);
    let targets = ["sidecar-1", "sidecar-2"].map(|proxy| Target::service(proxy, space, NAME, 8000));
    for target in &targets {
        space.until_answered(target, secs(60));
    }
    let load = Load::start(bed, manner.rate, secs(900), &targets);
    for words in [
        ["set", "image", &deployment, &format!("c={NAME}:v2")].as_slice(),
        &["set", "image", &deployment, &format!("c={NAME}:v3")],
        &["rollout", "undo", &deployment],
    ] {
        manner.give(bed, || drop(space.kubectl(words).ok()));
        until_done(space, &deployment);
    }
    let answers = load.stop();
    println!("{answers}");
    answers
}

/// Waits until all pods are of the newest template, and available.
fn until_done(space: &Namespace, deployment: &str) {
    space.kubectl(&["rollout", "status", deployment, "--timeout=120s"]).ok();
}
