//! What is wrong in an object, before it is known which.

use rollout_core::{Escaped, backend::EditError, traffic::ObjectRef};

/// How many of many things are named in a message.
pub(crate) const FEW: usize = 10;

/// How many characters of a text of somebody's are shown in a message.
const SHOWN: usize = 100;

/// How many characters each part of a message has.
const LONGEST: usize = 2000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    path: String,
    what: String,
    instead: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), instead: instead.into() }
    }

    pub(crate) fn of(self, object: &ObjectRef) -> EditError {
        let part = |text: &str| start(text, LONGEST);
        EditError::new(object.clone(), part(&self.path), part(&self.what), part(&self.instead))
    }
}

/// `'a', 'b'`, or that there is none; a few of many.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<_> = names.by_ref().take(FEW).map(|name| format!("'{}'", shown(name))).collect();
    let more = names.count();
    match (shown.is_empty(), more) {
        (true, _) => "none".into(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The beginning of somebody's text, with control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    start(text, SHOWN)
}

pub(crate) fn start(text: &str, most: usize) -> String {
    let start: String = text.chars().take(most).collect();
    let rest = if start.len() < text.len() { "…" } else { "" };
    format!("{}{rest}", Escaped(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_short_and_on_one_line_whatever_is_named() {
        let many = vec!["x\n"; 10_000];
        assert!(names(many.iter().copied()).ends_with(r"'x\n' and 9990 more"));
        assert!(shown(&"\u{1b}".repeat(1_000_000)).len() < 1000);
        assert_eq!(names([]), "none");
    }
}
