use super::{
    condition::{Kept, REASON, TYPE, is_ours, is_plain},
    read::PAUSE_STEP,
};
use crate::{Status, Time};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Map, Value, json};

/// Writes a status into a Rollout's `status`, in the fields that clients of Argo Rollouts know.
///
/// Only the engine's own fields change; counts, phase and other conditions stay. Values for which Argo Rollouts has no
/// field go into a condition of the engine's own type, whose times move only when it changes: writing the same status
/// again changes nothing. `now` is used for those times.
///
/// ```
/// use rollout_core::{Status, Time, argo::{read_status, write_status}};
/// use serde_json::json;
/// let mut status = Status::default();
/// (status.step, status.stable) = (2, Some("v1".into()));
/// let mut wire = json!({"readyReplicas": 3});
/// write_status(&status, &mut wire, Time::from_secs(0));
/// assert_eq!(wire, json!({"readyReplicas": 3, "stableRS": "v1", "currentStepIndex": 2}));
/// assert_eq!(read_status(&wire).unwrap().status, status);
/// ```
pub fn write_status(status: &Status, onto: &mut Value, now: Time) {
    if !onto.is_object() {
        *onto = Value::Object(Map::new());
    }
    let Some(map) = onto.as_object_mut() else { return };
    let text = |text: &str| Value::String(text.into());
    set(map, "stableRS", status.stable.as_ref().map(|revision| text(revision.as_str())));
    set(map, "currentPodHash", status.canary.as_ref().map(|revision| text(revision.as_str())));
    // For an aborted update, Argo Rollouts reports no step as done, and its clients rely on that.
    let step = if status.aborted.is_some() { 0 } else { status.step };
    set(map, "currentStepIndex", Some(step.into()));
    set(map, "currentStepHash", status.step_hash.as_deref().map(text));
    set(map, "promoteFull", status.promote_full.then_some(true.into()));
    set(map, "abort", status.aborted.is_some().then_some(true.into()));
    set(map, "abortedAt", status.aborted.as_ref().map(|aborted| time(aborted.at)));
    set(map, "controllerPause", status.paused_at.is_some().then_some(true.into()));
    replace(
        map,
        "pauseConditions",
        is_pause_step,
        status.paused_at.map(|at| json!({"reason": PAUSE_STEP, "startTime": time(at)})),
    );
    let mut canary = map.get("canary").and_then(Value::as_object).cloned().unwrap_or_default();
    set(&mut canary, "stablePingPong", status.stable_ping_pong.map(|stable| text(&format!("{stable}"))));
    set(map, "canary", (!canary.is_empty()).then_some(Value::Object(canary)));
    let kept = Kept::of(status);
    let message = (!kept.is_empty()).then(|| serde_json::to_string(&kept).unwrap_or_default());
    condition(map, message, now);
}

fn condition(map: &mut Map<String, Value>, message: Option<String>, now: Time) {
    let list = map.get("conditions").and_then(Value::as_array);
    let before = list.and_then(|list| list.iter().find(|condition| is_ours(condition)));
    let same = before.and_then(|before| before.get("message")).and_then(Value::as_str) == message.as_deref();
    if same && before.is_some() == message.is_some() {
        return;
    }
    let condition = message.map(|message| {
        let now = time(now);
        json!({
            "type": TYPE, "status": "True", "reason": REASON, "message": message,
            "lastTransitionTime": now, "lastUpdateTime": now,
        })
    });
    replace(map, "conditions", is_ours, condition);
}

fn is_pause_step(condition: &Value) -> bool {
    condition.get("reason").and_then(Value::as_str) == Some(PAUSE_STEP)
}

/// Replaces the engine's item in a list; others stay. A list that becomes empty is removed.
fn replace(map: &mut Map<String, Value>, key: &str, is_ours: impl Fn(&Value) -> bool, item: Option<Value>) {
    let list = map.get(key).and_then(Value::as_array);
    let others = list.into_iter().flatten().filter(|item| !is_ours(item)).cloned();
    let list: Vec<Value> = others.chain(item).collect();
    set(map, key, (!list.is_empty()).then_some(Value::Array(list)));
}

fn set(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => map.insert(key.into(), value),
        None => map.remove(key),
    };
}

/// Formats as RFC 3339; a time that cannot be expressed becomes the nearest one that can.
pub(super) fn time(time: Time) -> Value {
    let edge = if time < Time::from_secs(0) { "0000-01-01T00:00:00Z" } else { "9999-12-31T23:59:59Z" };
    if is_plain(time) { Value::String(format!("{time}")) } else { Value::String(edge.into()) }
}
