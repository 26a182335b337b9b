use super::memory::RolloutMemory;
use rollout_core::{Escaped, Event, Observed, Plan, Spec, Status, Time, headline};
use serde_json::json;
use std::fmt::Write as _;

/// Formats what a plan does and what it waits for, each in one line.
fn describe(plan: &Plan) -> (String, String) {
    let actions: Vec<String> = plan.actions.iter().map(|action| Event::from(action).to_string()).collect();
    let waiting: Vec<String> = plan.waiting.iter().map(ToString::to_string).collect();
    (actions.join("; "), waiting.join("; "))
}

/// Logs a decision, unless the last line was the same.
pub(super) fn decision(memory: &mut RolloutMemory, rollout: &str, spec: &Spec, plan: &Plan, now: &str) {
    let (actions, waiting) = describe(plan);
    // A wait that differs only in its end was logged already.
    let reasons: Vec<String> = plan.waiting.iter().map(|wait| wait.reason.to_string()).collect();
    let status = &plan.status;
    let name = |revision: &Option<rollout_core::Revision>| {
        revision.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let line = format!(
        "{} {} {} {actions} {}",
        name(&status.stable),
        name(&status.canary),
        status.step,
        reasons.join("; ")
    );
    if memory.last_logged == line {
        return;
    }
    memory.last_logged = line;
    tracing::info!(
        rollout,
        at = now,
        headline = %Escaped(headline(spec, &plan.status, &plan.waiting)),
        stable = %Escaped(name(&status.stable)),
        canary = %Escaped(name(&status.canary)),
        step = status.step,
        actions = %Escaped(&actions),
        waiting = %Escaped(&waiting),
        "decided"
    );
}

/// Logs the whole decision at level `debug`. From this record, the decision can be replayed elsewhere, and the laws of
/// `rollout_core::testing` can judge the history.
pub(super) fn record(
    (rollout, process): (&str, &str),
    (spec, stored, observed, now): (&Spec, &Status, &Observed, Time),
    plan: &Plan,
) {
    if tracing::enabled!(target: "rollout_kube::decision", tracing::Level::DEBUG) {
        let record = json!({"spec": spec, "stored": stored, "observed": observed, "now": now, "plan": plan});
        let record = plain(&record.to_string());
        tracing::debug!(target: "rollout_kube::decision", rollout, process, %record, "decision");
    }
}

/// Escapes JSON to printable ASCII, so that no character hides or reorders the text around it.
fn plain(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for found in json.chars() {
        if found.is_ascii() && !found.is_ascii_control() {
            escaped.push(found);
        } else {
            let mut units = [0; 2];
            for unit in found.encode_utf16(&mut units) {
                // Writing to a string never fails.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// Logs what blocks the rollout, unless the last line was the same; returns whether it was logged.
pub(super) fn trouble(memory: &mut RolloutMemory, rollout: &str, why: &str) -> bool {
    if memory.last_logged == why {
        return false;
    }
    why.clone_into(&mut memory.last_logged);
    let why = Escaped(why);
    tracing::warn!(rollout, %why, "held");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_same_json_in_printable_ascii() {
        let value = json!({"name": "a\n\u{1b}\u{202e}\u{9b}\u{7f}ü😀\\"});
        let text = plain(&value.to_string());
        assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
