//! What is wrong with a condition: where, what, and what to write instead.

use alloc::{borrow::Cow, string::String};
use core::fmt;

/// The reason why a condition is refused.
///
/// ```
/// use rollout_core::analysis::Condition;
/// let error = Condition::parse("result[0] = 1").unwrap_err();
/// assert_eq!(error.to_string(), "character 11: `=` is no operator here; write `==` to compare");
/// assert!(!error.is_unsupported());
/// assert!(Condition::parse("upper(result) == 'OK'").unwrap_err().is_unsupported());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionError {
    /// The place: a character of the condition, from 1.
    pub character: u32,
    /// What is wrong.
    pub what: Cow<'static, str>,
    /// What to write instead; may be empty.
    pub instead: Cow<'static, str>,
    unsupported: bool,
}

impl ConditionError {
    pub(super) fn new(
        at: At,
        what: impl Into<Cow<'static, str>>,
        instead: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { character: at.0, what: what.into(), instead: instead.into(), unsupported: false }
    }

    /// A construct of the language that this evaluator does not have.
    pub(super) fn unsupported(
        at: At,
        what: impl Into<Cow<'static, str>>,
        instead: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { unsupported: true, ..Self::new(at, what, instead) }
    }

    /// Returns whether the condition uses a construct that Argo Rollouts may accept and this evaluator does not know.
    ///
    /// See [`ConditionError`] for an example.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.unsupported
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.character, self.what)?;
        if self.instead.is_empty() { Ok(()) } else { write!(f, "; {}", self.instead) }
    }
}

impl core::error::Error for ConditionError {}

/// A place in a condition: a character, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At(pub(super) u32);

/// Shortens a text that a message quotes.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
