//! Gives ReplicaSets and pods the labels and annotations of their revision's role: `canaryMetadata`, `stableMetadata`.
//!
//! No decision depends on them. So nothing waits for them: a pod that cannot be written stops neither the release nor
//! the other pods.

use super::{super::publish::KubeEvent, TurnRunner, runs, store};
use crate::{
    cache::Entry,
    guard::{Guard, off},
    replica_set::{self, PodMetadata, ReplicaSet, Role},
    text::one_line,
};
use futures::future::join_all;
use rollout_core::{Escaped, Failure, Revision, Status, backend::StoreError, traffic::ObjectRef};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// The most pods that are written in one turn, and at the same time.
const IN_A_TURN: usize = 50;
const AT_ONCE: usize = 10;
/// The longest wait for an answer about a pod: meanwhile, the release waits.
const ANSWER: Duration = Duration::from_secs(2);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const MOST_DOUBLINGS: u32 = 7;
/// The most bytes of an error that is reported.
const ERROR: usize = 1 << 10;

/// The ReplicaSets and pods, by uid, whose last write failed: how often in a row, and when to retry.
#[derive(Debug, Default)]
pub(crate) struct MetadataFailures {
    all: HashMap<String, (u32, Instant)>,
    is_reported: bool,
}

impl MetadataFailures {
    fn is_due(&self, uid: &str, now: Instant) -> bool {
        self.all.get(uid).is_none_or(|(_, retry)| *retry <= now)
    }

    /// Returns how often in a row it failed.
    fn times(&self, uid: &str) -> u32 {
        self.all.get(uid).map_or(0, |(times, _)| *times)
    }

    fn failed(&mut self, uid: &str, now: Instant) {
        let times = self.times(uid);
        let pause = FIRST_PAUSE * (1 << times.min(MOST_DOUBLINGS));
        self.all.insert(uid.to_owned(), (times.saturating_add(1), now + pause));
    }

    fn next(&self) -> Option<Instant> {
        self.all.values().map(|(_, retry)| *retry).min()
    }
}

/// One turn's progress.
#[derive(Default)]
struct Progress {
    written: usize,
    /// Whether pods are left for the next turn.
    more: bool,
    /// Whether an answer took too long: then this turn writes no more pods, so that it is over soon.
    is_slow: bool,
    /// Whether the pods are not listed yet.
    is_unlisted: bool,
    /// The uids of everything that is still wrong.
    wrong: HashSet<String>,
    error: Option<String>,
}

impl TurnRunner<'_> {
    /// Writes what is not right yet, as far as this turn may; returns when to go on.
    pub(super) async fn write_metadata(&mut self, status: &Status) -> Option<Instant> {
        if !replica_set::uses_metadata(&self.reading.rollout.value, &self.reading.sets) {
            self.memory.metadata = MetadataFailures::default();
            return None;
        }
        let mut progress = Progress::default();
        let [stable, current] =
            [&status.stable, &status.canary].map(|one| one.as_ref().map(Revision::as_str));
        for index in 0..self.reading.sets.len() {
            let Some(set) = self.reading.sets.get(index).cloned() else { break };
            let role = Role::of(set.revision.as_str(), stable, current);
            self.write_set_and_pods(set, role, &mut progress).await;
        }
        let failures = &mut self.memory.metadata;
        failures.all.retain(|uid, _| progress.wrong.contains(uid));
        failures.is_reported &= !failures.all.is_empty();
        let mut next =
            if progress.more && !progress.is_slow { Some(Instant::now()) } else { failures.next() };
        if progress.is_unlisted {
            next = next.into_iter().chain([Instant::now() + FIRST_PAUSE]).min();
        }
        if let Some(why) =
            progress.error.filter(|_| !mem::replace(&mut self.memory.metadata.is_reported, true))
        {
            self.report_metadata(&why);
        }
        next
    }

    fn report_metadata(&self, why: &str) {
        tracing::warn!(rollout = self.name, why = %Escaped(why), "labels and annotations of pods could not be written");
        let note = format!(
            "Some labels and annotations of `canaryMetadata` and `stableMetadata` could not be written; the release \
             goes on, and the write is retried: {}",
            one_line(why, ERROR)
        );
        let event = KubeEvent::warning("PodMetadataError", note);
        self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
    }

    async fn write_set_and_pods(&mut self, set: ReplicaSet, role: Role, progress: &mut Progress) {
        let rollout = Arc::clone(&self.reading.rollout.value);
        let was = PodMetadata::of(&set);
        let mut change = replica_set::change_metadata(&rollout, &set, role, false);
        if was.is_none() && change.is_none() || change.is_none() && off(Guard::MetadataIsSeen) {
            return;
        }
        let uid = set.entry.uid().to_owned();
        let pods = match self.view.pods(set.revision.as_str(), &uid) {
            Ok(Some(pods)) => pods,
            Ok(None) => {
                progress.is_unlisted = true;
                return;
            }
            Err(error) => return self.metadata_failed(&uid, &error.to_string(), progress),
        };
        let pods: Vec<Entry> = pods.into_iter().filter(runs).collect();
        if change.is_some() && was.is_none_or(|was| pods.iter().all(|pod| was.patch(pod).is_none())) {
            change = replica_set::change_metadata(&rollout, &set, role, true);
        }
        let Some(set) = self.write_set(set, change, progress).await else { return };
        if let Some(wanted) = PodMetadata::of(&set) {
            self.write_pods(&pods, &wanted, progress).await;
        }
    }

    /// Writes a ReplicaSet, if there is a change; returns it as it is then, or `None` if the write failed.
    async fn write_set(
        &mut self,
        set: ReplicaSet,
        change: Option<Value>,
        progress: &mut Progress,
    ) -> Option<ReplicaSet> {
        let Some(patch) = change else { return Some(set) };
        let (object, uid) = (set.object(), set.entry.uid());
        if !self.memory.metadata.is_due(uid, Instant::now()) {
            progress.wrong.insert(uid.to_owned());
            return None;
        }
        match store::set(self.context, &mut self.reading, (object.clone(), patch)).await {
            Ok(()) => {}
            Err(Failure::Conflict) => {
                // Somebody else wrote it: the watch shows it as it is.
                self.memory.metadata.failed(uid, Instant::now());
                progress.wrong.insert(uid.to_owned());
                return None;
            }
            Err(failure) => {
                self.metadata_failed(uid, &format!("{object}: {failure}"), progress);
                return None;
            }
        }
        self.reading.sets.iter().find(|one| one.revision == set.revision).cloned()
    }

    async fn write_pods(&mut self, pods: &[Entry], wanted: &PodMetadata, progress: &mut Progress) {
        let now = Instant::now();
        let mut due = Vec::new();
        for pod in pods {
            let Some(patch) = wanted.patch(pod) else { continue };
            progress.wrong.insert(pod.uid().to_owned());
            if self.memory.metadata.is_due(pod.uid(), now) {
                due.push((pod, patch));
            }
        }
        let room = if progress.is_slow { 0 } else { IN_A_TURN.saturating_sub(progress.written) };
        progress.more |= due.len() > room;
        // Those that keep failing must not use up the turn.
        due.sort_by_key(|(pod, _)| self.memory.metadata.times(pod.uid()));
        due.truncate(room);
        progress.written += due.len();
        for some in due.chunks(AT_ONCE) {
            let writes = some.iter().map(|(pod, patch)| timeout(ANSWER, self.write_pod(pod, patch, wanted)));
            for ((pod, _), result) in some.iter().zip(join_all(writes).await) {
                match result {
                    Ok(Ok(())) => {
                        progress.wrong.remove(pod.uid());
                    }
                    Ok(Err(why)) => self.metadata_failed(pod.uid(), &why, progress),
                    Err(_) => {
                        progress.is_slow = true;
                        let why = format!("Pod {}: no answer within {} s", pod.name(), ANSWER.as_secs());
                        self.metadata_failed(pod.uid(), &why, progress);
                    }
                }
            }
            if progress.is_slow {
                break;
            }
        }
    }

    /// Writes one pod, and checks that the answer is right.
    async fn write_pod(&self, pod: &Entry, patch: &Value, wanted: &PodMetadata) -> Result<(), String> {
        let caches = &self.context.caches;
        let object =
            ObjectRef::new("", "Pod", pod.text("/metadata/namespace").unwrap_or_default(), pod.name());
        let written = match caches.requests().merge(&object, patch).await {
            Ok(written) => Entry::from(written),
            // The watch will show that it is gone.
            Err(StoreError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let is_right = wanted.patch(&written).is_none();
        caches.put(&object, written, Some(self.view.rollout()));
        if is_right {
            return Ok(());
        }
        Err(format!(
            "{object}: the write succeeded, but the answer does not show it; check for an admission webhook that reverts it"
        ))
    }

    fn metadata_failed(&mut self, uid: &str, why: &str, progress: &mut Progress) {
        self.memory.metadata.failed(uid, Instant::now());
        progress.wrong.insert(uid.to_owned());
        progress.error.get_or_insert_with(|| why.to_owned());
    }
}
