//! Managed routes in the form of this engine: one before each weighed http route, for its requests only.

use super::{
    blocks,
    both::{self, Both},
    one_port,
};
use crate::{
    rules::{Place, Protocol},
    split::{DestinationMatcher, Split},
};
use rollout_core::{
    Finding,
    traffic::{Destination, ManagedRoute, RouteMatch},
};
use serde_json::{Map, Value, json};

/// The maximum number of routes, and of match blocks of one route.
const MOST: usize = 1000;

/// The fields that a managed route does not copy from the weighed one: its own, and the destinations.
const NOT_TAKEN_OVER: [&str; 11] = [
    "name",
    "match",
    "route",
    "redirect",
    "directResponse",
    "delegate",
    "mirror",
    "mirrors",
    "mirrorPercentage",
    "mirrorPercent",
    "mirror_percent",
];

/// The context in which managed routes are built: the weighed http routes, in the order of the list.
#[derive(Debug)]
pub(crate) struct RouteContext<'a> {
    matcher: DestinationMatcher<'a>,
    weighed: Vec<(usize, &'a Value)>,
}

impl<'a> RouteContext<'a> {
    /// Creates the context; `places` are all weighed rules of `object`.
    pub(crate) fn new(matcher: DestinationMatcher<'a>, object: &'a Value, places: &[Place]) -> Self {
        let http = places.iter().filter(|place| place.protocol == Protocol::Http);
        let mut weighed: Vec<_> = http.filter_map(|place| Some((place.index, place.of(object)?))).collect();
        weighed.sort_unstable_by_key(|(index, _)| *index);
        Self { matcher, weighed }
    }

    /// Returns the indices of the weighed http routes.
    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        self.weighed.iter().map(|(index, _)| *index)
    }

    /// Returns whether there is a route before which a managed one can be placed.
    pub(crate) fn is_there(&self) -> bool {
        !self.weighed.is_empty()
    }

    /// Returns whether a weighed route matches only some requests, so that its managed routes have more conditions than
    /// was asked for.
    pub(crate) fn narrows(&self) -> bool {
        self.weighed.iter().any(|(_, rule)| !own_blocks(rule).is_empty())
    }

    /// Builds the routes for a managed route, one for each weighed route; `None` if no request matches both.
    pub(crate) fn make(&self, route: &ManagedRoute) -> Result<Vec<Option<Value>>, Finding> {
        if self.weighed.len() > MOST {
            let what = format!("'{}' would be written {} times", route.name, self.weighed.len());
            return Err(Finding::error("spec.http", what, format!("split at most {MOST} http routes")));
        }
        let managed = blocks(route);
        let made = self.weighed.iter().map(|(index, rule)| self.make_one(route, &managed, *index, rule));
        let mut made: Vec<_> = made.collect::<Result<_, _>>()?;
        if made.iter().all(Option::is_none) {
            // A lane: without the step, the route's own condition on this header selects its requests; with the step,
            // the header selects those for the canary.
            let others = self.weighed.iter().map(|(index, rule)| {
                self.make_one(route, &managed, *index, &without_headers(rule, &managed))
            });
            made = others.collect::<Result<_, _>>()?;
        }
        if made.iter().all(Option::is_none) {
            let what = format!("no request of the routes to split can match '{}'", route.name);
            return Err(Finding::error("spec.http", what, "correct the match of the step, or of the route"));
        }
        Ok(made)
    }

    fn make_one(
        &self,
        route: &ManagedRoute,
        managed: &[Map<String, Value>],
        index: usize,
        rule: &Value,
    ) -> Result<Option<Value>, Finding> {
        let path = || format!("spec.http[{index}]");
        let Some(matches) = both_of_each(&route.name, managed, rule, &path)? else { return Ok(None) };
        let split = Split::find(self.matcher, rule, path)?;
        let entries = rule.get("route").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let canary = split.entry(Destination::Canary, entries);
        let to = canary.and_then(|entry| entry.get("destination")).cloned().unwrap_or_default();
        let mut made = Map::new();
        made.insert("name".into(), (*route.name).into());
        made.insert("match".into(), matches);
        let own = rule.as_object().into_iter().flatten();
        let own = own.filter(|(key, _)| !NOT_TAKEN_OVER.contains(&key.as_str()));
        made.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        match &route.matches {
            RouteMatch::Header(_) => {
                let mut entry = canary.and_then(Value::as_object).cloned().unwrap_or_default();
                entry.insert("weight".into(), 100.into());
                made.insert("route".into(), json!([entry]));
            }
            RouteMatch::Mirror { percentage, .. } => {
                one_port(route, entries)?;
                made.insert("route".into(), entries.into());
                made.insert("mirror".into(), to);
                made.insert("mirrorPercentage".into(), json!({"value": percentage}));
            }
        }
        Ok(Some(Value::Object(made)))
    }
}

/// Returns the match blocks of a user's route; a route without any takes every request.
fn own_blocks(rule: &Value) -> &[Value] {
    rule.get("match").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Combines each block of the weighed route with each block of the managed one.
pub(crate) fn both_of_each(
    name: &str,
    managed: &[Map<String, Value>],
    rule: &Value,
    path: &impl Fn() -> String,
) -> Result<Option<Value>, Finding> {
    let own = own_blocks(rule);
    if own.is_empty() {
        return Ok(Some(managed.iter().cloned().map(Value::Object).collect()));
    }
    if own.len().saturating_mul(managed.len()) > MOST {
        let what = format!("'{name}' would have more than {MOST} match blocks");
        return Err(Finding::error(format!("{}.match", path()), what, "match with fewer blocks"));
    }
    let mut matches = Vec::new();
    for (index, block) in own.iter().enumerate() {
        let Some(block) = block.as_object() else {
            let path = format!("{}.match[{index}]", path());
            return Err(Finding::error(path, "is not a match block", "write a map"));
        };
        for managed in managed {
            match both::blocks(block, managed) {
                Both::Is(block) => matches.push(Value::Object(block)),
                Both::Never => {}
                Both::Unsaid(about) => {
                    let path = format!("{}.match[{index}]", path());
                    let what = format!("it and '{name}' both match {about}, and Istio cannot match both");
                    return Err(Finding::error(
                        path,
                        what,
                        "write exact or prefix in both, or match something else",
                    ));
                }
            }
        }
    }
    Ok((!matches.is_empty()).then_some(Value::Array(matches)))
}

/// Returns a rule without its conditions on the headers that the managed route matches.
fn without_headers(rule: &Value, managed: &[Map<String, Value>]) -> Value {
    let about = |name: &str| {
        let headers = managed.iter().filter_map(|block| block.get("headers")?.as_object());
        headers.flat_map(Map::keys).any(|other| other.eq_ignore_ascii_case(name))
    };
    let mut rule = rule.clone();
    for block in rule.get_mut("match").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(headers) = block.get_mut("headers").and_then(Value::as_object_mut) {
            headers.retain(|name, _| !about(name));
        }
    }
    rule
}
