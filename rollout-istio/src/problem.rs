//! Problems in an object, reported before the object is known.

use rollout_core::{Escaped, Finding, backend::EditError, traffic::ObjectRef};

/// The maximum number of items named in a message.
pub(crate) const FEW: usize = 10;

/// The maximum number of characters of foreign text shown in a message.
const SHOWN: usize = 100;

/// The maximum number of characters in each part of a message.
const LONGEST: usize = 2000;

/// Turns a finding into an error about this object, with short texts.
pub(crate) fn of(object: &ObjectRef, finding: &Finding) -> EditError {
    EditError::new(object.clone(), short(finding, LONGEST))
}

/// Limits the number of characters in each part of a finding, and escapes control characters.
pub(crate) fn short(finding: &Finding, most: usize) -> Finding {
    let part = |text: &str| start(text, most);
    let (path, what, instead) = (part(&finding.path), part(&finding.what), part(&finding.instead));
    Finding::new(finding.severity, path, what, instead)
}

/// Lists names as `'a', 'b'`, or says that there are none; of many, it lists a few.
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

/// Returns the beginning of a foreign text, with control characters escaped.
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
