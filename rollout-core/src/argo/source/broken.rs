//! What is most likely wrong with a text that is no YAML, and where.

use super::flaw::Flaw;
use crate::Place;
use alloc::string::String;
use granit_parser::{ErrorKind, ScanError};

/// Says it for what the parser stumbled over; `place` is where that was.
pub(super) fn explain(text: &str, error: &ScanError, place: Place) -> Flaw {
    let offset = usize::try_from(place.offset).unwrap_or(usize::MAX).min(text.len());
    if let Some(flaw) = tab(text, error, place) {
        return flaw;
    }
    let unclosed = matches!(error.kind(), ErrorKind::UnclosedQuotedScalar).then_some(place);
    if let Some(open) = unclosed.or_else(|| open_quote(text, offset, place)) {
        let instead = "close it; a quote inside of a text in double quotes is written as \\\"";
        return Flaw::new(open, "the quote that opens here is not closed in its line", instead);
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's own words are good enough for the others"
    )]
    let (what, instead): (String, _) = match error.kind() {
        ErrorKind::MappingValueNotAllowed => (
            "a second `: ` in this line, or a line that is indented too far".into(),
            "put a text with `: ` in it in quotes, or indent the line as the ones above",
        ),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => {
            ("this line is not indented as the ones above".into(), "put it below its neighbours")
        }
        _ => (error.info(), "this is where YAML stops making sense; the cause may be a few lines up"),
    };
    Flaw::new(place, what, instead)
}

/// A tab where blanks belong: in the line of the error, or in the one above.
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
    Some(Flaw::new(place, "a tab stands where YAML wants blanks", "indent with blanks only"))
}

/// The quote that is open at `end`, or that was closed in that line and opened in another.
fn open_quote(text: &str, end: usize, at: Place) -> Option<Place> {
    let (mut line, mut column) = (1, 1);
    // What stands in front of it in its line, without blanks.
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

/// Whether a quote after this letter is the beginning of a text, and not a part of one.
fn opens(before: Option<char>) -> bool {
    before.is_none_or(|before| matches!(before, ':' | '-' | '[' | '{' | ',' | '?'))
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
