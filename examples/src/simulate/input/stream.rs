//! A stream of any length, cut where YAML ends a document. Of each document a bounded part is kept.

use std::io::{self, BufRead, BufReader, Read};

/// So much of one document is read.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// Cuts a stream into documents.
pub(super) struct Parts<'r> {
    from: BufReader<&'r mut dyn Read>,
    /// The line that the next document begins with, where it was read already.
    next: Option<Vec<u8>>,
    /// How many lines were read.
    lines: u32,
}

/// One document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) content: String,
    pub(super) first_line: u32,
    pub(super) too_large: bool,
}

/// A line, and how long it really was.
struct Line {
    bytes: Vec<u8>,
    cut: bool,
}

impl<'r> Parts<'r> {
    pub(super) fn new(from: &'r mut dyn Read) -> Self {
        Self { from: BufReader::new(from), next: None, lines: 0 }
    }

    /// The next document.
    pub(super) fn next(&mut self) -> Result<Option<Text>, String> {
        let mut bytes = self.next.take().unwrap_or_default();
        let first_line = self.lines + u32::from(bytes.is_empty());
        let mut says_something = false;
        let mut too_large = false;
        while let Some(line) = self.line().map_err(|error| super::words(&error))? {
            if self.lines == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
                // A byte order mark is no part of the text.
                bytes.extend(line.bytes.get(3..).unwrap_or_default());
                continue;
            }
            // In front of the first content there may be directives and comments, each with a `---` after it.
            if marks(&line.bytes, b"---") && says_something {
                self.next = Some(line.bytes);
                break;
            }
            let ends = marks(&line.bytes, b"...");
            says_something |= content(&line.bytes);
            if bytes.len() + line.bytes.len() > MOST_BYTES || line.cut {
                too_large = true;
                // What kind of object it is may stand anywhere at the left edge.
                let tells = line.bytes.starts_with(b"kind:") || line.bytes.starts_with(b"apiVersion:");
                if !tells || line.cut || bytes.len() > 2 * MOST_BYTES {
                    continue;
                }
            }
            bytes.extend(line.bytes);
            if ends {
                break;
            }
        }
        if bytes.is_empty() && self.next.is_none() {
            return Ok(None);
        }
        let text = if too_large {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            String::from_utf8(bytes).map_err(|_| "is not UTF-8; save it as UTF-8 text".to_owned())?
        };
        Ok(Some(Text { content: text, first_line, too_large }))
    }

    /// One line with its end: of one that is too long the beginning.
    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let most = MOST_BYTES as u64 + 1;
        self.from.by_ref().take(most).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let cut = bytes.len() > MOST_BYTES && !bytes.ends_with(b"\n");
        let mut rest = !cut;
        while !rest {
            let buffer = self.from.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            rest = end.is_some() || used == 0;
            self.from.consume(used);
        }
        self.lines = self.lines.saturating_add(1);
        Ok(Some(Line { bytes, cut }))
    }
}

/// Whether a line is a separator between documents.
fn marks(line: &[u8], mark: &[u8]) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// Whether a line belongs to a document: it is no directive, no comment, no separator, and not blank.
fn content(line: &[u8]) -> bool {
    let inner = line.strip_prefix(b"---").filter(|_| marks(line, b"---")).unwrap_or(line);
    let first = inner.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_some_and(|byte| *byte != b'#') && !line.starts_with(b"%") && !marks(line, b"...")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8]) -> Result<Vec<(u32, String)>, String> {
        let mut from = text;
        let mut parts = Parts::new(&mut from);
        let mut all = Vec::new();
        while let Some(part) = parts.next()? {
            assert!(part.content.len() <= 3 * MOST_BYTES);
            all.push((part.first_line, if part.too_large { "large".to_owned() } else { part.content }));
        }
        Ok(all)
    }

    #[test]
    fn cuts_where_yaml_does() {
        let text = b"a: 1\n---\nb: 2\n--- \nc: |\n  ---\n---x: 3\n...\n%YAML 1.2\n---\nd: 4\n";
        let parts = [
            (1, "a: 1\n"),
            (2, "---\nb: 2\n"),
            (4, "--- \nc: |\n  ---\n---x: 3\n...\n"),
            (9, "%YAML 1.2\n---\nd: 4\n"),
        ];
        assert_eq!(cut(text), Ok(parts.map(|(line, text)| (line, text.to_owned())).to_vec()));
        assert_eq!(cut(b""), Ok(Vec::new()));
        assert_eq!(cut(b"\xef\xbb\xbfa: 1"), Ok(vec![(1, "a: 1".to_owned())]));
        assert_eq!(cut(b"a: \xff\n"), Err("is not UTF-8; save it as UTF-8 text".to_owned()));
    }

    #[test]
    fn keeps_a_bounded_part_of_a_document_and_goes_on_after_it() {
        for filler in ["x".repeat(3 << 20) + "\n", "x\n".repeat(3 << 19)] {
            let text = format!("a: 1\n---\nkind: A\n{filler}kind: B\n---\nb: 2\n");
            let parts = cut(text.as_bytes()).unwrap();
            let after = u32::try_from(text.lines().count() - 1).unwrap();
            let all = [(1, "a: 1\n"), (2, "large"), (after, "---\nb: 2\n")];
            assert_eq!(parts, all.map(|(line, text)| (line, text.to_owned())));
        }
    }
}
