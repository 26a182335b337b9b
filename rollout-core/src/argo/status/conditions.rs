//! The list of conditions, with Argo Rollouts' rules for changes.

use super::write::time;
use crate::Time;
use alloc::{borrow::Cow, string::String, vec::Vec};
use serde_json::{Value, json};

/// The wanted content of a condition.
pub(super) struct Said {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: Cow<'static, str>,
    pub(super) message: String,
}

impl Said {
    pub(super) fn new(
        kind: &'static str,
        status: &'static str,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, status, reason: reason.into(), message: message.into() }
    }

    pub(super) fn of(
        kind: &'static str,
        holds: bool,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(kind, if holds { "True" } else { "False" }, reason, message)
    }
}

/// The conditions of a status.
pub(super) struct Conditions {
    list: Vec<Value>,
    now: Time,
}

impl Conditions {
    pub(super) fn of(status: &Value, now: Time) -> Self {
        let list = status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        Self { list, now }
    }

    pub(super) fn into_list(self) -> Vec<Value> {
        self.list
    }

    /// Returns the reason in a condition; empty if there is none.
    pub(super) fn reason(&self, kind: &str) -> &str {
        self.get(kind).and_then(|condition| text(condition, "reason")).unwrap_or_default()
    }

    /// Returns the message in a condition; empty if there is none.
    pub(super) fn message(&self, kind: &str) -> &str {
        self.get(kind).and_then(|condition| text(condition, "message")).unwrap_or_default()
    }

    pub(super) fn is_true(&self, kind: &str) -> bool {
        self.get(kind).and_then(|condition| text(condition, "status")) == Some("True")
    }

    pub(super) fn has(&self, kind: &str) -> bool {
        self.get(kind).is_some()
    }

    pub(super) fn remove(&mut self, kind: &str) {
        self.list.retain(|condition| text(condition, "type") != Some(kind));
    }

    /// Sets a condition: nothing changes if status and reason are the same; the transition time stays if only the
    /// reason differs. A condition that changed moves to the end.
    pub(super) fn set(&mut self, said: &Said) {
        let same = |condition: &Value| {
            text(condition, "status") == Some(said.status) && text(condition, "reason") == Some(&*said.reason)
        };
        // The text may change while the problem remains.
        let says_more =
            matches!(said.kind, "InvalidSpec" | "Waiting") || said.reason == "ReplicaSetCreateError";
        if self
            .get(said.kind)
            .is_some_and(|old| same(old) && (!says_more || text(old, "message") == Some(&said.message)))
        {
            return;
        }
        self.renew(said);
    }

    /// Sets a condition even if it is unchanged, so that the time of its last update moves.
    pub(super) fn renew(&mut self, said: &Said) {
        let now = time(self.now);
        let old = self.get(said.kind).filter(|old| text(old, "status") == Some(said.status));
        let since = old.and_then(|old| old.get("lastTransitionTime")).cloned().unwrap_or_else(|| now.clone());
        self.remove(said.kind);
        self.list.push(json!({
            "type": said.kind, "status": said.status, "reason": said.reason, "message": said.message,
            "lastTransitionTime": since, "lastUpdateTime": now,
        }));
    }

    fn get(&self, kind: &str) -> Option<&Value> {
        self.list.iter().find(|condition| text(condition, "type") == Some(kind))
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}
