//! The conjunction of two conditions, as far as Istio can express it.

use super::same;
use serde_json::{Map, Value};

/// The conjunction of two conditions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Both<T> {
    /// This condition expresses it.
    Is(T),
    /// No request meets both.
    Never,
    /// Istio cannot express it; the text names the parts that conflict.
    Unsaid(String),
}

/// Combines two match blocks: the user's own `block`, and one of a managed route.
pub(crate) fn blocks(block: &Map<String, Value>, managed: &Map<String, Value>) -> Both<Map<String, Value>> {
    let mut all = block.clone();
    for (key, wanted) in managed {
        let own = block.get(key).filter(|own| !own.is_null());
        let both = match (key.as_str(), own, wanted) {
            (_, None, wanted) => Both::Is(wanted.clone()),
            // Proxies compare the names of headers without regard to case.
            ("headers", Some(Value::Object(own)), Value::Object(wanted)) => {
                named("header", own, wanted, str::eq_ignore_ascii_case)
            }
            ("queryParams", Some(Value::Object(own)), Value::Object(wanted)) => {
                named("query parameter", own, wanted, str::eq)
            }
            ("uri", Some(own), wanted) if ignores_case(block) && !is_all_paths(wanted) && own != wanted => {
                Both::Unsaid("uri".into())
            }
            (key, Some(own), wanted) => texts(key, own, wanted),
        };
        match both {
            Both::Is(value) => drop(all.insert(key.clone(), value)),
            Both::Never => return Both::Never,
            Both::Unsaid(what) => return Both::Unsaid(what),
        }
    }
    Both::Is(all)
}

fn ignores_case(block: &Map<String, Value>) -> bool {
    block.get("ignoreUriCase").and_then(Value::as_bool).unwrap_or_default()
}

fn is_all_paths(wanted: &Value) -> bool {
    part(wanted, "prefix") == Some("/")
}

/// Combines conditions on what has a name.
fn named(
    kind: &str,
    own: &Map<String, Value>,
    wanted: &Map<String, Value>,
    is_same: impl Fn(&str, &str) -> bool,
) -> Both<Value> {
    let mut all = own.clone();
    for (name, wanted) in wanted {
        let Some((key, own)) = own.iter().find(|(key, _)| is_same(key, name)) else {
            all.insert(name.clone(), wanted.clone());
            continue;
        };
        match texts(&format!("the {kind} {name:?}"), own, wanted) {
            Both::Is(value) => drop(all.insert(key.clone(), value)),
            Both::Never => return Both::Never,
            Both::Unsaid(what) => return Both::Unsaid(what),
        }
    }
    Both::Is(Value::Object(all))
}

/// Combines two conditions on one text.
fn texts(about: &str, own: &Value, wanted: &Value) -> Both<Value> {
    // Every text meets an empty condition.
    if same(own, wanted) || own.as_object().is_none_or(Map::is_empty) {
        return Both::Is(wanted.clone());
    }
    if is_any(wanted) {
        return Both::Is(own.clone());
    }
    if is_any(own) {
        return Both::Is(wanted.clone());
    }
    let exact = |value| part(value, "exact");
    let prefix = |value| part(value, "prefix");
    let narrower = |narrow: &Value, fits: bool| if fits { Both::Is(narrow.clone()) } else { Both::Never };
    match (exact(own), exact(wanted), prefix(own), prefix(wanted)) {
        (Some(_), Some(_), _, _) => Both::Never,
        (Some(text), None, _, Some(start)) => narrower(own, text.starts_with(start)),
        (None, Some(text), Some(start), _) => narrower(wanted, text.starts_with(start)),
        (None, None, Some(one), Some(other)) if one.starts_with(other) => Both::Is(own.clone()),
        (None, None, Some(one), Some(other)) => narrower(wanted, other.starts_with(one)),
        _ => Both::Unsaid(about.to_owned()),
    }
}

fn is_any(value: &Value) -> bool {
    part(value, "regex") == Some(".*") || part(value, "prefix") == Some("")
}

fn part<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn both(own: &Value, managed: &Value) -> Both<Map<String, Value>> {
        blocks(own.as_object().unwrap(), managed.as_object().unwrap())
    }

    #[test]
    fn what_is_said_of_different_things_is_put_together() {
        let own = json!({"uri": {"prefix": "/demo"}, "headers": {"host": {"exact": "a"}}, "port": 80});
        let managed = json!({"headers": {"x-canary": {"exact": "1"}}});
        let expected = json!({"uri": {"prefix": "/demo"}, "headers": {"host": {"exact": "a"}, "x-canary": {"exact": "1"}}, "port": 80});
        assert_eq!(both(&own, &managed), Both::Is(expected.as_object().unwrap().clone()));
        assert_eq!(both(&json!({}), &managed), Both::Is(managed.as_object().unwrap().clone()));
        let query = |name: &str, text: &str| json!({"queryParams": {name: {"exact": text}}});
        let expected = json!({"queryParams": {"Beta": {"exact": "1"}, "beta": {"exact": "2"}}});
        assert_eq!(
            both(&query("Beta", "1"), &query("beta", "2")),
            Both::Is(expected.as_object().unwrap().clone())
        );
        assert_eq!(both(&query("beta", "1"), &query("beta", "2")), Both::Never);
    }

    #[test]
    fn of_two_texts_the_narrower_counts() {
        let uri = |kind: &str, text: &str| json!({"uri": {kind: text}});
        for (one, other, expected) in [
            (uri("exact", "/a"), uri("exact", "/a"), Some(uri("exact", "/a"))),
            (uri("exact", "/a"), uri("exact", "/b"), None),
            (uri("exact", "/a/b"), uri("prefix", "/a"), Some(uri("exact", "/a/b"))),
            (uri("exact", "/b"), uri("prefix", "/a"), None),
            (uri("prefix", "/a/b"), uri("prefix", "/"), Some(uri("prefix", "/a/b"))),
            (uri("prefix", "/a"), uri("prefix", "/b"), None),
            (uri("regex", "/a.*"), uri("regex", "/a.*"), Some(uri("regex", "/a.*"))),
            (uri("regex", "/a.*"), uri("regex", ".*"), Some(uri("regex", "/a.*"))),
        ] {
            for (own, managed) in [(&one, &other), (&other, &one)] {
                let expected = match &expected {
                    Some(expected) => Both::Is(expected.as_object().unwrap().clone()),
                    None => Both::Never,
                };
                assert_eq!(both(own, managed), expected, "{own} and {managed}");
            }
        }
    }

    #[test]
    fn what_istio_cannot_say_is_said() {
        let uri = |kind: &str, text: &str| json!({"uri": {kind: text}});
        assert_eq!(both(&uri("regex", "/a.*"), &uri("prefix", "/")), Both::Unsaid("uri".into()));
        let ignoring = json!({"uri": {"prefix": "/A"}, "ignoreUriCase": true});
        assert_eq!(both(&ignoring, &uri("exact", "/a")), Both::Unsaid("uri".into()));
        assert_eq!(both(&ignoring, &uri("prefix", "/")), Both::Is(ignoring.as_object().unwrap().clone()));
        let header = |name: &str, value: Value| json!({"headers": {name: value}});
        let said = both(&header("X-Lane", json!({"regex": "a|b"})), &header("x-lane", json!({"exact": "a"})));
        assert_eq!(said, Both::Unsaid("the header \"x-lane\"".into()));
        assert_eq!(
            both(&header("X-Lane", json!({"exact": "b"})), &header("x-lane", json!({"exact": "a"}))),
            Both::Never
        );
        let present = both(&header("X-Lane", json!({})), &header("x-lane", json!({"exact": "a"})));
        assert_eq!(present, Both::Is(header("X-Lane", json!({"exact": "a"})).as_object().unwrap().clone()));
    }
}
