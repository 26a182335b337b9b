//! What rest looks like.

use super::{recorder::Objects, run::PROVIDER};
use crate::bed::Rollout;
use crate::recorded::world::label;
use serde_json::Value;

/// Whether this image is released in full, and nothing is left of the one before.
pub(crate) fn is_released(objects: &Objects, image: &str) -> Result<(), String> {
    let rollout = Rollout(object(objects, "Rollout", PROVIDER)?);
    if !rollout.is_healthy() {
        return Err(format!("not healthy: {} {}", rollout.phase(), rollout.message()));
    }
    let set = only_set(objects, image)?;
    let hash = label(set).unwrap_or_default();
    if rollout.stable() != hash || rollout.newest() != hash {
        return Err(format!("stable is {}, newest {}", rollout.stable(), rollout.newest()));
    }
    all_to(objects, hash)
}

/// Whether the update was given up, and nothing is left of it.
pub(crate) fn is_aborted(objects: &Objects) -> Result<(), String> {
    let rollout = Rollout(object(objects, "Rollout", PROVIDER)?);
    if rollout.phase() != "Degraded" || rollout.0.pointer("/status/abort") != Some(&Value::Bool(true)) {
        return Err(format!("not aborted: {} {}", rollout.phase(), rollout.message()));
    }
    let set = only_set(objects, "v0.2")?;
    let hash = label(set).unwrap_or_default();
    if rollout.stable() != hash {
        return Err(format!("stable is {}", rollout.stable()));
    }
    all_to(objects, hash)
}

/// Whether it is held at the pause with this number.
pub(crate) fn is_paused(objects: &Objects, step: i64) -> Result<(), String> {
    let rollout = Rollout(object(objects, "Rollout", PROVIDER)?);
    if rollout.is_paused_at(step) {
        return Ok(());
    }
    Err(format!("at step {:?}: {} {}", rollout.step(), rollout.phase(), rollout.message()))
}

fn object<'o>(objects: &'o Objects, kind: &'static str, name: &str) -> Result<&'o Value, String> {
    objects.get(&(kind, name.to_owned())).ok_or_else(|| format!("there is no {kind} {name}"))
}

fn of<'o>(objects: &'o Objects, kind: &'static str) -> impl Iterator<Item = &'o Value> {
    objects.iter().filter(move |((of, _), _)| *of == kind).map(|(_, value)| value)
}

/// The ReplicaSet with this image, which alone has pods: two of them, ready.
fn only_set<'o>(objects: &'o Objects, image: &str) -> Result<&'o Value, String> {
    let mut only = None;
    for set in of(objects, "ReplicaSet") {
        let its = set.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
        let is_it = its.is_some_and(|its| its.ends_with(image));
        let count = |path: &str| set.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let (wanted, there, ready) =
            (count("/spec/replicas"), count("/status/replicas"), count("/status/readyReplicas"));
        let pods = if is_it { 2 } else { 0 };
        if (wanted, there, ready) != (pods, pods, pods) {
            return Err(format!("{:?} has {ready} of {wanted} pods ready, {there} in all", label(set)));
        }
        only = only.or(is_it.then_some(set));
    }
    if of(objects, "Pod").any(|pod| pod.pointer("/metadata/deletionTimestamp").is_some()) {
        return Err("pods are ending".to_owned());
    }
    only.ok_or_else(|| format!("there is no ReplicaSet with {image}"))
}

/// All requests go to stable, and both subsets lead to this revision.
fn all_to(objects: &Objects, hash: &str) -> Result<(), String> {
    let service = object(objects, "VirtualService", "provider")?;
    let weight =
        |index: usize| service.pointer(&format!("/spec/http/0/route/{index}/weight")).and_then(Value::as_u64);
    // A weight of 0 may be left out.
    if (weight(0), weight(1).unwrap_or(0)) != (Some(100), 0) {
        return Err(format!("the weights are {:?} and {:?}", weight(0), weight(1)));
    }
    let rule = object(objects, "DestinationRule", "dubbo-provider")?;
    let subsets = rule.pointer("/spec/subsets").and_then(Value::as_array);
    let labels: Vec<_> = subsets.into_iter().flatten().map(|subset| subset.pointer("/labels")).collect();
    let leads = |labels: &&Value| labels.to_string().contains(hash);
    if labels.len() == 2 && labels.iter().flatten().filter(|labels| leads(labels)).count() == 2 {
        return Ok(());
    }
    Err(format!("the subsets are {labels:?}"))
}
