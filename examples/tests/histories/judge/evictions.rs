//! Pods: whose they are, and how many of them are evicted at a time. What the server recorded tells it.

use super::{FOREIGN, Judge, number, text};
use crate::{apps, workload};
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(super) const EVICTED: &str = "few_pods_are_evicted";

#[derive(Debug, Default)]
pub(super) struct Evictions {
    /// By Rollout, how many pods may be unavailable, where it says so.
    most: BTreeMap<String, u64>,
    /// Likewise, for how long a pod must have been ready to be available.
    min_ready: BTreeMap<String, Duration>,
    /// When each pod was ready.
    ready_at: BTreeMap<String, Duration>,
    /// By ReplicaSet, who evicted each pod in whose place there is no other yet, in order.
    outstanding: BTreeMap<String, Vec<Arc<str>>>,
}

impl Evictions {
    pub(super) fn rollout(&mut self, name: &str, object: &Value) {
        let most = number(object, "/spec/strategy/canary/maxUnavailable");
        self.most.insert(name.to_owned(), most);
        let min_ready = Duration::from_secs(number(object, "/spec/minReadySeconds"));
        self.min_ready.insert(name.to_owned(), min_ready);
    }

    /// Whether a pod that is gone was available. One that was not costs nothing.
    fn was_available(&mut self, set: &str, pod: &str, now: Duration) -> bool {
        let min_ready = before_last_dash(set).and_then(|app| self.min_ready.get(app)).copied();
        let since = self.ready_at.remove(pod);
        since.is_some_and(|since| now.saturating_sub(since) >= min_ready.unwrap_or_default())
    }

    /// How many of so many pods of a ReplicaSet may be evicted at a time.
    fn most(&self, set: &str, wanted: u64) -> u64 {
        let given = before_last_dash(set).and_then(|app| self.most.get(app)).filter(|most| **most > 0);
        given.copied().unwrap_or((wanted / 4).max(1))
    }
}

/// A ReplicaSet is called as its Rollout and a hash, and a pod as its ReplicaSet and a number.
fn before_last_dash(name: &str) -> Option<&str> {
    Some(name.rsplit_once('-')?.0)
}

impl Judge {
    pub(super) fn pod(&mut self, name: String, change: &Change, is_ours: bool) {
        let object = &*change.object;
        if text(object, "/metadata/labels/app") == apps::THEIRS {
            let done = if change.is_deleted { "evicted" } else { "written" };
            return self.must(FOREIGN, !is_ours, || format!("a controller has {done} {name}"));
        }
        if workload::app_of(&name).is_some() {
            let done = if change.is_deleted { "evicted" } else { "written" };
            self.must(FOREIGN, !is_ours, || format!("a controller has {done} {name}"));
            return self.hand_overs.pod(name, change.is_deleted, self.now);
        }
        let hash = text(object, "/metadata/labels/rollouts-pod-template-hash").to_owned();
        let set = before_last_dash(&name).unwrap_or_default().to_owned();
        let mut was_available = false;
        if change.is_deleted {
            self.pods.remove(&name);
            was_available = self.evictions.was_available(&set, &name, self.now);
        } else if self.pods.insert(name.clone(), hash.clone()).is_none() {
            self.evictions.ready_at.insert(name, self.now);
            let outstanding = self.evictions.outstanding.entry(set.clone()).or_default();
            outstanding.drain(..outstanding.len().min(1));
        }
        let ready = self.ready(&hash);
        for pods in self.sets.values_mut().filter(|pods| pods.hash == hash) {
            pods.becomes(ready, self.now);
        }
        if was_available && is_ours {
            let by = change.by.as_ref().map_or_else(|| "".into(), |by| Arc::clone(&by.client));
            self.evicted(&set, &by, ready);
        }
    }

    /// A controller has evicted a pod of this ReplicaSet, which has so many left. Two controllers at a time, or one after
    /// the other, do not know of each other's evictions at once.
    fn evicted(&mut self, set: &str, by: &Arc<str>, left: u64) {
        let wanted = self.sets.get(set).map_or(0, |pods| pods.wanted);
        let missing = usize::try_from(wanted.saturating_sub(left)).unwrap();
        let outstanding = self.evictions.outstanding.entry(set.to_owned()).or_default();
        outstanding.push(Arc::clone(by));
        // No other comes in place of a pod that is not wanted any more.
        outstanding.drain(..outstanding.len().saturating_sub(missing));
        let by_it = u64::try_from(outstanding.iter().filter(|other| *other == by).count()).unwrap();
        let most = self.evictions.most(set, wanted);
        self.must(EVICTED, by_it <= most, || {
            format!("{by_it} pods of {set} are evicted, which wants {wanted} and has {left}; at most {most} may be")
        });
    }
}
