//! A release of several clusters.

use crate::{WEIGHT, events, golden, of_kind, simulate, summary};
use serde_json::Value;

const CLUSTERS: &str = "examples/manifests/clusters";
const IN: [&str; 3] = ["a", "b", "c"];

fn name(cluster: &str) -> String {
    format!("{cluster}:dubbo3-provider")
}

/// When each weight was written in a cluster: `(milliseconds, weight)`.
fn weights(cluster: &str, words: &[&str]) -> Vec<(i64, u64)> {
    let events = events(&name(cluster), words);
    let routed = of_kind(&events, "routed");
    assert!(!routed.is_empty(), "{events:?}");
    let weight = |event: &&Value| Some((event["ms"].as_i64()?, event["weight"]["canary"].as_u64()?));
    routed.iter().filter_map(weight).collect()
}

#[test]
fn three_clusters_go_side_by_side() {
    let run = simulate(&[CLUSTERS]);
    assert_eq!(run.code, 0, "{}", run.err);
    golden("clusters.txt", &run.out);
    assert_eq!(run.out.matches("AT REST: healthy").count(), 3);
    assert_eq!(run.out.matches("0 of 1000 requests").count(), 3);
    assert!(run.err.contains("none waits for another"), "what Argo Rollouts would do: {}", run.err);
}

#[test]
fn a_cut_holds_both_sides_and_nobody_is_hurt() {
    let run = simulate(&[CLUSTERS, "--cut", "a-b@5m..15m"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("it cannot be read since"), "{}", run.out);
    assert_eq!(run.out.matches("0 of 1000 requests").count(), 3, "{}", run.out);
    for cluster in IN {
        let to_half = weights(cluster, &[CLUSTERS, "--cut", "a-b@5m..15m"])
            .into_iter()
            .find(|(_, weight)| *weight == 50)
            .unwrap();
        assert!(to_half.0 > 15 * 60_000, "{cluster} waited: {to_half:?}");
    }
}

#[test]
fn a_cluster_that_is_away_holds_the_others() {
    let words = [CLUSTERS, "--cluster-down", "b@5m..20m"];
    let run = simulate(&words);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("the API server of b answers again"), "{}", run.out);
    assert_eq!(run.out.matches("0 of 1000 requests").count(), 3, "{}", run.out);
    for cluster in IN {
        let to_half = weights(cluster, &words).into_iter().find(|(_, weight)| *weight == 50).unwrap();
        assert!(to_half.0 > 20 * 60_000, "{cluster} waited: {to_half:?}");
    }
}

#[test]
fn an_abort_in_one_is_one_in_all() {
    let words = [CLUSTERS, "--at", "b:12m=abort", "--expect", "aborted"];
    let run = simulate(&words);
    assert_eq!(run.code, 0, "{}\n{}", run.err, run.out);
    assert!(run.out.contains("it was aborted in cluster b"), "{}", run.out);
    for cluster in IN {
        let events = events(&name(cluster), &words);
        assert_eq!(summary(&events)["ends"], "aborted", "{cluster}");
        assert_eq!(weights(cluster, &words).last().map(|(_, weight)| *weight), Some(0), "{cluster}");
    }
}

#[test]
fn slow_pods_in_one_cluster_hold_the_weight_in_all() {
    // Its pods never come: no cluster sends requests to the new version.
    let run = simulate(&[CLUSTERS, "--never-ready", "c:canary"]);
    assert!(!run.out.contains("canary 5\n"), "{}", run.out);
    assert!(run.out.contains("waiting until cluster c has the pods for step 1 of 4"), "{}", run.out);
}

#[test]
fn any_manifests_can_be_played_in_several_clusters() {
    let run = simulate(&[WEIGHT, "--clusters", "east,west", "--at", "west:12m=abort", "--expect", "aborted"]);
    assert_eq!(run.code, 0, "{}\n{}", run.err, run.out);
    for of in ["dubbo3-provider", "dubbo3-consumer"] {
        assert!(run.out.contains(&format!("{of} in 2 clusters")), "{}", run.out);
        assert!(run.out.contains(&format!("east:{of}")), "{}", run.out);
    }
    assert_eq!(run.out.matches("AT REST: aborted").count(), 4, "{}", run.out);
    // A freeze in one cluster is told in that one.
    let run = simulate(&[CLUSTERS, "--freeze-mesh", "b:5m..6m"]);
    assert_eq!(run.out.matches("the mesh freezes").count(), 1, "{}", run.out);
}

#[test]
fn what_is_wrong_with_clusters_is_said() {
    for (words, told) in [
        (&[CLUSTERS, "--clusters", "a,b"][..], "leave --clusters out"),
        (&[CLUSTERS, "--cut", "a-z@5m..6m"], "there is no cluster z"),
        (&[WEIGHT, "--cluster-down", "b@5m..6m"], "there is no cluster b"),
        (&[CLUSTERS, "--at", "d:12m=abort"], "there is no Rollout \"d\""),
        (&[WEIGHT, "--clusters", "a,../b"], "that a cluster's name cannot have"),
    ] {
        let run = simulate(words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.out);
        assert!(run.err.contains(told), "{words:?}: {}", run.err);
    }
}
