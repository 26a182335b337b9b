use super::{context::Context, observe::Reading};
use crate::{
    replica_set::{self, ReplicaSet},
    text::one_line,
};
use rollout_core::{
    Action, Failure, Outcome, Range, Revision, Spec, Status, Time, Waiting,
    argo::{Facts, WorkloadFacts, next_status, write_status},
    backend::StoreError,
    traffic::{ObjectRef, Routes, WeightChange},
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The most bytes of what is said to be wrong.
const MESSAGE: usize = 8 << 10;

/// What was decided, as far as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided<'d> {
    pub(super) status: &'d Status,
    pub(super) actions: &'d [Action],
    pub(super) waiting: &'d [Waiting],
    /// The revision whose ReplicaSet the API server refuses to make, and why.
    pub(super) refused: Option<(&'d Revision, &'d str)>,
}

impl<'d> Decided<'d> {
    /// Nothing but a status.
    pub(super) fn nothing(status: &'d Status) -> Self {
        Self { status, actions: &[], waiting: &[], refused: None }
    }
}

/// The whole next `status` on the wire; what is about to be done counts as done, as far as it is about weights
/// and pods that go: the status is stored before, and corrected if it fails.
pub(super) fn wire(
    reading: &Reading,
    spec: Option<&Spec>,
    decided: &Decided<'_>,
    invalid: Option<&str>,
    now: Time,
) -> Value {
    let Decided { status, actions, waiting, refused } = *decided;
    // What is stored is compared with what is to be stored: it is made fit to be shown before, not after.
    let invalid = invalid.map(|why| one_line(why, MESSAGE));
    let invalid = invalid.as_deref();
    let is_routed = spec.is_some_and(|spec| spec.strategy.routing().is_some());
    let workloads: Vec<_> = reading
        .sets
        .iter()
        .map(|set| {
            let goes = is_routed && asked_for(set, actions) == 0;
            let most = if goes { 0 } else { u32::MAX };
            WorkloadFacts::new(set.revision.clone(), set.name(), set.number)
                .pods(set.replicas.min(most), set.ready.min(most), set.available.min(most))
                .failure(set.failure.as_ref().map(|(reason, message)| (&**reason, &**message)))
        })
        .collect();
    let mut rollout = Cow::Borrowed(&*reading.rollout.value);
    // What is wrong may be an object beside the Rollout: what is decided all the same is stored.
    if invalid.is_some()
        && spec.is_some()
        && let Some(fields) = rollout.to_mut().as_object_mut()
    {
        write_status(status, fields.entry("status").or_insert(Value::Null), now);
    }
    let mut facts = Facts::new(&rollout, status, now).workloads(&workloads).invalid(invalid);
    facts = facts.waiting(waiting).refused(refused);
    if let (Some(spec), Some(seen), true) = (spec, &reading.observed.traffic, is_routed) {
        let weight = weight(actions).unwrap_or_else(|| seen.weight());
        facts = facts.weight(weight, spec.strategy.max_weight());
    }
    next_status(&facts)
}

/// The pods that a ReplicaSet is asked for, when these actions are done.
fn asked_for(set: &ReplicaSet, actions: &[Action]) -> u32 {
    let last = actions.iter().rev().find_map(|action| match action {
        Action::Scale { revision, pods, .. } if *revision == set.revision => Some(*pods),
        Action::Scale { .. } | Action::Select(_) | Action::Route(_) | Action::Prune { .. } => None,
    });
    last.unwrap_or(set.wanted)
}

/// The canary's weight that these actions set.
fn weight(actions: &[Action]) -> Option<Range> {
    actions.iter().rev().find_map(|action| match action {
        Action::Route(Routes { weight: WeightChange::To(weight), .. }) => Some(Range::exact(weight.parts())),
        Action::Route(_) | Action::Scale { .. } | Action::Select(_) | Action::Prune { .. } => None,
    })
}

/// Whether the Rollout already says that this is wrong.
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

/// Whether this is what is stored.
pub(super) fn is_stored(reading: &Reading, status: &Value) -> bool {
    reading.rollout.value.get("status") == Some(status)
}

/// Whether this only differs from what is stored in how many there are of what: then it may come a little
/// later, with the next thing that has to be said.
pub(super) fn only_counts(reading: &Reading, status: &Value) -> bool {
    let stored = reading.rollout.value.get("status").unwrap_or(&Value::Null);
    without_counts(stored) == without_counts(status)
}

fn without_counts(status: &Value) -> Value {
    let mut rest = status.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|key, _| !COUNTS.contains(&key.as_str()));
    }
    // Which of its counts an update waits for is one of them.
    let is_progressing = rest.get("phase").and_then(Value::as_str) == Some("Progressing");
    if let (true, Some(fields)) = (is_progressing, rest.as_object_mut()) {
        fields.retain(|key, _| key != "message");
    }
    let conditions = rest.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        let text = |key: &str| condition.get(key).and_then(Value::as_str);
        let goes_on = text("type") == Some("Progressing") && text("status") == Some("True");
        if let Some(fields) = condition.as_object_mut() {
            fields.retain(|key, _| {
                key != "lastUpdateTime" && !(goes_on && matches!(&**key, "reason" | "message"))
            });
        }
    }
    // A condition that was set again stands at the end: its place says nothing. The engine's own also says how
    // the pods come along; what else it says is never decided without an event or an action.
    if let Some(conditions) = rest.get_mut("conditions").and_then(Value::as_array_mut) {
        // Likewise what is waited for.
        let comes_with_the_next = |condition: &Value| {
            matches!(condition.get("type").and_then(Value::as_str), Some("EngineState" | "Waiting"))
        };
        conditions.retain(|condition| !comes_with_the_next(condition));
        conditions.sort_by_key(|condition| condition.get("type").map(ToString::to_string));
    }
    rest
}

const COUNTS: [&str; 6] =
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "canary"];

/// Stores a status, if the Rollout is still the one that was read. A status that is unchanged proves that it
/// is.
pub(super) async fn put(
    context: &Context,
    reading: &mut Reading,
    status: &Value,
) -> Result<Outcome, Failure> {
    let same = is_stored(reading, status);
    let object = object(reading);
    // Of what is written to the status, the server takes nothing else.
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
    reading.rollout = context.caches.wrote(&object, written);
    Ok(if same { Outcome::Unchanged } else { Outcome::Changed })
}

/// What gives the current revision the highest number, also one that was there before; `None` when it has it.
pub(super) fn renumber(reading: &Reading, status: &Status) -> Option<(ObjectRef, Value)> {
    let highest = replica_set::highest(&reading.sets);
    let set = reading.sets.iter().find(|set| Some(&set.revision) == status.canary.as_ref())?;
    Some((set.object(), replica_set::renumber(set, highest)?))
}

/// Changes leaves of a ReplicaSet.
pub(super) async fn set(
    context: &Context,
    reading: &mut Reading,
    (object, patch): (ObjectRef, Value),
) -> Result<(), Failure> {
    let written = context.caches.requests().merge(&object, &patch).await.map_err(StoreError::into_failure)?;
    let read = ReplicaSet::read(context.caches.wrote(&object, written));
    let there = reading.sets.iter_mut().find(|set| set.object() == object);
    if let (Some(read), Some(there)) = (read, there) {
        *there = read;
    }
    Ok(())
}

/// What clients read in the Rollout beside its status, if it is not so yet: the number of the current
/// revision, and how many pods it has. The write is conditional on the version that was read: it also proves
/// that nobody else is at work.
pub(super) fn number(reading: &Reading, status: &Status) -> Option<Number> {
    let set = reading.sets.iter().find(|set| Some(&set.revision) == status.canary.as_ref())?;
    let number = set.number.to_string();
    // Whether the field is there for a merge patch, whatever it says.
    let has_pods = reading.rollout.value.pointer("/spec/replicas").is_some_and(|pods| !pods.is_null());
    let there = reading.rollout.annotation(replica_set::REVISION);
    if has_pods && there == Some(&number) {
        return None;
    }
    let is_urgent = !has_pods || there.is_none();
    let mut patch = json!({"metadata": {
        "resourceVersion": *reading.rollout.version.write,
        "annotations": {replica_set::REVISION: number}
    }});
    if let (false, Some(fields)) = (has_pods, patch.as_object_mut()) {
        fields.insert("spec".to_owned(), json!({"replicas": 1}));
    }
    Some(Number { patch, is_urgent })
}

/// A write of the number.
pub(super) struct Number {
    pub(super) patch: Value,
    /// Somebody may need it now: nothing is there yet.
    pub(super) is_urgent: bool,
}

/// Changes leaves of the Rollout.
pub(super) async fn merge(context: &Context, reading: &mut Reading, patch: &Value) -> Result<(), Failure> {
    let object = object(reading);
    let written = context.caches.requests().merge(&object, patch).await.map_err(StoreError::into_failure)?;
    reading.rollout = context.caches.wrote(&object, written);
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
        traffic::{ManagedChange, RoutesSeen, Seen},
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
    fn what_is_about_to_be_done_is_shown_and_taken_back_when_it_is_not() {
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
        reading.observed = Observed::new().traffic(seen);
        let mut status = Status::default();
        (status.stable, status.canary) = (Some("v2".into()), Some("v2".into()));
        let shown = |actions: &[Action]| {
            let decided = Decided { actions, ..Decided::nothing(&status) };
            let wire = wire(&reading, Some(&spec), &decided, None, Time::from_secs(0));
            let weight = wire["canary"]["weights"]["canary"]["weight"].clone();
            (wire["replicas"].clone(), wire["updatedReplicas"].clone(), weight)
        };
        let route = Routes {
            weight: WeightChange::To(Weight::new(0, 100)),
            managed: ManagedChange::Keep,
            written_for: "v2".into(),
        };
        let gone = Action::Scale { revision: Revision::from("v1"), pods: 0, scale_down_deadline: None };
        assert_eq!(shown(&[Action::Route(route), gone]), (json!(1), json!(1), json!(0)));
        assert_eq!(shown(&[]), (json!(2), json!(1), json!(5)));
    }
}
