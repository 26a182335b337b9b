//! Managed routes, as they are written and read again.

mod parse;

use crate::{config::IstioConfig, problem::Problem, split::Known};
use rollout_core::traffic::{ManagedRoute, MirrorMatch, RouteMatch, StringMatch};
use serde_json::{Map, Value, json};

pub(crate) use parse::{parse, same};

/// What a managed route is made from, besides itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    config: &'a IstioConfig,
    /// The DestinationRule's host.
    host: Option<&'a str>,
    /// The first weighed http route, with its new weights.
    weighed: Option<&'a Value>,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(config: &'a IstioConfig, host: Option<&'a str>, weighed: Option<&'a Value>) -> Self {
        Self { config, host, weighed }
    }

    /// The route as it is to stand in the VirtualService. It takes over nothing from the user's own routes
    /// but what a mirror must: their destinations, whole.
    pub(crate) fn write(&self, route: &ManagedRoute) -> Result<Value, Problem> {
        let mut object = Map::new();
        object.insert("name".into(), (*route.name).into());
        match &route.matches {
            RouteMatch::Header(matches) => {
                let block = |one: &rollout_core::traffic::HeaderMatch| {
                    let header = Map::from_iter([(one.name.clone(), text(&one.value))]);
                    json!({ "headers": header })
                };
                object.insert("match".into(), matches.iter().map(block).collect());
                object.insert("route".into(), json!([{"destination": self.canary(), "weight": 100}]));
            }
            RouteMatch::Mirror { matches, percentage } => {
                object.insert("match".into(), matches.iter().map(mirrored).collect());
                object.insert("route".into(), Value::Array(self.copied(route)?.to_vec()));
                object.insert("mirror".into(), self.canary());
                object.insert("mirrorPercentage".into(), json!({"value": percentage}));
            }
        }
        Ok(Value::Object(object))
    }

    fn entries(&self) -> &'a [Value] {
        let entries = self.weighed.and_then(|rule| rule.get("route")).and_then(Value::as_array);
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    /// The canary's destination.
    fn canary(&self) -> Value {
        let mut to = Map::new();
        let rule = self.config.destination_rule.as_ref();
        let written = Known::new(self.config, self.host).canary_host(self.entries());
        let configured = if rule.is_some() { self.host } else { self.config.canary_service.as_deref() };
        to.insert("host".into(), written.or(configured).unwrap_or_default().into());
        if let Some(rule) = rule {
            to.insert("subset".into(), (*rule.canary_subset).into());
        }
        if let Some(port) = self.entries().first().and_then(port) {
            to.insert("port".into(), json!({"number": port}));
        }
        Value::Object(to)
    }

    /// The destinations that a mirror route copies.
    fn copied(&self, route: &ManagedRoute) -> Result<&'a [Value], Problem> {
        let entries = self.entries();
        if entries.is_empty() {
            let what =
                format!("'{}' mirrors, but there is no http route whose requests it could copy", route.name);
            return Err(Problem::new(
                "spec.http",
                what,
                "split an http route, or take the setMirrorRoute step out",
            ));
        }
        if entries.iter().any(|entry| port(entry) != entries.first().and_then(port)) {
            let what = format!(
                "'{}' mirrors, but the destinations of the route that it copies use different ports",
                route.name
            );
            return Err(Problem::new(
                "spec.http",
                what,
                "give them one port, or take the setMirrorRoute step out",
            ));
        }
        Ok(entries)
    }
}

fn port(entry: &Value) -> Option<&Value> {
    entry.get("destination")?.get("port")?.get("number").filter(|number| !number.is_null())
}

fn mirrored(one: &MirrorMatch) -> Value {
    let mut block = Map::new();
    if let Some(method) = &one.method {
        block.insert("method".into(), text(method));
    }
    if let Some(path) = &one.path {
        block.insert("uri".into(), text(path));
    }
    if !one.headers.is_empty() {
        let headers = one.headers.iter().map(|(name, value)| (name.clone(), text(value)));
        block.insert("headers".into(), Value::Object(headers.collect()));
    }
    Value::Object(block)
}

fn text(value: &StringMatch) -> Value {
    match value {
        StringMatch::Exact(text) => json!({"exact": text}),
        StringMatch::Prefix(text) => json!({"prefix": text}),
        StringMatch::Regex(text) => json!({"regex": text}),
    }
}
