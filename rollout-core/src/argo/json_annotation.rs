//! Annotations whose value is JSON.

use super::{
    Finding, Severity,
    path::child,
    reader::Reader,
    wire::{Rollout, Wire},
};
use alloc::{format, string::String, vec, vec::Vec};
use serde_json::Value;

/// Reads the JSON of an annotation, if the Rollout has it, with the annotation's path. Unlike in a manifest, nobody
/// removes unknown fields here, so a misspelt one is an error.
///
/// # Errors
/// All mistakes in the annotation, each with its path; `form` says what to write instead of text that is not JSON.
pub(super) fn json<T: Wire>(
    rollout: &Rollout,
    key: &str,
    form: &str,
) -> Result<Option<(T, String)>, Vec<Finding>> {
    let Some(text) = rollout.annotation(key) else { return Ok(None) };
    let path = child("metadata.annotations", key);
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return Err(vec![wrong(path, format!("is not JSON: {error}"), form)]),
    };
    let mut reader = Reader::at(&path);
    let written = T::read(&value, &mut reader).unwrap_or_default();
    let mut findings: Vec<Finding> = reader.findings.into_list();
    for finding in &mut findings {
        finding.severity = Severity::Error;
        finding.what = finding.what.replace(": it is ignored", "");
    }
    if findings.is_empty() { Ok(Some((written, path))) } else { Err(findings) }
}

/// An error in an annotation.
pub(super) fn wrong(path: String, what: impl Into<String>, instead: &str) -> Finding {
    Finding::new(Severity::Error, path, what.into(), instead)
}
