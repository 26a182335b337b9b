//! The parts of the status for which Argo Rollouts has no field: stored as the message of a condition of the engine's
//! own type, which every CRD keeps.

use crate::{AbortReason, Progress, Status, Time, fleet::Member, status::Attempts};
use alloc::{boxed::Box, string::String};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TYPE: &str = "EngineState";
pub(super) const REASON: &str = "Stored";

/// The text in the condition's message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Kept {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<AbortReason>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(super) scaled_to_zero: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) attempts: Attempts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fleet: Option<Box<Member>>,
    /// The step at which an update was aborted: clients are shown the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<u32>,
    /// Times that Argo Rollouts' text form cannot express: before the year 0 or after 9999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) paused_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aborted_at: Option<Time>,
}

impl Kept {
    pub(super) fn of(status: &Status) -> Self {
        Self {
            v: 1,
            why: status.aborted.as_ref().map(|aborted| aborted.why.clone()),
            scaled_to_zero: status.scaled_to_zero,
            progress: status.progress.clone(),
            attempts: status.attempts,
            fleet: status.fleet.clone(),
            step: status.aborted.as_ref().map(|_| status.step).filter(|step| *step > 0),
            paused_at: status.paused_at.filter(|at| !is_plain(*at)),
            aborted_at: status.aborted.as_ref().map(|aborted| aborted.at).filter(|at| !is_plain(*at)),
        }
    }

    /// Returns whether there is nothing to keep.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self { v: self.v, ..Self::default() }
    }

    /// Reads the condition, if there is one.
    pub(super) fn read(status: &Map<String, Value>) -> Result<Self, String> {
        let Some(condition) = find(status) else { return Ok(Self::default()) };
        let message = condition.get("message").and_then(Value::as_str).unwrap_or_default();
        let kept: Self = serde_json::from_str(message).map_err(|error| alloc::format!("{error}"))?;
        if kept.v == 1 {
            return Ok(kept);
        }
        Err(alloc::format!("stored by another version of the engine (v{}, this one reads v1)", kept.v))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_none(attempts: &Attempts) -> bool {
    *attempts == Attempts::default()
}

fn find(status: &Map<String, Value>) -> Option<&Value> {
    let conditions = status.get("conditions").and_then(Value::as_array)?;
    conditions.iter().find(|condition| is_ours(condition))
}

pub(super) fn is_ours(condition: &Value) -> bool {
    condition.get("type").and_then(Value::as_str) == Some(TYPE)
}

/// Returns whether a time survives its text form.
pub(super) fn is_plain(time: Time) -> bool {
    Time::parse_rfc3339(&alloc::format!("{time}")) == Some(time)
}
