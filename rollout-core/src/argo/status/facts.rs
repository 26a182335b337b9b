use crate::{Range, Revision, Status, Time, Waiting, analysis::RunSeen};
use alloc::format;
use serde_json::Value;

/// The facts to report in a Rollout's `status`, beside the engine's own fields.
///
/// Set the fields that are known; fields that are left out stay unchanged in the status.
///
/// ```
/// use rollout_core::{Status, Time, argo::{Facts, next_status}};
/// let rollout = serde_json::json!({"spec": {"replicas": 2}, "status": {"readyReplicas": 2}});
/// let next = next_status(&Facts::new(&rollout, &Status::default(), Time::from_secs(0)));
/// assert_eq!(next["readyReplicas"], 2, "the workloads could not be read: no count changes");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Facts<'f> {
    /// The Rollout as it was read, with its old status.
    pub rollout: &'f Value,
    /// The engine's status, as decided.
    pub status: &'f Status,
    /// The revisions' workloads; `None` if they could not be read: then no count changes.
    pub workloads: Option<&'f [WorkloadFacts]>,
    /// All errors in the spec, in one text.
    pub invalid: Option<&'f str>,
    /// The observed weight of the canary, and the total; `None` without traffic routing.
    pub weight: Option<(Range, u32)>,
    /// The revision to which the canary's destination leads, if that is known and not `status.canary`: while a weight
    /// falls, it is still the revision before.
    pub leads_to: Option<&'f Revision>,
    /// The waits of the decision.
    pub waiting: &'f [Waiting],
    /// The revision whose workload the API server refuses to create, and the reason.
    pub refused: Option<(&'f Revision, &'f str)>,
    /// The time of a restart that is over, as `spec.restartAt` has it.
    pub restarted: Option<&'f str>,
    /// The generation of the object that holds the pod template, if that is not the Rollout.
    pub workload_generation: Option<u64>,
    /// The runs of the analysis of the current step, and of the background analysis, as
    /// [`current_runs`](crate::analysis::current_runs) finds them; `None` if they could not be read: then nothing about
    /// them changes.
    pub runs: Option<[Option<&'f RunSeen>; 2]>,
    /// The current time, for conditions that change.
    pub now: Time,
}

/// One revision's workload, for the counts.
///
/// See [`next_status`](crate::argo::next_status) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkloadFacts {
    /// The revision.
    pub revision: Revision,
    /// The workload's name (`<rollout>-<hash>`).
    pub name: alloc::string::String,
    /// The revision number.
    pub number: u64,
    /// The number of existing pods.
    pub replicas: u32,
    /// The number of ready pods.
    pub ready: u32,
    /// The number of available pods.
    pub available: u32,
    /// The reason and text of the workload's own condition, if its pods cannot be created.
    pub failure: Option<(alloc::string::String, alloc::string::String)>,
}

impl<'f> Facts<'f> {
    /// Creates facts that contain only the engine's status.
    ///
    /// See [`Facts`] for an example.
    #[must_use]
    pub fn new(rollout: &'f Value, status: &'f Status, now: Time) -> Self {
        Self {
            rollout,
            status,
            workloads: None,
            invalid: None,
            weight: None,
            leads_to: None,
            waiting: &[],
            refused: None,
            restarted: None,
            workload_generation: None,
            runs: None,
            now,
        }
    }

    /// Sets the revisions' workloads.
    ///
    /// See [`next_status`](crate::argo::next_status) for an example.
    #[must_use]
    pub fn workloads(mut self, workloads: &'f [WorkloadFacts]) -> Self {
        self.workloads = Some(workloads);
        self
    }

    /// Sets the errors in the spec.
    ///
    /// ```
    /// use rollout_core::{Status, Time, argo::{Facts, next_status}};
    /// let rollout = serde_json::json!({"metadata": {"name": "web"}, "spec": {"replicas": -1}});
    /// let status = Status::default();
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).invalid(Some("spec.replicas: below 0"));
    /// let next = next_status(&facts);
    /// assert_eq!(next["phase"], "Degraded");
    /// assert_eq!(next["message"], r#"InvalidSpec: The Rollout "web" is invalid: spec.replicas: below 0"#);
    /// ```
    #[must_use]
    pub fn invalid(mut self, why: Option<&'f str>) -> Self {
        self.invalid = why;
        self
    }

    /// Sets the waits of the decision.
    ///
    /// ```
    /// use rollout_core::{Range, Status, Time, Waiting, waiting::{Ending, EndsBy, WaitReason}};
    /// use rollout_core::argo::{Facts, next_status};
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    /// # let rollout = serde_json::json!({"spec": {"replicas": 2}});
    /// let reason = WaitReason::StableCannotCarry { need: 2, seen: Range::exact(1) };
    /// let waiting = [Waiting::new(reason.clone(), None, EndsBy::Event(Ending::StableCarries))];
    /// let next = next_status(&Facts::new(&rollout, &status, Time::from_secs(0)).waiting(&waiting));
    /// assert!(next["message"].as_str().unwrap().contains(&reason.to_string()), "{next}");
    /// ```
    #[must_use]
    pub fn waiting(mut self, waiting: &'f [Waiting]) -> Self {
        self.waiting = waiting;
        self
    }

    /// Sets the revision whose workload the API server refuses to create, and the reason.
    ///
    /// ```
    /// use rollout_core::{Revision, Status, Time, argo::{Facts, next_status}};
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    /// # let rollout = serde_json::json!({"metadata": {"name": "web"}, "spec": {"replicas": 2}});
    /// let (v2, quota) = (Revision::from("v2"), "exceeded quota: pods");
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).refused(Some((&v2, quota)));
    /// let conditions = next_status(&facts)["conditions"].to_string();
    /// assert!(conditions.contains(quota), "{conditions}");
    /// ```
    #[must_use]
    pub fn refused(mut self, refused: Option<(&'f Revision, &'f str)>) -> Self {
        self.refused = refused;
        self
    }

    /// Sets the time of a restart that is over, as `spec.restartAt` has it: all pods are newer.
    ///
    /// ```
    /// use rollout_core::{Status, Time, argo::{Facts, next_status}};
    /// let at = "2026-01-31T12:00:00Z";
    /// let (rollout, status) = (serde_json::json!({"spec": {"restartAt": at}}), Status::default());
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0));
    /// assert_eq!(next_status(&facts)["message"], "rollout is restarting");
    /// assert_eq!(next_status(&facts.restarted(Some(at)))["restartedAt"], at);
    /// ```
    #[must_use]
    pub fn restarted(mut self, at: Option<&'f str>) -> Self {
        self.restarted = at;
        self
    }

    /// Sets the generation of the object that holds the pod template (`workloadRef`).
    ///
    /// ```
    /// use rollout_core::{Status, Time, argo::{Facts, next_status}};
    /// let (rollout, status) = (serde_json::json!({"spec": {}}), Status::default());
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).workload_generation(Some(3));
    /// assert_eq!(next_status(&facts)["workloadObservedGeneration"], "3", "as text, as clients expect it");
    /// ```
    #[must_use]
    pub fn workload_generation(mut self, generation: Option<u64>) -> Self {
        self.workload_generation = generation;
        self
    }

    /// Sets the runs of the current analyses: of the step, and beside the steps.
    ///
    /// ```
    /// use rollout_core::{Status, Time, analysis::{Phase, RunId, RunRole, RunSeen}, argo::{Facts, next_status}};
    /// let (rollout, status) = (serde_json::json!({"spec": {}}), Status::default());
    /// let id = RunId::new("v2".into(), "6c5f".into(), RunRole::Step(1), 0);
    /// let run = RunSeen::new("web-v2-2-1", id).phase(Phase::Running);
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).runs(Some([Some(&run), None]));
    /// let shown = &next_status(&facts)["canary"]["currentStepAnalysisRunStatus"];
    /// assert_eq!(shown["status"], "Running");
    /// ```
    #[must_use]
    pub fn runs(mut self, runs: Option<[Option<&'f RunSeen>; 2]>) -> Self {
        self.runs = runs;
        self
    }

    /// Sets the observed weight of the canary, out of `total`.
    ///
    /// ```
    /// use rollout_core::{Range, Status, Time, argo::{Facts, next_status}};
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    /// let rollout = serde_json::json!({"spec": {"strategy": {"canary": {"trafficRouting": {}}}}});
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).weight(Range::exact(5), 1000);
    /// let weights = &next_status(&facts)["canary"]["weights"];
    /// assert_eq!((&weights["canary"]["weight"], &weights["stable"]["weight"]), (&5.into(), &995.into()));
    /// ```
    #[must_use]
    pub fn weight(mut self, weight: Range, total: u32) -> Self {
        self.weight = Some((weight, total));
        self
    }

    /// Sets the revision to which the canary's destination leads. Without it, that is `status.canary`.
    ///
    /// ```
    /// use rollout_core::{Range, Revision, Status, Time, argo::{Facts, next_status}};
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v1".into()));
    /// let rollout = serde_json::json!({"spec": {"strategy": {"canary": {"trafficRouting": {}}}}});
    /// let v2 = Revision::from("v2"); // It was undone, and its requests are being taken back.
    /// let facts = Facts::new(&rollout, &status, Time::from_secs(0)).leads_to(Some(&v2));
    /// let weight = |weight| next_status(&facts.clone().weight(Range::exact(weight), 100));
    /// assert_eq!(weight(25)["canary"]["weights"]["canary"]["podTemplateHash"], "v2");
    /// assert_eq!(weight(0)["canary"]["weights"]["canary"]["podTemplateHash"], "v1", "it has no requests any more");
    /// ```
    #[must_use]
    pub fn leads_to(mut self, revision: Option<&'f Revision>) -> Self {
        self.leads_to = revision;
        self
    }

    pub(super) fn spec(&self, key: &str) -> &'f Value {
        self.rollout.get("spec").and_then(|spec| spec.get(key)).unwrap_or(&Value::Null)
    }

    pub(super) fn canary_spec(&self, key: &str) -> &'f Value {
        self.spec("strategy").get("canary").and_then(|canary| canary.get(key)).unwrap_or(&Value::Null)
    }

    /// Returns the name of the Service of a role: `canaryService` or `stableService`.
    pub(super) fn service(&self, role: &str) -> Option<&'f str> {
        let by_turns = self.canary_spec("pingPong");
        if by_turns.is_null() {
            return self.canary_spec(role).as_str();
        }
        let stable = self.status.stable_ping_pong.unwrap_or_default();
        let of = if role == "stableService" { stable } else { stable.other() };
        by_turns.get(format!("{of}Service"))?.as_str()
    }

    pub(super) fn name(&self) -> &'f str {
        let name = self.rollout.get("metadata").and_then(|metadata| metadata.get("name"));
        name.and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn old(&self, key: &str) -> &'f Value {
        self.rollout.get("status").and_then(|status| status.get(key)).unwrap_or(&Value::Null)
    }

    /// Returns the pods wanted: `spec.replicas`, 1 if absent.
    pub(super) fn replicas(&self) -> u64 {
        self.spec("replicas").as_u64().unwrap_or(1)
    }

    pub(super) fn workload(&self, revision: Option<&Revision>) -> Option<&'f WorkloadFacts> {
        let revision = revision?;
        self.workloads?.iter().find(|workload| workload.revision == *revision)
    }

    /// Returns whether some route still sends requests to the canary's destination: by the last weight that is known.
    pub(super) fn leads_to_canary(&self) -> bool {
        if let Some((weight, _)) = self.weight {
            return weight.hi() > 0;
        }
        let stored = self.rollout.pointer("/status/canary/weights/canary/weight").and_then(Value::as_u64);
        !self.canary_spec("trafficRouting").is_null() && stored.is_some_and(|weight| weight > 0)
    }

    /// Returns whether a pause step, an inconclusive analysis or the user pauses the rollout.
    pub(super) fn paused(&self) -> bool {
        self.status.paused_at.is_some()
            || super::runs::is_unsure(self)
            || self.spec("paused") == &Value::Bool(true)
    }
}

impl WorkloadFacts {
    /// Creates a workload without pods.
    ///
    /// See [`next_status`](crate::argo::next_status) for an example.
    #[must_use]
    pub fn new(revision: Revision, name: &str, number: u64) -> Self {
        Self { revision, name: name.into(), number, replicas: 0, ready: 0, available: 0, failure: None }
    }

    /// Sets the numbers of existing, ready and available pods.
    ///
    /// See [`next_status`](crate::argo::next_status) for an example.
    #[must_use]
    pub fn pods(mut self, replicas: u32, ready: u32, available: u32) -> Self {
        (self.replicas, self.ready, self.available) = (replicas, ready, available);
        self
    }

    /// Sets why its pods cannot be created: the reason and the text of its condition `ReplicaFailure`.
    ///
    /// ```
    /// use rollout_core::{Status, Time, argo::{Facts, WorkloadFacts, next_status}};
    /// # let mut status = Status::default();
    /// # (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    /// # let rollout = serde_json::json!({"metadata": {"name": "web"}, "spec": {"replicas": 2}});
    /// let quota = Some(("FailedCreate", "exceeded quota: pods"));
    /// let workloads = [WorkloadFacts::new("v2".into(), "web-v2", 2).failure(quota)];
    /// let next = next_status(&Facts::new(&rollout, &status, Time::from_secs(0)).workloads(&workloads));
    /// assert!(next["conditions"].to_string().contains("exceeded quota: pods"), "{next}");
    /// ```
    #[must_use]
    pub fn failure(mut self, why: Option<(&str, &str)>) -> Self {
        self.failure = why.map(|(reason, message)| (reason.into(), message.into()));
        self
    }
}
