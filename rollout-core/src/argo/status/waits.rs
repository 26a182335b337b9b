//! What is blocking progress, where clients of Argo Rollouts look: a condition of the engine's own type, and the
//! message.

use super::conditions::{Conditions, Said};
use crate::{Waiting, argo::phase::Phase, waiting::WaitReason};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write as _;

/// The condition's type.
const KIND: &str = "Waiting";
/// The number of waits that are listed; the others are counted.
const TOLD: usize = 3;

/// Sets the condition with the current waits; removes it when there are none.
pub(super) fn say(conditions: &mut Conditions, waiting: &[Waiting]) {
    let told: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.reason.is_news()).collect();
    let Some(first) = told.first() else { return conditions.remove(KIND) };
    let mut text = String::new();
    for (index, waiting) in told.iter().take(TOLD).enumerate() {
        let stop = if index == 0 { "" } else { ". Also " };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{stop}{waiting}");
    }
    if let Some(more) = told.len().checked_sub(TOLD).filter(|more| *more > 0) {
        let _ = write!(text, ". And {more} more");
    }
    conditions.set(&Said::new(KIND, "True", camel(first.reason.guard()), text));
}

/// Appends the wait to the message. A missing stable revision overrides any phase that is not a failure. A Rollout is
/// healthy while the workload that served before it still has pods, and says that it has.
pub(super) fn tell(phase: Phase, waiting: &[Waiting]) -> Phase {
    let gone = waiting.iter().find(|waiting| matches!(waiting.reason, WaitReason::StableGone { .. }));
    let Phase { name, message } = phase;
    match (&*name, gone) {
        ("Degraded", Some(gone)) => Phase { message: format!("{message}; {}", gone.reason), name },
        (_, Some(gone)) => Phase { name: "Degraded".into(), message: format!("StableGone: {}", gone.reason) },
        ("Progressing", None) => match waiting.iter().find(|waiting| waiting.reason.is_news()) {
            Some(waiting) => Phase { message: format!("{message}: {}", waiting.reason), name },
            None => Phase { name, message },
        },
        ("Healthy", None) => {
            let hands_over = |waiting: &&Waiting| matches!(waiting.reason, WaitReason::HandOver { .. });
            let said = waiting.iter().find(hands_over).map_or(message, ToString::to_string);
            Phase { name, message: said }
        }
        (_, None) => Phase { name, message },
    }
}

/// Converts a guard's name into a condition's reason.
fn camel(words: &str) -> String {
    let words = words.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}
