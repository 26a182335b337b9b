//! Paths of fields, as Kubernetes writes them.

use alloc::{format, string::String};
use core::fmt::Write;

/// Returns the path of a field below `path`.
pub(crate) fn child(path: &str, key: &str) -> String {
    let mut path = String::from(path);
    push_key(&mut path, key);
    path
}

pub(crate) fn push_key(path: &mut String, key: &str) {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !plain {
        path.extend(["[", shorten(key), "]"]);
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(shorten(key));
}

/// Truncates a key that is longer than any that Kubernetes allows.
pub(super) fn shorten(key: &str) -> &str {
    match key.char_indices().nth(400) {
        Some((end, _)) => key.get(..end).unwrap_or_default(),
        None => key,
    }
}

pub(crate) fn push_index(path: &mut String, index: usize) {
    // Writing to a `String` cannot fail.
    let _ = write!(path, "[{index}]");
}

/// Returns the last part of a path, as the subject of a sentence.
pub(crate) fn subject(path: &str) -> String {
    if path.is_empty() {
        return "the document".into();
    }
    let bracket = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
    let is_index = bracket.is_some_and(|(_, index)| index.bytes().all(|b| b.is_ascii_digit()));
    match bracket {
        Some((_, key)) if !is_index => format!("`{key}`"),
        _ => format!("`{}`", path.rsplit('.').next().unwrap_or(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_kubernetes_writes_them() {
        let mut path = String::new();
        push_key(&mut path, "spec");
        push_key(&mut path, "steps");
        push_index(&mut path, 2);
        push_key(&mut path, "app.kubernetes.io/name");
        assert_eq!(path, "spec.steps[2][app.kubernetes.io/name]");
    }
}
