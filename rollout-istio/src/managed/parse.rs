//! Reading a managed route. One that cannot be read was edited by another client.

use rollout_core::traffic::{ManagedRoute, RequestMatch, RouteMatch, StringMatch};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parses a route that the engine could have written. The caller must compare whether it is exactly that.
pub(crate) fn parse(rule: &Value) -> Option<ManagedRoute> {
    let name = rule.get("name")?.as_str()?.into();
    let blocks = rule.get("match")?.as_array()?;
    let matches = blocks.iter().map(request).collect::<Option<_>>()?;
    let matches = if rule.get("mirror").is_some() {
        let percentage = rule.get("mirrorPercentage")?.get("value")?;
        RouteMatch::Mirror { matches, percentage: whole(percentage)? }
    } else {
        RouteMatch::Header(matches)
    };
    Some(ManagedRoute { name, matches })
}

/// Converts a number; 5 and 5.0 are the same percentage.
fn whole(number: &Value) -> Option<i32> {
    let whole = number.as_i64().and_then(|number| i32::try_from(number).ok());
    whole.or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
}

fn request(block: &Value) -> Option<RequestMatch> {
    let mut matches = RequestMatch::default();
    for (key, value) in block.as_object()? {
        match key.as_str() {
            "method" => matches.method = Some(text(value)?),
            "uri" => matches.path = Some(text(value)?),
            "headers" => matches.headers = texts(value)?,
            "queryParams" => matches.query = texts(value)?,
            _ => return None,
        }
    }
    Some(matches)
}

fn texts(value: &Value) -> Option<BTreeMap<String, StringMatch>> {
    value.as_object()?.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

fn text(value: &Value) -> Option<StringMatch> {
    let object = value.as_object()?;
    let (key, _) = object.iter().next()?;
    let text = only(object, key)?.as_str()?.to_owned();
    match key.as_str() {
        "exact" => Some(StringMatch::Exact(text)),
        "prefix" => Some(StringMatch::Prefix(text)),
        "regex" => Some(StringMatch::Regex(text)),
        _ => None,
    }
}

fn only<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if object.len() == 1 { object.get(key) } else { None }
}

/// Returns whether two values mean the same to Istio: numbers by value, and null like absent.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let holds = |one: &Map<String, Value>, other: &Map<String, Value>| {
                one.iter().all(|(key, value)| same(value, other.get(key).unwrap_or(&Value::Null)))
            };
            holds(one, other) && holds(other, one)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_engine_would_not_write_is_not_read() {
        let good = json!({"name": "m", "match": [{"headers": {"a": {"exact": "b"}}}], "route": []});
        assert!(parse(&good).is_some());
        for (key, value) in [
            ("match", json!([{"headers": {"a": {"exact": "b"}}, "port": 80}])),
            ("match", json!([{"queryParams": {"a": "b"}}])),
            ("match", json!([{"headers": {"a": {"exact": "b", "prefix": "b"}}}])),
            ("match", json!([{"headers": {"a": {}}}])),
            ("match", Value::Null),
            ("name", Value::Null),
            ("mirror", json!({"host": "canary"})),
        ] {
            let mut edited = good.clone();
            edited[key] = value;
            assert_eq!(parse(&edited), None, "{edited}");
        }
    }

    #[test]
    fn percentages_are_numbers() {
        assert_eq!(whole(&json!(49)), Some(49));
        assert_eq!(whole(&json!(49.0)), Some(49));
        assert_eq!(whole(&json!(49.5)), None);
        assert!(same(&json!({"a": 1, "b": null}), &json!({"a": 1.0})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    }
}
