//! Writing and reading managed routes.

mod argo;
mod both;
mod made;
mod parse;

pub(crate) use argo::ArgoRoutes;
pub(crate) use made::{RouteContext, both_of_each};
pub(crate) use parse::{parse, same};

use rollout_core::Finding;
use rollout_core::traffic::{ManagedRoute, RequestMatch, RouteMatch, StringMatch};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Returns only the match blocks of a managed route.
fn blocks(route: &ManagedRoute) -> Vec<Map<String, Value>> {
    match &route.matches {
        RouteMatch::Header(matches) | RouteMatch::Mirror { matches, .. } => {
            matches.iter().map(block).collect()
        }
    }
}

/// Returns the match block of these conditions.
pub(crate) fn block(one: &RequestMatch) -> Map<String, Value> {
    let texts = |texts: &BTreeMap<String, StringMatch>| {
        let texts = texts.iter().map(|(name, value)| (name.clone(), text(value)));
        Value::Object(texts.collect())
    };
    let mut block = Map::new();
    if let Some(method) = &one.method {
        block.insert("method".into(), text(method));
    }
    if let Some(path) = &one.path {
        block.insert("uri".into(), text(path));
    }
    if !one.headers.is_empty() {
        block.insert("headers".into(), texts(&one.headers));
    }
    if !one.query.is_empty() {
        block.insert("queryParams".into(), texts(&one.query));
    }
    block
}

fn text(value: &StringMatch) -> Value {
    match value {
        StringMatch::Exact(text) => json!({"exact": text}),
        StringMatch::Prefix(text) => json!({"prefix": text}),
        StringMatch::Regex(text) => json!({"regex": text}),
    }
}

fn port(entry: &Value) -> Option<&Value> {
    entry.get("destination")?.get("port")?.get("number").filter(|number| !number.is_null())
}

/// Checks that all destinations have the same port, because a mirrored request goes where the request goes.
fn one_port(route: &ManagedRoute, entries: &[Value]) -> Result<(), Finding> {
    if entries.iter().all(|entry| port(entry) == entries.first().and_then(port)) {
        return Ok(());
    }
    let what = format!(
        "'{}' mirrors, but the destinations of the route that it copies use different ports",
        route.name
    );
    Err(Finding::error("spec.http", what, "give them the same port, or remove the setMirrorRoute step"))
}
