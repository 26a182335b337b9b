//! What holds for every edit of every VirtualService.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it stands"
)]

mod support;

use proptest::prelude::*;
use rollout_core::{
    Range,
    argo::wire::Rollout,
    backend::ObjectEditor,
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, Routes, StringMatch, Weight,
        WeightChange,
    },
};
use rollout_istio::{WEIGHT_ANNOTATION, conformance::edit_bytes};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use support::{
    ANNOTATIONS, One,
    meets::{Request, meets},
    random::{Case, MANAGED, case, managed, selectors},
    to, vs, weights,
};

/// Everything that is not ours, as text: order of keys and form of numbers count.
fn foreign(case: &Case, object: &Value) -> String {
    let mut object = object.clone();
    if let Some(http) = object["spec"]["http"].as_array_mut() {
        http.retain(|rule| !MANAGED.contains(&rule["name"].as_str().unwrap_or_default()));
    }
    for route in &case.weighed {
        for index in [route.stable, route.canary] {
            let entry = object.pointer_mut(&format!("{}/route/{index}", route.path)).unwrap();
            entry.as_object_mut().unwrap().shift_remove("weight");
        }
    }
    let metadata = object["metadata"].as_object_mut().unwrap();
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !ANNOTATIONS.contains(&key.as_str()));
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
    object.to_string()
}

fn is_mirror(route: &Arc<ManagedRoute>) -> bool {
    route.is_mirror()
}

/// The conditions of a header route.
fn header(route: &ManagedRoute) -> Option<&RequestMatch> {
    match &route.matches {
        RouteMatch::Header(all) => all.first(),
        RouteMatch::Mirror { .. } => None,
    }
}

fn text(value: &StringMatch) -> &str {
    match value {
        StringMatch::Exact(text) | StringMatch::Prefix(text) | StringMatch::Regex(text) => text,
    }
}

/// A request that a header route takes.
fn taken<'a>(header: &'a RequestMatch, plain: &Request<'a>) -> Request<'a> {
    let texts = |from: &'a BTreeMap<String, StringMatch>| {
        from.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
    };
    Request {
        method: header.method.as_ref().map_or(plain.method, text),
        path: header.path.as_ref().map_or(plain.path, text),
        headers: texts(&header.headers),
        query: texts(&header.query),
    }
}

/// How often each premise held: a law that never had anything to judge proves nothing.
#[derive(Debug, Default)]
struct Premises(Mutex<BTreeMap<&'static str, u32>>);

impl Premises {
    fn count(&self, premise: &'static str, held: bool) {
        *self.0.lock().unwrap().entry(premise).or_default() += u32::from(held);
    }
}

impl Drop for Premises {
    fn drop(&mut self) {
        let counts = self.0.lock().unwrap();
        println!("premises: {counts:?}");
        if !std::thread::panicking() {
            let never: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).collect();
            assert!(never.is_empty() && !counts.is_empty(), "never came up: {never:?}");
        }
    }
}

fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, rng);
    if let Err(failed) = runner.run(strategy, test) {
        panic!("{failed}");
    }
}

#[test]
fn foreign_untouched_and_weights_sum() {
    let premises = Premises::default();
    let steps = proptest::collection::vec((0..=100_u32, managed(), any::<bool>(), any::<bool>()), 1..5);
    run(&(case(), steps), |(case, steps)| {
        let before = foreign(&case, &case.provider);
        let mut one = One::new(case.config.clone(), case.provider.clone());
        for (weight, managed, keep_weight, retain) in steps {
            let managed = if retain {
                ManagedChange::Retain(managed.iter().map(|route| route.name.clone()).collect())
            } else {
                ManagedChange::To(managed)
            };
            let weight =
                if keep_weight { WeightChange::Keep } else { WeightChange::To(Weight::new(weight, 100)) };
            let routes = Routes { weight, managed, written_for: "v2".into() };
            premises.count("edits", one.route(&routes));
            prop_assert_eq!(foreign(&case, one.provider()), before.as_str());
            if keep_weight {
                continue;
            }
            check_weights(&case, &one, weight, &premises)?;
        }
        Ok(())
    });
}

fn check_weights(case: &Case, one: &One, to: WeightChange, premises: &Premises) -> Result<(), TestCaseError> {
    let WeightChange::To(weight) = to else { return Ok(()) };
    let is_own = |rule: &Value| !MANAGED.contains(&rule["name"].as_str().unwrap_or(""));
    let own: Vec<usize> = (0..one.http().len()).filter(|index| is_own(&one.http()[*index])).collect();
    for route in &case.weighed {
        let path = match route.path.strip_prefix("/spec/http/") {
            Some(index) => format!("/spec/http/{}", own[index.parse::<usize>().unwrap()]),
            None => route.path.clone(),
        };
        let found = weights(one.provider().pointer(&path).unwrap());
        let sum: u64 = found.iter().sum();
        prop_assert_eq!(sum, route.total, "{:?}", found);
        prop_assert_eq!(found[route.canary] > 0, !weight.is_none());
        prop_assert_eq!(sum - found[route.canary] - found[route.stable], route.foreign);
        premises.count("a foreign destination beside ours", route.foreign > 0);
    }
    Ok(())
}

#[test]
fn what_is_written_is_read_again_and_written_once() {
    let premises = Premises::default();
    run(&(case(), 0..=100_u32, managed()), |(case, weight, managed)| {
        let mut one = One::new(case.config.clone(), case.provider.clone());
        let wanted = to(weight, ManagedChange::To(managed.clone()));
        premises.count("edits", one.route(&wanted));
        let seen = one.seen();
        let routes = &seen.routes[0];
        prop_assert_eq!(routes.weight, Range::exact(weight));
        let expected: Vec<_> = managed.iter().cloned().map(ManagedSeen::new).collect();
        prop_assert_eq!(&routes.managed, &expected);
        prop_assert!(routes.in_order);
        let active = weight > 0 || !managed.is_empty();
        prop_assert!(active || routes.written_for.is_none());
        prop_assert!(!one.route(&wanted), "the same again changes nothing");
        let name = &vs("provider");
        let rule = one.objects.get(&support::dr()).map(|object| &*object.value);
        let bytes = case.provider.to_string().into_bytes();
        let edited = edit_bytes(&one.editor, name, &bytes, rule, &wanted).unwrap();
        let edited =
            edited.map_or_else(|| case.provider.to_string(), |bytes| String::from_utf8(bytes).unwrap());
        prop_assert_eq!(edited, one.provider().to_string(), "bytes and values come to the same");
        premises.count("mirror routes", managed.iter().any(is_mirror));
        premises.count("header routes", !managed.iter().all(is_mirror));
        let recorded = one.provider()["metadata"]["annotations"][WEIGHT_ANNOTATION].is_string();
        premises.count("a weight that had to be recorded", recorded);
        Ok(())
    });
}

#[test]
fn requests_meet_what_was_asked_for() {
    let premises = Premises::default();
    run(&(case(), 0..=100_u32, managed()), |(case, weight, managed)| {
        let mut one = One::new(case.config.clone(), case.provider.clone());
        one.select(&support::both_to("v1", "v2"));
        one.route(&to(weight, ManagedChange::To(managed.clone())));
        let mut world = one.values();
        for (name, hash) in [("a", "v1"), ("b", "v2"), ("provider", "")] {
            let hash = if hash.is_empty() { json!({}) } else { json!({"rollouts-pod-template-hash": hash}) };
            world.push(json!({"kind": "Service", "metadata": {"name": name}, "spec": {"selector": hash}}));
        }
        let canary = |met: &support::meets::Met| met.share("rollouts-pod-template-hash", "v2");
        let plain = Request { method: "GET", path: "/x", headers: vec![("lane", "nobody")], query: vec![] };
        let met = meets(&world, one.provider(), &plain).unwrap();
        let first = &case.weighed[0];
        if first.foreign == 0 {
            let asked = u64::from(weight) * 10_000;
            prop_assert!(canary(&met).abs_diff(asked) <= 5_000, "{} at {weight}", canary(&met));
        }
        premises.count("only ours in the route", first.foreign == 0);
        let copies = managed.iter().find(|route| is_mirror(route));
        prop_assert_eq!(met.copies.is_empty(), copies.is_none());
        for (index, route) in managed.iter().enumerate() {
            let Some(header) = header(route) else { continue };
            // A mirror route before it takes every request, a header route the same lane.
            let earlier = &managed[..index];
            if earlier.iter().any(is_mirror) {
                continue;
            }
            let request = taken(header, &plain);
            let met = meets(&world, one.provider(), &request).unwrap();
            prop_assert_eq!(canary(&met), 1_000_000);
            premises.count("a request that a header route takes", true);
            // Without one of the other conditions, only the header is left.
            if managed.len() > 1 {
                continue;
            }
            let misses = [
                header.method.is_some().then(|| Request { method: "GET", ..request.clone() }),
                header.path.is_some().then(|| Request { path: "/x", ..request.clone() }),
                (!header.query.is_empty()).then(|| Request { query: vec![("beta", "2")], ..request.clone() }),
            ];
            for missed in misses.iter().flatten() {
                let met = meets(&world, one.provider(), missed).unwrap();
                prop_assert_eq!(met, meets(&world, one.provider(), &plain).unwrap(), "{:?}", missed);
                premises.count("a request that misses one condition", true);
            }
        }
        premises.count("copies", copies.is_some());
        Ok(())
    });
}

#[test]
fn release_restores() {
    run(&(case(), 0..=100_u32, managed(), selectors()), |(case, weight, managed, selectors)| {
        let mut one = One::new(case.config.clone(), case.provider.clone());
        let rule_before = one.objects.get(&support::dr()).cloned();
        one.select(&selectors);
        one.route(&to(weight, ManagedChange::To(managed)));
        one.release();
        prop_assert_eq!(one.objects.get(&support::dr()), rule_before.as_ref());
        prop_assert_eq!(foreign(&case, one.provider()), foreign(&case, &case.provider));
        prop_assert!(one.provider()["metadata"].get("annotations").is_none());
        prop_assert_eq!(one.http().len(), case.provider["spec"]["http"].as_array().unwrap().len());
        prop_assert_eq!(one.seen().weight(), Range::exact(0));
        Ok(())
    });
}

/// Any JSON, now and then something that looks right.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec!["", "a", "b", "first", "stable", "."]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let keys = vec!["route", "destination", "host", "weight", "name", "http", "mirror", "match", "x"];
        let map = proptest::collection::vec((proptest::sample::select(keys), inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            map.prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// All places in a value, as pointers.
fn places(value: &Value, path: &str, all: &mut Vec<String>) {
    all.push(path.to_owned());
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    for (key, inner) in value.as_object().into_iter().flatten() {
        places(inner, &format!("{path}/{}", escape(key)), all);
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        places(inner, &format!("{path}/{index}"), all);
    }
}

#[test]
fn nothing_that_stands_in_an_object_is_a_panic() {
    let premises = Premises::default();
    let what = (
        case(),
        managed(),
        proptest::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
        any::<bool>(),
    );
    run(&what, |(case, managed, changes, in_rule)| {
        let mut one = One::new(case.config.clone(), case.provider.clone());
        one.route(&to(30, ManagedChange::To(managed.clone())));
        let name =
            if in_rule && case.config.destination_rule.is_some() { support::dr() } else { vs("provider") };
        let mut broken = (*one.objects[&name].value).clone();
        for (at, value) in changes {
            let mut all = Vec::new();
            places(&broken, "", &mut all);
            let place: &String = at.get(&all);
            *broken.pointer_mut(place).unwrap() = value;
        }
        one = one.also(name.clone(), broken.clone());
        let read = one.editor.read(&one.objects);
        premises.count("what cannot be read", read.is_err());
        premises.count("what can be read all the same", read.is_ok());
        for wanted in [to(50, ManagedChange::To(managed)), to(0, ManagedChange::Retain(vec![]))] {
            if let Ok(edits) = one.try_route(&wanted) {
                let after = support::after(one.objects.clone(), edits);
                prop_assert!(
                    one.editor.route(&after, &wanted).is_ok_and(|again| again.is_empty()),
                    "{broken}"
                );
            }
        }
        let _ = one.editor.select(&one.objects, &support::both_to("v1", "v2"));
        let _ = one.editor.release(&one.objects);
        let _ = one.editor.read_one(&one.objects, &name);
        let broken = json!({"spec": {"strategy": {"canary": {"trafficRouting": broken}}}});
        let _ = rollout_istio::IstioConfig::from_wire(&Rollout::from_value(&broken));
        Ok(())
    });
}
