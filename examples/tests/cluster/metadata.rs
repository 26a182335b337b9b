//! `canaryMetadata` and `stableMetadata`: running pods change their labels with their role, and no request is lost.

use crate::{
    bed::{Bed, Canary, Load, Seen, Target, secs},
    story::{PROVIDER, Story},
};
use std::collections::BTreeSet;

/// The weight canary whose pods have a label and an annotation for their role.
fn manifests() -> String {
    let text = Canary::Weight.provider("1h");
    let canary = "    canary:\n";
    assert!(text.contains(canary), "the manifests have no `canary` any more");
    let metadata = |role: &str| {
        format!(
            "      {role}Metadata:\n        labels: {{role: {role}}}\n        annotations: {{{role}: \"yes\"}}\n"
        )
    };
    text.replacen("  replicas: 1\n", "  replicas: 4\n", 1).replacen(
        canary,
        &format!("{canary}{}{}", metadata("canary"), metadata("stable")),
        1,
    )
}

/// The image, the role and the annotations of each pod that stays, without repetition.
fn roles(seen: &Seen) -> BTreeSet<String> {
    let pods = seen.objects("Pod").filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
    let ours = pods.filter(|pod| pod.pointer("/metadata/labels/app").is_some_and(|app| app == PROVIDER));
    ours.map(|pod| {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let version = image.rsplit(':').next().unwrap_or_default();
        let has = |role: &str| pod["metadata"]["annotations"].get(role).is_some();
        let role = pod["metadata"]["labels"]["role"].as_str().unwrap_or("none");
        format!("{version} {role} {} {}", has("stable"), has("canary"))
    })
    .collect()
}

fn is<const N: usize>(seen: &Seen, all: [&str; N]) -> bool {
    roles(seen).iter().eq(all.iter().collect::<BTreeSet<_>>())
}

#[test]
fn running_pods_change_their_labels_with_their_role() {
    let bed = Bed::shared();
    let space = bed.namespace("labels");
    space.apply(&manifests());
    let story = Story::begin(&space, PROVIDER);
    let first = space.seen(|seen| roles(seen).into_iter().next().unwrap_or_default());
    let before = first.split(' ').next().unwrap_or_default();
    assert_eq!(first, format!("{before} stable true false"), "the first deploy has no canary");
    let targets = &Target::all(&space)[..2];
    for target in targets {
        space.until_answered(target, secs(20));
    }
    let load = Load::start(&bed, 50, secs(240), targets);
    story.at_50_percent();
    let old = format!("{before} stable true false");
    space.until("both sides have their labels", secs(30), |seen| is(seen, [&old, "v0.3 canary false true"]));

    space.plugin(&["abort", PROVIDER]).ok();
    story.until("aborted", |rollout| rollout.phase() == "Degraded");
    space.until("only stable is left", secs(60), |seen| is(seen, [&old]));
    space.plugin(&["retry", "rollout", PROVIDER]).ok();
    story.until("paused at 5 % again", |rollout| rollout.is_paused_at(1));
    story.set_image("v0.4");
    story.until("the newer image is paused at 5 %", |rollout| rollout.is_paused_at(1));
    space.until("the newer image is the canary", secs(60), |seen| is(seen, [&old, "v0.4 canary false true"]));

    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished", |rollout| rollout.is_healthy());
    space.until("its pods are stable", secs(60), |seen| is(seen, ["v0.4 stable true false"]));
    space.plugin(&["undo", PROVIDER]).ok();
    story.until("back at 5 %", |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", PROVIDER, "--full"]).ok();
    story.until("finished again", |rollout| rollout.is_healthy());
    space.until("the earlier pods are stable again", secs(60), |seen| {
        roles(seen).iter().all(|role| role.ends_with("stable true false") && !role.starts_with("v0.4"))
    });
    let answers = load.stop();
    println!("{answers}");
    answers.assert_none_failed();
}
