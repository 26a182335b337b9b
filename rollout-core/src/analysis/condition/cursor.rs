//! The words that are not parsed yet.

use super::{
    error::{At, ConditionError, shortened},
    lex::{Placed, Word},
};
use alloc::{format, vec};
use core::iter::Peekable;

/// A parser, and how deep in the condition it is.
pub(super) struct Parser {
    pub(super) words: Peekable<vec::IntoIter<Placed>>,
    pub(super) end: At,
    /// How many expressions are open.
    pub(super) open: u32,
    /// How many predicates are open.
    pub(super) predicates: u32,
}

impl Parser {
    pub(super) fn peek(&mut self) -> Option<&Word> {
        self.words.peek().map(|placed| &placed.word)
    }

    pub(super) fn at(&mut self) -> At {
        self.words.peek().map_or(self.end, |placed| placed.at)
    }

    /// Takes a sign if it is next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        self.words.next_if(|placed| matches!(placed.word, Word::Sign(next) if next == sign)).is_some()
    }

    pub(super) fn takes_name(&mut self, name: &str) -> bool {
        self.words.next_if(|placed| matches!(&placed.word, Word::Name(next) if next == name)).is_some()
    }

    pub(super) fn expect(&mut self, sign: &'static str) -> Result<(), ConditionError> {
        if self.takes(sign) {
            return Ok(());
        }
        let mut error = self.unexpected();
        error.instead = format!("write `{sign}` before it").into();
        Err(error)
    }

    /// Says that the next word cannot stand here.
    pub(super) fn unexpected(&mut self) -> ConditionError {
        let at = self.at();
        let what = match self.peek() {
            None => {
                return ConditionError::new(at, "the condition ends too early", "write what should follow");
            }
            Some(Word::Sign("=")) => {
                return ConditionError::new(at, "`=` is no operator here", "write `==` to compare");
            }
            Some(Word::Sign("|")) => {
                let instead = "write `f(x)` for `x | f()`, or `||` for \"or\"";
                return ConditionError::unsupported(at, "`|` is not supported", instead);
            }
            Some(Word::Sign("..")) => {
                return ConditionError::unsupported(
                    at,
                    "ranges are not supported",
                    "write the numbers in a list",
                );
            }
            Some(Word::Sign(sign)) => format!("`{sign}` cannot stand here"),
            Some(Word::Name(name)) => format!("`{}` cannot stand here", shortened(name)),
            Some(Word::Text(_)) => "a text cannot stand here".into(),
            Some(Word::Int(_) | Word::Float(_)) => "a number cannot stand here".into(),
        };
        ConditionError::new(at, what, "write an operator between two values, such as `result[0] >= 0.95`")
    }
}
