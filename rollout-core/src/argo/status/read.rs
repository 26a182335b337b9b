use super::{condition::Kept, runs};
use crate::{
    AbortReason, Aborted, CommandKind, Revision, Status, Time,
    argo::{Finding, Severity, reader::describe},
    traffic::StablePingPong,
};
use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};
use serde_json::{Map, Value};

/// A status that was read, and the commands that clients gave by writing into it.
///
/// See [`read_status`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireStatus {
    /// The status as the engine last stored it.
    pub status: Status,
    /// The commands that the kubectl plugin or Argo CD gave by changing a field. Apply them at the position of
    /// `status`, and store the result.
    pub requests: Vec<CommandKind>,
}

/// Reads a Rollout's `status`, including one that Argo Rollouts' controller wrote.
///
/// Clients give commands by writing fields. `abort: true` without a time is an abort that is not carried out yet; a
/// time without `abort: true` is a retry, and with `promoteFull: true` a full promotion all the same; `controllerPause: true` without a pause condition means that a client ended
/// the pause, or wants an inconclusive analysis of a step to be measured again. Their other changes (`promoteFull`, `currentStepIndex`) are ordinary status.
///
/// ```
/// use rollout_core::{CommandKind, argo::read_status};
/// use serde_json::json;
/// let read = read_status(&json!({
///     "stableRS": "v1", "currentPodHash": "v2", "currentStepIndex": 1, "abort": true
/// }))?;
/// assert_eq!(read.status.step, 1);
/// assert_eq!(read.requests, [CommandKind::Abort]);
/// # Ok::<(), Vec<rollout_core::argo::Finding>>(())
/// ```
///
/// # Errors
/// Returns every field that cannot be read. Such a status must hold the rollout; it is never a fresh start.
pub fn read_status(status: &Value) -> Result<WireStatus, Vec<Finding>> {
    let none = Map::new();
    let mut fields = Fields { map: &none, errors: Vec::new() };
    match status {
        Value::Null => {}
        Value::Object(map) => fields.map = map,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.wrong("", "a map", status);
        }
    }
    let read = fields.read();
    if fields.errors.is_empty() { Ok(read) } else { Err(fields.errors) }
}

struct Fields<'s> {
    map: &'s Map<String, Value>,
    errors: Vec<Finding>,
}

impl Fields<'_> {
    fn read(&mut self) -> WireStatus {
        let kept = Kept::read(self.map).unwrap_or_else(|error| {
            self.error("conditions", error, "it is kept, not reset");
            Kept::default()
        });
        let mut requests = Vec::new();
        let paused_at = self.pause(&mut requests).map(|at| kept.paused_at.unwrap_or(at));
        let aborted = self.abort(&kept, &mut requests);
        let promote_full = self.flag("promoteFull");
        // An abort ends a full promotion: this one was asked for after it.
        let is_asked_for = promote_full && aborted.is_some();
        requests.extend(is_asked_for.then_some(CommandKind::PromoteFull));
        let (stable, canary) = (self.revision("stableRS"), self.revision("currentPodHash"));
        // A client that wrote a step other than the one shown for an aborted update means that step.
        let step = match self.step() {
            0 if aborted.is_some() => kept.step.unwrap_or(0),
            step => step,
        };
        let status = Status {
            stable,
            canary,
            step,
            step_hash: self.text("currentStepHash").map(Arc::from),
            paused_at,
            aborted,
            promote_full: promote_full && !is_asked_for,
            scaled_to_zero: kept.scaled_to_zero,
            stable_ping_pong: self.stable_ping_pong(),
            progress: kept.progress,
            attempts: kept.attempts,
            fleet: kept.fleet,
        };
        WireStatus { status, requests }
    }

    /// Reads when a pause step began.
    fn pause(&mut self, requests: &mut Vec<CommandKind>) -> Option<Time> {
        let none = Vec::new();
        let conditions = match self.get("pauseConditions") {
            None => &none,
            Some(Value::Array(conditions)) => conditions,
            Some(other) => {
                let other = other.clone();
                self.wrong("pauseConditions", "a list", &other);
                &none
            }
        };
        let is_step =
            |condition: &&Value| condition.get("reason").and_then(Value::as_str) == Some(PAUSE_STEP);
        let step = conditions.iter().find(is_step).cloned();
        let (is_empty, paused) = (conditions.is_empty(), self.flag("controllerPause"));
        let [of_step, beside] = runs::inconclusive(self.map);
        match (is_empty, paused) {
            // An inconclusive analysis is measured again.
            (true, true) if of_step => requests.push(CommandKind::Resume),
            (true, true) => requests.push(CommandKind::Promote),
            // With the step, a client moved on past an inconclusive analysis.
            (true, false) if beside => requests.push(CommandKind::Resume),
            _ => {}
        }
        let started = step?.get("startTime").and_then(Value::as_str).and_then(Time::parse_rfc3339);
        if started.is_none() {
            self.error(
                "pauseConditions",
                "its start time cannot be read",
                "write it as 2026-01-31T12:00:00Z",
            );
        }
        started.map(Time::ceil_to_second)
    }

    fn abort(&mut self, kept: &Kept, requests: &mut Vec<CommandKind>) -> Option<Box<Aborted>> {
        let (asked, at) = (self.flag("abort"), self.time("abortedAt"));
        match (asked, at) {
            (true, None) => requests.push(CommandKind::Abort),
            (false, Some(_)) => requests.push(CommandKind::Retry),
            (true, Some(_)) | (false, None) => {}
        }
        let why = kept.why.clone().unwrap_or(AbortReason::Command);
        Some(Aborted::new(kept.aborted_at.or(at)?, why).into())
    }

    fn step(&mut self) -> u32 {
        let Some(value) = self.get("currentStepIndex").cloned() else { return 0 };
        let index = value.as_u64().and_then(|index| u32::try_from(index).ok());
        if index.is_none() {
            self.wrong("currentStepIndex", "a whole number from 0", &value);
        }
        index.unwrap_or(0)
    }

    fn stable_ping_pong(&mut self) -> Option<StablePingPong> {
        let value = self.get("canary")?.get("stablePingPong")?.clone();
        match value.as_str() {
            Some("ping") => Some(StablePingPong::Ping),
            Some("pong") => Some(StablePingPong::Pong),
            Some("") => None,
            _ => {
                self.errors.push(Finding::error(
                    "status.canary.stablePingPong",
                    "is neither `ping` nor `pong`",
                    "write the Service that is stable",
                ));
                None
            }
        }
    }

    fn revision(&mut self, key: &str) -> Option<Revision> {
        self.text(key).filter(|hash| !hash.is_empty()).map(Revision::from)
    }

    fn time(&mut self, key: &str) -> Option<Time> {
        let text = self.text(key)?;
        let time = Time::parse_rfc3339(&text);
        if time.is_none() {
            self.error(key, format!("{text:?} is not a time"), "write it as 2026-01-31T12:00:00Z");
        }
        time
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key)?.clone();
        let text = value.as_str().map(String::from);
        if text.is_none() {
            self.wrong(key, "text", &value);
        }
        text
    }

    fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.get(key).cloned() else { return false };
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(key, "`true` or `false`", &value);
        }
        flag.unwrap_or(false)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, wanted: &str, found: &Value) {
        self.error(key, format!("must be {wanted}, found {}", describe(found)), "");
    }

    fn error(&mut self, key: &str, message: impl Into<String>, instead: &str) {
        let path = crate::argo::path::child("status", key);
        let path = if key.is_empty() { "status".into() } else { path };
        self.errors.push(Finding::new(Severity::Error, path, message, instead));
    }
}

/// Argo Rollouts' reason for the pause of a pause step.
pub(super) const PAUSE_STEP: &str = "CanaryPauseStep";
