use super::{observe, observe::Reading};
use crate::{cache::Entry, replica_set::own_template, text::one_line};
use rollout_core::{
    Answer, Command, CommandKind, Escaped, Event, Revision, Spec, Status, Time, apply,
    backend::REVISION_LABEL,
    command::{Edit, Position},
    traffic::ObjectRef,
};
use serde_json::{Map, Value, json};

/// The annotation with a command.
pub(super) const COMMAND: &str = "rollout-core/command";
/// The annotation with the answer to a command.
pub(super) const RECEIPT: &str = "rollout-core/receipt";
/// The condition that remembers which commands were answered; it is stored together with their effect.
const ANSWERED: &str = "EngineCommand";
/// The most bytes of a command.
const LONGEST: usize = 4_096;
/// How many commands are remembered besides the last one.
const REMEMBERED: usize = 15;

const FORM: &str = "write {\"kind\":\"promote\",\"at\":{\"revision\":\"HASH\",\"step\":1}}, where revision is \
                    status.currentPodHash and step is status.currentStepIndex";

/// A parsed command.
#[derive(Debug, Clone, PartialEq)]
struct CommandRequest {
    id: String,
    command: Command,
}

/// The writes for a command, to make once the status is stored.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    receipt: Option<Value>,
    edits: Vec<Edit>,
    /// The condition that remembers it; `None` when nothing is new.
    condition: Option<Value>,
    /// The command's events, to publish once its effect is stored.
    pub(super) events: Vec<Event>,
}

/// Applies the Rollout's command, if it has one that was not answered. Returns the status with the command's effect,
/// and the writes to make once that is stored.
pub(super) fn take(reading: &Reading, spec: &Spec, status: Status, now: Time) -> (Status, Outstanding) {
    let rollout = &reading.rollout;
    let Some(text) = rollout.annotation(COMMAND) else { return (status, Outstanding::default()) };
    let request = match parse(text) {
        Ok(request) => request,
        Err(why) => {
            let receipt =
                json!({"command": shortened(text), "answer": "rejected", "why": why, "time": time(now)});
            return (status, Outstanding::of(rollout, receipt, Vec::new()));
        }
    };
    let answered = Answered::read(rollout);
    if let Some(last) = answered.last.as_ref().filter(|last| last.get("id") == Some(&json!(request.id))) {
        // It was answered; its receipt shows whether its other writes were made, too.
        let under_way = status.canary.as_ref() == Some(&request.command.at.revision)
            && spec.target == request.command.at.revision;
        let edits = last.get("edits").cloned().unwrap_or_default();
        let edits = serde_json::from_value(edits).ok().filter(|_| under_way).unwrap_or_default();
        let receipt = last.get("receipt").cloned().unwrap_or_default();
        return (status, Outstanding::of(rollout, receipt, edits));
    }
    if answered.before.contains(&request.id) {
        let why = "this command was answered before and is not repeated; to repeat it, give it a new \"id\"";
        return (status, Outstanding::of(rollout, request.receipt("rejected", Some(why), now), Vec::new()));
    }
    answer(reading, spec, &status, &request, answered, now)
}

fn answer(
    reading: &Reading,
    spec: &Spec,
    status: &Status,
    request: &CommandRequest,
    answered: Answered,
    now: Time,
) -> (Status, Outstanding) {
    let answer = apply(&request.command, spec, status, &reading.observed, now);
    let gone =
        |edit: &Edit| matches!(edit, Edit::Template(revision) if template(reading, revision).is_none());
    let rejected = |why: String| (status.clone(), Vec::new(), Vec::new(), Some(why));
    let (next, edits, events, why) = match answer {
        Answer::Accepted { edits, .. } if edits.iter().any(gone) => {
            let why = "the ReplicaSet of the stable revision no longer exists, so its template is unknown";
            rejected(why.to_owned())
        }
        Answer::Accepted { status, edits, events } => (status, edits, events, None),
        Answer::Rejected(why) => rejected(why.to_string()),
    };
    let verdict = if why.is_some() { "rejected" } else { "accepted" };
    let id = request.id.as_str();
    let why_shown = why.as_deref().map(|why| tracing::field::display(Escaped(why)));
    let (rollout, kind) = (reading.rollout.name(), request.command.kind);
    tracing::info!(rollout, command = %kind, id = %Escaped(id), why = why_shown, "{verdict}");
    let receipt = request.receipt(verdict, why.as_deref(), now);
    let condition = answered.with(&request.id, &receipt, &edits, verdict);
    (next, Outstanding { receipt: Some(receipt), edits, condition: Some(condition), events })
}

/// Returns whether the Rollout's command is an abort.
pub(super) fn is_abort(rollout: &Entry) -> bool {
    let request = rollout.annotation(COMMAND).and_then(|text| parse(text).ok());
    request.is_some_and(|request| request.command.kind == CommandKind::Abort)
}

impl Outstanding {
    fn of(rollout: &Entry, receipt: Value, edits: Vec<Edit>) -> Self {
        let existing = rollout.annotation(RECEIPT).and_then(|text| serde_json::from_str::<Value>(text).ok());
        if existing.is_some_and(|existing| without_time(existing) == without_time(receipt.clone())) {
            return Self::default();
        }
        Self { receipt: Some(receipt), edits, ..Self::default() }
    }

    /// Adds the condition that remembers the command to a status.
    pub(super) fn remember(&self, status: &mut Value) {
        let Some(condition) = &self.condition else { return };
        let Some(status) = status.as_object_mut() else { return };
        let list = status.entry("conditions").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.retain(|condition| condition.get("type") != Some(&json!(ANSWERED)));
            list.push(condition.clone());
        }
    }

    /// Builds the patch of the workload that holds the template, if the command changes that.
    pub(super) fn workload_patch(&self, reading: &Reading) -> Option<(ObjectRef, Value)> {
        let workload = reading.workload.as_ref().filter(|_| self.receipt.is_some())?;
        let change = self.edits.iter().find_map(|edit| match edit {
            Edit::Template(revision) => template_change(reading, revision),
            Edit::Paused(_) | Edit::Proceed(_) => None,
        })?;
        Some((workload.object.clone(), workload.template_patch(&change)))
    }

    /// Builds the patch with the receipt and the command's changes to the Rollout, conditional on its version. Returns
    /// `None` when there is nothing to write.
    pub(super) fn patch(&self, reading: &Reading) -> Option<Value> {
        let receipt = self.receipt.as_ref()?;
        let mut annotations = Map::new();
        annotations.insert(RECEIPT.to_owned(), receipt.to_string().into());
        let mut spec = Map::new();
        for edit in &self.edits {
            match edit {
                Edit::Paused(paused) => drop(spec.insert("paused".to_owned(), (*paused).into())),
                Edit::Proceed(proceed) => {
                    let proceed = serde_json::to_string(proceed).unwrap_or_default();
                    annotations.insert(observe::PROCEED.to_owned(), proceed.into());
                }
                Edit::Template(revision) if reading.workload.is_none() => {
                    if let Some(change) = template_change(reading, revision) {
                        spec.insert("template".to_owned(), change);
                    }
                }
                // It is in another object.
                Edit::Template(_) => {}
            }
        }
        let mut patch = json!({"metadata": {
            "resourceVersion": *reading.rollout.version.write, "annotations": annotations
        }});
        if let (false, Some(patch)) = (spec.is_empty(), patch.as_object_mut()) {
            patch.insert("spec".to_owned(), spec.into());
        }
        Some(patch)
    }
}

/// Builds the merge patch that turns the template into that of another revision.
fn template_change(reading: &Reading, revision: &Revision) -> Option<Value> {
    let existing = reading.rollout.value.pointer("/spec/template").unwrap_or(&Value::Null);
    Some(difference(existing, &template(reading, revision)?))
}

impl CommandRequest {
    fn receipt(&self, answer: &str, why: Option<&str>, now: Time) -> Value {
        let Command { kind, at, .. } = &self.command;
        let mut receipt = json!({
            "id": self.id, "kind": kind.to_string(),
            "at": {"revision": at.revision.as_str(), "step": at.step}, "answer": answer, "time": time(now)
        });
        if let (Some(why), Some(receipt)) = (why, receipt.as_object_mut()) {
            receipt.insert("why".to_owned(), why.into());
        }
        receipt
    }
}

/// The answered commands.
#[derive(Debug, Default)]
struct Answered {
    last: Option<Value>,
    before: Vec<String>,
}

impl Answered {
    fn read(rollout: &Entry) -> Self {
        let conditions = rollout.value.pointer("/status/conditions").and_then(Value::as_array);
        let ours = conditions.into_iter().flatten().find(|each| each.get("type") == Some(&json!(ANSWERED)));
        let message = ours.and_then(|condition| condition.get("message")).and_then(Value::as_str);
        let kept: Value = message.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let before = kept.get("before").and_then(Value::as_array).into_iter().flatten();
        let before = before.filter_map(|id| id.as_str().map(str::to_owned)).collect();
        Self { last: kept.get("last").cloned(), before }
    }

    /// Builds the condition with one more answer.
    fn with(self, id: &str, receipt: &Value, edits: &[Edit], verdict: &str) -> Value {
        let last = self.last.as_ref().and_then(|last| last.get("id")).and_then(Value::as_str);
        let mut before: Vec<String> = last.map(str::to_owned).into_iter().chain(self.before).collect();
        before.truncate(REMEMBERED);
        let edits = serde_json::to_value(edits).unwrap_or_default();
        let kept = json!({"v": 1, "last": {"id": id, "receipt": receipt, "edits": edits}, "before": before});
        let time = receipt.get("time").cloned().unwrap_or_default();
        json!({
            "type": ANSWERED, "status": "True", "reason": if verdict == "accepted" { "Accepted" } else { "Rejected" },
            "message": kept.to_string(), "lastTransitionTime": time, "lastUpdateTime": time
        })
    }
}

/// Returns the template of a revision, from its ReplicaSet.
fn template(reading: &Reading, revision: &Revision) -> Option<Value> {
    let set = reading.sets.iter().find(|set| set.revision == *revision)?;
    let mut template = own_template(&set.entry)?;
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| key != REVISION_LABEL);
    }
    Some(template)
}

/// Builds the merge patch that turns one value into the other.
fn difference(from: &Value, to: &Value) -> Value {
    let (Some(from), Some(to)) = (from.as_object(), to.as_object()) else { return to.clone() };
    let gone = from.keys().filter(|key| !to.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let other = to.iter().filter(|(key, value)| from.get(*key) != Some(value));
    let other =
        other.map(|(key, value)| (key.clone(), difference(from.get(key).unwrap_or(&Value::Null), value)));
    Value::Object(gone.chain(other).collect())
}

/// Formats a time to the second.
fn time(now: Time) -> String {
    Time::from_secs(now.as_secs()).to_string()
}

fn without_time(mut receipt: Value) -> Value {
    if let Some(receipt) = receipt.as_object_mut() {
        receipt.retain(|key, _| key != "time");
    }
    receipt
}

fn shortened(text: &str) -> String {
    one_line(text, 200)
}

/// Parses a command. The error says where and what is wrong, and what to write instead.
fn parse(text: &str) -> Result<CommandRequest, String> {
    if text.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes; {FORM}"));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON ({error}); {FORM}"))?;
    let fields = value.as_object().ok_or_else(|| format!("it must be a JSON object; {FORM}"))?;
    reject_unknown(fields, "", &["id", "kind", "at"])?;
    let kinds = || CommandKind::ALL.map(CommandKind::as_str).join(", ");
    let kind: CommandKind = match fields.get("kind") {
        Some(Value::String(name)) => {
            name.parse().map_err(|_| format!("kind: {name:?} is not a command; write one of {}", kinds()))?
        }
        _ => return Err(format!("kind: must be the name of a command; write one of {}", kinds())),
    };
    let at = fields.get("at").and_then(Value::as_object);
    let at = at.ok_or_else(|| {
        format!("at: must hold the revision and the step that the command is about; {FORM}")
    })?;
    reject_unknown(at, "at.", &["revision", "step"])?;
    let revision = at.get("revision").and_then(Value::as_str).filter(|revision| !revision.is_empty());
    let revision = revision.ok_or_else(|| format!("at.revision: must be a revision's hash; {FORM}"))?;
    let step = at.get("step").and_then(Value::as_u64).and_then(|step| u32::try_from(step).ok());
    let step = step.ok_or_else(|| format!("at.step: must be a whole number from 0; {FORM}"))?;
    let id = match fields.get("id") {
        None => format!("{kind} {revision} {step}"),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 64 => id.clone(),
        Some(_) => {
            return Err("id: must be a text of 1 to 64 bytes, different for every command".to_owned());
        }
    };
    Ok(CommandRequest { id, command: Command::new(kind, Position::new(revision.into(), step)) })
}

fn reject_unknown(fields: &Map<String, Value>, path: &str, names: &[&str]) -> Result<(), String> {
    match fields.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(format!("{path}{key}: unknown field; {FORM}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_with_its_position_and_its_identity() {
        let request = parse(r#"{"kind":"promote-full","at":{"revision":"v2","step":3}}"#).unwrap();
        assert_eq!(request.command, Command::new(CommandKind::PromoteFull, Position::new("v2".into(), 3)));
        assert_eq!(request.id, "promote-full v2 3");
        let request = parse(r#"{"id":"x","kind":"promoteFull","at":{"revision":"v2","step":3}}"#).unwrap();
        assert_eq!((request.command.kind, request.id.as_str()), (CommandKind::PromoteFull, "x"));
    }

    #[test]
    fn an_error_names_its_place_and_what_to_write_instead() {
        let cases = [
            ("promote", "it is not JSON"),
            ("[]", "it must be a JSON object"),
            (
                r#"{"kind":"promot","at":{}}"#,
                "kind: \"promot\" is not a command; write one of promote, promote-full, skip",
            ),
            (r#"{"at":{}}"#, "kind: must be the name of a command"),
            (r#"{"kind":"abort"}"#, "at: must hold the revision and the step"),
            (r#"{"kind":"abort","at":{"step":1}}"#, "at.revision: must be"),
            (r#"{"kind":"abort","at":{"revision":"v2","step":-1}}"#, "at.step: must be a whole number"),
            (r#"{"kind":"abort","at":{"revision":"v2","setp":1}}"#, "at.setp: unknown field"),
            (r#"{"kind":"abort","when":1,"at":{"revision":"v2","step":1}}"#, "when: unknown field"),
            (r#"{"kind":"abort","id":7,"at":{"revision":"v2","step":1}}"#, "id: must be a text"),
        ];
        for (text, expected) in cases {
            let why = parse(text).unwrap_err();
            assert!(why.starts_with(expected), "{text}: {why}");
        }
    }

    #[test]
    fn a_merge_patch_restores_the_whole_template() {
        let from =
            json!({"metadata": {"labels": {"app": "web", "new": "1"}}, "spec": {"containers": [1, 2]}});
        let to = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [1], "dns": "x"}});
        let expected =
            json!({"metadata": {"labels": {"new": null}}, "spec": {"containers": [1], "dns": "x"}});
        assert_eq!(difference(&from, &to), expected);
    }
}
