//! What Argo CD compares, and what a sync writes, with and without rules about what to ignore.

use crate::lua::difference;
use serde_json::Value;
use std::path::Path;

/// Where something is ignored.
const IGNORED: &str = "\u{0}ignored";

/// The rules about one object.
#[derive(Debug)]
struct Rule {
    kind: String,
    name: String,
    expressions: Vec<String>,
    pointers: Vec<String>,
}

/// All rules of an Application; by default, none.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

/// What `simulate` prints for a folder of `examples/manifests`.
pub(crate) fn printed(tool: &str, folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(folder);
    let words = ["--ignore-rules".into(), tool.into(), folder.into_os_string()];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = examples::simulate::run(words, &mut std::io::empty(), &mut out, &mut err).unwrap();
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).unwrap()
}

impl Rules {
    /// Those that `simulate` prints for a folder.
    pub(crate) fn of(folder: &str) -> Self {
        let printed: Value = serde_yaml::from_str(&printed("argo-cd", folder)).unwrap();
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.map(|item| item.as_str().unwrap().to_owned()).collect()
        };
        let rules = printed["ignoreDifferences"].as_array().unwrap().iter().map(|rule| Rule {
            kind: rule["kind"].as_str().unwrap().to_owned(),
            name: rule["name"].as_str().unwrap().to_owned(),
            expressions: texts(&rule["jqPathExpressions"]),
            pointers: texts(&rule["jsonPointers"]),
        });
        Self(rules.collect())
    }

    /// The object without what is ignored.
    fn normalized(&self, object: &Value) -> Value {
        let mut rest = object.clone();
        let of_this = self
            .0
            .iter()
            .filter(|rule| object["kind"] == *rule.kind && object["metadata"]["name"] == *rule.name);
        for rule in of_this {
            let found = rule.expressions.iter().flat_map(|expression| places(expression, object));
            for pointer in found.chain(rule.pointers.iter().cloned()) {
                // An item may be ignored as a whole already.
                if let Some(ignored) = rest.pointer_mut(&pointer) {
                    *ignored = IGNORED.into();
                }
            }
        }
        prune(&mut rest);
        rest
    }

    /// Whether Argo CD shows a difference between Git and the cluster, and heals it.
    pub(crate) fn differs(&self, git: &Value, live: &Value) -> bool {
        !contains(&self.normalized(live), &self.normalized(git))
    }

    /// What a sync applies: what is in Git, with what is ignored as it is in the cluster.
    pub(crate) fn target(&self, git: &Value, live: &Value) -> Value {
        let mut target = self.normalized(git);
        merge(&mut target, &difference(&self.normalized(live), live));
        target
    }
}

/// Whether everything of `part` is in `whole`; a list is the same or another one.
pub(crate) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}

/// Merges what is ignored as it is in the cluster.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return };
    for (key, value) in patch {
        let Some(fields) = target.as_object_mut() else { return };
        match (fields.get_mut(key), value) {
            (Some(inner @ Value::Object(_)), Value::Object(_)) => merge(inner, value),
            _ => drop(fields.insert(key.clone(), value.clone())),
        }
    }
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| *value != IGNORED);
            fields.values_mut().for_each(prune);
        }
        Value::Array(items) => {
            items.retain(|item| *item != IGNORED);
            items.iter_mut().for_each(prune);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where an expression of jq leads, as JSON pointers. It knows paths, and `select(.name == "…")`.
fn places(expression: &str, object: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    for stage in expression.split(" | ") {
        let name = stage.strip_prefix("select(.name == ").and_then(|rest| rest.strip_suffix(')'));
        if let Some(name) = name {
            let name: Value = serde_json::from_str(name).unwrap();
            found.retain(|at| object.pointer(at).unwrap()["name"] == name);
        } else {
            found = found.iter().flat_map(|at| descend(stage, at, object)).collect();
        }
    }
    found
}

fn descend(path: &str, at: &str, object: &Value) -> Vec<String> {
    if path.is_empty() {
        return if object.pointer(at).is_some() { vec![at.to_owned()] } else { Vec::new() };
    }
    if let Some(rest) = path.strip_prefix("[]") {
        let items = object.pointer(at).and_then(Value::as_array).map_or(0, Vec::len);
        return (0..items).flat_map(|item| descend(rest, &format!("{at}/{item}"), object)).collect();
    }
    if let Some((key, rest)) = path.strip_prefix("[\"").and_then(|rest| rest.split_once("\"]")) {
        return descend(rest, &format!("{at}/{key}"), object);
    }
    let rest = path.strip_prefix('.').unwrap();
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    descend(&rest[end..], &format!("{at}/{}", &rest[..end]), object)
}
