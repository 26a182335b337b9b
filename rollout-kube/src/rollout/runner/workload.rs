//! Writes to the object that holds the pod template (`workloadRef`): its pods, once the Rollout serves in its place.

use super::{
    super::{publish::KubeEvent, workload_ref::ScaleDown},
    TurnRunner,
};
use crate::{
    cache::Entry,
    guard::{Guard, off},
};
use rollout_core::{
    Escaped, Failure, Plan, Time, Waiting,
    backend::StoreError,
    traffic::{ObjectRef, Settled},
    waiting::{Ending, EndsBy, Settling, WaitReason},
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// The pause after a conflict, and after the same number of pods was written three times; then it doubles with each
/// further time.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const MOST_DOUBLINGS: u32 = 6;
/// The pause after a write of the workload failed.
const RETRY: Duration = Duration::from_secs(20);
/// The pause before another look at proxies that are behind; a change of what they have comes earlier.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How often the workload was scaled to the same number of pods: somebody else may scale it, too.
#[derive(Debug, Default)]
pub(crate) struct WorkloadScaling {
    pods: Option<u32>,
    times: u32,
    not_before: Option<Instant>,
}

/// A wait until the workload may lose pods, and how long until the next look.
type HandOver = (Waiting, Duration);

impl WorkloadScaling {
    /// Returns until when the workload is left as it is.
    fn until(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }

    /// Records a write; returns whether somebody else must have undone the earlier ones.
    fn again(&mut self, pods: u32, now: Instant) -> bool {
        self.times = if self.pods.replace(pods) == Some(pods) { self.times.saturating_add(1) } else { 0 };
        // Another client may undo it once or twice.
        if self.times > 1 {
            self.not_before = Some(now + FIRST_PAUSE * (1 << (self.times - 2).min(MOST_DOUBLINGS)));
        }
        self.times > 2
    }

    fn rest(&mut self, until: Instant) -> Instant {
        *self.not_before.insert(until)
    }
}

impl TurnRunner<'_> {
    /// Changes fields of the workload.
    pub(super) async fn write_workload(&mut self, object: &ObjectRef, patch: &Value) -> Result<(), Failure> {
        let caches = &self.context.caches;
        let written = caches.requests().merge(object, patch).await.map_err(StoreError::into_failure)?;
        caches.put(object, Entry::from(written), Some(self.view.rollout()));
        Ok(())
    }

    /// Scales the Deployment that served before the Rollout did, as the Rollout asks for; returns when to retry.
    pub(super) async fn scale_workload(&mut self, plan: &Plan, now: Time) -> Option<Instant> {
        if let Some((_, again)) = self.hand_over(plan, now) {
            return Some(Instant::now() + again);
        }
        let pods = self.workload_pods(plan)?;
        let workload = self.reading.workload.clone().filter(|workload| workload.replicas != Some(pods))?;
        if self.takes_pods(plan) && self.reading.observed.traffic.is_none() {
            return Some(Instant::now() + LOOK_AGAIN);
        }
        if let Some(until) = self.memory.scaling.until(Instant::now()) {
            return Some(until);
        }
        tracing::info!(rollout = self.name, workload = %workload.object, pods, "scales the workload");
        match self.write_workload(&workload.object, &workload.scale_patch(pods)).await {
            Ok(()) => {
                if self.memory.scaling.again(pods, Instant::now()) {
                    let note = format!(
                        "{} is scaled again and again by another client; this Rollout asks for {pods} pods",
                        workload.object
                    );
                    self.publish_once(&KubeEvent::warning("ScalingWorkloadError", note));
                }
                None
            }
            // Do not wait for a newer version to be seen: there need not be one.
            Err(Failure::Conflict) => Some(self.memory.scaling.rest(Instant::now() + FIRST_PAUSE)),
            Err(failure) => {
                let note = format!("{} could not be scaled to {pods} pods: {failure}", workload.object);
                tracing::warn!(rollout = self.name, why = %Escaped(&note), "the workload could not be scaled");
                self.publish_once(&KubeEvent::warning("ScalingWorkloadError", note));
                Some(self.memory.scaling.rest(Instant::now() + RETRY))
            }
        }
    }

    /// Returns whether the workload is to lose pods now.
    fn takes_pods(&self, plan: &Plan) -> bool {
        let existing = self.reading.workload.as_ref().and_then(|workload| workload.replicas);
        self.workload_pods(plan).zip(existing).is_some_and(|(pods, existing)| pods < existing)
    }

    /// Returns the wait while a proxy may still need pods that the workload is to lose: until it has the selectors that
    /// leave them out, or, during the first deploy, the endpoints of the pods that replace them. If the proxies cannot
    /// be asked, old pods stay for the scale-down delay, as in any release.
    pub(super) fn hand_over(&self, plan: &Plan, now: Time) -> Option<HandOver> {
        let workload = self.reading.workload.as_ref().filter(|_| self.takes_pods(plan))?;
        let seen = self.reading.observed.traffic.as_ref()?;
        let (what, settled) = if plan.status.is_done() {
            (Settling::Selectors, &seen.selectors_settled)
        } else {
            // Without Services and routes of the Rollout, no proxy may ever get its endpoints.
            let is_reached = !seen.behind.stable.is_empty() || !seen.routes.is_empty();
            let mut answers = seen.endpoints.iter().filter(|_| is_reached);
            let (revision, settled) =
                answers.find(|(revision, _)| Some(revision) == plan.status.canary.as_ref())?;
            (Settling::Endpoints(revision.clone()), settled)
        };
        let (since, behind, ends, again) = match settled {
            Settled::Yes => return None,
            Settled::NotYet { since, behind } => {
                (*since, behind.clone(), EndsBy::Event(Ending::EveryProxyFollows), LOOK_AGAIN)
            }
            Settled::Unknown { age } => {
                let delay = self.spec.strategy.scale_down_delay();
                let age_millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                // Rounded, because each turn measures the age anew.
                let since = now.as_millis().saturating_sub(age_millis).saturating_add(500).div_euclid(1000);
                let since = Time::from_secs(since);
                (since, Vec::new(), EndsBy::Time(since + delay), delay.saturating_sub(*age))
            }
        };
        let reason = WaitReason::HandOver { workload: workload.object.to_string(), what, behind };
        (!again.is_zero()).then(|| (Waiting::new(reason, Some(since), ends), again))
    }

    /// Returns how many pods the Deployment is to have; `None` to leave it as it is.
    fn workload_pods(&self, plan: &Plan) -> Option<u32> {
        let workload = self.reading.workload.as_ref()?;
        let (setting, existing) = (workload.scale_down, workload.replicas?);
        let (status, replicas) = (&plan.status, self.spec.replicas);
        if setting == ScaleDown::Never || replicas == 0 || status.scaled_to_zero {
            return None;
        }
        let current = self.reading.sets.iter().find(|set| Some(&set.revision) == status.canary.as_ref());
        let available = current.map_or(0, |set| set.available);
        let available = if off(Guard::HandOver) { replicas } else { available };
        if status.is_done() {
            // The Rollout serves all requests: its own pods, wherever they come from.
            let serves = available >= replicas && plan.actions.is_empty() && plan.waiting.is_empty();
            return (serves && self.reading.trouble.is_none()).then_some(0);
        }
        if status.stable.is_some() || setting != ScaleDown::Progressively {
            return None;
        }
        if status.progress.as_ref().is_some_and(|progress| progress.exceeded) {
            // The first deploy fails: the Deployment serves again.
            return workload.replicas_before.map(|before| before.max(existing));
        }
        // Each available pod replaces one.
        let rest = if available >= replicas { 0 } else { workload.before().saturating_sub(available) };
        Some(existing.min(rest))
    }
}
