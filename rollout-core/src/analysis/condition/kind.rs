//! The types of the language.

use alloc::{boxed::Box, format, string::String};
use core::fmt;

/// The type of a value, as far as it is known before a condition runs.
///
/// ```
/// use rollout_core::analysis::{Condition, Kind};
/// let condition = Condition::parse("result >= 0.95").unwrap();
/// assert!(condition.check(&Kind::Float).is_ok());
/// let error = condition.check(&Kind::List(Box::new(Kind::Float))).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "character 8: `>=` cannot compare a list of numbers with a number; \
///      `result` is a list: write `result[0]` for its first element"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has exactly these types")]
pub enum Kind {
    /// Not known before it is there: an element of a JSON list or map.
    Any,
    /// Nothing.
    Nil,
    /// `true` or `false`.
    Bool,
    /// A whole number that a condition writes, or `asInt` makes.
    Int,
    /// Any other number.
    Float,
    /// A text.
    Text,
    /// A list.
    List(Box<Kind>),
    /// A map.
    Map,
}

impl Kind {
    pub(super) fn is_known(&self) -> bool {
        *self != Self::Any
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// Whether it is known, and is not `wanted`.
    pub(super) fn excludes(&self, wanted: impl Fn(&Self) -> bool) -> bool {
        self.is_known() && !wanted(self)
    }

    /// Whether values of both types may be equal: integers and floats are one kind, and anything may be nil.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        let same = match (self, other) {
            (Self::List(_), Self::List(_)) => true,
            (a, b) => a == b || a.is_number() && b.is_number(),
        };
        let open = |kind: &Self| matches!(kind, Self::Any | Self::Nil);
        same || open(self) || open(other)
    }

    /// The type of one of two values.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nil, other) => other,
            (one, Self::Nil) => one,
            (one, other) if one == other => one,
            _ => Self::Any,
        }
    }

    /// The type in words, with an article.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Any => "a value".into(),
            Self::Nil => "nil".into(),
            Self::Bool => "true or false".into(),
            Self::Int | Self::Float => "a number".into(),
            Self::Text => "a text".into(),
            Self::List(of) => match **of {
                Self::Int | Self::Float => "a list of numbers".into(),
                Self::Text => "a list of texts".into(),
                Self::Any | Self::Nil | Self::Bool | Self::List(_) | Self::Map => "a list".into(),
            },
            Self::Map => "a map".into(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.described())
    }
}

/// Suggests what to write for `result` where it has the wrong type.
pub(super) fn about_result(kind: &Kind) -> String {
    match kind {
        Kind::List(_) => "`result` is a list: write `result[0]` for its first element".into(),
        Kind::Map => "`result` is a map: write `result.field` for one of its fields".into(),
        Kind::Float | Kind::Int | Kind::Bool => {
            format!("`result` is {kind}: write `result` without index or field")
        }
        Kind::Text => "`result` is a text: write `asFloat(result)` for its number".into(),
        Kind::Nil => "the provider answered nothing: write `default(result, 0)`, or `isNil(result)`".into(),
        Kind::Any => String::new(),
    }
}
