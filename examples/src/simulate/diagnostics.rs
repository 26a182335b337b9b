//! What is wrong in a manifest, as a compiler says it.

use super::input::Source;
use std::fmt::Write;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The manifest is wrong.
    Error,
    /// The language allows it, and this engine does not drive it yet.
    Unsupported,
    /// It may not mean what it seems to.
    Warning,
}

/// One thing to say about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    /// An index into the sources; `None` when it is about no file.
    pub(crate) source: Option<usize>,
    /// Line and column, both from 1; the column counts characters.
    pub(crate) at: Option<(usize, usize)>,
    /// The path in the manifest; may be empty.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What to write instead; may be empty.
    pub(crate) instead: String,
}

/// All of them, the worst first, those of a file in the order of its lines.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &[Source]) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.source, diagnostic.at));
    let mut text = String::new();
    for diagnostic in sorted {
        one(&mut text, diagnostic, sources);
        text.push('\n');
    }
    let counts = [
        (Severity::Error, "error"),
        (Severity::Unsupported, "not driven yet"),
        (Severity::Warning, "warning"),
    ];
    let said: Vec<String> = counts
        .iter()
        .filter_map(|(severity, word)| {
            let count = diagnostics.iter().filter(|diagnostic| diagnostic.severity == *severity).count();
            let plural = if count == 1 || *severity == Severity::Unsupported { "" } else { "s" };
            (count > 0).then(|| format!("{count} {word}{plural}"))
        })
        .collect();
    if !said.is_empty() {
        text += &said.join(", ");
        text.push('\n');
    }
    text
}

// Writing to a `String` cannot fail, so its results are dropped here.
fn one(text: &mut String, diagnostic: &Diagnostic, sources: &[Source]) {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Unsupported => "not driven yet",
        Severity::Warning => "warning",
    };
    let path = if diagnostic.path.is_empty() { String::new() } else { format!("{}: ", diagnostic.path) };
    let _ = writeln!(text, "{word}: {path}{}", diagnostic.what);
    let source = diagnostic.source.and_then(|index| sources.get(index));
    let mut margin = 2;
    if let (Some(source), Some((line, column))) = (source, diagnostic.at) {
        margin = line.to_string().len() + 1;
        let _ = writeln!(text, "{:margin$}--> {}:{line}:{column}", "", source.name, margin = margin - 1);
        if let Some(shown) = source.text.lines().nth(line.saturating_sub(1)) {
            let (before, marked) = marker(shown, column);
            let _ = writeln!(text, "{:margin$}|", "");
            let _ = writeln!(text, "{line} | {}", clean(shown).trim_end());
            let _ = writeln!(text, "{:margin$}| {before}{}", "", "^".repeat(marked));
        }
    } else if let Some(source) = source {
        let _ = writeln!(text, " --> {}", source.name);
    }
    if !diagnostic.instead.is_empty() {
        let _ = writeln!(text, "{:margin$}= {}", "", diagnostic.instead);
    }
}

/// The blanks before the marker, and its length: the word that begins at the column.
fn marker(line: &str, column: usize) -> (String, usize) {
    let before: usize = line.chars().take(column.saturating_sub(1)).map(width).sum();
    let rest: Vec<char> = line.chars().skip(column.saturating_sub(1)).collect();
    let quoted = rest.first().filter(|first| ['"', '\''].contains(first));
    let length = match quoted {
        Some(quote) => {
            rest.iter().skip(1).position(|letter| letter == quote).map_or(rest.len(), |end| end + 2)
        }
        None => rest.iter().position(|letter| " ,:]}".contains(*letter)).unwrap_or(rest.len()),
    };
    let marked: usize = rest.iter().take(length).map(|letter| width(*letter)).sum();
    (" ".repeat(before), marked.max(1))
}

/// Tabs as blanks and control characters as dots, so that a manifest cannot draw on the terminal.
fn clean(line: &str) -> String {
    line.chars()
        .map(|letter| match letter {
            '\t' => ' ',
            letter if letter.is_control() => '·',
            letter => letter,
        })
        .collect()
}

/// Columns on the terminal: wide letters take two.
fn width(letter: char) -> usize {
    let wide = matches!(u32::from(letter), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Vec<Source> {
        vec![Source { name: "provider.yaml".into(), text: text.into() }]
    }

    fn at(line: usize, column: usize) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            source: Some(0),
            at: Some((line, column)),
            path: "spec.strategy.canary.steps[0].setWeight".into(),
            what: "120 is above 100".into(),
            instead: "write a number from 0 to 100".into(),
        }
    }

    #[test]
    fn shows_the_place_and_what_to_write_instead() {
        let text = render(&[at(3, 18)], &source("kind: Rollout\nsteps:\n    - setWeight: 120 # all\n"));
        assert_eq!(
            text,
            "\
error: spec.strategy.canary.steps[0].setWeight: 120 is above 100
 --> provider.yaml:3:18
  |
3 |     - setWeight: 120 # all
  |                  ^^^
  = write a number from 0 to 100

1 error
"
        );
    }

    #[test]
    fn the_worst_first_and_all_of_them() {
        let mut warning = at(1, 1);
        warning.severity = Severity::Warning;
        let mut unsupported = at(2, 1);
        unsupported.severity = Severity::Unsupported;
        let text = render(&[warning, at(9, 1), unsupported, at(1, 1)], &source("a: 1\nb: 2"));
        let first: Vec<&str> = text.lines().filter(|line| line.contains("120 is")).collect();
        assert!(first[0].starts_with("error") && first[1].starts_with("error"));
        assert!(first[2].starts_with("not driven yet") && first[3].starts_with("warning"));
        assert!(text.ends_with("\n2 errors, 1 not driven yet, 1 warning\n"));
    }

    #[test]
    fn marks_wide_letters_quotes_and_the_end_of_a_line() {
        let text = render(&[at(1, 8)], &source("name: 灰\"度 b\" x"));
        assert!(text.contains("\n1 | name: 灰\"度 b\" x\n  |         ^^^^^^\n"), "{text}");
        let text = render(&[at(1, 99)], &source("a\tb\u{1b}[2J"));
        assert!(text.contains("1 | a b·[2J\n"), "{text}");
    }
}
