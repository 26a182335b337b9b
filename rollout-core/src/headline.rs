//! The state of a rollout in one sentence.

use crate::{
    Range, Revision, Spec, Status, Time, Waiting, goal,
    waiting::{EndsBy, Settling, WaitReason},
};
use alloc::{
    format,
    string::{String, ToString},
};

/// Describes the state of a rollout in one sentence: its step, the canary's share of requests at that step, and what
/// the rollout is waiting for.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Range, Spec, Status, Step, Strategy, Time, Waiting, headline, waiting::{EndsBy, WaitReason}};
/// let minutes = |n: u64| Some(Duration::from_secs(60 * n));
/// let steps = [Step::SetWeight(5), Step::Pause(minutes(10)), Step::SetWeight(50), Step::Pause(minutes(10))];
/// let spec = Spec::new(Strategy::builder().traffic_routing(true).steps(steps).build()?, "v2".into());
/// let mut status = Status::default();
/// (status.stable, status.canary, status.step) = (Some("v1".into()), Some("v2".into()), 1);
/// status.paused_at = Time::parse_rfc3339("2026-01-31T12:30:00Z");
/// let ends = EndsBy::Time(Time::parse_rfc3339("2026-01-31T12:40:00Z").unwrap());
/// let pause = Waiting::new(WaitReason::Pause, status.paused_at, ends);
/// assert_eq!(headline(&spec, &status, &[pause]), "step 2/4 · 5 % · paused until 12:40 UTC");
///
/// (status.step, status.paused_at) = (2, None);
/// let pods = WaitReason::Pods { revision: "v2".into(), need: 5, seen: Range::exact(3) };
/// let pods = Waiting::new(pods, None, EndsBy::Event(rollout_core::waiting::Ending::PodsReady));
/// assert_eq!(headline(&spec, &status, &[pods]), "step 3/4 · 50 % · waiting for 2 of 5 canary pods");
///
/// (status.stable, status.step) = (Some("v2".into()), 4);
/// assert_eq!(headline(&spec, &status, &[]), "healthy at v2");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
///
/// `status` and `waiting` must come from the same [`Plan`](crate::Plan), and `spec` must be the one it was decided on.
/// Times are in UTC and say so; seconds appear only if they are not 0, and the date only if it differs from the day on
/// which the pause began. The share is a percentage, or a part of the strategy's total if that is not 100. While the
/// rollout still waits to reach that share, requests are split as before.
///
/// Names are not escaped: use [`Escaped`](crate::Escaped) in logs. The wording may change in any version: display it,
/// but base decisions on [`Health`](crate::Health), [`Status`] and [`Waiting`].
#[must_use]
pub fn headline(spec: &Spec, status: &Status, waiting: &[Waiting]) -> String {
    if waiting.iter().any(|waiting| waiting.reason == WaitReason::ScaledToZero) {
        return String::from("scaled to zero");
    }
    let waits = foremost(waiting).filter(|waiting| !status.is_done() || waiting.reason.is_news());
    let mut sentence = place(spec, status, waits);
    if is_under_way(status) {
        sentence += " · ";
        sentence += &goal::at(spec, status).weight.to_string();
    }
    if let Some(waiting) = waits {
        sentence += " · ";
        sentence += &wait(status, waiting);
    }
    sentence
}

fn is_under_way(status: &Status) -> bool {
    status.canary.is_some() && status.stable.is_some() && !status.is_done()
}

/// Returns the most important wait: the one that would remain if all others ended.
fn foremost(waiting: &[Waiting]) -> Option<&Waiting> {
    let first = |wanted: fn(&WaitReason) -> bool| waiting.iter().find(|waiting| wanted(&waiting.reason));
    first(|reason| matches!(reason, WaitReason::PausedByUser | WaitReason::Pause))
        .or_else(|| first(WaitReason::is_news))
        .or_else(|| first(|reason| *reason == WaitReason::Aborted))
        .or_else(|| first(|reason| *reason != WaitReason::CarryingOut))
}

fn place(spec: &Spec, status: &Status, waits: Option<&Waiting>) -> String {
    let Some(canary) = &status.canary else { return String::from("not started") };
    if status.stable.is_none() {
        return format!("first deploy of {canary}");
    }
    if status.is_done() {
        let word = if waits.is_none() && *canary == spec.target { "healthy at" } else { "at" };
        return format!("{word} {canary}");
    }
    let of = spec.strategy.steps().len();
    let step = usize::try_from(status.step).unwrap_or(usize::MAX);
    let step =
        if step < of { format!("step {}/{of}", step + 1) } else { String::from("the end of the steps") };
    if status.aborted.is_some() {
        format!("aborted at {step}")
    } else if status.promote_full {
        String::from("promoted in full")
    } else {
        step
    }
}

fn wait(status: &Status, waiting: &Waiting) -> String {
    match (&waiting.reason, &waiting.ends) {
        (WaitReason::Pause, EndsBy::Time(at)) => format!("paused until {}", clock(*at, status.paused_at)),
        (WaitReason::Pause, _) => String::from("paused until somebody promotes"),
        (WaitReason::Aborted, EndsBy::Command(commands)) => {
            let (last, others) = match commands.split_last() {
                Some((last, others)) if !others.is_empty() => (last, others),
                _ => return waiting.reason.to_string(),
            };
            let others: alloc::vec::Vec<&str> = others.iter().map(|kind| kind.as_str()).collect();
            format!("{} or {last}", others.join(", "))
        }
        (WaitReason::Pods { revision, need, seen }, _) => {
            let late = status.progress.as_ref().is_some_and(|progress| progress.exceeded);
            let late = if late { ", which are late" } else { "" };
            format!("waiting for {}{late}", missing(*need, *seen, role(status, revision)))
        }
        (WaitReason::StableCannotCarry { need, seen }, _) => {
            format!("waiting for {} before traffic can go back", missing(*need, *seen, "stable "))
        }
        (WaitReason::Settling { what, behind, long: false }, _) => settling(what, behind.len()),
        (reason, _) => reason.to_string(),
    }
}

fn settling(what: &Settling, behind: usize) -> String {
    match behind {
        0 => format!("waiting until every proxy has the {what}"),
        1 => format!("waiting until one more proxy has the {what}"),
        behind => format!("waiting until {behind} more proxies have the {what}"),
    }
}

/// Describes how many pods are missing, at most.
fn missing(need: u32, seen: Range, role: &str) -> String {
    match need.saturating_sub(seen.lo()) {
        1 if need == 1 => format!("1 {role}pod"),
        missing => format!("{missing} of {need} {role}pods"),
    }
}

fn role<'r>(status: &Status, revision: &'r Revision) -> &'r str {
    if status.stable.is_none() {
        ""
    } else if status.stable.as_ref() == Some(revision) {
        "stable "
    } else if status.canary.as_ref() == Some(revision) {
        "canary "
    } else {
        "old "
    }
}

/// Formats a time of day in UTC, with the date if it is not the day of `from`.
fn clock(at: Time, from: Option<Time>) -> String {
    let day = |time: Time| time.to_string().split('T').next().map(String::from);
    let text = Time::from_secs(at.ceil_to_second().as_secs()).to_string();
    let (date, clock) = text.split_once('T').unwrap_or(("", &text));
    let clock = clock.trim_end_matches('Z');
    let clock = clock.strip_suffix(":00").unwrap_or(clock);
    if from.and_then(day).as_deref() == Some(date) {
        format!("{clock} UTC")
    } else {
        format!("{date} {clock} UTC")
    }
}
