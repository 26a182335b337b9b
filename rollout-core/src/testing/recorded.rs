use super::laws::Laws;
use crate::{
    Action, Answer, Command, Failure, Observed, Outcome, Plan, Revision, Spec, Status, Time,
    sim::{Moment, Pod, Proxy, Truth, Watcher, What, Writer},
};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A decision as a driver recorded it, with everything that it was based on.
///
/// See [`Recorded::decided`] for an example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The user's spec.
    pub spec: Spec,
    /// The status that was read.
    pub stored: Status,
    /// The observation.
    pub observed: Observed,
    /// The time on the clock.
    pub now: Time,
    /// The decision.
    pub plan: Plan,
}

/// The cause of a change in the world.
///
/// See [`Recorded`] and [`Recorded::decided`] for examples.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "created by the recorder of the history")]
pub enum Cause<'a> {
    /// A process stored the status.
    Stored(Writer),
    /// A process wrote its nonce.
    Fenced(Writer),
    /// A process carried out an action, even without effect.
    Acted {
        /// The process and its decision.
        by: Writer,
        /// The action.
        action: &'a Action,
        /// Whether the action was refused because another client had written before.
        refused: bool,
    },
    /// Another client, such as the user.
    Foreign,
    /// The world itself: pods and proxies.
    World,
}

/// A history that was recorded elsewhere, such as on a cluster, and is checked against the [`Laws`].
///
/// Pass the complete state after every change (a [`Truth`]: objects by version, each proxy's own copy, pods, the stored
/// status) with its cause, and every decision ([`Record`]) in between. Events are derived by comparison: pods that
/// became ready or ended, objects and endpoints that reached a proxy.
///
/// A pod that disappears while [`Pod::ends`] is set was terminated; any other was lost.
///
/// ```
/// use rollout_core::{Spec, Strategy, Time};
/// use rollout_core::sim::{Truth, SimulatedWorkload};
/// use rollout_core::testing::{Cause, Recorded, laws};
///
/// let spec = Spec::new(Strategy::builder().traffic_routing(true).build()?, "v1".into());
/// let mut history = Recorded::new(laws::Laws::new(laws::all()), Truth::new(spec, Time::from_secs(0)));
/// let mut next = history.truth().clone();
/// next.now = Time::from_secs(1);
/// next.workloads.push(SimulatedWorkload::new("v1".into(), 1));
/// history.becomes(next, Cause::World);
/// assert!(history.laws().violation().is_none());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorded {
    laws: Laws,
    truth: Truth,
    decisions: u64,
}

impl Recorded {
    /// Starts a history with this state.
    ///
    /// See [`Recorded`] for an example.
    #[must_use]
    pub fn new(laws: Laws, truth: Truth) -> Self {
        Self { laws, truth, decisions: 0 }
    }

    /// Returns the current state.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Returns what the laws have found so far.
    #[must_use]
    pub fn laws(&self) -> &Laws {
        &self.laws
    }

    /// Records the decision of a process on a state observed at `seen_at` (milliseconds) or later. The result
    /// identifies the process's writes from now on.
    ///
    /// ```
    /// use rollout_core::{Observed, Spec, Status, Strategy, Time, reconcile, sim::Truth, traffic::Seen};
    /// use rollout_core::testing::{Cause, Record, Recorded, laws};
    /// # let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// # let (stored, now) = (Status::default(), Time::from_secs(0));
    /// # let observed = Observed::new().revisions([]).traffic(Seen::nothing());
    /// # let mut history = Recorded::new(laws::Laws::new(laws::all()), Truth::new(spec.clone(), now));
    /// let plan = reconcile(&spec, &stored, &observed, now);
    /// // A driver writes the record as JSON.
    /// let record = serde_json::json!({
    ///     "spec": spec, "stored": stored, "observed": observed, "now": now, "plan": plan,
    /// });
    /// let record: Record = serde_json::from_value(record)?;
    /// let by = history.decided(1, &record, now.as_millis());
    /// let mut next = history.truth().clone();
    /// next.status = record.plan.status.clone();
    /// history.becomes(next, Cause::Stored(by));
    /// assert_eq!((by.decision, history.truth().status_version), (1, 1));
    /// assert_eq!(history.laws().violation(), None);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn decided(&mut self, process: u32, record: &Record, seen_at: i64) -> Writer {
        self.decisions += 1;
        self.truth.now = self.truth.now.max(record.now);
        let what = What::Decided {
            process,
            decision: self.decisions,
            seen_at: Time::from_millis(seen_at),
            // This is unknown.
            misses_own_write: false,
            spec: &record.spec,
            stored: &record.stored,
            observed: &record.observed,
            now: record.now,
            plan: &record.plan,
        };
        self.laws.see(&Moment { truth: &self.truth, what });
        Writer { process, decision: self.decisions, late: false }
    }

    /// Records a new state of the world and its cause. Unchanged parts may be passed as well.
    ///
    /// The counter of stored statuses is kept here.
    ///
    /// See [`Recorded`] and [`decided`](Self::decided) for examples.
    pub fn becomes(&mut self, mut truth: Truth, cause: Cause<'_>) {
        truth.status_version = self.truth.status_version;
        truth.now = truth.now.max(self.truth.now);
        if truth.status != self.truth.status || matches!(cause, Cause::Stored(_)) {
            truth.status_version += 1;
        }
        let before = core::mem::replace(&mut self.truth, truth);
        if before.spec != self.truth.spec {
            self.see(What::SpecChanged);
        }
        self.caused(&before, cause);
        for (index, proxy) in before.proxies.iter().enumerate() {
            self.delivered(index, proxy);
        }
        self.pods(&before);
    }

    /// Records an operator's command and its result.
    ///
    /// See [`end`](Self::end) for an example.
    pub fn commanded(&mut self, command: &Command, answer: &Answer) {
        self.see(What::Commanded { command, answer });
    }

    /// Records the death of the process.
    ///
    /// See [`end`](Self::end) for an example.
    pub fn crashed(&mut self) {
        self.see(What::Crashed);
    }

    /// Records that there are no faults from now on.
    ///
    /// See [`end`](Self::end) for an example.
    pub fn faults_end(&mut self) {
        self.see(What::FaultsEnd);
    }

    /// Ends the history; `rested` says whether the rollout came to rest.
    ///
    /// ```
    /// use rollout_core::{Answer, Command, CommandKind, Spec, Strategy, Time, sim::Truth};
    /// use rollout_core::{command::{Position, Rejection}, testing::{Recorded, laws}};
    /// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
    /// let truth = Truth::new(spec, Time::from_secs(0));
    /// let mut history = Recorded::new(laws::Laws::new(laws::all()), truth);
    /// let abort = Command::new(CommandKind::Abort, Position::new("v1".into(), 0));
    /// history.commanded(&abort, &Answer::Rejected(Rejection::FirstDeploy));
    /// history.crashed();
    /// history.faults_end();
    /// history.end(false);
    /// let violation = history.laws().violation().map(|violation| violation.law);
    /// assert_eq!(violation, Some("eventually_stable"), "without faults, a rollout must come to rest");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn end(&mut self, rested: bool) {
        if rested {
            self.see(What::Rest);
        }
        self.laws.end(&self.truth, rested);
    }

    fn see(&mut self, what: What<'_>) {
        self.laws.see(&Moment { truth: &self.truth, what });
    }

    fn caused(&mut self, before: &Truth, cause: Cause<'_>) {
        let changed = Ok(Outcome::Changed);
        let answer = |by: Writer| (!by.late).then_some(&changed);
        match cause {
            Cause::Stored(by) => self.see(What::Stored { by }),
            Cause::Fenced(by) => self.see(What::Fenced { by, answer: answer(by) }),
            Cause::Acted { by, action, refused: false } => {
                self.see(What::Acted { by, action, took_effect: true, answer: answer(by) });
            }
            Cause::Acted { by, action, refused: true } => {
                let conflict = Err(Failure::Conflict);
                let answer = (!by.late).then_some(&conflict);
                self.see(What::Acted { by, action, took_effect: false, answer });
            }
            Cause::Foreign => {
                let written = |(index, object): (usize, &crate::sim::TrafficObject)| {
                    let before = before.traffic.get(index);
                    before.is_some_and(|before| before.generation != object.generation).then_some(index)
                };
                let written: Vec<usize> = self.truth.traffic.iter().enumerate().filter_map(written).collect();
                for object in written {
                    self.see(What::ForeignWrite { object });
                }
            }
            Cause::World => {}
        }
    }

    /// Reports what a proxy received.
    fn delivered(&mut self, index: usize, before: &Proxy) {
        let Some(now) = self.truth.proxies.get(index) else { return };
        let objects: Vec<(usize, u64)> = now
            .objects
            .iter()
            .zip(&before.objects)
            .enumerate()
            .filter(|(_, (now, before))| now != before)
            .map(|(object, (_, (from, _)))| (object, *from))
            .collect();
        let endpoints: Vec<Revision> = now
            .endpoints
            .iter()
            .filter(|endpoints| !before.endpoints.contains(endpoints))
            .map(|endpoints| endpoints.revision.clone())
            .collect();
        for (object, from) in objects {
            self.see(What::DeliveredObject { proxy: index, object, from });
        }
        for revision in &endpoints {
            self.see(What::DeliveredEndpoints { proxy: index, revision });
        }
    }

    fn pods(&mut self, before: &Truth) {
        let of = |truth: &Truth, revision: &Revision| {
            truth.workload(revision).map_or(Vec::new(), |workload| workload.pods.clone())
        };
        let mut revisions: Vec<&Revision> =
            before.workloads.iter().map(|workload| &workload.revision).collect();
        let new: Vec<Revision> =
            self.truth.workloads.iter().map(|workload| workload.revision.clone()).collect();
        revisions.extend(new.iter().filter(|revision| before.workload(revision).is_none()));
        for revision in revisions {
            let (was, is) = (of(before, revision), of(&self.truth, revision));
            let ready = |pods: &[Pod], id: u64| pods.iter().any(|pod| pod.id == id && pod.ready);
            for _ in is.iter().filter(|pod| pod.ready && !ready(&was, pod.id)) {
                self.see(What::PodReady(revision));
            }
            for pod in was.iter().filter(|pod| pod.ready && !ready(&is, pod.id)) {
                let asked = pod.ends.is_some();
                self.see(if asked { What::PodEnded(revision) } else { What::PodLost(revision) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Range, RevisionSeen, Step, Strategy,
        sim::{Content, ProxyEndpoints, SimulatedWorkload, TrafficObject},
        testing::laws,
        traffic::{ManagedChange, ObjectRef, Routes, RoutesSeen, Seen, Settled, Weight, WeightChange},
    };
    use alloc::vec;

    /// `v1` has a ready pod, `v2` an unready one, and all requests go to `v1`.
    fn truth() -> Truth {
        let steps = [Step::SetWeight(50), Step::Pause(None)];
        let strategy = Strategy::builder().traffic_routing(true).steps(steps).build().unwrap();
        let mut truth = Truth::new(Spec::new(strategy, "v2".into()), Time::from_secs(100));
        let selectors = Content::Selectors {
            stable: Some(Revision::from("v1").into()),
            canary: Some(Revision::from("v2").into()),
        };
        let object = |name, content| TrafficObject::new(ObjectRef::new("", "Object", "", name), content);
        truth.traffic = vec![object("routes", routes(0)), object("selectors", selectors)];
        for (name, id, ready) in [("v1", 1, true), ("v2", 2, false)] {
            let mut workload = SimulatedWorkload::new(name.into(), id);
            let mut pod = Pod::new(id, Time::from_secs(1));
            (workload.wanted, pod.ready) = (1, ready);
            workload.pods.push(pod);
            truth.workloads.push(workload);
        }
        let mut proxy = Proxy::new("proxy");
        proxy.objects = truth.traffic.iter().map(|object| (1, object.content.clone())).collect();
        proxy.endpoints =
            vec![ProxyEndpoints::new("v1".into(), vec![1]), ProxyEndpoints::new("v2".into(), vec![2])];
        truth.proxies = vec![proxy];
        truth
    }

    fn routes(weight: u32) -> Content {
        let routes = RoutesSeen::new(Range::exact(weight));
        Content::Routes { routes, stable_elsewhere: false, canary_elsewhere: false }
    }

    /// Gives half of the requests to `v2`, which the decision believes to be ready.
    fn record(truth: &Truth) -> Record {
        let weight = WeightChange::To(Weight::new(50, 100));
        let action = Action::Route(Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() });
        let mut stored = Status::default();
        (stored.stable, stored.canary) = (Some("v1".into()), Some("v2".into()));
        let plan = Plan {
            status: stored.clone(),
            actions: vec![action],
            wake: None,
            waiting: Vec::new(),
            events: Vec::new(),
            store: crate::Store::No,
        };
        let revisions = ["v1", "v2"].map(|name| {
            let one = Range::exact(1);
            RevisionSeen::new(name.into()).wanted(1).ready(one).available(one)
        });
        let mut seen = Seen::nothing();
        (seen.behind.stable, seen.behind.canary) =
            (vec![Revision::from("v1").into()], vec![Revision::from("v2").into()]);
        seen.routes = vec![RoutesSeen::new(Range::exact(0))];
        seen.endpoints = vec![("v1".into(), Settled::Yes), ("v2".into(), Settled::Yes)];
        let observed = Observed::new().revisions(revisions).traffic(seen);
        Record { spec: truth.spec.clone(), stored, observed, now: truth.now, plan }
    }

    fn written(ready: bool) -> Recorded {
        let laws = Laws::new(laws::all()).without(&["deterministic", "eventually_stable"]);
        let first = truth();
        let mut history = Recorded::new(laws, first.clone());
        if ready {
            let mut next = first.clone();
            next.workloads[1].pods[0].ready = true;
            history.becomes(next, Cause::World);
        }
        let record = record(&first);
        let by = history.decided(1, &record, record.now.as_millis());
        let mut next = history.truth().clone();
        next.traffic[0].content = routes(50);
        next.traffic[0].generation = 2;
        next.proxies[0].objects[0] = (2, routes(50));
        history.becomes(next, Cause::Acted { by, action: &record.plan.actions[0], refused: false });
        history
    }

    #[test]
    fn a_write_that_leads_to_pods_that_are_not_ready_is_dark() {
        let history = written(false);
        let violation = history.laws().violation().map(|violation| violation.law);
        assert_eq!(violation, Some("no_unserved_write"));
    }

    #[test]
    fn the_same_write_is_fine_when_they_are_ready() {
        let history = written(true);
        assert_eq!(history.laws().violation(), None);
        let unavailable = history.laws().findings().find(|(name, _)| *name == "no_unserved_write");
        assert!(unavailable.is_some_and(|(_, findings)| findings.premises() > 0));
    }
}
