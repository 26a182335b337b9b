use super::memory::RolloutMemory;
use rollout_core::{Escaped, Event, Observed, Plan, Spec, Status, Time, headline};
use serde_json::json;
use std::fmt::Write as _;

/// What a plan does and what it waits for, in one line.
fn line(plan: &Plan) -> (String, String) {
    let actions: Vec<String> = plan.actions.iter().map(|action| Event::from(action).to_string()).collect();
    let waiting: Vec<String> =
        plan.waiting.iter().map(|wait| format!("{}; ends {}", wait.reason, wait.ends)).collect();
    (actions.join("; "), waiting.join("; "))
}

/// Says one decision in the log, unless the last one said the same.
pub(super) fn decision(memory: &mut RolloutMemory, rollout: &str, spec: &Spec, plan: &Plan, now: &str) {
    let (actions, waiting) = line(plan);
    // What only differs in when it ends was said.
    let reasons: Vec<String> = plan.waiting.iter().map(|wait| wait.reason.to_string()).collect();
    let status = &plan.status;
    let name = |revision: &Option<rollout_core::Revision>| {
        revision.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let said = format!(
        "{} {} {} {actions} {}",
        name(&status.stable),
        name(&status.canary),
        status.step,
        reasons.join("; ")
    );
    if memory.last_logged == said {
        return;
    }
    memory.last_logged = said;
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

/// Writes the whole decision down, at the level `debug`: with it, the decision can be taken again elsewhere, and
/// the history be judged by the laws of `rollout_core::testing`.
pub(super) fn record(
    (rollout, process): (&str, &str),
    (spec, stored, observed, now): (&Spec, &Status, &Observed, Time),
    plan: &Plan,
) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let record = json!({"spec": spec, "stored": stored, "observed": observed, "now": now, "plan": plan});
        let record = plain(&record.to_string());
        tracing::debug!(rollout, process, %record, "decision");
    }
}

/// The same JSON, in which a text has no character that hides or turns what is around it.
fn plain(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for found in json.chars() {
        if found.is_ascii() && !found.is_ascii_control() {
            plain.push(found);
        } else {
            let mut units = [0; 2];
            for unit in found.encode_utf16(&mut units) {
                // To write into a text never fails.
                let _ = write!(plain, "\\u{unit:04x}");
            }
        }
    }
    plain
}

/// Says in the log what is in the way, unless the last line said the same; whether it is news.
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
    fn a_record_is_the_same_json_in_plain_characters() {
        let value = json!({"name": "a\n\u{1b}\u{202e}\u{9b}\u{7f}ü😀\\"});
        let text = plain(&value.to_string());
        assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
