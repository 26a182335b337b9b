use super::{Document, compose::Composer, flaw::Flaw, lines::Lines, resolve::Resolver};
use crate::{Finding, Place};
use alloc::{format, sync::Arc, vec::Vec};

/// The maximum size of a text in bytes; larger ones are refused.
///
/// ```
/// use rollout_core::argo::{MAX_BYTES, read};
/// let reading = read(&"a".repeat(MAX_BYTES + 1), "large.yaml");
/// assert!(reading.documents.is_empty());
/// assert_eq!(reading.problems[0].what, "is larger than 1 MiB (1048577 bytes)");
/// ```
pub const MAX_BYTES: usize = 1 << 20;

/// The maximum number of documents in a text; more are refused.
const MAX_DOCUMENTS: usize = 1_000;

/// The number of problems after which no more documents are read.
const MAX_PROBLEMS: usize = 100;

/// The result of reading a text.
///
/// ```
/// use rollout_core::argo::read;
/// let reading = read("kind: Service\n---\nkind: Rollout\nkind: Rollout\n", "all.yaml");
/// assert_eq!(reading.documents[0].kind(), Some("Service"));
/// assert_eq!(reading.problems[0].located.as_ref().unwrap().place.line, 4, "the same field twice");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Documents {
    /// The documents that could be read, of any kind.
    pub documents: Vec<Document>,
    /// The parts that could not be read, with place and reason.
    pub problems: Vec<Finding>,
}

/// Reads hand-written YAML or JSON, one document or several. `name` is shown before the line numbers.
///
/// Values are interpreted like in kubectl. The following are refused: more than 1 MiB, 1 000 documents or 40 000
/// values, a duplicate field, more than 100 levels, and aliases that multiply the text. Empty documents are left out.
/// Reading stops after 100 problems.
///
/// ```
/// use rollout_core::argo::{check, read};
/// let text = "
/// kind: Rollout
/// spec:
///   strategy:
///     canary:
///       steps:
///       - setWeight: 101
/// ";
/// let reading = read(text, "demo.yaml");
/// let rollout = &reading.documents[0];
/// let report = check(rollout.value());
/// let weight = report.errors().find(|error| error.path.ends_with("setWeight")).unwrap();
/// assert_eq!(
///     rollout.locate(weight).to_string(),
///     "error: demo.yaml:7:20: `setWeight`: write a number from 0 to 100, the canary's share",
/// );
/// ```
#[must_use]
pub fn read(text: &str, name: &str) -> Documents {
    read_part(text, name, 1)
}

/// Like [`read`], for a part of a file that starts at line `first_line`, counted from 1: all places refer to the file.
/// For files that are read document by document.
///
/// ```
/// use rollout_core::argo::read_part;
/// let reading = read_part("kind: Rollout\nkind: Service\n", "all.yaml", 100);
/// assert_eq!(reading.problems[0].located.as_ref().unwrap().place.line, 101);
/// assert!(reading.problems[0].what.ends_with("first on line 100"));
/// ```
#[must_use]
pub fn read_part(text: &str, name: &str, first_line: u32) -> Documents {
    let mut reading = Documents { documents: Vec::new(), problems: Vec::new() };
    let lines = Arc::new(Lines::new(name, text, first_line));
    let problem = |Flaw { place, finding }| lines.locate(place, finding);
    if text.len() > MAX_BYTES {
        let what = format!("is larger than 1 MiB ({} bytes)", text.len());
        reading.problems.push(problem(Flaw::new(Place::START, what, "split it up")));
        return reading;
    }
    let mut composer = Composer::new(text);
    while let Some(document) = composer.document() {
        if reading.documents.len() >= MAX_DOCUMENTS {
            let what = format!("has more than {MAX_DOCUMENTS} documents");
            reading.problems.push(problem(Flaw::new(Place::START, what, "split it up")));
            break;
        }
        match document {
            // After an error the parser has lost its position.
            Err(flaw) => {
                reading.problems.push(problem(flaw));
                break;
            }
            Ok(root) => {
                let mut resolver = Resolver::below(first_line);
                let (value, places) = resolver.value(&root, None);
                if !resolver.flaws.is_empty() {
                    reading.problems.extend(resolver.flaws.into_iter().map(problem));
                    if reading.problems.len() >= MAX_PROBLEMS {
                        break;
                    }
                } else if !value.is_null() {
                    reading.documents.push(Document::new(value, places, lines.clone()));
                }
            }
        }
    }
    reading
}
