use super::publish::KubeEvent;
use crate::replica_set::ReplicaSet;
use rollout_core::{
    AbortReason, Event, Revision, Status,
    backend::{EventText, Topic},
    traffic::{ManagedChange, Routes, Selectors, WeightChange},
};
use serde_json::Value;

/// The pods that a ReplicaSet wanted before it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It was created just now.
    Absent,
    Pods(u32),
}

/// Translates engine events into Kubernetes events, with Argo Rollouts' reasons and texts.
pub(super) struct EventTranslator<'s> {
    pub(super) rollout: &'s Value,
    /// The backend's texts about a topic.
    pub(super) describe: &'s dyn Fn(Topic<'_>) -> Vec<EventText>,
    /// The ReplicaSets after the turn.
    pub(super) sets: &'s [ReplicaSet],
    /// One for each `Scaled`, in order.
    pub(super) before: Vec<Before>,
    /// The selectors of the destinations before.
    pub(super) selected: Selectors,
    /// The canary's weight in the last event.
    pub(super) weight: Option<u32>,
    /// The status before the turn.
    pub(super) status: &'s Status,
    /// The current revision: it has, or is about to get, the highest number.
    pub(super) current: Option<&'s Revision>,
    pub(super) steps: usize,
}

impl EventTranslator<'_> {
    /// Translates these events, in order.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "an event without an equivalent in Argo Rollouts is not published"
    )]
    pub(super) fn translate(&mut self, events: &[Event]) -> Vec<KubeEvent> {
        let mut kube_events = Vec::new();
        let mut before = std::mem::take(&mut self.before).into_iter();
        let is_new = before.clone().any(|before| before == Before::Absent);
        let mut events: Vec<&Event> = events.iter().collect();
        events.sort_by_key(|event| rank(event));
        for event in events {
            match event {
                Event::Started { revision, .. } => self.started(revision, is_new, &mut kube_events),
                Event::StepsSkipped { .. } => {
                    kube_events.push(KubeEvent::normal(
                        "SkipSteps",
                        "Rollback to active ReplicaSets within RollbackWindow",
                    ));
                }
                Event::RolledBack { .. } => {
                    kube_events.push(KubeEvent::normal("SkipSteps", "Rollback to stable ReplicaSets"));
                }
                Event::StepCompleted { step, of, what } => {
                    let step = step.saturating_add(1);
                    let note = format!("Rollout step {step}/{of} completed ({what})");
                    kube_events.push(KubeEvent::normal("RolloutStepCompleted", note));
                }
                Event::Paused { .. } => {
                    kube_events
                        .push(KubeEvent::normal("RolloutPaused", "Rollout is paused (CanaryPauseStep)"));
                }
                Event::Resumed => kube_events.push(KubeEvent::normal("RolloutResumed", "Rollout is resumed")),
                Event::Aborted { revision, why } => kube_events.push(self.aborted(revision, why)),
                Event::Completed { revision, before } => {
                    kube_events.push(self.completed(revision, before.as_ref()));
                }
                Event::ProgressDeadlineExceeded { revision } => kube_events.push(KubeEvent::warning(
                    "ProgressDeadlineExceeded",
                    format!("ReplicaSet \"{}\" has timed out progressing.", self.name(revision)),
                )),
                Event::Unconfirmed { .. } => {
                    kube_events.push(KubeEvent::warning("EndpointsNotSeen", event.to_string()));
                }
                Event::Scaled { revision, pods, .. } => {
                    let from = if let Some(Before::Pods(pods)) = before.next() { pods } else { 0 };
                    kube_events.extend(self.scaled(revision, from, *pods));
                }
                Event::Selected(to) => self.select(to, &mut kube_events),
                Event::Routed(to) => self.route(to, &mut kube_events),
                // Argo Rollouts has no events for these; they are only logged.
                _ => {}
            }
        }
        kube_events
    }

    fn started(&self, revision: &Revision, is_new: bool, kube_events: &mut Vec<KubeEvent>) {
        let number = self.number(revision);
        kube_events
            .push(KubeEvent::normal("RolloutUpdated", format!("Rollout updated to revision {number}")));
        if is_new {
            let note = format!("Created ReplicaSet {} (revision {number})", self.name(revision));
            kube_events.push(KubeEvent::normal("NewReplicaSetCreated", note));
        }
        let note = format!("Rollout not completed, started update to revision {number} ({revision})");
        kube_events.push(KubeEvent::normal("RolloutNotCompleted", note));
    }

    fn aborted(&self, revision: &Revision, why: &AbortReason) -> KubeEvent {
        let cause = match why {
            AbortReason::ProgressDeadline => {
                format!(": ReplicaSet \"{}\" has timed out progressing.", self.name(revision))
            }
            AbortReason::Analysis(message) => format!(": {message}"),
            AbortReason::Cluster(cluster) => format!(": it was aborted in cluster {cluster}"),
            AbortReason::Command | _ => String::new(),
        };
        let note = format!("Rollout aborted update to revision {}{cause}", self.number(revision));
        KubeEvent::warning("RolloutAborted", note)
    }

    fn completed(&self, revision: &Revision, before: Option<&Revision>) -> KubeEvent {
        let cause = match before {
            None => "Initial deploy".to_owned(),
            Some(_) if self.status.promote_full => "Full promotion requested".to_owned(),
            Some(_) => format!("Completed all {} canary steps", self.steps),
        };
        let number = self.number(revision);
        KubeEvent::normal(
            "RolloutCompleted",
            format!("Rollout completed update to revision {number} ({revision}): {cause}"),
        )
    }

    fn scaled(&self, revision: &Revision, from: u32, to: u32) -> Option<KubeEvent> {
        if from == to {
            return None;
        }
        let way = if from < to { "up" } else { "down" };
        let (name, number) = (self.name(revision), self.number(revision));
        let note = format!("Scaled {way} ReplicaSet {name} (revision {number}) from {from} to {to}");
        Some(KubeEvent::normal("ScalingReplicaSet", note))
    }

    fn select(&mut self, to: &Selectors, kube_events: &mut Vec<KubeEvent>) {
        self.describe(Topic::Selected { to, before: &self.selected }, kube_events);
        for (destination, to) in to.iter() {
            if to.is_some() {
                self.selected[destination].clone_from(to);
            }
        }
    }

    fn route(&mut self, to: &Routes, kube_events: &mut Vec<KubeEvent>) {
        self.describe(Topic::Routed(&Routes { managed: ManagedChange::Keep, ..to.clone() }), kube_events);
        if let WeightChange::To(weight) = to.weight {
            let weight = weight.parts();
            if self.weight != Some(weight) {
                let from = self.weight.map(|from| format!(" from {from}")).unwrap_or_default();
                let note = format!("Traffic weight updated{from} to {weight}");
                kube_events.push(KubeEvent::normal("TrafficWeightUpdated", note));
            }
            self.weight = Some(weight);
        }
        self.describe(Topic::Routed(&Routes { weight: WeightChange::Keep, ..to.clone() }), kube_events);
    }

    fn describe(&self, topic: Topic<'_>, kube_events: &mut Vec<KubeEvent>) {
        kube_events
            .extend((self.describe)(topic).into_iter().map(|text| KubeEvent::normal(text.reason, text.note)));
    }

    fn name(&self, revision: &Revision) -> String {
        crate::replica_set::name(self.rollout, revision)
    }

    fn number(&self, revision: &Revision) -> u64 {
        let highest = crate::replica_set::highest(self.sets);
        let set = self.sets.iter().find(|set| set.revision == *revision);
        match set {
            Some(set) if set.number == highest || self.current != Some(revision) => set.number,
            Some(_) | None => crate::replica_set::next(highest),
        }
    }
}

/// Returns the rank of an event in Argo Rollouts' order within a turn: steps, then writes, then the outcome.
#[expect(clippy::wildcard_enum_match_arm, reason = "an event that is not published has no rank")]
fn rank(event: &Event) -> u32 {
    match event {
        Event::StepCompleted { .. } => 1,
        Event::Paused { .. } | Event::Resumed => 2,
        Event::Scaled { .. } | Event::Selected(_) | Event::Routed(_) => 3,
        Event::Aborted { .. } | Event::ProgressDeadlineExceeded { .. } | Event::Completed { .. } => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Entry;
    use rollout_core::{
        Step,
        traffic::{Selection, Weight},
    };
    use serde_json::json;

    fn rollout() -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"strategy": {"canary": {}}}})
    }

    fn set(hash: &str, number: u64) -> ReplicaSet {
        ReplicaSet::read(Entry::new(json!({"metadata": {
            "name": format!("web-{hash}"), "labels": {"rollouts-pod-template-hash": hash},
            "annotations": {"rollout.argoproj.io/revision": number.to_string()}
        }})))
        .unwrap()
    }

    fn translate(events: &[Event], before: Vec<Before>) -> Vec<(&'static str, String)> {
        let (rollout, sets, status) = (rollout(), [set("v1", 1), set("v2", 2)], Status::default());
        let (revision, v1) = (Revision::from("v2"), Selection::Revision("v1".into()));
        let describe = |topic: Topic<'_>| match topic {
            Topic::Selected { to, before } => {
                vec![EventText::new("Selected", format!("{:?} from {:?}", to.canary, before.canary))]
            }
            Topic::Routed(to) => vec![EventText::new("Routed", format!("{:?} {:?}", to.weight, to.managed))],
            Topic::Missing(_) | _ => Vec::new(),
        };
        let mut translator = EventTranslator {
            rollout: &rollout,
            describe: &describe,
            sets: &sets,
            before,
            selected: Selectors { stable: Some(v1.clone()), canary: Some(v1) },
            weight: Some(5),
            status: &status,
            current: Some(&revision),
            steps: 3,
        };
        translator.translate(events).into_iter().map(|event| (event.reason, event.note)).collect()
    }

    #[test]
    fn an_update_has_the_events_of_argo_rollouts() {
        let events = [
            Event::Started { revision: "v2".into(), instead_of: None },
            Event::Scaled { revision: "v2".into(), pods: 1, scale_down_deadline: None },
        ];
        let expected = [
            ("RolloutUpdated", "Rollout updated to revision 2"),
            ("NewReplicaSetCreated", "Created ReplicaSet web-v2 (revision 2)"),
            ("RolloutNotCompleted", "Rollout not completed, started update to revision 2 (v2)"),
            ("ScalingReplicaSet", "Scaled up ReplicaSet web-v2 (revision 2) from 0 to 1"),
        ];
        assert_eq!(
            translate(&events, vec![Before::Absent]),
            expected.map(|(reason, note)| (reason, note.to_owned()))
        );
    }

    #[test]
    fn steps_pauses_and_the_end() {
        let events = [
            Event::Resumed,
            Event::Completed { revision: "v2".into(), before: Some("v1".into()) },
            Event::Aborted { revision: "v2".into(), why: AbortReason::Command },
            Event::StepCompleted { step: 0, of: 3, what: Step::SetWeight(5) },
            Event::Paused { until: None },
            Event::Scaled { revision: "v1".into(), pods: 4, scale_down_deadline: None },
        ];
        let expected = [
            ("RolloutStepCompleted", "Rollout step 1/3 completed (setWeight: 5)"),
            ("RolloutResumed", "Rollout is resumed"),
            ("RolloutPaused", "Rollout is paused (CanaryPauseStep)"),
            ("RolloutCompleted", "Rollout completed update to revision 2 (v2): Completed all 3 canary steps"),
            ("RolloutAborted", "Rollout aborted update to revision 2"),
        ];
        let events = translate(&events, vec![Before::Pods(4)]);
        assert_eq!(
            events,
            expected.map(|(reason, note)| (reason, note.to_owned())),
            "only the deadline changed"
        );
    }

    #[test]
    fn traffic_events_are_per_object() {
        let select = Selectors { stable: None, canary: Some(Selection::Revision("v2".into())) };
        let route = Routes {
            weight: WeightChange::To(Weight::new(50, 100)),
            managed: ManagedChange::To(Vec::new()),
            written_for: "v2".into(),
        };
        let expected = [
            ("Selected", "Some(Revision(v2)) from Some(Revision(v1))"),
            ("Routed", "To(Weight { parts: 50, of: 100 }) Keep"),
            ("TrafficWeightUpdated", "Traffic weight updated from 5 to 50"),
            ("Routed", "Keep To([])"),
        ];
        let events = translate(&[Event::Selected(select), Event::Routed(route)], Vec::new());
        assert_eq!(events, expected.map(|(reason, note)| (reason, note.to_owned())));
    }
}
