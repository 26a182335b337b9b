use super::{
    conditions::{Conditions, Said},
    facts::{Facts, WorkloadFacts},
    progressing, runs, waits,
    write::write_status,
};
use crate::{
    Time,
    argo::phase::{Phase, phase},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Map, Value, json};

/// Returns the complete next `status` of a Rollout: the engine's fields, counts, conditions, phase and message, as
/// clients of Argo Rollouts read them. The same facts again change nothing.
///
/// ```
/// use rollout_core::{Status, Time, argo::{Facts, WorkloadFacts, next_status}};
/// use serde_json::json;
/// let rollout = json!({"metadata": {"name": "web", "generation": 3}, "spec": {"replicas": 2}});
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v1".into()));
/// let pods = [WorkloadFacts::new("v1".into(), "web-v1", 1).pods(2, 2, 2)];
/// let next = next_status(&Facts::new(&rollout, &status, Time::from_secs(0)).workloads(&pods));
/// assert_eq!((&next["phase"], &next["availableReplicas"]), (&json!("Healthy"), &json!(2)));
/// assert_eq!(next["observedGeneration"], json!("3"));
/// ```
#[must_use]
pub fn next_status(facts: &Facts<'_>) -> Value {
    let mut next = facts.rollout.get("status").filter(|status| status.is_object()).cloned();
    let next = next.get_or_insert_with(|| Value::Object(Map::new()));
    // An aborted update goes back whatever the spec is now.
    let is_driven = facts.invalid.is_none() || facts.status.aborted.is_some();
    if is_driven {
        write_status(facts.status, next, facts.now);
        runs::say(next, facts);
        weights(next, facts);
    }
    if is_driven || facts.status.canary.is_some() {
        facts.workloads.into_iter().for_each(|workloads| count(next, facts, workloads));
    }
    let steps = facts.canary_spec("steps").as_array();
    if facts.invalid.is_none() && steps.is_none_or(Vec::is_empty) {
        // Argo Rollouts has no step index without steps.
        next.as_object_mut().map(|map| map.remove("currentStepIndex"));
    }
    match facts.workload_generation {
        Some(generation) => put(next, "workloadObservedGeneration", format!("{generation}").into()),
        None if facts.spec("workloadRef").is_null() => {
            next.as_object_mut().map(|map| map.remove("workloadObservedGeneration"));
        }
        // It cannot be read now.
        None => {}
    }
    if let Some(at) = facts.restarted {
        put(next, "restartedAt", at.into());
    }
    let mut conditions = Conditions::of(next, facts.now);
    if is_driven {
        say(&mut conditions, facts, next);
    }
    match facts.invalid {
        None => conditions.remove("InvalidSpec"),
        Some(why) => {
            let message = format!("The Rollout {:?} is invalid: {why}", facts.name());
            conditions.set(&Said::new("InvalidSpec", "True", "InvalidSpec", message));
        }
    }
    waits::say(&mut conditions, facts.waiting);
    put(next, "conditions", Value::Array(conditions.into_list()));
    let generation = facts.rollout.get("metadata").and_then(|metadata| metadata.get("generation"));
    if let Some(generation) = generation.and_then(Value::as_i64) {
        put(next, "observedGeneration", Value::String(format!("{generation}")));
    }
    let seen = waits::tell(shown(facts, next), facts.waiting);
    put(next, "phase", Value::String(seen.name));
    match seen.message.as_str() {
        "" => drop(next.as_object_mut().map(|map| map.remove("message"))),
        message => put(next, "message", message.into()),
    }
    core::mem::take(next)
}

/// Returns the phase by Argo Rollouts' rules, with two exceptions: an update is not over until the routes lead back to
/// stable's destination, and a `restartAt` that is not a time asks for nothing.
fn shown(facts: &Facts<'_>, next: &Value) -> Phase {
    let mut spec = facts.rollout.get("spec").cloned().unwrap_or_default();
    let asked = spec.get("restartAt").and_then(Value::as_str);
    if asked.is_some_and(|asked| Time::parse_rfc3339(asked).is_none()) {
        spec.as_object_mut().map(|spec| spec.remove("restartAt"));
    }
    let seen = phase(&json!({"spec": spec, "status": next}));
    if seen.name == "Healthy" && facts.leads_to_canary() {
        let message = "waiting for all steps to complete: the traffic is returning to the stable destination";
        return Phase { name: "Progressing".into(), message: message.into() };
    }
    seen
}

fn count(next: &mut Value, facts: &Facts<'_>, workloads: &[WorkloadFacts]) {
    let sum = |of: fn(&WorkloadFacts) -> u32| {
        workloads.iter().fold(0_u64, |sum, workload| sum + u64::from(of(workload)))
    };
    let all = sum(|workload| workload.replicas);
    put(next, "replicas", all.into());
    put(next, "HPAReplicas", all.into());
    put(next, "readyReplicas", sum(|workload| workload.ready).into());
    put(next, "availableReplicas", sum(|workload| workload.available).into());
    let updated = facts.workload(facts.status.canary.as_ref()).map_or(0, |workload| workload.replicas);
    put(next, "updatedReplicas", updated.into());
    put(next, "selector", Value::String(selector(facts.spec("selector"))));
}

/// Sets the weights; if objects disagree, they are unknown.
fn weights(next: &mut Value, facts: &Facts<'_>) {
    let Some((weight, total)) = facts.weight.filter(|(weight, _)| weight.is_exact()) else { return };
    let weight = weight.lo();
    let part = |weight: u32, service: &str, revision: Option<&crate::Revision>| {
        let mut part = json!({"weight": weight});
        if let Some(name) = facts.service(service) {
            put(&mut part, "serviceName", name.into());
        }
        if let Some(revision) = revision {
            put(&mut part, "podTemplateHash", revision.as_str().into());
        }
        part
    };
    let canary = facts.leads_to.filter(|_| weight > 0).or(facts.status.canary.as_ref());
    let weights = json!({
        "canary": part(weight, "canaryService", canary),
        "stable": part(total.saturating_sub(weight), "stableService", facts.status.stable.as_ref()),
    });
    let mut canary =
        next.get("canary").filter(|canary| canary.is_object()).cloned().unwrap_or_else(|| json!({}));
    put(&mut canary, "weights", weights);
    put(next, "canary", canary);
}

fn say(conditions: &mut Conditions, facts: &Facts<'_>, next: &Value) {
    let available = next.get("availableReplicas").and_then(Value::as_u64).unwrap_or(0) >= facts.replicas();
    let does = if available {
        "Rollout has minimum availability"
    } else {
        "Rollout does not have minimum availability"
    };
    conditions.set(&Said::of("Available", available, "AvailableReason", does));
    let paused = facts.paused();
    if paused != conditions.is_true("Paused") {
        conditions.set(&Said::of("Paused", paused, "RolloutPaused", "Rollout is paused"));
    }
    conditions.set(&Said::of("Completed", facts.status.is_done(), "RolloutCompleted", "RolloutCompleted"));
    let healthy = progressing::is_healthy(facts, next);
    if healthy || conditions.has("Healthy") {
        let text = if healthy { "Rollout is healthy" } else { "Rollout is not healthy" };
        conditions.set(&Said::of("Healthy", healthy, "RolloutHealthy", text));
    }
    progressing::say(conditions, facts, next);
    replica_failure(conditions, facts);
}

/// Copies what a ReplicaSet reports about pods that cannot be created: the new one's report, else another's.
fn replica_failure(conditions: &mut Conditions, facts: &Facts<'_>) {
    let Some(workloads) = facts.workloads else { return };
    let new = facts.workload(facts.status.canary.as_ref());
    match new.into_iter().chain(workloads).find_map(|workload| workload.failure.as_ref()) {
        Some((reason, message)) => {
            conditions.set(&Said::new("ReplicaFailure", "True", reason.clone(), message.as_str()));
        }
        None => conditions.remove("ReplicaFailure"),
    }
}

/// Formats a label selector as text, as autoscalers read it.
fn selector(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let mut parts: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    parts.sort();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let text = |key: &str| expression.get(key).and_then(Value::as_str).unwrap_or_default();
        let values = expression.get("values").and_then(Value::as_array);
        let values: Vec<&str> = values.into_iter().flatten().filter_map(Value::as_str).collect();
        let key = text("key");
        parts.push(match text("operator") {
            "Exists" => key.into(),
            "DoesNotExist" => format!("!{key}"),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            _ => format!("{key} in ({})", values.join(",")),
        });
    }
    parts.join(",")
}

fn put(value: &mut Value, key: &str, what: Value) {
    if let Some(map) = value.as_object_mut() {
        map.insert(key.into(), what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AbortReason, Aborted, Range, Status, argo::read_status};

    /// A Rollout whose status is written repeatedly.
    struct Told {
        rollout: Value,
        status: Status,
        pods: Vec<WorkloadFacts>,
        now: i64,
    }

    impl Told {
        fn at_rest() -> Self {
            let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": {
                "canaryService": "web-canary", "stableService": "web", "trafficRouting": {},
                "steps": [{"setWeight": 5}, {"pause": {}}]}}});
            let rollout = json!({"metadata": {"name": "web", "generation": 1}, "spec": spec});
            let mut status = Status::default();
            (status.stable, status.canary) = (Some("v1".into()), Some("v1".into()));
            let pods = alloc::vec![WorkloadFacts::new("v1".into(), "web-v1", 1).pods(2, 2, 2)];
            Self { rollout, status, pods, now: 0 }
        }

        fn tell(&mut self, weight: u32) -> &Value {
            self.now += 10;
            let facts =
                Facts::new(&self.rollout, &self.status, Time::from_secs(self.now)).workloads(&self.pods);
            let next = next_status(&facts.clone().weight(Range::exact(weight), 100));
            put(&mut self.rollout, "status", next);
            let facts =
                Facts::new(&self.rollout, &self.status, Time::from_secs(self.now + 5)).workloads(&self.pods);
            let again = next_status(&facts.weight(Range::exact(weight), 100));
            assert_eq!(again, self.rollout["status"], "the same facts again change nothing");
            &self.rollout["status"]
        }

        fn condition(&self, kind: &str) -> (&str, &str, &str) {
            let list = self.rollout["status"]["conditions"].as_array().unwrap();
            let found = list.iter().find(|condition| condition["type"] == kind);
            found.map_or(("", "", ""), |found| {
                let text = |key: &str| found[key].as_str().unwrap();
                (text("status"), text("reason"), text("message"))
            })
        }
    }

    #[test]
    fn the_life_of_an_update() {
        let mut told = Told::at_rest();
        let status = told.tell(0);
        assert_eq!((&status["phase"], status.get("message")), (&json!("Healthy"), None));
        assert_eq!((&status["selector"], &status["HPAReplicas"]), (&json!("app=web"), &json!(2)));
        assert_eq!(told.condition("Completed").0, "True");
        assert_eq!(told.condition("Progressing").1, "NewReplicaSetAvailable");
        assert_eq!(told.condition("Paused"), ("", "", ""));

        told.status.canary = Some("v2".into());
        assert_eq!(told.tell(0)["message"], "more replicas need to be updated");
        let not_made = ("True", "ReplicaSetUpdated", "Rollout \"web\" is progressing.");
        assert_eq!(told.condition("Progressing"), not_made, "it may be refused");
        assert_eq!(told.condition("Healthy").0, "False");

        told.pods.push(WorkloadFacts::new("v2".into(), "web-v2", 2).pods(1, 1, 1));
        told.tell(0);
        let created = ("True", "NewReplicaSetCreated", "Created new replica set \"web-v2\"");
        assert_eq!(told.condition("Progressing"), created);
        told.status.step = 1;
        told.status.paused_at = Some(Time::from_secs(60));
        let status = told.tell(5);
        assert_eq!((&status["phase"], &status["message"]), (&json!("Paused"), &json!("CanaryPauseStep")));
        assert_eq!(
            status["canary"]["weights"]["canary"],
            json!({
            "weight": 5, "serviceName": "web-canary", "podTemplateHash": "v2"})
        );
        assert_eq!(told.condition("Paused").0, "True");
        assert_eq!(told.condition("Progressing").1, "RolloutPaused");

        told.status.paused_at = None;
        told.status.aborted = Some(Aborted::new(Time::from_secs(70), AbortReason::Command).into());
        let status = told.tell(0).clone();
        assert_eq!(status["message"], "RolloutAborted: Rollout aborted update to revision 2");
        assert_eq!(status["currentStepIndex"], 0, "as Argo Rollouts says it");
        assert_eq!(read_status(&status).unwrap().status, told.status, "but the step is not forgotten");
        assert_eq!((&status["phase"], &status["abort"]), (&json!("Degraded"), &json!(true)));
        assert_eq!(told.condition("Paused").0, "False");

        told.pods[0].failure = Some(("FailedCreate".into(), "quota".into()));
        told.tell(0);
        assert_eq!(told.condition("ReplicaFailure"), ("True", "FailedCreate", "quota"));
        told.pods[0].failure = None;
        told.status.aborted = None;
        told.status.step = 0;
        told.tell(0);
        assert_eq!(told.condition("Progressing").1, "RolloutRetry");
        assert_eq!(told.condition("ReplicaFailure").0, "", "it is over");
    }

    #[test]
    fn while_the_routes_cannot_be_read_the_last_weight_counts() {
        let mut told = Told::at_rest();
        told.rollout["spec"]["strategy"]["canary"]["trafficRouting"] = json!({"istio": {}});
        for (weight, phase) in [(100, "Progressing"), (0, "Healthy")] {
            told.tell(weight);
            let facts = Facts::new(&told.rollout, &told.status, Time::from_secs(99)).workloads(&told.pods);
            assert_eq!(next_status(&facts)["phase"], phase);
        }
    }

    #[test]
    fn a_spec_that_is_wrong_says_so_and_moves_nothing_else() {
        let mut told = Told::at_rest();
        told.tell(0);
        let facts =
            Facts::new(&told.rollout, &told.status, Time::from_secs(99)).invalid(Some("spec.replicas: no"));
        let next = next_status(&facts);
        assert_eq!(next["message"], "InvalidSpec: The Rollout \"web\" is invalid: spec.replicas: no");
        assert_eq!(next["availableReplicas"], json!(2));
        told.rollout["status"] = next;
        assert_eq!(told.tell(0)["phase"], "Healthy");
    }
}
