//! `restartAt`: evicts the pods that are older than that time, a few at a time, until all pods are newer.

use crate::{
    cache::Entry,
    guard::{Guard, off},
    replica_set::ReplicaSet,
};
use rollout_core::{
    Time,
    argo::wire::IntOrText,
    conformance::{Fenceposts, fenceposts},
};
use serde_json::Value;
use std::{collections::HashSet, time::Duration};

/// What is left to do of a restart.
#[derive(Debug)]
pub(super) enum Restart {
    /// None is outstanding.
    None,
    /// It begins at this time.
    From(Time),
    /// Some pods are still older. These may be evicted now.
    Evict(Vec<Entry>),
    /// All pods are newer. This time is to be stored in `status.restartedAt`.
    Done(String),
}

/// The pods of a ReplicaSet, as far as the watch shows them.
#[derive(Debug)]
pub(super) struct PodsOf<'s> {
    pub(super) set: &'s ReplicaSet,
    /// None of them is being deleted.
    pub(super) pods: Vec<Entry>,
}

/// Returns the time of an outstanding restart: as text, as the Rollout has it, and as a time. Text that is not a time is
/// reported elsewhere, and asks for nothing.
pub(super) fn outstanding(rollout: &Value) -> Option<(&str, Time)> {
    let text = |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str);
    let asked = text("/spec/restartAt")?;
    let time = Time::parse_rfc3339(asked)?;
    (text("/status/restartedAt").and_then(Time::parse_rfc3339) != Some(time)).then_some((asked, time))
}

/// Returns what is left to do. `evicted` holds the uids of pods that were evicted and that the watch still shows.
///
/// In each ReplicaSet, and in the whole Rollout, `maxUnavailable` pods may be unavailable, at least one. Stable comes
/// first, as the order of `sets` says.
pub(super) fn assess(rollout: &Value, sets: &[PodsOf<'_>], evicted: &HashSet<String>, now: Time) -> Restart {
    let Some((asked, time)) = outstanding(rollout) else { return Restart::None };
    if now < time {
        return Restart::From(time);
    }
    let is_old = |pod: &Entry| created(pod).is_none_or(|created| created < time);
    let wanting = || sets.iter().filter(|of| of.set.wanted > 0);
    let is_done = |of: &PodsOf<'_>| {
        // A watch that lags may not show an old pod yet, nor all of the new ones.
        of.pods.len() == pods_of(of.set) && !of.pods.iter().any(is_old)
    };
    if wanting().all(is_done) || off(Guard::RestartEnds) {
        return Restart::Done(asked.to_owned());
    }
    let replicas = rollout.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
    let stays = |pod: &&Entry| !evicted.contains(pod.uid());
    let is_available = |of: &PodsOf<'_>, pod: &Entry| has_been_ready(pod, of.set.min_ready(), now);
    let available = |of: &PodsOf<'_>| {
        // The ReplicaSet counts later: a pod that is not ready yet may already stand in for one that goes.
        let ready = of.pods.iter().filter(stays).filter(|pod| is_available(of, pod)).count();
        of.set.available.min(u32::try_from(ready).unwrap_or(u32::MAX))
    };
    let spare = |available: u32, wanted: u32| (available + limit(rollout, wanted)).saturating_sub(wanted);
    let mut room = spare(wanting().map(available).fold(0, u32::saturating_add), replicas);
    let mut evict = Vec::new();
    for of in wanting() {
        // While a ReplicaSet grows or shrinks, nobody knows which pods stay.
        if !of.set.is_counted() || of.pods.len() != pods_of(of.set) {
            continue;
        }
        let old = of.pods.iter().filter(|pod| is_old(pod)).filter(stays);
        let (costly, free): (Vec<_>, Vec<_>) = old.partition(|pod| is_available(of, pod));
        evict.extend(free.into_iter().cloned());
        let most = spare(available(of), of.set.wanted).min(room);
        let before = evict.len();
        evict.extend(costly.into_iter().take(usize::try_from(most).unwrap_or(usize::MAX)).cloned());
        room -= u32::try_from(evict.len() - before).unwrap_or(room).min(room);
    }
    Restart::Evict(evict)
}

/// Returns how many of so many pods may be unavailable: at least one, or a restart would never begin.
fn limit(rollout: &Value, pods: u32) -> u32 {
    let field = |name: &str| {
        let value = rollout.pointer("/spec/strategy/canary")?.get(name)?;
        IntOrText::from_value(value).ok()
    };
    let Fenceposts { unavailable, .. } =
        fenceposts(pods, field("maxSurge").as_ref(), field("maxUnavailable").as_ref());
    if off(Guard::EvictionLimit) { pods.max(1) } else { unavailable.max(1) }
}

fn pods_of(set: &ReplicaSet) -> usize {
    usize::try_from(set.wanted).unwrap_or(usize::MAX)
}

/// Returns whether a pod has been ready for so many seconds.
fn has_been_ready(pod: &Entry, seconds: u64, now: Time) -> bool {
    let conditions = pod.value.pointer("/status/conditions").and_then(Value::as_array);
    let text =
        |condition: &Value, field: &str| condition.get(field).and_then(Value::as_str).map(str::to_owned);
    let ready = conditions.into_iter().flatten().find(|condition| {
        text(condition, "type").as_deref() == Some("Ready")
            && text(condition, "status").as_deref() == Some("True")
    });
    let Some(ready) = ready else { return false };
    let since = text(ready, "lastTransitionTime").and_then(|time| Time::parse_rfc3339(&time));
    seconds == 0 || since.is_some_and(|since| now.since(since) >= Duration::from_secs(seconds))
}

fn created(pod: &Entry) -> Option<Time> {
    Time::parse_rfc3339(pod.text("/metadata/creationTimestamp")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ASKED: &str = "2026-01-01T00:01:00Z";

    fn rollout(replicas: u32, canary: &Value) -> Value {
        json!({"spec": {"replicas": replicas, "restartAt": ASKED, "strategy": {"canary": canary}}})
    }

    fn set(name: &str, wanted: u32, available: u32) -> ReplicaSet {
        ReplicaSet::read(Entry::new(json!({
            "metadata": {"name": name, "labels": {"rollouts-pod-template-hash": name}},
            "spec": {"replicas": wanted}, "status": {"replicas": wanted, "availableReplicas": available}
        })))
        .unwrap()
    }

    /// Creates pods, so many of them older than the restart.
    fn pods(set: &str, old: usize, new: usize) -> Vec<Entry> {
        let pod = |number: usize, created: &str| {
            let name = format!("{set}-{number}");
            let ready =
                json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:30Z"});
            Entry::new(json!({
                "metadata": {"name": name, "uid": name, "creationTimestamp": created},
                "status": {"conditions": [ready]}
            }))
        };
        let old = (0..old).map(|number| pod(number, "2026-01-01T00:00:59Z"));
        old.chain((0..new).map(|number| pod(100 + number, ASKED))).collect()
    }

    fn at(seconds: &str) -> Time {
        Time::parse_rfc3339(&format!("2026-01-01T00:{seconds}Z")).unwrap()
    }

    /// Returns the names of the pods that may be evicted, or what else is to do.
    fn evicts(rollout: &Value, sets: &[(ReplicaSet, Vec<Entry>)], evicted: &[&str]) -> String {
        let sets: Vec<_> = sets.iter().map(|(set, pods)| PodsOf { set, pods: pods.clone() }).collect();
        match assess(rollout, &sets, &evicted.iter().map(ToString::to_string).collect(), at("01:00")) {
            Restart::Evict(pods) => pods.iter().map(Entry::name).collect::<Vec<_>>().join(" "),
            Restart::Done(at) => format!("done {at}"),
            Restart::None | Restart::From(_) => "nothing".to_owned(),
        }
    }

    #[test]
    fn only_max_unavailable_pods_go_at_a_time() {
        let most = |replicas: u32, canary: &Value| {
            let sets = [(set("v1", replicas, replicas), pods("v1", replicas as usize, 0))];
            evicts(&rollout(replicas, canary), &sets, &[]).split(' ').count()
        };
        assert_eq!(most(4, &json!({"maxUnavailable": "75%"})), 3);
        assert_eq!(most(4, &json!({})), 1, "25 % by default");
        assert_eq!(most(1, &json!({})), 1, "at least one, or it would never begin");
        assert_eq!(most(10, &json!({"maxUnavailable": 0, "maxSurge": 2})), 1);
    }

    #[test]
    fn pods_that_are_not_available_count_and_so_do_those_that_were_just_evicted() {
        let one = |available, evicted: &[&str]| {
            let sets = [(set("v1", 4, available), pods("v1", 4, 0))];
            evicts(&rollout(4, &json!({"maxUnavailable": 2})), &sets, evicted)
        };
        assert_eq!(one(4, &[]), "v1-0 v1-1");
        assert_eq!(one(3, &[]), "v1-0");
        assert_eq!(one(2, &[]), "");
        assert_eq!(one(4, &["v1-0"]), "v1-1");
        assert_eq!(one(4, &["v1-0", "v1-1"]), "");
    }

    #[test]
    fn in_an_update_neither_side_loses_more_than_its_share() {
        let sets = [(set("v1", 4, 4), pods("v1", 4, 0)), (set("v2", 2, 2), pods("v2", 2, 0))];
        assert_eq!(evicts(&rollout(4, &json!({})), &sets, &[]), "v1-0 v2-0");
        // Without traffic routing, both together have as many pods as the Rollout.
        let sets = [(set("v1", 2, 2), pods("v1", 2, 0)), (set("v2", 2, 2), pods("v2", 2, 0))];
        assert_eq!(evicts(&rollout(4, &json!({})), &sets, &[]), "v1-0");
    }

    #[test]
    fn while_a_replica_set_grows_or_shrinks_nothing_is_evicted() {
        let sets = [(set("v1", 2, 4), pods("v1", 4, 0))];
        assert_eq!(evicts(&rollout(2, &json!({})), &sets, &[]), "");
        let lags = ReplicaSet::read(Entry::new(json!({
            "metadata": {"name": "v1", "generation": 2, "labels": {"rollouts-pod-template-hash": "v1"}},
            "spec": {"replicas": 2},
            "status": {"observedGeneration": 1, "replicas": 2, "availableReplicas": 2}
        })));
        assert_eq!(evicts(&rollout(2, &json!({})), &[(lags.unwrap(), pods("v1", 2, 0))], &[]), "");
    }

    /// The ReplicaSet controller creates the replacement of a pod before it counts.
    #[test]
    fn a_pod_that_is_not_ready_stands_in_for_nobody() {
        let with = |condition: Value| {
            let mut pods = pods("v1", 1, 1);
            let mut value = Value::clone(&pods[1].value);
            value["status"]["conditions"] = json!([condition]);
            pods[1] = Entry::new(value);
            let mut set = set("v1", 2, 2);
            set.wait_ready(10);
            evicts(&rollout(2, &json!({})), &[(set, pods)], &[])
        };
        let since = |time: &str| json!({"type": "Ready", "status": "True", "lastTransitionTime": time});
        assert_eq!(with(json!({"type": "Ready", "status": "False"})), "");
        assert_eq!(with(since("2026-01-01T00:00:51Z")), "", "ready, and not available yet");
        assert_eq!(with(since("2026-01-01T00:00:50Z")), "v1-0");
    }

    #[test]
    fn an_old_pod_that_is_not_available_costs_nothing() {
        let mut pods = pods("v1", 3, 0);
        let mut value = Value::clone(&pods[2].value);
        value["status"]["conditions"] = json!([]);
        pods[2] = Entry::new(value);
        assert_eq!(evicts(&rollout(3, &json!({})), &[(set("v1", 3, 2), pods)], &[]), "v1-2");
    }

    #[test]
    fn it_is_over_when_every_pod_is_newer_and_no_pod_is_missing() {
        let one = |old, new| {
            let sets = [(set("v1", 2, 2), pods("v1", old, new)), (set("v0", 0, 0), pods("v0", 1, 0))];
            evicts(&rollout(2, &json!({})), &sets, &[])
        };
        assert_eq!(one(0, 2), format!("done {ASKED}"), "pods of other ReplicaSets go by themselves");
        assert_eq!(one(0, 1), "", "the watch lags");
        assert_eq!(one(1, 1), "v1-0");
        let mut done = rollout(2, &json!({}));
        done["status"] = json!({"restartedAt": "2026-01-01T00:01:00.000Z"});
        assert_eq!(evicts(&done, &[], &[]), "nothing");
    }

    #[test]
    fn a_restart_in_the_future_waits() {
        let restart = assess(&rollout(1, &json!({})), &[], &HashSet::new(), at("00:59"));
        assert!(matches!(restart, Restart::From(time) if time == at("01:00")), "{restart:?}");
        let unreadable = json!({"spec": {"restartAt": "soon"}});
        assert!(outstanding(&unreadable).is_none());
    }
}
