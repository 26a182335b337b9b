//! What a selector asks of labels.

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

/// How much memory one compiled pattern may take, in bytes.
const SIZE: usize = 256 << 10;

/// One condition on a label.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) operator: Operator,
    pub(crate) value: String,
    pattern: Option<PikeVM>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Is,
    IsNot,
    Matches,
    MatchesNot,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, self.operator, &self.value) == (&other.label, other.operator, &other.value)
    }
}

impl Matcher {
    /// # Errors
    /// The value is no pattern, and should be one.
    pub(super) fn new(label: String, operator: Operator, value: String) -> Result<Self, String> {
        let pattern = if matches!(operator, Operator::Matches | Operator::MatchesNot) {
            // The whole value must match, as in Prometheus.
            let whole = format!("^(?s:{value})$");
            let size = thompson::Config::new().nfa_size_limit(Some(SIZE));
            let pattern = PikeVM::builder().thompson(size).build(&whole);
            Some(pattern.map_err(|_| format!("{value:?} is not a regular expression, or is too large"))?)
        } else {
            None
        };
        Ok(Self { label, operator, value, pattern })
    }

    /// Whether this value is the one that the matcher names, or one that its pattern matches.
    pub(crate) fn names(&self, value: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(&mut pattern.create_cache(), value),
            None => self.value == value,
        }
    }

    /// Whether it asks that the label is not as named.
    pub(crate) fn is_negative(&self) -> bool {
        matches!(self.operator, Operator::IsNot | Operator::MatchesNot)
    }
}
