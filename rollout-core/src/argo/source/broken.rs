//! The most likely cause and place of a YAML syntax error.

use super::flaw::Flaw;
use crate::Place;
use alloc::string::String;
use granit_parser::{ErrorKind, ScanError};

/// Explains the parser's error; `place` is where the parser stopped.
pub(super) fn explain(text: &str, error: &ScanError, place: Place) -> Flaw {
    let offset = usize::try_from(place.offset).unwrap_or(usize::MAX).min(text.len());
    if let Some(flaw) = tab(text, error, place) {
        return flaw;
    }
    let unclosed = matches!(error.kind(), ErrorKind::UnclosedQuotedScalar).then_some(place);
    if let Some(open) = unclosed.or_else(|| open_quote(text, offset, place)) {
        let instead = "close it; write a quote inside double quotes as \\\"";
        return Flaw::new(open, "the quote that opens here is not closed on its line", instead);
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's own words are good enough for the others"
    )]
    let (what, instead): (String, _) = match error.kind() {
        ErrorKind::MappingValueNotAllowed => (
            "a second `: ` in this line, or a line that is indented too far".into(),
            "quote text that contains `: `, or indent the line like the ones above",
        ),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => {
            ("this line is not indented like the ones above".into(), "align it with its neighbours")
        }
        _ => (error.info(), "the text stops being valid YAML here; the cause may be a few lines up"),
    };
    Flaw::new(place, what, instead)
}

/// Finds a tab used as indentation: in the line of the error, or in the one above.
fn tab(text: &str, error: &ScanError, place: Place) -> Option<Flaw> {
    let about_tabs = matches!(
        error.kind(),
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
    );
    let mut offset = 0;
    let mut last = None;
    for (number, line) in (1..=place.line.saturating_add(1)).zip(text.split_inclusive('\n')) {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line.find('\t').filter(|at| *at < blank || about_tabs);
        if let Some(at) = tab.filter(|_| number + 1 >= place.line) {
            last = Some((number, at, offset + at));
        }
        offset += line.len();
    }
    let (line, at, offset) = last?;
    let place = Place { line, column: number(at + 1), width: 1, offset: number(offset) };
    Some(Flaw::new(place, "there is a tab where YAML requires spaces", "indent with spaces only"))
}

/// Finds the quote that is open at `end`, or that was closed on that line and opened on another.
fn open_quote(text: &str, end: usize, at: Place) -> Option<Place> {
    let (mut line, mut column) = (1, 1);
    // The last character before it on its line, ignoring spaces.
    let mut before = None;
    let mut open: Option<(char, Place)> = None;
    let mut closed = None;
    let mut letters = text.char_indices().peekable();
    let mut comment = false;
    while let Some((offset, letter)) = letters.next() {
        if offset >= end && line >= at.line {
            break;
        }
        match (open, letter) {
            (Some(('"', _)), '\\') if letters.peek().is_some_and(|(_, next)| *next != '\n') => {
                letters.next();
                column += 1;
            }
            (Some((quote, place)), _) if letter == quote => {
                open = None;
                closed = (place.line < line).then_some((line, place));
                before = Some(letter);
            }
            (None, '#') if before.is_none_or(char::is_whitespace) || column == 1 => comment = true,
            (None, '"' | '\'') if !comment && opens(before) => {
                open = Some((letter, Place { line, column, width: 1, offset: number(offset) }));
            }
            _ => {}
        }
        if letter == '\n' {
            (line, column, before, comment) = (line + 1, 1, None, false);
        } else {
            column += 1;
            if open.is_none() && !letter.is_whitespace() {
                before = Some(letter);
            }
        }
    }
    let spans = |place: &Place| place.line < at.line || end >= text.trim_end().len();
    let open = open.map(|(_, place)| place).filter(spans);
    open.or_else(|| closed.filter(|(line, _)| *line + 1 >= at.line).map(|(_, place)| place))
}

/// Returns whether a quote after this character starts a text instead of being part of one.
fn opens(before: Option<char>) -> bool {
    before.is_none_or(|before| matches!(before, ':' | '-' | '[' | '{' | ',' | '?'))
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
