//! The routes of a sticky split: users by their cookies, and newcomers, who get one.

use super::Sticky;
use crate::{
    managed::{block, both_of_each},
    share::share,
    split::Split,
};
use rollout_core::{
    Finding,
    traffic::{Destination, RequestMatch, StringMatch, Weight},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the cookies of one release have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Release<'a> {
    pub(crate) sticky: &'a Sticky,
    /// The name of the routes.
    pub(crate) name: &'a str,
    /// The canary's revision, so that each release draws its users anew.
    pub(crate) revision: &'a str,
    /// The weight that stands for all traffic.
    pub(crate) of: u32,
}

/// A part of all users: from one weight to the next.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: u64,
    to: u64,
}

/// Returns the routes before a split `rule`; none unless both destinations have weight.
pub(crate) fn made(
    release: Release<'_>,
    rule: &Value,
    split: &Split,
    path: &impl Fn() -> String,
) -> Result<Vec<Value>, Finding> {
    let (stable, canary) = (split.parts(Destination::Stable), split.parts(Destination::Canary));
    if stable == 0 || canary == 0 {
        return Ok(Vec::new());
    }
    if split.has_foreign() {
        let what = "a sticky split has no other destinations than stable and canary";
        let instead = "remove the others, or the annotation that makes it sticky";
        return Err(Finding::error(format!("{}.route", path()), what, instead));
    }
    let entries = rule.get("route").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let made = Made { release, rule, split, entries, path };
    made.sets_no_cookie()?;
    made.routes(canary, stable.saturating_add(canary))
}

struct Made<'a, P> {
    release: Release<'a>,
    rule: &'a Value,
    split: &'a Split,
    entries: &'a [Value],
    path: &'a P,
}

impl<P: Fn() -> String> Made<'_, P> {
    fn routes(&self, canary: u64, all: u64) -> Result<Vec<Value>, Finding> {
        let intervals = self.intervals(all);
        let below: Vec<_> = intervals.iter().filter(|part| part.to <= canary).collect();
        let above: Vec<_> = intervals.iter().filter(|part| part.from >= canary).collect();
        let across: Vec<_> = intervals.iter().filter(|part| part.from < canary && canary < part.to).collect();
        let mut routes = Vec::new();
        for (parts, which) in [(&below, Destination::Canary), (&above, Destination::Stable)] {
            if !parts.is_empty() {
                routes.extend(self.returning(parts, vec![self.entry(which, 100)])?);
            }
        }
        if let Some(part) = across.first() {
            let entries = vec![
                self.entry(Destination::Canary, canary - part.from),
                self.entry(Destination::Stable, part.to - canary),
            ];
            routes.extend(self.returning(&across, entries)?);
        }
        let mut newcomers = Vec::new();
        for part in &intervals {
            let cut = canary.clamp(part.from, part.to);
            for (which, weight) in
                [(Destination::Canary, cut - part.from), (Destination::Stable, part.to - cut)]
            {
                if weight > 0 {
                    newcomers.push(self.with_cookie(self.entry(which, weight), *part)?);
                }
            }
        }
        routes.push(self.route(self.rule.get("match").cloned(), newcomers));
        Ok(routes)
    }

    /// Returns the parts of all users that the weights of the strategy make.
    fn intervals(&self, all: u64) -> Vec<Interval> {
        let of = self.release.of;
        let inner = self.release.sticky.weights.iter().filter(|weight| (1..of).contains(*weight));
        let mut ends: BTreeSet<u64> =
            inner.filter_map(|weight| share(Weight::new(*weight, of), all)).collect();
        ends.insert(all);
        let mut from = 0;
        let intervals = ends.into_iter().map(|to| Interval { from: std::mem::replace(&mut from, to), to });
        intervals.collect()
    }

    /// Returns the cookie's value, in which no letter means anything in a regular expression.
    fn value(&self, part: Interval) -> String {
        format!("{}-{}-{}", self.release.revision, part.from, part.to)
    }

    /// Returns the route of the users who have a cookie of one of these parts.
    fn returning(&self, parts: &[&Interval], entries: Vec<Value>) -> Result<Option<Value>, Finding> {
        let values: Vec<_> = parts.iter().map(|part| self.value(**part)).collect();
        let cookie = RequestMatch::cookie(&self.release.sticky.cookie, &StringMatch::Regex(values.join("|")));
        let blocks = [block(&cookie)];
        let matches = both_of_each("a sticky split", &blocks, self.rule, self.path)?;
        Ok(matches.map(|matches| self.route(Some(matches), entries)))
    }

    /// Returns a copy of the rule that takes these requests to these destinations.
    fn route(&self, matches: Option<Value>, entries: Vec<Value>) -> Value {
        let mut route = Map::new();
        route.insert("name".into(), self.release.name.into());
        route.extend(matches.map(|matches| ("match".to_owned(), matches)));
        let own = self.rule.as_object().into_iter().flatten();
        let own = own.filter(|(key, _)| !["name", "match", "route"].contains(&key.as_str()));
        route.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        route.insert("route".into(), Value::Array(entries));
        Value::Object(route)
    }

    fn entry(&self, which: Destination, weight: u64) -> Value {
        let mut entry = self.split.entry(which, self.entries).cloned().unwrap_or_default();
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("weight".into(), weight.into());
        }
        entry
    }

    fn with_cookie(&self, mut entry: Value, part: Interval) -> Result<Value, Finding> {
        let cookie = format!("{}={}; Path=/; HttpOnly", self.release.sticky.cookie, self.value(part));
        let mut at = entry.as_object_mut();
        for key in ["headers", "response", "add"] {
            at = at.and_then(|map| map.entry(key).or_insert_with(|| json!({})).as_object_mut());
        }
        let Some(add) = at else {
            let path = format!("{}.route", (self.path)());
            return Err(Finding::error(path, "the headers of a destination are not a map", "write a map"));
        };
        add.insert("Set-Cookie".into(), cookie.into());
        Ok(entry)
    }

    /// Checks that the user's own response headers leave room for a cookie.
    fn sets_no_cookie(&self) -> Result<(), Finding> {
        let sets = |headers: &Value, keys: &[&str]| {
            let names = keys.iter().filter_map(|key| headers.get("response")?.get(key)).flat_map(names);
            names.into_iter().any(|name| name.eq_ignore_ascii_case("set-cookie"))
        };
        let own = self.rule.get("headers").is_some_and(|headers| sets(headers, &["set", "remove"]));
        let mut headers = self.entries.iter().filter_map(|entry| entry.get("headers"));
        if !own && !headers.any(|headers| sets(headers, &["add", "set", "remove"])) {
            return Ok(());
        }
        let what = "the route changes the header `Set-Cookie` of responses, which a sticky split needs";
        Err(Finding::error((self.path)(), what, "change it in the application"))
    }
}

/// Returns the names of headers in a map, or in a list.
fn names(headers: &Value) -> Vec<&str> {
    match headers {
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
