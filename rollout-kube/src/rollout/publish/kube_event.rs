use crate::text::one_line;
use std::fmt::Display;

/// What is said to the user about an object, in an event.
///
/// A note is shown to people by many programs: it is one line without control characters, and of a length that
/// an API server takes.
///
/// ```
/// use rollout_kube::KubeEvent;
/// assert_eq!(KubeEvent::normal("Scaled", "v2: 4 pods"), KubeEvent::normal("Scaled", "v2: 4 pods"));
/// assert_ne!(KubeEvent::normal("Scaled", "v2: 4 pods"), KubeEvent::warning("Scaled", "v2: 4 pods"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KubeEvent {
    pub(crate) warns: bool,
    pub(crate) reason: &'static str,
    pub(crate) note: String,
}

/// The most bytes of a note: what `events.k8s.io` allows.
const NOTE: usize = 1_024;

impl KubeEvent {
    /// Something that is as it should be. `reason` is a word in `CamelCase` for programs; `note` is cut after 1024 bytes.
    #[must_use]
    pub fn normal(reason: &'static str, note: impl Display) -> Self {
        Self { warns: false, reason, note: one_line(note, NOTE) }
    }

    /// Something that somebody should look at, likewise.
    #[must_use]
    pub fn warning(reason: &'static str, note: impl Display) -> Self {
        Self { warns: true, reason, note: one_line(note, NOTE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_short_line() {
        let said = KubeEvent::warning("Odd", "no\nINFO done\u{1b}[2J");
        assert_eq!(said.note, r"no\nINFO done\u{1b}[2J");
        let said = KubeEvent::normal("Long", "ü".repeat(1_000));
        assert!(said.note.len() <= 1_024 && said.note.ends_with("ü…"), "{}", said.note.len());
    }
}
