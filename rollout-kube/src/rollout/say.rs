use super::memory::Memory;
use rollout_core::{Event, Observed, Plan, Spec, Status, Time};
use serde_json::json;

/// What a plan does and what it waits for, in one line.
fn line(plan: &Plan) -> (String, String) {
    let actions: Vec<String> = plan.actions.iter().map(|action| Event::from(action).to_string()).collect();
    let waiting: Vec<String> =
        plan.waiting.iter().map(|wait| format!("{}; ends {}", wait.reason, wait.ends)).collect();
    (actions.join("; "), waiting.join("; "))
}

/// Says one decision in the log, unless the last one said the same.
pub(super) fn decision(memory: &mut Memory, rollout: &str, plan: &Plan, now: &str) {
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
    if memory.said == said {
        return;
    }
    memory.said = said;
    tracing::info!(
        rollout,
        at = now,
        stable = %name(&status.stable),
        canary = %name(&status.canary),
        step = status.step,
        actions = %actions,
        waiting = %waiting,
        "decided"
    );
}

/// Writes the whole decision down, at the level `debug`: with it, the decision can be taken again elsewhere, and
/// the history be judged by the laws of `rollout_core::testing`.
pub(super) fn record(
    rollout: &str,
    (spec, stored, observed, now): (&Spec, &Status, &Observed, Time),
    plan: &Plan,
) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let record = json!({"spec": spec, "stored": stored, "observed": observed, "now": now, "plan": plan});
        tracing::debug!(rollout, %record, "decision");
    }
}

/// Says in the log what is in the way, unless the last line said the same; whether it is news.
pub(super) fn trouble(memory: &mut Memory, rollout: &str, why: &str) -> bool {
    if memory.said == why {
        return false;
    }
    why.clone_into(&mut memory.said);
    tracing::warn!(rollout, why, "held");
    true
}
