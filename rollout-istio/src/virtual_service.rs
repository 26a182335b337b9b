//! One VirtualService: what it says, and how it is edited.

use crate::{
    config::{IstioConfig, VirtualServiceRef},
    managed::{Ground, parse, same},
    order::{Managed, arrange, arranged, in_order},
    problem::Problem,
    rules::{Place, Protocol, managed_name, rules, weighed},
    split::{Known, Split, asked},
};
use rollout_core::{
    Range, Revision,
    backend::{EditError, note, set_note},
    traffic::{ManagedSeen, ObjectRef, RoutesSeen, WeightChange},
};
use serde_json::Value;
use std::sync::Arc;

/// The annotation that names the revision for which each Rollout last wrote a VirtualService: a map of
/// [notes](note).
pub const WRITTEN_FOR_ANNOTATION: &str = "rollout-core/written-for";

/// The annotation that holds the weight that each Rollout asked for, out of its strategy's total, where it cannot
/// be told from the weights in the routes: a foreign destination left less than that total to share. A map of
/// [notes](note).
pub const WEIGHT_ANNOTATION: &str = "rollout-core/weight";

/// One VirtualService with all that the rollout says about it.
#[derive(Debug)]
pub(crate) struct VirtualService<'a> {
    pub(crate) config: &'a IstioConfig,
    pub(crate) name: &'a ObjectRef,
    /// The entries of `virtualServices` that mean it.
    pub(crate) entries: Vec<&'a VirtualServiceRef>,
    /// The DestinationRule's host, if there is a DestinationRule.
    pub(crate) host: Option<&'a str>,
}

/// What is to be written into a VirtualService.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) weight: WeightChange,
    pub(crate) managed: Managed<'a>,
    /// `None` leaves no record.
    pub(crate) written_for: Option<&'a Revision>,
}

impl VirtualService<'_> {
    fn known(&self) -> Known<'_> {
        Known::new(self.config, self.host)
    }

    /// The rules that are weighed, the first http route of the Rollout's list first.
    pub(crate) fn weighed(&self, object: &Value) -> Result<Vec<Place>, EditError> {
        self.places(object).map_err(|problem| problem.of(self.name))
    }

    fn split(&self, object: &Value, place: Place) -> Result<Split, Problem> {
        Split::find(self.known(), place.of(object).unwrap_or(&Value::Null), || place.path())
    }

    /// The managed routes among the http routes, which mirror and have both destinations in them.
    fn mirrors(&self, object: &Value) -> Vec<(Place, Split)> {
        let Ok(http) = rules(object, Protocol::Http) else { return Vec::new() };
        let mirror = |rule: &Value| managed_name(self.config, rule).is_some() && rule.get("mirror").is_some();
        let places = http.iter().enumerate().filter(|(_, rule)| mirror(rule));
        let places = places.map(|(index, _)| Place { protocol: Protocol::Http, index });
        places.filter_map(|place| Some((place, self.split(object, place).ok()?))).collect()
    }

    pub(crate) fn read(&self, object: &Value) -> Result<RoutesSeen, EditError> {
        self.read_it(object).map_err(|problem| problem.of(self.name))
    }

    fn read_it(&self, object: &Value) -> Result<RoutesSeen, Problem> {
        let places = self.places(object)?;
        let of = self.config.max_weight;
        let recorded = self.note(object, WEIGHT_ANNOTATION).and_then(|weight| weight.parse().ok());
        let mut weight: Option<Range> = None;
        let splits = places.iter().map(|place| self.split(object, *place));
        let mirrors = self.mirrors(object);
        for split in splits.chain(mirrors.into_iter().map(|(_, split)| Ok(split))) {
            let one = Range::exact(split?.weight(of, recorded));
            weight = Some(weight.map_or(one, |all| all.union(one)));
        }
        let mut seen = RoutesSeen::new(weight.unwrap_or(Range::exact(0)));
        let http = rules(object, Protocol::Http)?;
        let ground = self.ground(object, &places);
        for rule in http {
            let Some(name) = managed_name(self.config, rule) else { continue };
            let twice = seen.managed.iter().any(|other| *other.name == *name);
            let route = parse(rule)
                .filter(|route| !twice && ground.write(route).is_ok_and(|written| same(&written, rule)));
            seen.managed.push(match route {
                Some(route) => ManagedSeen::new(Arc::new(route)),
                None => ManagedSeen::drifted(name.into()),
            });
        }
        seen.in_order = in_order(self.config, http, first_http(&places));
        seen.takes_managed = !http.is_empty();
        if seen.leads_to_canary() {
            seen.written_for = self.note(object, WRITTEN_FOR_ANNOTATION).as_deref().map(Into::into);
        }
        Ok(seen)
    }

    /// Edits it in place; whether anything changed. An error leaves it in any state.
    pub(crate) fn edit(&self, object: &mut Value, change: &Change<'_>) -> Result<bool, EditError> {
        let of_object = |problem: Problem| problem.of(self.name);
        let places = self.places(object).map_err(of_object)?;
        let mut changed = false;
        let mut active = false;
        let mut record = None;
        let mut splits = Vec::new();
        for place in &places {
            splits.push((*place, self.split(object, *place).map_err(of_object)?));
        }
        splits.extend(self.mirrors(object));
        for (place, mut split) in splits {
            if let (Some(to), Some(rule)) = (asked(change.weight), place.of_mut(object)) {
                changed |= split.write(rule, to, || place.path()).map_err(of_object)?;
                let mapped = share_of(to, self.config.max_weight);
                if split.weight(self.config.max_weight, None) != mapped {
                    record = Some(mapped.to_string());
                }
            }
            active |= split.weight(self.config.max_weight, None) > 0;
        }
        let arranged = {
            let http = rules(object, Protocol::Http).map_err(of_object)?;
            // Without http routes a managed one would leave all other requests without any.
            let managed = if http.is_empty() { Managed::Keep } else { change.managed };
            arranged(&self.ground(object, &places), self.config, http, first_http(&places), managed)
                .map_err(of_object)?
        };
        if let (Some(new), Some(http)) =
            (arranged, object.get_mut("spec").and_then(|spec| spec.get_mut(Protocol::Http.key())))
        {
            arrange(http, new);
            changed = true;
        }
        let http = rules(object, Protocol::Http).map_err(of_object)?;
        active |= http.iter().any(|rule| managed_name(self.config, rule).is_some());
        self.annotate(object, change, changed, active, record.as_deref()).map(|noted| changed || noted)
    }

    fn places(&self, object: &Value) -> Result<Vec<Place>, Problem> {
        let mut places: Vec<Place> = Vec::new();
        for entry in &self.entries {
            for place in weighed(object, entry, self.config)? {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        Ok(places)
    }

    fn ground<'b>(&'b self, object: &'b Value, places: &[Place]) -> Ground<'b> {
        let first = places.iter().find(|place| place.protocol == Protocol::Http);
        Ground::new(self.config, self.host, first.and_then(|place| place.of(object)))
    }

    fn note(&self, object: &Value, key: &str) -> Option<String> {
        note(self.name, object, key, &self.config.rollout)
    }

    fn set_note(&self, object: &mut Value, key: &str, text: Option<&str>) -> Result<bool, EditError> {
        set_note(self.name, object, key, &self.config.rollout, text)
    }

    fn annotate(
        &self,
        object: &mut Value,
        change: &Change<'_>,
        changed: bool,
        active: bool,
        record: Option<&str>,
    ) -> Result<bool, EditError> {
        let Some(revision) = change.written_for else { return Ok(false) };
        let keeps = change.weight == WeightChange::Keep;
        let mut noted = false;
        if !keeps {
            noted |= self.set_note(object, WEIGHT_ANNOTATION, record)?;
        }
        if (changed || noted) && !active {
            noted |= self.set_note(object, WRITTEN_FOR_ANNOTATION, None)?;
        } else if (changed || noted) && !keeps {
            noted |= self.set_note(object, WRITTEN_FOR_ANNOTATION, Some(revision.as_str()))?;
        }
        Ok(noted)
    }
}

/// Which http route is the first in the list that is weighed.
fn first_http(places: &[Place]) -> Option<usize> {
    places.iter().filter(|place| place.protocol == Protocol::Http).map(|place| place.index).min()
}

/// A weight out of one total, out of another.
fn share_of((weight, of): (u32, u32), total: u32) -> u32 {
    let exact = u64::from(weight) * u64::from(total) / u64::from(of.max(1));
    u32::try_from(exact).unwrap_or(total).min(total)
}
