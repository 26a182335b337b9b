//! What happens to pods beside the release: labels by role, and restarts.

use crate::{
    Run,
    folder::{changed, plays, rollout, services, virtual_service, web},
    simulate_with,
};

/// The canary's pods have a label, and so have stable's.
fn labelled() -> String {
    let canary = "    canary:\n      canaryMetadata: {labels: {role: canary}}\n      stableMetadata: {labels: {role: stable}, annotations: {a: b}}\n";
    changed(&rollout(), "    canary:\n", canary)
}

fn update(text: &str) -> Run {
    simulate_with(&["-", "--image", "web=web:v2"], text)
}

#[test]
fn the_labels_that_pods_get_are_told_with_the_change_of_their_role() {
    let run = update(&[labelled(), services(), virtual_service()].join("---\n"));
    plays(&run, "");
    let told: Vec<&str> =
        run.out.lines().filter_map(|line| line.split_once("the pods get ")).map(|(_, told)| told).collect();
    assert_eq!(
        told,
        [
            "role=stable, a=b (stableMetadata)",
            "role=canary (canaryMetadata)",
            "role=stable, a=b (stableMetadata)"
        ],
        "{}",
        run.out
    );
}

#[test]
fn a_service_that_selects_such_a_label_is_warned_of() {
    let selects = |role: &str| {
        let from = "name: web-canary, namespace: shop}\nspec: {selector: {app: web}";
        let to = format!("name: web-canary, namespace: shop}}\nspec: {{selector: {{app: web, role: {role}}}");
        [labelled(), changed(&services(), from, &to), virtual_service()].join("---\n")
    };
    let run = update(&selects("canary"));
    assert!(
        run.err.contains(
            "warning: the Service \"web-canary\" selects role=canary, and `canaryMetadata` sets that label"
        ),
        "{}",
        run.err
    );
    assert_eq!(run.err.matches("selects role=canary").count(), 1, "{}", run.err);
    let run = update(&selects("other"));
    assert!(
        run.err.contains(
            "error: the Service \"web-canary\" selects role=other, but the pods have no such label"
        )
    );
}

#[test]
fn a_restart_evicts_a_quarter_of_the_pods_at_a_time() {
    let restart = changed(&web(), "  replicas: 4\n", "  replicas: 4\n  restartAt: 2026-01-01T00:20:00Z\n");
    let run = simulate_with(&["-"], &restart);
    plays(&run, "");
    let evicted =
        run.out.lines().filter(|line| line.contains("restart: 1 pod of ") && line.contains(" evicted"));
    assert_eq!(evicted.count(), 4, "{}", run.out);
    // Those of a first deploy after it are newer.
    let before = changed(&restart, "2026-01-01T00:20", "2025-12-31T23:59");
    let run = simulate_with(&["-"], &before);
    assert!(!run.out.contains("evicted"), "{}", run.out);
}
