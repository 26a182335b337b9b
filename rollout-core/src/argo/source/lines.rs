//! The lines of a text, used to show a place.

use crate::{Escaped, Finding, Located, Place};
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

/// A text and its name.
#[derive(Debug)]
pub(super) struct Lines {
    name: Arc<str>,
    text: String,
    /// The number of lines of the file before the text.
    above: u32,
}

/// The maximum number of characters shown of a line, and before the place.
const SHOWN: usize = 120;
const IN_FRONT: usize = 60;

impl Lines {
    pub(super) fn new(name: &str, text: &str, first_line: u32) -> Self {
        let text = if text.len() > super::MAX_BYTES { "" } else { text };
        Self { name: name.into(), text: text.into(), above: first_line.saturating_sub(1) }
    }

    /// Returns the place in the whole file.
    pub(super) fn in_file(&self, place: Place) -> Place {
        Place { line: place.line.saturating_add(self.above), ..place }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Adds the place to a finding.
    pub(super) fn locate(&self, place: Place, finding: Finding) -> Finding {
        let (file, excerpt) = (self.name.clone(), self.excerpt(place));
        let located = Located { file, place: self.in_file(place), excerpt, reference: String::new() };
        Finding { located: Some(Box::new(located)), ..finding }
    }

    /// Returns the line around a place: of a very long line only a part, so that the cost is the same wherever the
    /// place is.
    fn excerpt(&self, place: Place) -> (String, u32) {
        let (before, after) = usize::try_from(place.offset)
            .ok()
            .and_then(|at| self.text.split_at_checked(at))
            .unwrap_or(("", ""));
        let before = before.chars().rev().take_while(|c| *c != '\n');
        let column = usize::try_from(place.column).unwrap_or(usize::MAX);
        let shown = if column > SHOWN - IN_FRONT { IN_FRONT } else { column };
        let mut front: Vec<char> = before.take(shown).collect();
        front.reverse();
        let from = u32::try_from(column.saturating_sub(front.len())).unwrap_or(u32::MAX).max(1);
        let rest = after.chars().take_while(|c| *c != '\n').take(SHOWN - front.len());
        let line = front.iter().copied().chain(rest).map(visible);
        let line: String = line.collect();
        (String::from(line.trim_end()), from)
    }
}

/// Replaces an invisible character that would change the display with a space, because columns must not move.
fn visible(letter: char) -> char {
    let mut shown = alloc::format!("{}", Escaped(letter));
    if shown.pop() == Some(letter) && shown.is_empty() { letter } else { ' ' }
}
