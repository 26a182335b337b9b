//! Carries a restart out: finds the pods, and evicts those that may go. Nothing waits for it.

use super::{
    super::{
        publish::KubeEvent,
        restart::{PodsOf, Restart, assess, outstanding},
    },
    TurnRunner,
};
use crate::{cache::Entry, replica_set::ReplicaSet, text::one_line};
use rollout_core::{Escaped, Status, backend::StoreError, traffic::ObjectRef};
use std::{collections::HashSet, mem, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// The pause after an eviction was refused, usually by a `PodDisruptionBudget`.
const REFUSED: Duration = Duration::from_secs(30);
/// The longest wait for the answer to one eviction: meanwhile, the release waits.
const ANSWER: Duration = Duration::from_secs(2);
/// The most evictions in one turn.
const IN_A_TURN: usize = 10;
/// The most bytes of an error that is reported.
const ERROR: usize = 1 << 10;

/// What a process remembers of a restart.
#[derive(Debug, Default)]
pub(crate) struct RestartMemory {
    /// The uids of pods that were evicted, while the watch still shows them.
    evicted: HashSet<String>,
    /// Until when nothing is evicted.
    retry: Option<Instant>,
    is_reported: bool,
}

impl TurnRunner<'_> {
    /// Finds out what is left to do of a restart.
    pub(super) fn assess_restart(&mut self, status: &Status) -> Restart {
        let rollout = Arc::clone(&self.reading.rollout.value);
        if outstanding(&rollout).is_none() || self.invalid_spec.is_some() {
            self.memory.restart = RestartMemory::default();
            return Restart::None;
        }
        let mut sets: Vec<&ReplicaSet> = self.reading.sets.iter().collect();
        sets.sort_by_key(|set| Some(&set.revision) != status.stable.as_ref());
        let mut all = Vec::new();
        for set in sets {
            match self.view.pods(set.revision.as_str(), set.entry.uid()) {
                Ok(None) => return Restart::Evict(Vec::new()),
                Ok(Some(pods)) => {
                    all.push(PodsOf { set, pods: pods.into_iter().filter(super::runs).collect() });
                }
                Err(error) => {
                    let why = error.to_string();
                    self.restart_failed(&why);
                    return Restart::Evict(Vec::new());
                }
            }
        }
        let evicted = &mut self.memory.restart.evicted;
        evicted.retain(|uid| all.iter().flat_map(|of| &of.pods).any(|pod| pod.uid() == uid));
        assess(&rollout, &all, evicted, self.context.now())
    }

    /// Evicts pods, if it is time; returns when to go on.
    pub(super) async fn evict(&mut self, restart: Restart) -> Option<Instant> {
        let pods = match restart {
            Restart::None | Restart::Done(_) => return None,
            Restart::From(time) => return Some(Instant::now() + time.since(self.context.now())),
            Restart::Evict(pods) => pods,
        };
        if let Some(retry) = self.memory.restart.retry.filter(|retry| *retry > Instant::now()) {
            return Some(retry);
        }
        self.memory.restart.retry = None;
        if self.has_scaled {
            // Its pods and those that are evicted would add up. The watch shows when they have gone and come.
            return Some(Instant::now() + REFUSED);
        }
        for pod in pods.iter().take(IN_A_TURN) {
            if let Err(why) = self.evict_pod(pod).await {
                self.restart_failed(&why);
                break;
            }
            self.memory.restart.evicted.insert(pod.uid().to_owned());
            self.memory.restart.is_reported = false;
            tracing::info!(rollout = self.name, pod = %Escaped(pod.name()), "evicted for a restart");
        }
        // The watch shows when pods have gone and come. If it shows nothing, look again.
        Some(self.memory.restart.retry.unwrap_or_else(|| Instant::now() + REFUSED))
    }

    async fn evict_pod(&self, pod: &Entry) -> Result<(), String> {
        let namespace = pod.text("/metadata/namespace").unwrap_or_default();
        let object = ObjectRef::new("", "Pod", namespace, pod.name());
        let eviction = self.context.caches.requests().evict(&object, pod.uid());
        match timeout(ANSWER, eviction).await {
            Ok(Ok(()) | Err(StoreError::NotFound(_))) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("{object}: no answer within {} s", ANSWER.as_secs())),
        }
    }

    fn restart_failed(&mut self, why: &str) {
        self.memory.restart.retry = Some(Instant::now() + REFUSED);
        tracing::info!(rollout = self.name, why = %Escaped(why), "the restart cannot go on yet");
        if !mem::replace(&mut self.memory.restart.is_reported, true) {
            let note = format!(
                "The restart waits, the release goes on; another attempt follows every {} s: {}",
                REFUSED.as_secs(),
                one_line(why, ERROR)
            );
            let event = KubeEvent::warning("RolloutRestartWaits", note);
            self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
        }
    }
}
