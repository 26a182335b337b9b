//! Managed routes: for each weighed route, its own requests alone, and everything that the user says of them.
#![expect(clippy::indexing_slicing, reason = "a test may stop where it stands")]

mod support;

use rollout_core::traffic::{ManagedChange, ManagedSeen};
use rollout_istio::{IstioConfig, MANAGED_ANNOTATION, VirtualServiceRef};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{
    One, header, http,
    meets::{Request, meets},
    mirror, route, to,
};

fn config(routes: &[&str]) -> IstioConfig {
    let entry = routes.iter().fold(VirtualServiceRef::new("provider"), |entry, route| entry.route(route));
    IstioConfig::hosts("shop", "a", "b")
        .virtual_service(entry)
        .managed_route("testers")
        .managed_route("copies")
}

/// The weighed route of `cases/06`, and one of somebody else.
fn demo() -> Value {
    let mut primary = route("primary", 100, 0);
    primary["match"] =
        json!([{"uri": {"exact": "/demo"}}, {"uri": {"prefix": "/demo/"}, "method": {"exact": "GET"}}]);
    primary["rewrite"] = json!({"uri": "/"});
    primary["corsPolicy"] = json!({"allowOrigins": [{"exact": "https://example.com"}]});
    primary["timeout"] = json!("10s");
    primary["retries"] = json!({"attempts": 3});
    primary["headers"] = json!({"request": {"set": {"x": "y"}}});
    primary["mirror"] = json!({"host": "analytics"});
    json!([primary, {"name": "other", "match": [{"uri": {"prefix": "/other"}}], "route": [{"destination": {"host": "other"}}]}])
}

#[test]
fn case_06_a_header_route_takes_over_what_the_user_says_of_the_route() {
    let mut one = One::new(config(&["primary"]), http(&demo()));
    let wanted = to(0, ManagedChange::To(vec![header("testers", "x")]));
    assert!(one.route(&wanted));
    assert_eq!(one.names(), ["testers", "primary", "other"]);
    let lane = json!({"lane": {"exact": "x"}});
    assert_eq!(
        one.http()[0],
        json!({
            "name": "testers",
            "match": [
                {"uri": {"exact": "/demo"}, "headers": lane},
                {"uri": {"prefix": "/demo/"}, "method": {"exact": "GET"}, "headers": lane},
            ],
            "rewrite": {"uri": "/"},
            "corsPolicy": {"allowOrigins": [{"exact": "https://example.com"}]},
            "timeout": "10s",
            "retries": {"attempts": 3},
            "headers": {"request": {"set": {"x": "y"}}},
            "route": [{"destination": {"host": "b"}, "weight": 100}],
        })
    );
    assert_eq!(one.seen().routes[0].managed, [ManagedSeen::new(header("testers", "x"))]);
    assert!(!one.route(&wanted), "and it is written once");
    one.route(&to(0, ManagedChange::To(vec![])));
    assert_eq!(one.provider(), &http(&demo()), "nothing is left, no note either");
}

/// The user's edit of the weighed route is followed, as one of a managed route is repaired.
#[test]
fn what_changes_in_the_route_changes_in_its_managed_ones() {
    let mut one = One::new(config(&["primary"]), http(&demo()));
    let wanted = to(20, ManagedChange::To(vec![header("testers", "x"), mirror("copies", 50)]));
    one.route(&wanted);
    assert!(one.seen().routes[0].managed.iter().all(|seen| seen.route.is_some()));
    for (path, value) in [
        ("/spec/http/2/timeout", json!("3s")),
        ("/spec/http/2/match/0/uri", json!({"exact": "/new"})),
        ("/spec/http/0/match/0/uri", json!({"exact": "/edited"})),
        ("/spec/http/1/route/0/weight", json!(7)),
    ] {
        *one.change().pointer_mut(path).unwrap() = value;
        let drifted = one.seen();
        assert!(drifted.routes[0].managed.iter().any(|seen| seen.route.is_none()), "{path}");
        assert!(one.route(&wanted), "{path}");
        assert!(one.seen().routes[0].managed.iter().all(|seen| seen.route.is_some()), "{path}");
        assert!(!one.route(&wanted), "{path}");
    }
    assert_eq!(one.http()[0]["match"][0]["uri"], json!({"exact": "/new"}));
    one.change()["metadata"].as_object_mut().unwrap().shift_remove("annotations");
    let asked = [header("testers", "x"), mirror("copies", 50)].map(Some);
    let seen: Vec<_> = one.seen().routes[0].managed.iter().map(|seen| seen.route.clone()).collect();
    assert_ne!(seen, asked, "nobody knows what was asked for: the path may be the route's own");
    assert!(one.route(&wanted) && one.provider()["metadata"]["annotations"][MANAGED_ANNOTATION].is_string());
}

#[test]
fn a_plain_header_route_of_argo_rollouts_is_adopted_in_one_write() {
    let plain = json!({"name": "testers", "match": [{"headers": {"lane": {"exact": "x"}}}],
        "route": [{"destination": {"host": "b"}, "weight": 100}]});
    let wanted = to(0, ManagedChange::To(vec![header("testers", "x")]));
    let mut one = One::new(config(&["primary"]), http(&json!([plain, route("primary", 100, 0)])));
    assert_eq!(one.seen().routes[0].managed, [ManagedSeen::new(header("testers", "x"))]);
    assert!(!one.route(&wanted), "what means the same is left alone");

    let mut list = demo();
    list.as_array_mut().unwrap().rotate_left(1);
    list.as_array_mut().unwrap().insert(0, plain);
    let mut one = One::new(config(&["primary"]), http(&list));
    let seen = one.seen();
    assert_eq!(seen.routes[0].managed, [ManagedSeen::drifted("testers".into())]);
    assert!(!seen.routes[0].in_order);
    assert!(one.route(&wanted));
    assert_eq!(one.names(), ["other", "testers", "primary"]);
    assert!(one.seen().routes[0].in_order && !one.route(&wanted));
}

#[test]
fn a_route_with_which_nothing_can_match_both_has_no_managed_route_and_what_cannot_be_said_is_refused() {
    let matching = |name: &str, matches: Value| {
        let mut route = route(name, 100, 0);
        route["match"] = matches;
        route
    };
    let lane = |value: Value| json!([{"headers": {"Lane": value}}]);
    let routes =
        json!([matching("one", lane(json!({"exact": "y"}))), matching("two", lane(json!({"prefix": "x"})))]);
    let mut one = One::new(config(&["one", "two"]), http(&routes));
    let wanted = to(0, ManagedChange::To(vec![header("testers", "x")]));
    one.route(&wanted);
    assert_eq!(one.names(), ["one", "testers", "two"]);
    assert_eq!(one.http()[1]["match"], lane(json!({"exact": "x"})));
    assert_eq!(one.seen().routes[0].managed, [ManagedSeen::new(header("testers", "x"))]);
    // The only route is one of another lane: the step says who meets the canary.
    let mut other = One::new(config(&["one"]), http(&json!([matching("one", lane(json!({"exact": "y"})))])));
    other.route(&wanted);
    assert_eq!(other.names(), ["testers", "one"]);
    assert!(other.http()[0]["match"].to_string().contains(r#"{"exact":"x"}"#));
    assert_eq!(other.seen().routes[0].managed, [ManagedSeen::new(header("testers", "x"))]);
    let pattern = lane(json!({"regex": "a|b"}));
    let one = One::new(config(&["one"]), http(&json!([matching("one", pattern)])));
    let text = one.try_route(&wanted).unwrap_err().to_string();
    let said = "it and 'testers' both match the header \"lane\", and Istio cannot match both";
    assert!(text.contains(said), "{text}");
}

/// Each kind of request before and after: one with the header that would be weighed goes to the canary, and is
/// treated as its route says; every other goes where it went.
#[test]
fn managed_routes_take_only_the_requests_of_weighed_routes() {
    let matching = |prefix: &str, mut route: Value| {
        route["match"] = json!([{"uri": {"prefix": prefix}}]);
        route["rewrite"] = json!({"uri": prefix});
        route
    };
    let own = |prefix: &str, name: &str| matching(prefix, route(name, 70, 30));
    let foreign = |prefix: &str| matching(prefix, json!({"route": [{"destination": {"host": "other"}}]}));
    let all =
        [own("/a", "one"), foreign("/b"), own("/c", "two"), foreign("/c/d"), own("/", "all"), foreign("/e")];
    let mut tried = 0;
    for seed in 0..120_usize {
        // Every order of the six, in steps.
        let mut order = all.to_vec();
        for place in 0..5 {
            order.swap(place, place + (seed / (1 + place) + seed) % (6 - place));
        }
        let mut one = One::new(config(&["one", "two", "all"]), http(&Value::Array(order)));
        let before = one.provider().clone();
        let wanted = to(30, ManagedChange::To(vec![header("testers", "x"), mirror("copies", 50)]));
        one.route(&wanted);
        assert!(one.seen().routes[0].in_order && !one.route(&wanted));
        for path in ["/a", "/b", "/c", "/c/d", "/e", "/f"] {
            let plain = Request { method: "GET", path, ..Request::default() };
            let tester = Request { headers: vec![("lane", "x")], ..plain.clone() };
            let rule = |object: &Value, request: &Request<'_>| {
                let rules = object["spec"]["http"].as_array().unwrap();
                rules.iter().find(|rule| support::meets::takes(rule, request)).unwrap().clone()
            };
            let (was, is) = (rule(&before, &tester), rule(one.provider(), &tester));
            assert_eq!(was["rewrite"], is["rewrite"], "{path} of {seed}");
            let met = |request| meets(&[], one.provider(), request).unwrap();
            let pods = |host: &str| BTreeMap::from([("host".to_owned(), host.to_owned())]);
            let weighed = was["name"].is_string();
            let expected = if weighed { "b" } else { "other" };
            assert_eq!(met(&tester).pods, BTreeMap::from([(pods(expected), 1_000_000)]), "{path} of {seed}");
            assert_eq!(met(&plain).pods, meets(&[], &before, &plain).unwrap().pods, "{path} of {seed}");
            assert_eq!(!met(&plain).copies.is_empty(), weighed, "{path} of {seed}");
            tried += 1;
        }
    }
    assert!(tried > 700);
}

#[test]
fn a_header_route_leads_to_the_canary_of_its_own_route_on_its_own_port() {
    let mut primary = route("primary", 100, 0);
    primary["route"][0]["destination"]["port"] = json!({"number": 80});
    primary["route"][1]["destination"]["port"] = json!({"number": 8080});
    primary["route"][1]["headers"] = json!({"request": {"set": {"x-canary": "1"}}});
    let mut one = One::new(config(&["primary"]), http(&json!([primary])));
    one.route(&to(0, ManagedChange::To(vec![header("testers", "x")])));
    let entry = json!({"destination": {"host": "b", "port": {"number": 8080}}, "weight": 100, "headers": {"request": {"set": {"x-canary": "1"}}}});
    assert_eq!(one.http()[0]["route"], json!([entry]));
}

#[test]
fn what_would_be_written_too_often_is_refused() {
    let routes: Vec<_> = (0..1001).map(|_| route("primary", 100, 0)).collect();
    let one = One::new(config(&["primary"]), http(&routes.into()));
    let wanted = to(0, ManagedChange::To(vec![header("testers", "x")]));
    let text = one.try_route(&wanted).unwrap_err().to_string();
    assert!(text.contains("'testers' would be written 1001 times"), "{text}");
    let mut primary = route("primary", 100, 0);
    primary["match"] = vec![json!({"uri": {"prefix": "/"}}); 1001].into();
    let text =
        One::new(config(&["primary"]), http(&json!([primary]))).try_route(&wanted).unwrap_err().to_string();
    assert!(text.contains("more than 1000 match blocks"), "{text}");
}
