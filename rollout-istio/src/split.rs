//! The two destinations of a route and their weights.

use crate::{
    config::IstioConfig,
    name::first_label,
    problem::{names, shown},
    resolve::{is_same, resolve},
    share::{self, TOTAL},
};
use rollout_core::{
    Finding,
    traffic::{ByDestination, Destination, Weight, WeightChange},
};
use serde_json::Value;

/// Identifies the two destinations in a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DestinationMatcher<'a> {
    /// The Rollout's namespace.
    namespace: &'a str,
    /// The namespace of the VirtualService.
    from: &'a str,
    like_argo_rollouts: bool,
    /// The DestinationRule's host, if there is a DestinationRule.
    host: Option<&'a str>,
    subsets: bool,
    /// The names of the subsets, or of the Services.
    names: ByDestination<&'a str>,
}

impl<'a> DestinationMatcher<'a> {
    /// `host` is that of the DestinationRule, if there is one; `from` is the namespace of the VirtualService.
    pub(crate) fn new(config: &'a IstioConfig, host: Option<&'a str>, from: &'a str) -> Self {
        let names = match &config.destination_rule {
            Some(rule) => rule.subsets.as_ref().map(|name| &**name),
            None => config.services.as_ref().map(|name| name.as_deref().unwrap_or_default()),
        };
        Self {
            namespace: &config.namespace,
            from,
            like_argo_rollouts: config.like_argo_rollouts,
            host,
            subsets: config.destination_rule.is_some(),
            names,
        }
    }

    /// Returns whether an entry is this destination. Argo Rollouts identifies a subset by its name alone, and a Service
    /// by the first label of its host; strictly, the host must be the one that Istio resolves.
    fn is(self, destination: &Value, which: Destination, strictly: bool) -> bool {
        let text = |key| destination.get(key).and_then(Value::as_str).unwrap_or_default();
        let host = text("host");
        let expected = self.host(which);
        let same = || expected.is_none_or(|expected| is_same((host, self.from), (expected, self.namespace)));
        if !self.subsets {
            return first_label(host) == first_label(self.names[which]) && (!strictly || same());
        }
        text("subset") == self.names[which] && (!strictly || same())
    }

    /// Returns the host that a destination must have, seen from the Rollout's namespace; `None` if it is unknown.
    fn host(self, which: Destination) -> Option<&'a str> {
        if self.subsets { self.host } else { Some(self.names[which]) }
    }

    /// Reports a destination of the right name that Istio sends elsewhere.
    fn astray(self, which: Destination, entry: &Value, path: String) -> Finding {
        let host = entry.get("destination").and_then(|to| to.get("host")?.as_str()).unwrap_or_default();
        let expected = resolve(self.host(which).unwrap_or_default(), self.namespace);
        let (leads, wanted) = (shown(&resolve(host, self.from)), shown(&expected));
        let what = if self.subsets {
            format!("subset '{}' belongs to {wanted}, but this host is {leads}", shown(self.names[which]))
        } else {
            format!("the {which} Service is {wanted}, but this host is {leads}")
        };
        Finding::error(path, what, format!("write `host: {wanted}`"))
    }

    /// Returns the canary's host as it is written in a route: a short one means another host in another namespace.
    pub(crate) fn canary_host(self, entries: &[Value]) -> Option<&str> {
        let destinations = || entries.iter().filter_map(|entry| entry.get("destination"));
        let find = |strictly| destinations().find(|to| self.is(to, Destination::Canary, strictly));
        find(true).or_else(|| find(false))?.get("host")?.as_str()
    }

    /// Returns whether a rule has both destinations, as Argo Rollouts identifies them.
    pub(crate) fn both_in(self, rule: &Value) -> bool {
        let entries = || rule.get("route").and_then(Value::as_array).into_iter().flatten();
        let stands = |which| {
            entries().any(|entry| entry.get("destination").is_some_and(|to| self.is(to, which, false)))
        };
        stands(Destination::Stable) && stands(Destination::Canary)
    }

    fn missing(self, which: Destination) -> String {
        let role = if which == Destination::Stable { "Stable" } else { "Canary" };
        let kind = if self.subsets { "DestinationRule subset" } else { "Service" };
        format!("{role} {kind} '{}' not found in route", self.names[which])
    }
}

/// The places of the two destinations in a route, and the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    places: ByDestination<Place>,
    foreign: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    index: usize,
    weight: u64,
}

impl Split {
    /// Finds both destinations in `rule`, which is at `path`.
    pub(crate) fn find(
        matcher: DestinationMatcher<'_>,
        rule: &Value,
        path: impl Fn() -> String,
    ) -> Result<Self, Finding> {
        let entries = rule.get("route").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let find = |which, strictly| Self::place(matcher, entries, which, strictly, &path);
        let found = |which| {
            if let Some(place) = find(which, true)? {
                return Ok(place);
            }
            let place = find(which, false)?.ok_or_else(|| {
                let instead = format!("add it, with `weight: 0` if necessary; found: {}", hosts(entries));
                Finding::error(format!("{}.route", path()), matcher.missing(which), instead)
            })?;
            match entries.get(place.index) {
                Some(entry) if !matcher.like_argo_rollouts => {
                    let path = format!("{}.route[{}].destination.host", path(), place.index);
                    Err(matcher.astray(which, entry, path))
                }
                _ => Ok(place),
            }
        };
        let places =
            ByDestination { stable: found(Destination::Stable)?, canary: found(Destination::Canary)? };
        let mut foreign = 0_u64;
        for (index, entry) in entries.iter().enumerate() {
            if places.iter().all(|(_, place)| place.index != index) {
                foreign = foreign.saturating_add(weight_of(entry, index, &path)?);
            }
        }
        Ok(Self { places, foreign })
    }

    fn place(
        matcher: DestinationMatcher<'_>,
        entries: &[Value],
        which: Destination,
        strictly: bool,
        path: &impl Fn() -> String,
    ) -> Result<Option<Place>, Finding> {
        let is = |entry: &Value| entry.get("destination").is_some_and(|to| matcher.is(to, which, strictly));
        let mut found = entries.iter().enumerate().filter(|(_, entry)| is(entry));
        let Some((index, entry)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            let what = format!("the {which} destination appears in it more than once");
            return Err(Finding::error(format!("{}.route", path()), what, "keep only one"));
        }
        Ok(Some(Place { index, weight: weight_of(entry, index, path)? }))
    }

    /// Returns the entry of a destination in the route.
    pub(crate) fn entry<'a>(&self, which: Destination, entries: &'a [Value]) -> Option<&'a Value> {
        entries.get(self.places[which].index)
    }

    /// Returns a destination's weight as it is written.
    pub(crate) fn parts(&self, which: Destination) -> u64 {
        self.places[which].weight
    }

    /// Returns whether other destinations have weight.
    pub(crate) fn has_foreign(&self) -> bool {
        self.foreign > 0
    }

    /// Returns the canary's weight out of `of`.
    pub(crate) fn weight(&self, of: u32, recorded: Option<u32>) -> u32 {
        share::weight(self.places.canary.weight, self.places.stable.weight, of, recorded)
    }

    /// Writes the weights of canary and stable; returns whether anything changed. Foreign destinations keep theirs.
    pub(crate) fn write(
        &mut self,
        rule: &mut Value,
        to: Weight,
        path: impl Fn() -> String,
    ) -> Result<bool, Finding> {
        let left = self.left(to.of());
        let Some(canary) = share::share(to, left) else {
            let what = {
                let of = left.saturating_add(self.foreign);
                format!("other destinations leave only {left} of {of} to share")
            };
            let instead = "leave more to stable and canary";
            return Err(Finding::error(format!("{}.route", path()), what, instead));
        };
        let mut changed = false;
        for (place, to) in [(&mut self.places.canary, canary), (&mut self.places.stable, left - canary)] {
            if place.weight != to {
                place.weight = to;
                let entry = rule.get_mut("route").and_then(|entries| entries.get_mut(place.index));
                if let Some(entry) = entry.and_then(Value::as_object_mut) {
                    entry.insert("weight".into(), to.into());
                    changed = true;
                }
            }
        }
        Ok(changed)
    }

    /// Returns the weight that stable and canary share: all, out of as many parts as the strategy has if that is more
    /// than 100, because Istio takes any total. A route whose weights were never out of 100, and that has a foreign
    /// destination, keeps its own total, so that the foreign one keeps its share.
    fn left(&self, of: u32) -> u64 {
        let ours = self.places.canary.weight.saturating_add(self.places.stable.weight);
        if self.foreign == 0 {
            TOTAL.max(of.into())
        } else if ours == 0 || ours.saturating_add(self.foreign) == TOTAL {
            TOTAL.saturating_sub(self.foreign)
        } else {
            ours
        }
    }
}

/// Returns the weight that `to` asks for.
pub(crate) fn asked(to: WeightChange) -> Option<Weight> {
    match to {
        WeightChange::Keep => None,
        WeightChange::To(weight) => Some(weight),
    }
}

fn weight_of(entry: &Value, index: usize, path: &impl Fn() -> String) -> Result<u64, Finding> {
    match entry.get("weight") {
        None | Some(Value::Null) => Ok(0),
        Some(weight) => weight.as_u64().ok_or_else(|| {
            let path = format!("{}.route[{index}].weight", path());
            Finding::error(path, format!("{weight} is not a weight"), "write a whole number from 0 on")
        }),
    }
}

fn hosts(entries: &[Value]) -> String {
    let text = |entry: &Value| {
        let to = entry.get("destination")?;
        let host = to.get("host")?.as_str()?;
        let subset = to.get("subset").and_then(Value::as_str);
        Some(subset.map_or_else(|| host.to_owned(), |subset| format!("{host} subset {subset}")))
    };
    let found: Vec<_> = entries.iter().filter_map(text).collect();
    names(found.iter().map(String::as_str))
}
