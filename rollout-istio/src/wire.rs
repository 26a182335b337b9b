//! Header and mirror steps as they are written.

use rollout_core::traffic::{HeaderMatch, ManagedRoute, MirrorMatch, RouteMatch, StringMatch};
use serde_json::Value;
use std::sync::Arc;

/// A step's name and the route that it makes; none when it takes the route away.
pub(crate) fn managed(step: &Value) -> Result<(Arc<str>, Option<ManagedRoute>), String> {
    let header = step.get("setHeaderRoute");
    let (kind, step) = match (header, step.get("setMirrorRoute")) {
        (Some(header), _) => ("setHeaderRoute", header),
        (None, Some(mirror)) => ("setMirrorRoute", mirror),
        (None, None) => return Err("a managed step is neither setHeaderRoute nor setMirrorRoute".into()),
    };
    let name: Arc<str> = step.get("name").and_then(Value::as_str).unwrap_or_default().into();
    let blocks = step.get("match").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if blocks.is_empty() {
        return Ok((name, None));
    }
    let at = |index: usize| format!("{kind} '{name}': match[{index}]");
    let blocks = blocks.iter().enumerate();
    let matches = if header.is_some() {
        let matches = blocks.map(|(index, block)| {
            header_match(block).ok_or_else(|| {
                format!("{}: write headerName, and headerValue with one of exact, prefix, regex", at(index))
            })
        });
        RouteMatch::Header(matches.collect::<Result<_, _>>()?)
    } else {
        let matches = blocks.map(|(index, block)| {
            mirror_match(block).ok_or_else(|| {
                format!("{}: write method, path or headers, each with one of exact, prefix, regex", at(index))
            })
        });
        RouteMatch::Mirror { matches: matches.collect::<Result<_, _>>()?, percentage: percentage(step)? }
    };
    Ok((name.clone(), Some(ManagedRoute { name, matches })))
}

fn percentage(step: &Value) -> Result<i32, String> {
    match step.get("percentage") {
        None | Some(Value::Null) => Ok(100),
        Some(percentage) => percentage
            .as_i64()
            .and_then(|percentage| i32::try_from(percentage).ok())
            .ok_or_else(|| format!("percentage {percentage} is no whole number; write one from 0 to 100")),
    }
}

fn header_match(block: &Value) -> Option<HeaderMatch> {
    Some(HeaderMatch {
        name: block.get("headerName")?.as_str()?.into(),
        value: text(block.get("headerValue")?)?,
    })
}

fn mirror_match(block: &Value) -> Option<MirrorMatch> {
    let part = |key| match block.get(key) {
        None | Some(Value::Null) => Some(None),
        Some(value) => text(value).map(Some),
    };
    let headers = block.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.map(|(name, value)| Some((name.clone(), text(value)?)));
    Some(MirrorMatch {
        method: part("method")?,
        path: part("path")?,
        headers: headers.collect::<Option<_>>()?,
    })
}

/// Exactly one of `exact`, `prefix`, `regex` that is not empty.
fn text(value: &Value) -> Option<StringMatch> {
    let part =
        |key| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match (part("exact"), part("prefix"), part("regex")) {
        (Some(text), None, None) => Some(StringMatch::Exact(text)),
        (None, Some(text), None) => Some(StringMatch::Prefix(text)),
        (None, None, Some(text)) => Some(StringMatch::Regex(text)),
        _ => None,
    }
}
