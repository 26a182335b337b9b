//! Findings as compilers show them: the line, a marker under it, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use rollout_core::{Escaped, Finding, Located, Severity};
use std::ops::Range;

/// A finding with its line, and a blank line after it.
pub(super) fn of(found: &Finding) -> String {
    let (level, word) = match found.severity {
        Severity::Error => (Level::ERROR, "error"),
        Severity::NotDriven => (Level::ERROR, "unsupported"),
        _ => (Level::WARNING, "warning"),
    };
    let title = level.with_name(word).primary_title(Escaped(&found.what).to_string());
    let group = match found.located.as_deref() {
        None => Group::with_title(title),
        Some(located) => {
            let file = Escaped(&located.file).to_string();
            let (line, column) = (size(located.place.line), size(located.place.column));
            let (source, bytes) = marked(located);
            if source.trim().is_empty() {
                title.element(Origin::path(file).line(line).char_column(column))
            } else {
                let under = AnnotationKind::Primary.span(bytes);
                title.element(Snippet::source(source).path(file).line_start(line).annotation(under))
            }
        }
    };
    let at = said(&found.path, |path| format!("at {path}"));
    let reference = found
        .located
        .as_ref()
        .and_then(|located| said(&located.reference, |reference| format!("Argo Rollouts says: {reference}")));
    let group = group.elements(at.map(|at| Level::NOTE.message(at)));
    let group =
        group.elements(said(&found.instead, str::to_owned).map(|instead| Level::HELP.message(instead)));
    rendered(group.elements(reference.map(|reference| Level::NOTE.message(reference))))
}

/// A finding that is about no place in a text, and a blank line after it.
pub(super) fn of_no_place(level: Level<'_>, what: &str, instead: &str) -> String {
    let group = Group::with_title(level.primary_title(Escaped(what).to_string()));
    rendered(group.elements(said(instead, str::to_owned).map(|instead| Level::HELP.message(instead))))
}

/// The line, and which of its bytes are marked. What is left out in front of a part of a very long line is blank, so
/// that its columns are those of the whole line.
fn marked(found: &Located) -> (String, Range<usize>) {
    let (text, from) = &found.excerpt;
    let blanks = size(*from).saturating_sub(1);
    let byte = |letters: usize| text.char_indices().nth(letters).map_or(text.len(), |(byte, _)| byte);
    let first = size(found.place.column.saturating_sub(*from));
    let last = first.saturating_add(size(found.place.width));
    (" ".repeat(blanks) + text, blanks + byte(first)..blanks + byte(last))
}

fn said(text: &str, as_what: impl Fn(&str) -> String) -> Option<String> {
    (!text.is_empty()).then(|| as_what(&Escaped(text).to_string()))
}

fn rendered(group: Group<'_>) -> String {
    Renderer::styled().render(&[group]) + "\n\n"
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::argo::read;

    fn shown(text: &str, path: &str, instead: &str) -> String {
        let document = read(text, "a\nb.yaml").documents.remove(0);
        let found = document.finding(Severity::Error, path, "is odd\u{1b}[2J", instead);
        anstream::adapter::strip_str(&of(&found)).to_string()
    }

    #[test]
    fn the_marker_stands_under_wide_letters_too() {
        assert_eq!(
            shown("spec:\n  名前: [値値, b]\n", "spec.名前[0]", "write b"),
            "\
error: is odd\\u{1b}[2J
 --> a\\nb.yaml:2:8
  |
2 |   名前: [値値, b]
  |          ^^^^
  |
  = note: at spec.名前[0]
  = help: write b

"
        );
    }

    #[test]
    fn of_a_very_long_line_a_part_is_shown_with_the_right_column() {
        let fields: Vec<String> = (0..10_000).map(|n| format!("\"ü{n}\": \"x\"")).collect();
        let line = format!("{{{}}}", fields.join(", "));
        let before = line.find("ü9000").unwrap() + "ü9000\": ".len();
        let column = line[..before].chars().count() + 1;
        let text = shown(&line, "[ü9000]", "");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], format!(" --> a\\nb.yaml:1:{column}"));
        assert!(text.lines().all(|line| line.chars().count() < 150), "{text}");
        let marker = lines[4].chars().position(|letter| letter == '^').unwrap();
        assert_eq!(lines[3].chars().skip(marker).take(3).collect::<String>(), "\"x\"", "{text}");
    }
}
