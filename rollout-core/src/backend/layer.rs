use core::fmt;

/// One of the two layers of traffic. A plan writes at most one of them, and whether every proxy has what was written is
/// asked for each apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "two layers are what the order of writes rests on")]
pub enum Layer {
    /// How requests are split between the destinations.
    Routes,
    /// Which pods are behind each destination.
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
