use core::fmt;

/// One of the two layers of traffic. A plan writes at most one of them, and each is asked separately whether every
/// proxy has it.
///
/// ```
/// use rollout_core::backend::{Layer, ObjectEditor, ServiceEditor};
/// let editor = ServiceEditor::new("shop", Some("web"), None);
/// assert_eq!(editor.layer(&editor.objects()[0]), Layer::Selectors, "a Service splits no requests");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the order of writes depends on there being two layers")]
pub enum Layer {
    /// The split of requests between the destinations.
    Routes,
    /// The pods behind each destination.
    Selectors,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Routes => "routes",
            Self::Selectors => "selectors",
        })
    }
}
