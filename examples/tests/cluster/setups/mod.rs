//! Every set-up that people have: the same story for each, with requests flowing, of which none may fail.

mod deployment;
mod kind;
mod many;
mod objects;
mod scaled;
mod story;
mod table;

use crate::bed::{Bed, Seen, secs, weights_of};
use kind::Kind;
use serde_json::{Value, json};
use story::{Story, play};

/// The Rollout that each story is about.
const NAME: &str = "web";

#[test]
fn a_basic_canary_without_services() {
    play(Kind::Basic);
}

#[test]
fn a_basic_canary_with_both_services() {
    play(Kind::Services);
}

#[test]
fn two_services_as_destinations() {
    play(Kind::Hosts);
}

#[test]
fn two_services_that_take_turns() {
    let bed = Bed::shared();
    let space = bed.namespace("turns");
    Story::begin(&bed, &space, Kind::Turns).play().assert_none_failed();
    // Two updates were completed: each selected the pods of its own Service, and they swapped twice.
    space.seen(|seen| {
        let stable = seen.rollout(NAME).unwrap().0["status"]["canary"]["stablePingPong"].clone();
        assert_eq!(stable, "ping", "{}", seen.report());
    });
}

#[test]
fn several_virtual_services() {
    play(Kind::Several);
}

#[test]
fn a_virtual_service_in_another_namespace() {
    play(Kind::Elsewhere);
}

#[test]
fn tcp_streams() {
    play(Kind::Tcp);
}

#[test]
fn tls_streams_that_pass_through() {
    play(Kind::Tls);
}

/// Returns the weights of the route: of stable, of the canary, and of the subset that the Rollout only names.
fn three_weights(seen: &Seen) -> Option<[u64; 3]> {
    let entries = seen.object("VirtualService", NAME)?.pointer("/spec/http/0/route")?.as_array()?;
    let weight = |at: usize| entries.get(at)?["weight"].as_u64();
    Some([weight(0)?, weight(1)?, weight(2)?])
}

#[test]
fn an_additional_subset_keeps_its_share() {
    let bed = Bed::shared();
    let space = bed.namespace("third");
    let story = Story::begin(&bed, &space, Kind::Additional);
    assert_eq!(space.seen(three_weights), Some([90, 0, 10]));
    story.at_half("v2");
    assert_eq!(space.seen(three_weights), Some([45, 45, 10]));
    story.promote();
    // The status is stored before the last route is written.
    space.until("all is as before", secs(30), |seen| three_weights(seen) == Some([90, 0, 10]));
    let answers = story.end();
    answers.assert_none_failed();
    let ours = space.seen(|seen| rules(seen).into_iter().map(|(hash, _)| hash).collect::<Vec<_>>());
    for target in [0, 1] {
        let met = answers.by_revision(target);
        let others = met.iter().filter(|(hash, _)| !ours.contains(hash)).map(|(_, n)| n).sum::<u64>();
        assert!(others * 20 > met.values().sum(), "a tenth: {met:?}, of which {ours:?} are the Rollout's");
    }
    let third = |seen: &Seen| seen.object("DestinationRule", NAME)?.pointer("/spec/subsets/2").cloned();
    let pinned = json!({"name": "pinned", "labels": {"version": "pinned"}});
    assert_eq!(space.seen(third), Some(pinned), "its labels are the user's");
}

/// Returns the rule against sharing a node in the template of each ReplicaSet with pods, by revision.
fn rules(seen: &Seen) -> Vec<(String, Value)> {
    let sets = seen.objects("ReplicaSet").filter(|set| set["spec"]["replicas"] != 0);
    let rule = |set: &Value| set.pointer("/spec/template/spec/affinity/podAntiAffinity").cloned();
    let hash =
        |set: &Value| set["metadata"]["labels"]["rollouts-pod-template-hash"].as_str().map(str::to_owned);
    sets.map(|set| (hash(set).unwrap_or_default(), rule(set).unwrap_or_default())).collect()
}

#[test]
fn the_canary_keeps_away_from_the_nodes_of_stable() {
    let bed = Bed::shared();
    let space = bed.namespace("away");
    let story = Story::begin(&bed, &space, Kind::AntiAffinity);
    let first = space.seen(|seen| seen.rollout(NAME).unwrap().stable().to_owned());
    story.at_half("v2");
    let second = space.seen(|seen| seen.rollout(NAME).unwrap().newest().to_owned());
    for (hash, rule) in space.seen(rules) {
        if hash == first {
            assert_eq!(rule, Value::Null, "stable's pods may be anywhere");
        } else {
            let rule = rule["requiredDuringSchedulingIgnoredDuringExecution"].to_string();
            assert!(hash == second && rule.contains(&first), "{hash}: {rule}");
        }
    }
    story.promote();
    space.until("the rule is gone with the role", secs(30), |seen| {
        rules(seen).iter().all(|(_, rule)| !rule.to_string().contains(&first))
    });
    story.end().assert_none_failed();
}

/// Returns the weights of the route of the usual set-ups.
fn weights(seen: &Seen) -> Option<(i64, i64)> {
    weights_of(seen.object("VirtualService", NAME)?, "primary")
}
