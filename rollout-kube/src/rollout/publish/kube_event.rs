use crate::text::one_line;
use std::fmt::Display;

/// A Kubernetes event about an object: type, reason and note.
///
/// Many programs show notes to people: a note is one line without control characters, short enough for an API server.
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

/// The most bytes of a note, as in `events.k8s.io`.
const NOTE: usize = 1_024;

impl KubeEvent {
    /// Creates an event of type `Normal`. `reason` is a word in `CamelCase` for programs; `note` is cut at 1024 bytes.
    ///
    /// See [`Publisher`](crate::Publisher) for an example.
    #[must_use]
    pub fn normal(reason: &'static str, note: impl Display) -> Self {
        Self { warns: false, reason, note: one_line(note, NOTE) }
    }

    /// Creates an event of type `Warning`, likewise.
    ///
    /// See [`KubeEvent`] for an example.
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
        let event = KubeEvent::warning("Odd", "no\nINFO done\u{1b}[2J");
        assert_eq!(event.note, r"no\nINFO done\u{1b}[2J");
        let event = KubeEvent::normal("Long", "ü".repeat(1_000));
        assert!(event.note.len() <= 1_024 && event.note.ends_with("ü…"), "{}", event.note.len());
    }
}
