use super::{context::Context, observe::Reading, workload_ref::GENERATION};
use crate::{
    replica_set::{self, ReplicaSet},
    text::one_line,
};
use rollout_core::{
    Action, Failure, Outcome, Range, Revision, Spec, Status, Time, Waiting,
    analysis::current_runs,
    argo::{Facts, WorkloadFacts, next_status, write_status},
    backend::StoreError,
    traffic::{ObjectRef, Routes, Seen, WeightChange},
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The most bytes of the text that reports an error.
const MESSAGE: usize = 8 << 10;

/// The parts of a decision that the status shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided<'d> {
    pub(super) status: &'d Status,
    pub(super) actions: &'d [Action],
    pub(super) waiting: &'d [Waiting],
    /// The revision whose ReplicaSet the API server refuses to create, and why.
    pub(super) refused: Option<(&'d Revision, &'d str)>,
    /// The time of a restart that is over.
    pub(super) restarted: Option<&'d str>,
}

impl<'d> Decided<'d> {
    /// Only a status.
    pub(super) fn nothing(status: &'d Status) -> Self {
        Self { status, actions: &[], waiting: &[], refused: None, restarted: None }
    }
}

/// Builds the whole next `status` on the wire. Planned weights and scale-downs count as done: the status is stored
/// before the actions, and corrected if one fails.
pub(super) fn wire(
    reading: &Reading,
    spec: Option<&Spec>,
    decided: &Decided<'_>,
    invalid: Option<&str>,
    now: Time,
) -> Value {
    let Decided { status, actions, waiting, refused, restarted } = *decided;
    // The new status is compared with the stored one: so sanitize the text before, not after.
    let invalid = invalid.map(|why| one_line(why, MESSAGE));
    let invalid = invalid.as_deref();
    let is_routed = spec.is_some_and(|spec| spec.strategy.routing().is_some());
    let workloads: Vec<_> = reading
        .sets
        .iter()
        .map(|set| {
            let is_scaled_down = is_routed && wanted_after(set, actions) == 0;
            let most = if is_scaled_down { 0 } else { u32::MAX };
            WorkloadFacts::new(set.revision.clone(), set.name(), set.number)
                .pods(set.replicas.min(most), set.ready.min(most), set.available.min(most))
                .failure(set.failure.as_ref().map(|(reason, message)| (&**reason, &**message)))
        })
        .collect();
    let mut rollout = Cow::Borrowed(&*reading.rollout.value);
    // The error may be in another object than the Rollout: then the decision is stored all the same.
    if invalid.is_some()
        && spec.is_some()
        && let Some(fields) = rollout.to_mut().as_object_mut()
    {
        write_status(status, fields.entry("status").or_insert(Value::Null), now);
    }
    let mut facts = Facts::new(&rollout, status, now).workloads(&workloads).invalid(invalid);
    facts = facts.waiting(waiting).refused(refused).restarted(restarted);
    if let Some(spec) = spec {
        facts = facts.runs(current_runs(spec, status, &reading.observed, now));
    }
    facts = facts.workload_generation(reading.workload.as_ref().map(|workload| workload.generation));
    if let (Some(spec), Some(seen), true) = (spec, &reading.observed.traffic, is_routed) {
        let weight = weight(actions).unwrap_or_else(|| seen.weight());
        facts = facts.weight(weight, spec.strategy.max_weight()).leads_to(leads_to(seen, actions));
    }
    next_status(&facts)
}

/// Returns the pods that a ReplicaSet wants after these actions.
fn wanted_after(set: &ReplicaSet, actions: &[Action]) -> u32 {
    let last = actions.iter().rev().find_map(|action| match action {
        Action::Scale { revision, pods, .. } if *revision == set.revision => Some(*pods),
        Action::Scale { .. }
        | Action::Select(_)
        | Action::Route(_)
        | Action::Run(_)
        | Action::Prune { .. } => None,
    });
    last.unwrap_or(set.wanted)
}

/// Returns the canary's weight that these actions set.
fn weight(actions: &[Action]) -> Option<Range> {
    actions.iter().rev().find_map(|action| match action {
        Action::Route(Routes { weight: WeightChange::To(weight), .. }) => Some(Range::exact(weight.parts())),
        Action::Route(_)
        | Action::Scale { .. }
        | Action::Select(_)
        | Action::Run(_)
        | Action::Prune { .. } => None,
    })
}

/// Returns the revision to which the canary's destination leads after these actions, if all objects agree.
fn leads_to<'d>(seen: &'d Seen, actions: &'d [Action]) -> Option<&'d Revision> {
    let selected = actions.iter().rev().find_map(|action| match action {
        Action::Select(selectors) => selectors.canary.as_ref(),
        Action::Route(_) | Action::Scale { .. } | Action::Run(_) | Action::Prune { .. } => None,
    });
    match (selected, &*seen.behind.canary) {
        (Some(selection), _) | (None, [selection]) => selection.revision(),
        _ => None,
    }
}

/// Returns whether the Rollout's status already reports this error.
pub(super) fn reports_invalid(reading: &Reading, why: &str) -> bool {
    let why = one_line(why, MESSAGE);
    let text = |condition: &Value, key: &str| {
        condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let conditions = reading.rollout.value.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        text(condition, "type") == "InvalidSpec"
            && text(condition, "status") == "True"
            && text(condition, "message").contains(&*why)
    })
}

/// Returns whether this status equals the stored one.
pub(super) fn is_stored(reading: &Reading, status: &Value) -> bool {
    reading.rollout.value.get("status") == Some(status)
}

/// Returns whether this status differs from the stored one only in counts: then it may be stored a little later, with
/// the next other change.
pub(super) fn only_counts(reading: &Reading, status: &Value) -> bool {
    let stored = reading.rollout.value.get("status").unwrap_or(&Value::Null);
    without_counts(stored) == without_counts(status)
}

fn without_counts(status: &Value) -> Value {
    let mut rest = status.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|key, _| !COUNTS.contains(&key.as_str()));
    }
    // The message of an update names the count that it waits for.
    if let Some(canary) = rest.get_mut("canary").and_then(Value::as_object_mut) {
        canary.remove("weights");
    }
    let is_progressing = rest.get("phase").and_then(Value::as_str) == Some("Progressing");
    if let (true, Some(fields)) = (is_progressing, rest.as_object_mut()) {
        fields.retain(|key, _| key != "message");
    }
    let conditions = rest.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        let is_progressing = text("type") == Some("Progressing") && text("status") == Some("True");
        if let Some(fields) = condition.as_object_mut() {
            fields.retain(|key, _| {
                key != "lastUpdateTime" && !(is_progressing && matches!(&**key, "reason" | "message"))
            });
        }
    }
    // A condition that is set again moves to the end: its place means nothing. The engine's own condition includes the
    // progress of the pods; everything else in it changes only with an event or an action.
    if let Some(conditions) = rest.get_mut("conditions").and_then(Value::as_array_mut) {
        // The same holds for what the rollout waits for.
        let may_wait = |condition: &Value| {
            matches!(condition.get("type").and_then(Value::as_str), Some("EngineState" | "Waiting"))
        };
        conditions.retain(|condition| !may_wait(condition));
        conditions.sort_by_key(|condition| condition.get("type").map(ToString::to_string));
    }
    rest
}

const COUNTS: [&str; 5] =
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas"];

/// Stores a status, if the Rollout is unchanged since it was read. Storing an unchanged status proves just that.
pub(super) async fn put(
    context: &Context,
    reading: &mut Reading,
    status: &Value,
) -> Result<Outcome, Failure> {
    let same = is_stored(reading, status);
    let object = object(reading);
    // A status write ignores all other fields.
    let body = json!({
        "apiVersion": reading.rollout.text("/apiVersion"),
        "kind": "Rollout",
        "metadata": {
            "namespace": *object.namespace,
            "name": *object.name,
            "resourceVersion": *reading.rollout.version.write
        },
        "status": status
    });
    let written =
        context.caches.requests().replace_status(&object, &body).await.map_err(StoreError::into_failure)?;
    reading.wrote(context.caches.wrote(&object, written));
    Ok(if same { Outcome::Unchanged } else { Outcome::Changed })
}

/// Builds the patch that gives the current revision, even an old one, the highest number and the Rollout's
/// `minReadySeconds`; `None` if it has both.
pub(super) fn refresh(reading: &Reading, status: &Status) -> Option<(ObjectRef, Value)> {
    let highest = replica_set::highest(&reading.sets);
    let set = reading.sets.iter().find(|set| Some(&set.revision) == status.canary.as_ref())?;
    Some((set.object(), replica_set::refresh(&reading.rollout.value, set, highest)?))
}

/// Changes fields of a ReplicaSet.
pub(super) async fn set(
    context: &Context,
    reading: &mut Reading,
    (object, patch): (ObjectRef, Value),
) -> Result<(), Failure> {
    let written = context.caches.requests().merge(&object, &patch).await.map_err(StoreError::into_failure)?;
    let read = ReplicaSet::read(context.caches.wrote(&object, written));
    let existing = reading.sets.iter_mut().find(|set| set.object() == object);
    if let (Some(read), Some(existing)) = (read, existing) {
        *existing = read;
    }
    Ok(())
}

/// Builds the write of what clients read in the Rollout besides its status, unless it is right already: the number of
/// the current revision, and the pod count. The write is conditional on the version that was read: it also proves that
/// no other process works on the Rollout.
pub(super) fn number(reading: &Reading, status: &Status) -> Option<Number> {
    let set = reading.sets.iter().find(|set| Some(&set.revision) == status.canary.as_ref())?;
    let number = set.number.to_string();
    // Clients compare it with the status.
    let generation = reading.workload.as_ref().map(|workload| workload.generation.to_string());
    let has_generation = reading.rollout.annotation(GENERATION) == generation.as_deref();
    // Whether the field is set, from the view of a merge patch.
    let has_pods = reading.rollout.value.pointer("/spec/replicas").is_some_and(|pods| !pods.is_null());
    let existing = reading.rollout.annotation(replica_set::REVISION);
    if has_pods && existing == Some(&number) && has_generation {
        return None;
    }
    let is_urgent = !has_pods || existing.is_none() || !has_generation;
    let mut patch = json!({"metadata": {
        "resourceVersion": *reading.rollout.version.write,
        "annotations": {replica_set::REVISION: number, GENERATION: generation}
    }});
    if let (false, Some(fields)) = (has_pods, patch.as_object_mut()) {
        fields.insert("spec".to_owned(), json!({"replicas": 1}));
    }
    Some(Number { patch, is_urgent })
}

/// A write of the revision's number.
pub(super) struct Number {
    pub(super) patch: Value,
    /// A client may need it now: it is not set yet.
    pub(super) is_urgent: bool,
}

/// Changes fields of the Rollout.
pub(super) async fn merge(context: &Context, reading: &mut Reading, patch: &Value) -> Result<(), Failure> {
    let object = object(reading);
    let written = context.caches.requests().merge(&object, patch).await.map_err(StoreError::into_failure)?;
    reading.wrote(context.caches.wrote(&object, written));
    Ok(())
}

fn object(reading: &Reading) -> ObjectRef {
    let namespace = reading.rollout.text("/metadata/namespace").unwrap_or_default();
    ObjectRef::new("argoproj.io", "Rollout", namespace, reading.rollout.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Entry;
    use rollout_core::traffic::Weight;
    use rollout_core::{
        Observed,
        argo::{check, convert},
        traffic::{ManagedChange, RoutesSeen},
    };

    fn set(hash: &str) -> ReplicaSet {
        ReplicaSet::read(Entry::new(json!({
            "metadata": {"name": format!("web-{hash}"), "labels": {"rollouts-pod-template-hash": hash}},
            "spec": {"replicas": 1},
            "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        })))
        .unwrap()
    }

    #[test]
    fn planned_actions_are_shown_as_done_and_corrected_if_they_fail() {
        let value = json!({"metadata": {"name": "web"}, "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"canary": {"canaryService": "c", "stableService": "s", "trafficRouting": {"istio": {
                "virtualService": {"name": "web"}}}}},
            "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web"}]}
            }
        }});
        let spec = convert(&check(&value).rollout, "v2".into()).spec.unwrap();
        let mut reading = Reading::without_traffic(Entry::new(value), vec![set("v1"), set("v2")]);
        let mut seen = Seen::nothing();
        seen.routes = vec![RoutesSeen::new(Range::exact(5))];
        seen.behind.canary = vec![Revision::from("v1").into()];
        reading.observed = Observed::new().traffic(seen);
        let mut status = Status::default();
        (status.stable, status.canary) = (Some("v2".into()), Some("v2".into()));
        let shown = |actions: &[Action]| {
            let decided = Decided { actions, ..Decided::nothing(&status) };
            let wire = wire(&reading, Some(&spec), &decided, None, Time::from_secs(0));
            let canary = &wire["canary"]["weights"]["canary"];
            let (weight, behind) = (canary["weight"].clone(), canary["podTemplateHash"].clone());
            (wire["replicas"].clone(), wire["updatedReplicas"].clone(), weight, behind)
        };
        let route = Routes {
            weight: WeightChange::To(Weight::new(0, 100)),
            managed: ManagedChange::Keep,
            written_for: "v2".into(),
        };
        let gone = Action::Scale { revision: Revision::from("v1"), pods: 0, scale_down_deadline: None };
        assert_eq!(shown(&[Action::Route(route), gone]), (json!(1), json!(1), json!(0), json!("v2")));
        assert_eq!(shown(&[]), (json!(2), json!(1), json!(5), json!("v1")), "v1 still has these requests");
    }
}
