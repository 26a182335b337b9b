//! What the engine waits for, where clients of Argo Rollouts look: a condition of its own type, and the
//! message.

use super::conditions::{Conditions, Said};
use crate::{Waiting, argo::phase::Phase, waiting::WaitReason};
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

/// The condition's type.
const KIND: &str = "Waiting";
/// So many waits are told, the others counted.
const TOLD: usize = 3;

/// Says in the condition what is waited for; it goes when that is over.
pub(super) fn say(conditions: &mut Conditions, waiting: &[Waiting]) {
    let told: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.reason.is_news()).collect();
    let Some(first) = told.first() else { return conditions.remove(KIND) };
    let mut text = String::new();
    for (index, waiting) in told.iter().take(TOLD).enumerate() {
        let stop = if index == 0 { "" } else { ". Also " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{stop}{}; ends {}", waiting.reason, waiting.ends);
    }
    if let Some(more) = told.len().checked_sub(TOLD).filter(|more| *more > 0) {
        let _ = write!(text, ". And {more} more");
    }
    conditions.set(&Said::new(KIND, "True", camel(first.reason.guard()), text));
}

/// The message with the wait behind it; a stable revision that is gone is worse than any phase that is no failure.
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
        (_, None) => Phase { name, message },
    }
}

/// A guard's name as a condition's reason.
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
