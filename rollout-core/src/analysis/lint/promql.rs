//! As much of a Prometheus query as is needed before it is asked: whether it is a scalar, and how far it looks back.

use super::lexed::{self, Word};
use alloc::vec::Vec;
use core::time::Duration;

/// How deep a query may be nested before nothing is said about it.
const MAX_DEPTH: u32 = 16;

/// A query, in words.
#[derive(Debug)]
pub(super) struct Query(Vec<Word>);

impl Query {
    /// Reads a query; `None` if it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        lexed::words(text).filter(|words| !words.is_empty()).map(Self)
    }

    /// Whether the answer is one number and no list; `None` if that is not certain.
    pub(super) fn is_scalar(&self) -> Option<bool> {
        match self.0.as_slice() {
            // A placeholder, or a text, which is refused when it is asked.
            [Word::Number | Word::Text] => None,
            words => is_scalar(words, 0),
        }
    }

    /// The shortest time that it looks back; `None` if it only asks for what is now.
    pub(super) fn shortest_range(&self) -> Option<Duration> {
        let ranges = self.0.iter().map(|word| if let Word::Range(length) = word { *length } else { None });
        let ranges: Vec<Option<Duration>> = ranges
            .zip(&self.0)
            .filter(|(_, word)| matches!(word, Word::Range(_)))
            .map(|(at, _)| at)
            .collect();
        let known: Option<Vec<Duration>> = ranges.into_iter().collect();
        known?.into_iter().min()
    }

    /// Whether some answer may be no number: 0/0, or a quantile of nothing.
    pub(super) fn may_be_nan(&self) -> bool {
        let divides = self.0.contains(&Word::Sign('/')) || self.names("histogram_quantile");
        // `x / (y > 0)` has no answer instead.
        divides && !self.0.contains(&Word::Sign('>'))
    }

    /// Whether it takes the one value of a list, or NaN if there is none.
    pub(super) fn takes_scalar(&self) -> bool {
        self.names("scalar") && self.may_be_empty()
    }

    /// Whether there may be no answer: `… or vector(0)` always has one.
    pub(super) fn may_be_empty(&self) -> bool {
        !self.names("vector") && !self.names("absent")
    }

    fn names(&self, function: &str) -> bool {
        self.0.iter().any(|word| matches!(word, Word::Name(name) if name == function))
    }
}

/// Whether these words are numbers and functions that give one, with operators between them.
fn is_scalar(words: &[Word], depth: u32) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut rest = words;
    loop {
        while let [Word::Sign('+' | '-'), after @ ..] = rest {
            rest = after;
        }
        rest = match rest {
            [Word::Number, after @ ..] => after,
            [Word::Sign('('), after @ ..] => {
                let (inner, after) = in_brackets(after)?;
                if !is_scalar(inner, depth.saturating_add(1))? {
                    return Some(false);
                }
                after
            }
            [Word::Name(name), Word::Sign('('), after @ ..]
                if ["scalar", "time", "pi"].contains(&name.as_str()) =>
            {
                in_brackets(after)?.1
            }
            _ => return Some(false),
        };
        let before = rest.len();
        while let Some((word, after)) = rest.split_first() {
            let is_sign = matches!(word, Word::Sign(sign) if "+-*/%^=!<>".contains(*sign));
            if !(is_sign || matches!(word, Word::Name(name) if name == "bool" || name == "atan2")) {
                break;
            }
            rest = after;
        }
        match (rest.is_empty(), rest.len() == before) {
            (true, true) => return Some(true),
            (false, false) => {}
            // An operator without a right side, or two values side by side.
            (true, false) | (false, true) => return Some(false),
        }
    }
}

/// Splits after the bracket that closes.
fn in_brackets(words: &[Word]) -> Option<(&[Word], &[Word])> {
    let mut open = 1_u32;
    for (index, word) in words.iter().enumerate() {
        if *word == Word::Sign('(') {
            open = open.saturating_add(1);
        } else if *word == Word::Sign(')') {
            open = open.saturating_sub(1);
        }
        if open == 0 {
            return Some((words.get(..index)?, words.get(index.saturating_add(1)..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_told_from_a_list() {
        for (query, scalar) in [
            ("scalar(sum(rate(a[5m])))", Some(true)),
            ("1 - scalar(a) / scalar(b)", Some(true)),
            ("(scalar(a{x=\"}\"}) > bool 0.5)", Some(true)),
            ("time() - 1e-3", Some(true)),
            ("scalar(a) # and more\n * 2", Some(true)),
            ("scalar(a) / b", Some(false)),
            ("sum by (x) (rate(a[5m])) / 2", Some(false)),
            ("vector(1)", Some(false)),
            ("{__name__=\"scalar(\"}", Some(false)),
            ("scalar_total", Some(false)),
            ("(scalar(a)) or vector(1)", Some(false)),
            ("0", None),
            ("(a", None),
        ] {
            assert_eq!(Query::read(query).unwrap().is_scalar(), scalar, "{query}");
        }
        for none in ["", "# only a comment", "a{x=\"", "a[5m"] {
            assert!(Query::read(none).is_none(), "{none}");
        }
        let deep = ["(".repeat(100_000), "1".into(), ")".repeat(100_000)].concat();
        assert_eq!(Query::read(&deep).unwrap().is_scalar(), None);
    }

    #[test]
    fn the_shortest_range_counts() {
        let of = |query| Query::read(query).unwrap().shortest_range().map(|range| range.as_secs());
        assert_eq!(of("rate(a{x=\"[1s]\"}[5m]) / rate(a[1h30m])"), Some(300));
        assert_eq!(of("max_over_time(a[1d:5m])"), Some(86_400));
        assert_eq!(of("a[2w]"), Some(1_209_600));
        assert_eq!(of("a"), None);
        assert_eq!(of("a[$__range] + b[5m]"), None, "one of them is not known");
    }
}
