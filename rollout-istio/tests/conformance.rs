//! Argo Rollouts' answers for the kind `istio`.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may stop where it stands")]

use rollout_core::{
    argo::wire::Rollout,
    backend::{EditError, Object, ObjectEditor, Objects},
    traffic::{
        ManagedChange, ManagedRoute, ObjectRef, ObjectVersion, RequestMatch, RouteMatch, Routes, StringMatch,
        Weight, WeightChange,
    },
};
use rollout_istio::{
    Foreign, IstioConfig, IstioEditor,
    conformance::{InForce, apply_steps},
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is compared: without what is empty, weights of 0, metadata but name and namespace, and everything
/// after the first dot of a host.
fn compared(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut kept = Map::new();
            for (key, value) in object {
                let value = match (key.as_str(), value) {
                    ("metadata", Value::Object(all)) => all
                        .iter()
                        .filter(|(key, _)| matches!(key.as_str(), "name" | "namespace"))
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect(),
                    ("host", Value::String(host)) => host.split('.').next().unwrap_or_default().into(),
                    ("weight", value) if value.as_u64() == Some(0) => Value::Null,
                    (_, value) => compared(value),
                };
                let empty = value.is_null()
                    || value.as_object().is_some_and(Map::is_empty)
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_str() == Some("");
                if !empty {
                    kept.insert(key.clone(), value);
                }
            }
            Value::Object(kept)
        }
        Value::Array(all) => all.iter().map(compared).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn answer(input: &Value) -> Value {
    let objects = input["objects"].as_array().unwrap().clone();
    let to = InForce {
        canary: input["canaryHash"].as_str().unwrap().into(),
        stable: input["stableHash"].as_str().unwrap().into(),
        weight: u32::try_from(input["weight"].as_u64().unwrap()).unwrap(),
        managed: input["managed"].as_array().map(Vec::as_slice).unwrap_or_default(),
    };
    apply_steps(&Rollout::from_value(&input["rollout"]), objects, &to).unwrap().into()
}

#[test]
fn every_answer_is_the_references() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rollout-core/tests/conformance/istio.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let mut asked = 0;
    for line in lines.lines() {
        let question: Value = serde_json::from_str(line).unwrap();
        let output = compared(&answer(&question["input"]));
        assert_eq!(output, compared(&question["want"]["objects"]), "{}", question["id"]);
        asked += 1;
    }
    assert!(asked >= 250, "{asked} questions");
}

fn text(value: &Value) -> StringMatch {
    let (key, text) = value.as_object().unwrap().iter().next().unwrap();
    let text = text.as_str().unwrap().to_owned();
    match key.as_str() {
        "exact" => StringMatch::Exact(text),
        "prefix" => StringMatch::Prefix(text),
        _ => StringMatch::Regex(text),
    }
}

/// The managed routes that steps leave in force.
fn in_force(steps: &[Value]) -> Vec<Arc<ManagedRoute>> {
    let mut routes = BTreeMap::new();
    for step in steps {
        let (kind, step) = step.as_object().unwrap().iter().next().unwrap();
        let blocks = step["match"].as_array().map(Vec::as_slice).unwrap_or_default();
        let header = |block: &Value| {
            RequestMatch::header(block["headerName"].as_str().unwrap(), text(&block["headerValue"]))
        };
        let mirror = |block: &Value| RequestMatch {
            method: block.get("method").map(text),
            path: block.get("path").map(text),
            headers: block["headers"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), text(value)))
                .collect(),
            ..RequestMatch::default()
        };
        let matches = if kind == "setHeaderRoute" {
            RouteMatch::Header(blocks.iter().map(header).collect())
        } else {
            let percentage = step["percentage"].as_i64().map_or(100, |whole| i32::try_from(whole).unwrap());
            RouteMatch::Mirror { matches: blocks.iter().map(mirror).collect(), percentage }
        };
        let name: Arc<str> = step["name"].as_str().unwrap().into();
        routes.insert(name.clone(), (!blocks.is_empty()).then(|| Arc::new(ManagedRoute { name, matches })));
    }
    routes.into_values().flatten().collect()
}

/// What the engine itself writes into the VirtualServices, in the order of the objects.
fn engine(input: &Value, managed: Vec<Arc<ManagedRoute>>) -> Result<Vec<Value>, EditError> {
    let config = IstioConfig::from_wire(&Rollout::from_value(&input["rollout"]))
        .unwrap()
        .unwrap()
        .foreign(Foreign::All);
    let editor = IstioEditor::new(config);
    let version = ObjectVersion { write: "".into(), content: 0 };
    let name = |value: &Value| {
        let text = |key: &str| value["metadata"][key].as_str().unwrap();
        ObjectRef::new(
            "networking.istio.io",
            value["kind"].as_str().unwrap(),
            text("namespace"),
            text("name"),
        )
    };
    let list = input["objects"].as_array().unwrap();
    let mut objects: Objects = list
        .iter()
        .map(|value| (name(value), Object { value: value.clone().into(), version: version.clone() }))
        .collect();
    let weight = u32::try_from(input["weight"].as_u64().unwrap()).unwrap();
    let to = Routes {
        weight: WeightChange::To(Weight::new(weight, 100)),
        managed: ManagedChange::To(managed),
        written_for: "v2".into(),
    };
    for (name, value) in editor.route(&objects, &to)? {
        objects.get_mut(&name).unwrap().value = value.into();
    }
    let seen = editor.read(&objects)?;
    assert!(
        seen.routes.iter().flat_map(|one| &one.managed).all(|managed| managed.route.is_some()),
        "{seen:?}"
    );
    Ok(list.iter().map(|value| (*objects[&name(value)].value).clone()).collect())
}

/// The http routes of all VirtualServices: the managed ones, and the others.
fn http<'a>(objects: &'a [Value], managed: &BTreeSet<&str>) -> (Vec<&'a Value>, Vec<&'a Value>) {
    let rules = objects.iter().filter_map(|object| object["spec"]["http"].as_array()).flatten();
    rules.partition(|rule| rule["name"].as_str().is_some_and(|name| managed.contains(name)))
}

/// The engine writes managed routes for each weighed route. They are Argo Rollouts' exactly where there is
/// one such route, in front, of which the user says nothing else; all other routes are always the same.
#[test]
fn the_engines_managed_routes_differ_only_where_the_user_says_more() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rollout-core/tests/conformance/istio.jsonl");
    let (mut same, mut different, mut refused) = (0, 0, Vec::new());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let question: Value = serde_json::from_str(line).unwrap();
        let (id, input) = (&question["id"], &question["input"]);
        let routing = &input["rollout"]["spec"]["strategy"]["canary"]["trafficRouting"];
        let managed = routing["managedRoutes"].as_array().into_iter().flatten();
        let managed: BTreeSet<_> = managed.filter_map(|route| route["name"].as_str()).collect();
        let asked = in_force(input["managed"].as_array().map(Vec::as_slice).unwrap_or_default());
        if asked.is_empty() {
            continue;
        }
        let before = input["objects"].as_array().unwrap();
        let wanted: Vec<_> = question["want"]["objects"].as_array().unwrap().iter().map(compared).collect();
        let own: Vec<_> = match engine(input, asked) {
            Ok(own) => own.iter().map(compared).collect(),
            Err(error) => {
                refused.push(format!("{id}: {error}"));
                continue;
            }
        };
        let (theirs, ours) = (http(&wanted, &managed), http(&own, &managed));
        assert_eq!(ours.1, theirs.1, "{id}");
        let port = |entry: &Value| entry["destination"]["port"]["number"].clone();
        let only = |value: &Value, keys: [&str; 2]| {
            value.as_object().unwrap().keys().all(|key| keys.contains(&key.as_str()))
        };
        let is_plain = |rule: &Value| {
            let entries = rule["route"].as_array().unwrap();
            let same_port = |entry: &Value| port(entry) == port(&entries[0]);
            !rule["name"].as_str().is_some_and(|name| managed.contains(name))
                && only(rule, ["name", "route"])
                && entries.iter().all(|entry| only(entry, ["destination", "weight"]) && same_port(entry))
        };
        let one_plain = |object: &Value| {
            let rules = object["spec"]["http"].as_array();
            rules.is_none_or(|rules| rules.len() == 1 && rules.iter().all(is_plain))
        };
        let is_same = ours.0 == theirs.0;
        assert!(is_same || !before.iter().all(one_plain), "{id}: {:#?}", ours.0);
        (same, different) = if is_same { (same + 1, different) } else { (same, different + 1) };
    }
    println!("the same {same}, different {different}, refused {refused:#?}");
    assert!(same >= 5 && different >= 50, "{same} and {different}");
}
