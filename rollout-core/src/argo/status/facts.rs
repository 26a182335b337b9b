use crate::{Range, Revision, Status, Time, Waiting};
use serde_json::Value;

/// What is to be said in a Rollout's `status`, beside the engine's own fields.
///
/// Set the fields that are known; what is left out is left as it stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Facts<'f> {
    /// The Rollout as it was read, with its old status.
    pub rollout: &'f Value,
    /// The engine's status, as decided.
    pub status: &'f Status,
    /// The revisions' workloads; `None` when they could not be read: then no count changes.
    pub workloads: Option<&'f [WorkloadFacts]>,
    /// What is wrong with the spec, all of it in one text.
    pub invalid: Option<&'f str>,
    /// The canary's weight as it was read, out of the total; `None` without traffic routing.
    pub weight: Option<(Range, u32)>,
    /// What the decision waits for.
    pub waiting: &'f [Waiting],
    /// The revision whose workload the API server refuses to make, and why.
    pub refused: Option<(&'f Revision, &'f str)>,
    /// The time, for conditions that change.
    pub now: Time,
}

/// One revision's workload, for the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkloadFacts {
    /// Which revision.
    pub revision: Revision,
    /// The workload's name (`<rollout>-<hash>`).
    pub name: alloc::string::String,
    /// The revision's number.
    pub number: u64,
    /// Pods that exist.
    pub replicas: u32,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that are available.
    pub available: u32,
    /// Why pods of it cannot be made, as its own condition says: reason and text.
    pub failure: Option<(alloc::string::String, alloc::string::String)>,
}

impl<'f> Facts<'f> {
    /// Only the engine's status is known.
    #[must_use]
    pub fn new(rollout: &'f Value, status: &'f Status, now: Time) -> Self {
        Self {
            rollout,
            status,
            workloads: None,
            invalid: None,
            weight: None,
            waiting: &[],
            refused: None,
            now,
        }
    }

    /// The revisions' workloads.
    #[must_use]
    pub fn workloads(mut self, workloads: &'f [WorkloadFacts]) -> Self {
        self.workloads = Some(workloads);
        self
    }

    /// What is wrong with the spec.
    #[must_use]
    pub fn invalid(mut self, why: Option<&'f str>) -> Self {
        self.invalid = why;
        self
    }

    /// What the decision waits for.
    #[must_use]
    pub fn waiting(mut self, waiting: &'f [Waiting]) -> Self {
        self.waiting = waiting;
        self
    }

    /// The revision whose workload the API server refuses to make, and why.
    #[must_use]
    pub fn refused(mut self, refused: Option<(&'f Revision, &'f str)>) -> Self {
        self.refused = refused;
        self
    }

    /// The canary's weight as it was read, out of `total`.
    #[must_use]
    pub fn weight(mut self, weight: Range, total: u32) -> Self {
        self.weight = Some((weight, total));
        self
    }

    pub(super) fn spec(&self, key: &str) -> &'f Value {
        self.rollout.get("spec").and_then(|spec| spec.get(key)).unwrap_or(&Value::Null)
    }

    pub(super) fn canary_spec(&self, key: &str) -> &'f Value {
        self.spec("strategy").get("canary").and_then(|canary| canary.get(key)).unwrap_or(&Value::Null)
    }

    pub(super) fn name(&self) -> &'f str {
        let name = self.rollout.get("metadata").and_then(|metadata| metadata.get("name"));
        name.and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn old(&self, key: &str) -> &'f Value {
        self.rollout.get("status").and_then(|status| status.get(key)).unwrap_or(&Value::Null)
    }

    /// Pods wanted: `spec.replicas`, 1 when absent.
    pub(super) fn replicas(&self) -> u64 {
        self.spec("replicas").as_u64().unwrap_or(1)
    }

    pub(super) fn workload(&self, revision: Option<&Revision>) -> Option<&'f WorkloadFacts> {
        let revision = revision?;
        self.workloads?.iter().find(|workload| workload.revision == *revision)
    }

    /// Whether some route still sends requests to the canary's destination.
    pub(super) fn leads_to_canary(&self) -> bool {
        self.weight.is_some_and(|(weight, _)| weight.hi() > 0)
    }

    /// Whether a pause step or the user holds it.
    pub(super) fn paused(&self) -> bool {
        self.status.paused_at.is_some() || self.spec("paused") == &Value::Bool(true)
    }
}

impl WorkloadFacts {
    /// A workload without pods.
    #[must_use]
    pub fn new(revision: Revision, name: &str, number: u64) -> Self {
        Self { revision, name: name.into(), number, replicas: 0, ready: 0, available: 0, failure: None }
    }

    /// Its pods: how many exist, are ready, are available.
    #[must_use]
    pub fn pods(mut self, replicas: u32, ready: u32, available: u32) -> Self {
        (self.replicas, self.ready, self.available) = (replicas, ready, available);
        self
    }

    /// Why pods of it cannot be made: the reason and the text of its condition `ReplicaFailure`.
    #[must_use]
    pub fn failure(mut self, why: Option<(&str, &str)>) -> Self {
        self.failure = why.map(|(reason, message)| (reason.into(), message.into()));
        self
    }
}
