//! The edited objects as people read them: YAML, and unified diffs of it.

use serde_json::Value;
use similar::TextDiff;

/// An object as YAML; nothing where there is none.
pub(crate) fn yaml(object: &Value) -> String {
    if object.is_null() { String::new() } else { serde_yaml::to_string(object).unwrap_or_default() }
}

/// What changed, as a unified diff.
pub(crate) fn diff(name: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().context_radius(3).header(name, name).to_string()
}
