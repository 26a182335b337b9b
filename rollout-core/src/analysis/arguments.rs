//! The values of a Rollout's analysis arguments.

use super::spec::text;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Value as Json, json};

/// Why an argument has no value.
///
/// ```
/// use rollout_core::analysis::arguments;
/// use serde_json::json;
/// let args = [json!({"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "spec.nothing"}}})];
/// let error = arguments(&args, &json!({"spec": {}}), None, "v2").unwrap_err();
/// assert_eq!(error.to_string(), "argument `a`: the Rollout has no value at `spec.nothing`; write the path of a field");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("argument `{name}`: {what}; {instead}")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The argument.
    pub name: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: &'static str,
}

/// Returns the arguments of a Rollout with their values: `podTemplateHashValue` becomes the hash of the stable or the
/// latest revision, and `fieldRef` a field of the Rollout.
///
/// ```
/// use rollout_core::analysis::arguments;
/// use serde_json::json;
/// let args = [
///     json!({"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}),
///     json!({"name": "replicas", "valueFrom": {"fieldRef": {"fieldPath": "spec.replicas"}}}),
///     json!({"name": "team", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['team']"}}}),
/// ];
/// let rollout = json!({"metadata": {"labels": {"team": "shop"}}, "spec": {"replicas": 10_000_000}});
/// let args = arguments(&args, &rollout, Some("v1"), "v2")?;
/// let values: Vec<_> = args.iter().map(|arg| arg["value"].as_str().unwrap()).collect();
/// assert_eq!(values, ["v2", "1e+07", "shop"], "numbers are printed as Go prints them");
/// # Ok::<(), rollout_core::analysis::InvalidArgument>(())
/// ```
///
/// # Errors
/// An argument refers to a field that is not there or no single value, or to a hash that does not exist.
pub fn arguments(
    args: &[Json],
    rollout: &Json,
    stable: Option<&str>,
    latest: &str,
) -> Result<Vec<Json>, InvalidArgument> {
    let each = |argument: &Json| {
        let name = text(argument, "name");
        let Some(from) = argument.get("valueFrom").filter(|from| from.is_object()) else {
            return Ok(argument.clone());
        };
        let wrong = |what: String, instead| InvalidArgument { name: name.into(), what, instead };
        let value = if let Some(hash) = from.get("podTemplateHashValue").and_then(Json::as_str) {
            match hash {
                "Stable" => stable.unwrap_or_default().to_string(),
                "Latest" => latest.to_string(),
                other => {
                    let what = format!("there is no hash `{}`", super::shortened(other));
                    return Err(wrong(what, "write `Stable` or `Latest`"));
                }
            }
        } else {
            let path = from.pointer("/fieldRef/fieldPath").and_then(Json::as_str).unwrap_or_default();
            let missing = || {
                let what = format!("the Rollout has no value at `{}`", super::shortened(path));
                wrong(what, "write the path of a field")
            };
            field(rollout, path).and_then(scalar).ok_or_else(missing)?
        };
        Ok(json!({ "name": name, "value": value }))
    };
    args.iter().map(each).collect()
}

/// Finds a field: names with dots between them, `[0]` in lists, `['key']` in maps.
fn field<'j>(object: &'j Json, path: &str) -> Option<&'j Json> {
    let mut found = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (key, after) = after.split_once(']')?;
            found = match key.strip_prefix(['\'', '"']) {
                Some(key) => found.get(key.strip_suffix(['\'', '"'])?)?,
                None => found.get(key.parse::<usize>().ok()?)?,
            };
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            found = found.get(rest.get(..end)?)?;
            let after = rest.get(end..)?;
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    Some(found)
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => number.as_f64().map(go_number),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Prints a float as Go does: with an exponent below 1e-4 and from 1e6 on.
fn go_number(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        for (number, text) in [
            (5.0, "5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.00001, "1e-05"),
            (0.5, "0.5"),
        ] {
            assert_eq!(go_number(number), text);
        }
    }
}
