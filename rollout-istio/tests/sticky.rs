//! A sticky split: whom it sends where, over a whole release, and what it does not touch.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may stop where it stands")]

mod support;

use proptest::prelude::*;
use rollout_core::{
    argo::{STICKY_ANNOTATION, wire::Rollout},
    backend::ObjectEditor,
    traffic::{ManagedChange, Routes, Weight, WeightChange},
};
use rollout_istio::{IstioConfig, IstioEditor, Sticky, VirtualServiceRef};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{One, header, to};

const COOKIE: &str = "web-canary";

fn config(weights: &[u32], total: u32) -> IstioConfig {
    let mut config = IstioConfig::hosts("shop", "a", "b")
        .of_rollout("web")
        .virtual_service(VirtualServiceRef::new("provider"))
        .managed_route("testers")
        .sticky(Sticky::new(COOKIE, weights.iter().copied()).unwrap());
    config.max_weight = total;
    config
}

fn provider(rule: &Value) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "provider"}, "spec": {"http": [rule]}})
}

fn plain() -> Value {
    provider(&json!({"timeout": "3s", "route": [
        {"destination": {"host": "a"}, "weight": 100}, {"destination": {"host": "b"}, "weight": 0},
    ]}))
}

fn weight(parts: u32, of: u32, revision: &str) -> Routes {
    Routes {
        weight: WeightChange::To(Weight::new(parts, of)),
        managed: ManagedChange::Keep,
        written_for: revision.into(),
    }
}

/// Users by their cookie, in parts of a whole that every weight divides.
type Users = BTreeMap<Option<String>, u64>;

const WHOLE: u64 = 1_000_000_000_000;

/// Sends one request of each user, and returns how many met the canary, by the cookie that they came with, and the
/// users with their new cookies. The routes are read as Istio's documentation says.
fn visit(http: &[Value], users: &Users) -> (BTreeMap<Option<String>, u64>, Users) {
    let (mut met, mut after) = (BTreeMap::new(), Users::new());
    for (cookie, count) in users {
        let sent = cookie.as_ref().map(|value| format!("session=x; {COOKIE}={value}"));
        let takes = |rule: &&Value| {
            let Some(blocks) = rule["match"].as_array() else { return true };
            blocks.iter().any(|block| {
                let regex = block["headers"]["cookie"]["regex"].as_str().unwrap();
                let regex = regex::Regex::new(&format!("^(?:{regex})$")).unwrap();
                sent.as_ref().is_some_and(|sent| regex.is_match(sent))
            })
        };
        let rule = http.iter().find(takes).unwrap();
        let entries = rule["route"].as_array().unwrap();
        let total: u64 = entries.iter().map(|entry| entry["weight"].as_u64().unwrap()).sum();
        for entry in entries {
            let part = count * entry["weight"].as_u64().unwrap() / total;
            if entry["destination"]["host"] == "b" {
                *met.entry(cookie.clone()).or_default() += part;
            }
            let gets = entry["headers"]["response"]["add"]["Set-Cookie"].as_str().map(|header| {
                let value = header.strip_prefix("web-canary=").unwrap();
                value.strip_suffix("; Path=/; HttpOnly").unwrap().to_owned()
            });
            *after.entry(gets.or_else(|| cookie.clone())).or_default() += part;
        }
    }
    (met, after)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The canary's share among users who come back is its weight, whatever was before; a rising weight takes nobody
    /// away from it, and a weight of the strategy divides no group of users.
    #[test]
    fn the_share_is_the_weight_and_rising_weights_keep_their_users(
        steps in proptest::collection::vec(1..100_u32, 1..6),
        also in proptest::collection::vec((0..=100_u32, any::<bool>()), 1..8),
    ) {
        let mut one = One::new(config(&steps, 100), plain());
        let mut users = Users::from([(None, WHOLE)]);
        let mut before: Option<(u32, BTreeMap<Option<String>, u64>)> = None;
        for (any, is_step) in also {
            let now = if is_step { steps[any as usize % steps.len()] } else { any };
            one.route(&weight(now, 100, "v2"));
            let (_, with_cookies) = visit(one.http(), &users);
            users = with_cookies;
            let (met, after) = visit(one.http(), &users);
            let total: u64 = met.values().sum();
            prop_assert!(total.abs_diff(WHOLE / 100 * u64::from(now)) < 1_000, "{total} at {now}");
            prop_assert_eq!(&after, &users, "who has a cookie keeps it");
            for (cookie, count) in met.iter().filter(|_| steps.contains(&now)) {
                prop_assert_eq!(*count, users[cookie], "{:?} meets both at {}", cookie, now);
            }
            if let Some((then, had)) = before.take().filter(|(then, _)| *then <= now) {
                for (cookie, count) in had {
                    let has = met.get(&cookie).copied().unwrap_or_default();
                    prop_assert!(has >= count, "{cookie:?} lost users from {then} to {now}");
                }
            }
            before = (now > 0 && now < 100).then_some((now, met));
        }
    }

    #[test]
    fn small_weights_out_of_a_large_total_are_sticky_too(now in 1..1000_u32) {
        let mut one = One::new(config(&[1, 10, 250], 1000), plain());
        one.route(&weight(now, 1000, "v2"));
        let (_, users) = visit(one.http(), &Users::from([(None, WHOLE)]));
        let (met, _) = visit(one.http(), &users);
        let total: u64 = met.values().sum();
        prop_assert!(total.abs_diff(WHOLE / 1000 * u64::from(now)) < 1_000, "{total} at {now}");
    }
}

#[test]
fn the_routes_are_there_only_while_both_versions_serve() {
    let mut one = One::new(config(&[5, 50], 100), plain());
    for (now, expected) in [(5, 4), (50, 4), (30, 5), (100, 1), (50, 4), (0, 1)] {
        one.route(&weight(now, 100, "v2"));
        assert_eq!(one.http().len(), expected, "at {now}: {:#?}", one.http());
        assert!(one.seen().routes[0].in_order, "at {now}");
        assert!(!one.route(&weight(now, 100, "v2")), "the same again changes nothing");
        let first = &one.http()[0];
        assert!(expected == 1 || first["name"] == "sticky.shop.web" && first["timeout"] == "3s", "{first}");
    }
    assert_eq!(one.provider()["spec"], plain()["spec"]);
}

/// Whom a route takes, by their cookies, and where it sends them; `+` for the cookie that they get there.
fn in_words(rule: &Value) -> String {
    let who = rule["match"][0]["headers"]["cookie"]["regex"].as_str().map_or("new", |regex| {
        let values = regex.strip_prefix(r"(?:.*;\s*)?web-canary=(?:").unwrap();
        values.strip_suffix(")(?:;.*)?").unwrap()
    });
    let entries = rule["route"].as_array().unwrap().iter().map(|entry| {
        let (host, weight) = (entry["destination"]["host"].as_str().unwrap(), &entry["weight"]);
        let gets = entry["headers"]["response"]["add"]["Set-Cookie"].as_str();
        let gets = gets.map(|cookie| cookie.replace("web-canary=", "+").replace("; Path=/; HttpOnly", ""));
        format!("{host} {weight}{}", gets.unwrap_or_default())
    });
    format!("{who}: {}", entries.collect::<Vec<_>>().join(", "))
}

#[test]
fn the_weights_of_the_strategy_divide_the_users() {
    for (now, expected) in [
        (
            1,
            [
                "v2-5-50|v2-50-100: a 100",
                "v2-0-5: b 1, a 4",
                "new: b 1+v2-0-5, a 4+v2-0-5, a 45+v2-5-50, a 50+v2-50-100",
            ]
            .as_slice(),
        ),
        (5, &["v2-0-5: b 100", "v2-5-50|v2-50-100: a 100", "new: b 5+v2-0-5, a 45+v2-5-50, a 50+v2-50-100"]),
        (
            30,
            &[
                "v2-0-5: b 100",
                "v2-50-100: a 100",
                "v2-5-50: b 25, a 20",
                "new: b 5+v2-0-5, b 25+v2-5-50, a 20+v2-5-50, a 50+v2-50-100",
            ],
        ),
        (50, &["v2-0-5|v2-5-50: b 100", "v2-50-100: a 100", "new: b 5+v2-0-5, b 45+v2-5-50, a 50+v2-50-100"]),
        (
            99,
            &[
                "v2-0-5|v2-5-50: b 100",
                "v2-50-100: b 49, a 1",
                "new: b 5+v2-0-5, b 45+v2-5-50, b 49+v2-50-100, a 1+v2-50-100",
            ],
        ),
    ] {
        // What is no share of all traffic divides nobody.
        let mut one = One::new(config(&[0, 5, 50, 100, 120], 100), plain());
        one.route(&weight(now, 100, "v2"));
        let (last, made) = one.http().split_last().unwrap();
        assert_eq!(made.iter().map(in_words).collect::<Vec<_>>(), expected, "at {now}");
        assert_eq!(last["route"][1]["weight"], now);
    }
    let mut one = One::new(config(&[1, 99], 100), plain());
    one.route(&weight(1, 100, "v2"));
    assert_eq!(in_words(&one.http()[1]), "v2-1-99|v2-99-100: a 100", "the smallest and the largest share");
}

#[test]
fn the_next_release_draws_its_users_anew() {
    let mut one = One::new(config(&[5], 100), plain());
    one.route(&weight(5, 100, "v2"));
    let (_, users) = visit(one.http(), &Users::from([(None, WHOLE)]));
    one.route(&weight(0, 100, "v2"));
    one.route(&weight(5, 100, "v3"));
    let (met, after) = visit(one.http(), &users);
    assert!(met.iter().all(|(cookie, count)| *count == users[cookie] / 20), "{met:?} of {users:?}");
    assert!(after.keys().all(|cookie| cookie.as_ref().unwrap().starts_with("v3-")), "{after:?}");
}

#[test]
fn header_routes_come_first() {
    let mut one = One::new(config(&[5], 100), plain());
    one.route(&to(5, ManagedChange::To(vec![header("testers", "x")])));
    let names: Vec<_> = one.http().iter().map(|rule| rule["name"].as_str().unwrap_or("-")).collect();
    assert_eq!(names, ["testers", "sticky.shop.web", "sticky.shop.web", "sticky.shop.web", "-"]);
    assert!(one.seen().routes[0].in_order && one.seen().routes[0].managed[0].route.is_some());
    assert!(!one.route(&to(5, ManagedChange::To(vec![header("testers", "x")]))));
    one.route(&to(5, ManagedChange::Retain(vec![])));
    assert_eq!(one.http().len(), 4);
}

#[test]
fn what_somebody_edits_is_put_right() {
    let good = {
        let mut one = One::new(config(&[5], 100), plain());
        one.route(&weight(5, 100, "v2"));
        one.provider().clone()
    };
    for (path, value) in [
        ("/spec/http/0/route/0/destination/host", json!("a")),
        ("/spec/http/1/match/0/headers/cookie/regex", json!(".*")),
        ("/spec/http/2/route/1/weight", json!(7)),
        ("/spec/http/0/name", json!("mine")),
        ("/spec/http/3/timeout", json!("9s")),
    ] {
        let mut edited = good.clone();
        *edited.pointer_mut(path).unwrap() = value;
        let mut one = One::new(config(&[5], 100), edited);
        if path.ends_with("/name") {
            // It is a route of the user's own now, and there are two of them.
            assert!(one.editor.read(&one.objects).unwrap_err().to_string().contains("routes"), "{path}");
            continue;
        }
        assert!(!one.seen().routes[0].in_order, "{path}");
        assert!(one.route(&to(5, ManagedChange::To(vec![]))), "{path}");
        assert!(one.seen().routes[0].in_order, "{path}");
    }
    let mut written_otherwise = good.clone();
    *written_otherwise.pointer_mut("/spec/http/2/route/0/weight").unwrap() = json!(5.0);
    let mut one = One::new(config(&[5], 100), written_otherwise.clone());
    assert!(one.seen().routes[0].in_order && !one.route(&weight(5, 100, "v2")));
    assert_eq!(one.provider(), &written_otherwise, "5.0 is 5");
}

#[test]
fn without_the_setting_the_routes_go() {
    let mut one = One::new(config(&[5], 100), plain());
    one.route(&weight(5, 100, "v2"));
    let mut none = config(&[5], 100);
    none.sticky = None;
    one.editor = IstioEditor::new(none);
    assert!(!one.seen().routes[0].in_order);
    assert!(one.route(&to(5, ManagedChange::To(vec![]))));
    assert!(one.seen().routes[0].in_order && one.http().len() == 1);
}

#[test]
fn what_cannot_be_sticky_is_an_error_and_never_in_the_way_of_an_abort() {
    let to_both = |rule: Value| {
        let mut rule = rule;
        rule["route"] = json!([
            {"destination": {"host": "a"}, "weight": 95}, {"destination": {"host": "b"}, "weight": 5},
        ]);
        rule
    };
    let mut foreign = to_both(json!({}));
    foreign["route"].as_array_mut().unwrap().push(json!({"destination": {"host": "c"}, "weight": 10}));
    let mut sets = to_both(json!({}));
    sets["route"][0]["headers"] = json!({"response": {"set": {"set-cookie": "a=b"}}});
    for (rule, expected) in [
        (foreign, "no other destinations"),
        (sets, "changes the header `Set-Cookie`"),
        (
            to_both(json!({"headers": {"response": {"remove": ["Set-Cookie"]}}})),
            "changes the header `Set-Cookie`",
        ),
        (
            to_both(json!({"match": [{"headers": {"cookie": {"regex": "a=.*"}}}]})),
            "both match the header \"cookie\"",
        ),
    ] {
        let mut one = One::new(config(&[5], 100), provider(&rule));
        assert!(!one.seen().routes[0].in_order, "{expected}");
        let error = one.editor.route(&one.objects, &weight(5, 100, "v2")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(one.route(&weight(0, 100, "v2")), "{expected}");
        assert!(one.seen().weight().hi() == 0 && one.seen().routes[0].in_order, "{expected}");
    }
}

#[test]
fn a_note_that_somebody_edited_does_not_get_into_a_header() {
    let mut one = One::new(config(&[5], 100), plain());
    one.route(&weight(5, 100, "v2; Domain=evil.example"));
    let text = one.provider()["spec"].to_string();
    assert!(!text.contains("evil") && text.contains("web-canary=-0-5; Path=/"), "{text}");
}

#[test]
fn the_annotation_names_the_cookie_and_the_steps_the_weights() {
    let read = |cookie: &str, mirrors: bool| {
        let mut steps = vec![json!({"setWeight": 5}), json!({"pause": {}}), json!({"setWeight": 50})];
        if mirrors {
            steps.push(json!({"setMirrorRoute": {"name": "m"}}));
        }
        IstioConfig::from_wire(&Rollout::from_value(&json!({
            "metadata": {"name": "web", "namespace": "shop", "annotations": {STICKY_ANNOTATION: cookie}},
            "spec": {"strategy": {"canary": {
                "steps": steps, "stableService": "a", "canaryService": "b",
                "trafficRouting": {"istio": {"virtualService": {"name": "provider"}}},
            }}},
        })))
    };
    let sticky = read(COOKIE, false).unwrap().unwrap().sticky.unwrap();
    assert_eq!((&*sticky.cookie, sticky.weights), (COOKIE, [5, 50].into()));
    let wrong = |cookie, mirrors| read(cookie, mirrors).unwrap_err()[0].to_string();
    assert!(
        wrong("a=b", false).starts_with("metadata.annotations[rollout-core/sticky-cookie]: \"a=b\" is not")
    );
    assert!(wrong(COOKIE, true).contains("mirrors"));
}
