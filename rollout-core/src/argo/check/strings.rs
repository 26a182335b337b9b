//! The rule that a text is compared in exactly one way.

use super::notes::Notes;
use crate::argo::wire::StringMatchField;
use alloc::string::String;

/// Counts how many of the three ways are given; an empty text does not count.
pub(super) fn ways(value: &StringMatchField) -> usize {
    let given = |text: &Option<String>| usize::from(text.as_ref().is_some_and(|text| !text.is_empty()));
    given(&value.exact) + given(&value.prefix) + given(&value.regex)
}

/// Reports a value that is missing, or not compared in exactly one way.
pub(super) fn check(path: &str, value: Option<&StringMatchField>, notes: &mut Notes) {
    let instead = "write one of `exact: …`, `prefix: …`, `regex: …`";
    match value.map_or(0, ways) {
        0 => notes.error(
            path,
            "StringMatch value missed, match value must have one of the following: exact, regex, prefix",
            instead,
        ),
        1 => {}
        _ => notes.error(
            path,
            "StringMatch match value must have exactly one of the following: exact, regex, prefix",
            instead,
        ),
    }
}
