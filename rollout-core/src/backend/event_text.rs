use crate::traffic::{ObjectRef, Routes, Selectors};
use alloc::string::String;

/// The subject of a Kubernetes event that a backend words for its traffic manager.
///
/// ```
/// use rollout_core::{backend::{EventText, Topic}, traffic::{Routes, WeightChange, ManagedChange, Weight}};
/// /// Returns what a traffic manager of your own says about a topic.
/// fn describe(topic: Topic<'_>) -> Vec<EventText> {
///     match topic {
///         Topic::Routed(Routes { weight: WeightChange::To(weight), .. }) => {
///             vec![EventText::new("TrafficWeightUpdated", format!("the canary gets {weight}"))]
///         }
///         _ => Vec::new(),
///     }
/// }
/// let weight = WeightChange::To(Weight::new(5, 100));
/// let routes = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// assert_eq!(describe(Topic::Routed(&routes))[0].note, "the canary gets 5 %");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topic<'a> {
    /// Destinations were pointed at other pods.
    Selected {
        /// What was written.
        to: &'a Selectors,
        /// What was behind each destination before, if known.
        before: &'a Selectors,
    },
    /// Requests are split in a new way.
    Routed(&'a Routes),
    /// An object is missing.
    Missing(&'a ObjectRef),
}

/// The two texts of a Kubernetes event, as Argo Rollouts writes them, because dashboards and alerts search for them.
///
/// See [`Topic`] for an example.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EventText {
    /// The reason: one word for the kind of event (`UpdatedDestinationRule`).
    pub reason: &'static str,
    /// The note: what happened, in one sentence.
    pub note: String,
}

impl EventText {
    /// Creates the texts of an event.
    pub fn new(reason: &'static str, note: impl Into<String>) -> Self {
        Self { reason, note: note.into() }
    }
}
