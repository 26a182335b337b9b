//! The further conditions of a header route, from the annotation of the Rollout to what a proxy compares.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it stands"
)]

mod support;

use rollout_core::{
    Step,
    argo::{HEADER_CONDITIONS_ANNOTATION, convert, wire::Rollout},
    traffic::{ManagedChange, ManagedRoute},
};
use rollout_istio::{IstioConfig, VirtualServiceRef};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{One, http, route, to};

/// The header route of a Rollout with these conditions.
fn header_route(conditions: &Value) -> Arc<ManagedRoute> {
    let matches = json!([{"headerName": "lane", "headerValue": {"exact": "x"}}]);
    let rollout = json!({
        "metadata": {"annotations": {HEADER_CONDITIONS_ANNOTATION: json!({"testers": conditions}).to_string()}},
        "spec": {"strategy": {"canary": {
            "steps": [{"setHeaderRoute": {"name": "testers", "match": matches}}],
            "trafficRouting": {"managedRoutes": [{"name": "testers"}], "istio": {}},
        }}},
    });
    let spec = convert(&Rollout::from_value(&rollout), "v2".into()).spec.unwrap();
    let Step::SetHeaderRoute { route, .. } = &spec.strategy.steps()[0] else { panic!("another step") };
    route.clone().unwrap()
}

/// What the VirtualService matches, if the user's own route matches `own`.
fn matched(conditions: &Value, own: &Value) -> Value {
    let entry = VirtualServiceRef::new("provider");
    let config = IstioConfig::hosts("shop", "a", "b").virtual_service(entry).managed_route("testers");
    let mut primary = route("primary", 100, 0);
    primary["match"] = own.clone();
    let mut one = One::new(config, http(&json!([primary])));
    one.route(&to(0, ManagedChange::To(vec![header_route(conditions)])));
    one.http()[0]["match"].clone()
}

#[test]
fn every_condition_is_in_the_match() {
    let lane = json!({"lane": {"exact": "x"}});
    let also = |key: &str, value: Value| {
        let mut block = json!({"headers": lane});
        block[key] = value;
        block
    };
    let header = |name: &str, value: Value| json!({"headers": {"lane": {"exact": "x"}, name: value}});
    let cookie = |value: &str| header("cookie", json!({"regex": format!(r"(?:.*;\s*)?{value}(?:;.*)?")}));
    for (conditions, block) in [
        (json!({"path": {"exact": "/a"}}), also("uri", json!({"exact": "/a"}))),
        (json!({"path": {"prefix": "/a"}}), also("uri", json!({"prefix": "/a"}))),
        (json!({"path": {"regex": "/a.*"}}), also("uri", json!({"regex": "/a.*"}))),
        (json!({"method": {"exact": "GET"}}), also("method", json!({"exact": "GET"}))),
        (json!({"method": {"prefix": "P"}}), also("method", json!({"prefix": "P"}))),
        (json!({"method": {"regex": "GET|PUT"}}), also("method", json!({"regex": "GET|PUT"}))),
        (json!({"query": {"q": {"exact": "1"}}}), also("queryParams", json!({"q": {"exact": "1"}}))),
        (json!({"query": {"q": {"regex": "1|2"}}}), also("queryParams", json!({"q": {"regex": "1|2"}}))),
        (
            json!({"query": {"q": {"exact": "1"}, "r": {"exact": "2"}}}),
            also("queryParams", json!({"q": {"exact": "1"}, "r": {"exact": "2"}})),
        ),
        (json!({"headers": {"team": {"prefix": "a"}}}), header("team", json!({"prefix": "a"}))),
        (json!({"cookie": {"a.b": {"exact": "1+1"}}}), cookie(r"a\.b=1\+1")),
        (json!({"cookie": {"a": {"prefix": "x$"}}}), cookie(r"a=x\$[^;]*")),
        (json!({"cookie": {"a": {"regex": "x|y"}}}), cookie("a=(?:x|y)")),
    ] {
        assert_eq!(matched(&conditions, &Value::Null), json!([block]), "{conditions}");
        // The user's own condition is about something else, or allows all.
        let mut both = block.clone();
        both["authority"] = json!({"exact": "shop"});
        assert_eq!(
            matched(&conditions, &json!([{"authority": {"exact": "shop"}}])),
            json!([both]),
            "{conditions}"
        );
    }
}

#[test]
fn a_cookie_is_compared_as_text() {
    let letters = r"a\.+*?()|[]{}^$z";
    for (kind, value, takes, takes_not) in [
        ("exact", letters, letters.to_owned(), format!("{letters}z")),
        ("exact", "a.c", "a.c".to_owned(), "abc".to_owned()),
        ("exact", "a+", "a+".to_owned(), "aa".to_owned()),
        ("exact", "a|b", "a|b".to_owned(), "a".to_owned()),
        ("prefix", letters, format!("{letters}z"), letters[1..].to_owned()),
        ("prefix", "a.c", "a.cd".to_owned(), "abcd".to_owned()),
        ("regex", "a|b", "b".to_owned(), "ab".to_owned()),
    ] {
        for name in ["team", "te.m", "$te*m"] {
            let matched = matched(&json!({"cookie": {name: {kind: value}}}), &Value::Null);
            let regex = matched[0]["headers"]["cookie"]["regex"].as_str().unwrap();
            let regex = regex::Regex::new(&format!("^(?:{regex})$")).unwrap();
            let about = format!("{kind} {value} of {name}");
            for (before, after) in [("", ""), ("x=y; ", ""), ("", "; x=y"), ("x=y;", ";x=y")] {
                let cookies = |value: &str| format!("{before}{name}={value}{after}");
                assert!(regex.is_match(&cookies(&takes)), "{about}: {}", cookies(&takes));
                assert!(!regex.is_match(&cookies(&takes_not)), "{about}: {}", cookies(&takes_not));
            }
            for others in [format!("my{name}={takes}"), format!("x={takes}"), format!("x={name}={takes}")] {
                assert!(!regex.is_match(&others), "{about}: {others}");
            }
            let other = name.replace(['.', '*'], "a");
            assert!(other == name || !regex.is_match(&format!("{other}={takes}")), "{about}: {other}");
        }
    }
}
