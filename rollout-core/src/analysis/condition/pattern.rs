//! The patterns of `matches`: regular expressions in the syntax of RE2, which Go has, found in linear time.

use super::error::{At, ConditionError, shortened};
use alloc::{format, string::String};
use core::{iter::Peekable, str::Chars};
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

/// How much memory one compiled pattern may take, in bytes.
const SIZE: usize = 256 << 10;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(PikeVM);

/// Why a pattern is refused.
#[derive(Debug)]
pub(crate) enum PatternError {
    /// It is no pattern.
    Invalid(String),
    /// It may be one elsewhere.
    Unsupported(String),
}

impl PatternError {
    pub(super) fn at(self, at: At) -> ConditionError {
        let instead = "write a pattern such as '^[0-9]+ errors$'";
        match self {
            Self::Invalid(what) => ConditionError::new(at, what, instead),
            Self::Unsupported(what) => ConditionError::unsupported(at, what, instead),
        }
    }
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let translated = translate(pattern).map_err(PatternError::Unsupported)?;
        PikeVM::builder()
            .thompson(thompson::Config::new().nfa_size_limit(Some(SIZE)))
            .build(&translated)
            .map(Self)
            .map_err(|error| {
                let what = format!("`{}` is not a regular expression", shortened(pattern));
                // Too large here is not too large everywhere.
                if error.size_limit().is_some() {
                    PatternError::Unsupported(what)
                } else {
                    PatternError::Invalid(what)
                }
            })
    }

    /// How much work a search in this text is, in steps.
    pub(super) fn cost(&self, text: &str) -> u32 {
        let states = self.0.get_nfa().states().len();
        u32::try_from(states.saturating_mul(text.len()) / 512).unwrap_or(u32::MAX)
    }

    /// Returns whether the pattern is found anywhere in the text.
    pub(crate) fn finds(&self, text: &str) -> bool {
        self.0.is_match(&mut self.0.create_cache(), text)
    }
}

/// Writes a pattern of RE2 in the syntax of the engine: classes of ASCII, and no operators within a class.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, in_class, &mut out)?,
            '[' if in_class => {
                // `[:alpha:]` is a class of its own; another bracket is only a character.
                if rest.peek() != Some(&':') {
                    out.push('\\');
                }
                out.push('[');
                while rest.peek() == Some(&':')
                    || out.ends_with(':') && rest.peek().is_some_and(|c| *c != ']')
                {
                    out.extend(rest.next());
                }
                if out.ends_with(':') {
                    out.extend(rest.next());
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    Ok(out)
}

fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) -> Result<(), String> {
    let Some(character) = rest.next() else {
        out.push('\\');
        return Ok(());
    };
    let (plain, within) = match character {
        'd' => ("[0-9]", "0-9"),
        'w' => ("[0-9A-Za-z_]", "0-9A-Za-z_"),
        's' => (r"[\t\n\x0C\r ]", r"\t\n\x0C\r "),
        'D' => ("[^0-9]", ""),
        'W' => ("[^0-9A-Za-z_]", ""),
        'S' => (r"[^\t\n\x0C\r ]", ""),
        'b' => ("(?-u:\\b)", ""),
        'p' | 'P' | 'Q' | 'C' | 'B' | '0'..='9' => ("", ""),
        _ => {
            out.push('\\');
            out.push(character);
            return Ok(());
        }
    };
    let chosen = if in_class { within } else { plain };
    if chosen.is_empty() {
        return Err(format!("`\\{character}` in a pattern is not supported"));
    }
    out.push_str(chosen);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let finds = |pattern, text| Pattern::new(pattern).unwrap().finds(text);
        assert!(finds("^[0-9]+ errors$", "12 errors"));
        assert!(finds(r"^\d+\s\w*$", "12 x_1"));
        assert!(!finds(r"^\d$", "٣"), "digits are ASCII");
        assert!(finds("[[a]", "["), "a bracket within a class is a character");
        assert!(finds("[a&&b]+", "&"));
        assert!(finds("[[:alpha:]0]", "x") && !finds("[[:alpha:]0]", ":"));
        assert!(finds("^.$", "ü"));
        assert!(finds("(?i)OK", "ok"));
        assert!(finds(r"\bok\b", "is ok"));
        assert!(matches!(Pattern::new("("), Err(PatternError::Invalid(_))));
        assert!(matches!(Pattern::new(r"\pL"), Err(PatternError::Unsupported(_))));
        assert!(matches!(Pattern::new("((a{100}){100}){100}"), Err(PatternError::Unsupported(_))));
    }
}
