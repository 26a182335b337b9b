//! Whatever is given, there is an answer and never a panic.

use proptest::{collection, prelude::*};
use rollout_core::{
    Time,
    argo::{check, convert, read_status, step_hash, template_hash, wire::IntOrText, write_status},
    conformance::pause_seconds,
};
use serde_json::{Map, Value};

/// The words of the language and a few others.
const WORDS: &[&str] = &[
    "spec",
    "status",
    "strategy",
    "canary",
    "blueGreen",
    "steps",
    "setWeight",
    "pause",
    "duration",
    "experiment",
    "templates",
    "weight",
    "analysis",
    "args",
    "valueFrom",
    "fieldRef",
    "fieldPath",
    "setCanaryScale",
    "replicas",
    "setHeaderRoute",
    "setMirrorRoute",
    "match",
    "headers",
    "headerName",
    "headerValue",
    "exact",
    "name",
    "plugin",
    "config",
    "trafficRouting",
    "istio",
    "managedRoutes",
    "maxTrafficWeight",
    "maxSurge",
    "selector",
    "matchLabels",
    "matchExpressions",
    "operator",
    "values",
    "template",
    "metadata",
    "labels",
    "workloadRef",
    "abort",
    "conditions",
    "currentStepIndex",
    "pauseConditions",
    "type",
    "message",
    "EngineState",
    "In",
    "Exists",
    "",
    "a b",
    "ü\u{2028}",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..200).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(8, 64, 6, |inner| {
        let keys = prop::sample::select(WORDS).prop_map(String::from);
        let map = collection::vec((keys, inner.clone()), 0..6)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()));
        prop_oneof![map, collection::vec(inner, 0..4).prop_map(Value::from)]
    })
}

/// A Rollout that is right but for one place.
fn nearly_right() -> impl Strategy<Value = Value> {
    let path = format!("{}/tests/conformance/validate.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines: Vec<Value> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["input"]["rollout"].take())
        .collect();
    (prop::sample::select(lines), any::<prop::sample::Index>(), anything()).prop_map(
        |(mut rollout, place, value)| {
            let mut places = Vec::new();
            collect(&rollout, String::new(), &mut places);
            if let Some(target) = rollout.pointer_mut(place.get::<String>(&places)) {
                *target = value;
            }
            rollout
        },
    )
}

fn collect(value: &Value, path: String, places: &mut Vec<String>) {
    if let Value::Object(map) = value {
        map.iter().for_each(|(key, value)| collect(value, format!("{path}/{key}"), places));
    } else if let Value::Array(items) = value {
        items.iter().enumerate().for_each(|(index, value)| collect(value, format!("{path}/{index}"), places));
    }
    places.push(path);
}

fn answers(rollout: &Value) {
    let report = check(rollout);
    for finding in &report.findings {
        assert!(!finding.what.is_empty(), "{finding}");
        assert!(!finding.instead.is_empty() || finding.path.is_empty(), "{finding}");
    }
    let made = convert(&report.rollout, template_hash(rollout));
    if report.is_valid() && made.unsupported.is_empty() {
        assert!(made.spec.is_some(), "valid and driven, but no strategy: {rollout}");
    }
    if let (Ok(hash), Some(spec), true) = (step_hash(rollout), made.spec, report.is_valid()) {
        let strategy = spec.strategy;
        assert!(strategy.steps().is_empty() || strategy.step_hash() == hash, "{rollout}");
    }
    for status in [rollout, &rollout["status"]] {
        if let Ok(read) = read_status(status) {
            let mut wire = status.clone();
            write_status(&read.status, &mut wire, Time::from_secs(0));
            assert_eq!(read_status(&wire).unwrap().status, read.status);
        }
    }
}

proptest! {
    #[test]
    fn any_value_has_an_answer(value in anything()) {
        answers(&value);
    }

    #[test]
    fn any_place_may_be_wrong(rollout in nearly_right()) {
        answers(&rollout);
    }

    #[test]
    fn any_text_may_be_a_duration(text in "\\PC{0,12}|[-+]?([0-9]{0,22}\\.?[0-9]{0,22}(ns|us|ms|s|m|h)?){0,3}") {
        if let Ok(seconds) = pause_seconds(&IntOrText::Text(text)) {
            prop_assert!(seconds <= 2_147_483_647);
        }
    }
}
