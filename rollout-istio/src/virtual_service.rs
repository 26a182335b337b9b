//! Reading and editing one VirtualService.

use crate::{
    config::{IstioConfig, VirtualServiceRef},
    managed::{ArgoRoutes, RouteContext, parse, same},
    order::{Managed, Slot, arrange, arranged, in_order, retained, stepped, there},
    problem::{self, shown},
    rules::{Place, Protocol, managed_name, rules},
    split::{DestinationMatcher, Split, asked},
    sticky::{self, Release},
    weighed::weighed,
};
use rollout_core::{
    Finding, Range, Revision,
    backend::{EditError, note, set_note},
    traffic::{ManagedRoute, ManagedSeen, ObjectRef, RoutesSeen, Weight, WeightChange},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// The annotation that names the revision for which each Rollout last wrote a VirtualService: a map of [notes](note).
///
/// ```
/// use rollout_core::backend::{ObjectEditor, annotation};
/// use rollout_core::traffic::{ManagedChange, Routes, Weight, WeightChange};
/// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef, WRITTEN_FOR_ANNOTATION};
/// # use serde_json::json;
/// # let config = IstioConfig::hosts("shop", "web", "web-canary").virtual_service(VirtualServiceRef::new("web"));
/// # let editor = IstioEditor::new(config);
/// # let mut object = json!({"spec": {"http": [{"route": [
/// #     {"destination": {"host": "web"}}, {"destination": {"host": "web-canary"}, "weight": 0},
/// # ]}]}});
/// let weight = WeightChange::To(Weight::new(5, 100));
/// let to = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// editor.edit_virtual_service(&editor.objects()[0], &mut object, None, &to)?;
/// assert_eq!(annotation(&object, WRITTEN_FOR_ANNOTATION), Some(r#"{"web":"v2"}"#));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub const WRITTEN_FOR_ANNOTATION: &str = "rollout-core/written-for";

/// The annotation that holds the weight that each Rollout asked for, out of its strategy's total, if it cannot be
/// derived from the weights in the routes: a foreign destination left less than that total to share. A map of
/// [notes](note).
///
/// ```
/// use rollout_core::backend::{ObjectEditor, annotation};
/// use rollout_core::traffic::{ManagedChange, Routes, Weight, WeightChange};
/// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef, WEIGHT_ANNOTATION};
/// # use serde_json::json;
/// # let config = IstioConfig::hosts("shop", "web", "web-canary").virtual_service(VirtualServiceRef::new("web"));
/// # let editor = IstioEditor::new(config);
/// // 90 % of the requests go to a destination that is not the Rollout's.
/// let mut object = json!({"spec": {"http": [{"route": [
///     {"destination": {"host": "old"}, "weight": 90},
///     {"destination": {"host": "web"}, "weight": 10},
///     {"destination": {"host": "web-canary"}, "weight": 0},
/// ]}]}});
/// let weight = WeightChange::To(Weight::new(5, 100));
/// let to = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// editor.edit_virtual_service(&editor.objects()[0], &mut object, None, &to)?;
/// assert_eq!(annotation(&object, WEIGHT_ANNOTATION), Some(r#"{"web":"5"}"#));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub const WEIGHT_ANNOTATION: &str = "rollout-core/weight";

/// The annotation that holds the managed routes that each Rollout asked for, if they cannot be derived from the written
/// routes: a weighed route takes only some requests, and these match both. A map of [notes](note), each a JSON list.
///
/// ```
/// use rollout_core::backend::{ObjectEditor, annotation};
/// use rollout_core::traffic::{ManagedChange, ManagedRoute, RequestMatch, RouteMatch, Routes, StringMatch};
/// use rollout_core::traffic::WeightChange;
/// use rollout_istio::{IstioConfig, IstioEditor, MANAGED_ANNOTATION, VirtualServiceRef};
/// # use serde_json::json;
/// # let config = IstioConfig::hosts("shop", "web", "web-canary").virtual_service(VirtualServiceRef::new("web"));
/// # let editor = IstioEditor::new(config.managed_route("testers"));
/// let mut object = json!({"spec": {"http": [{"match": [{"uri": {"prefix": "/shop"}}], "route": [
///     {"destination": {"host": "web"}, "weight": 100}, {"destination": {"host": "web-canary"}, "weight": 0},
/// ]}]}});
/// let tester = RequestMatch::header("x-tester", StringMatch::Exact("yes".into()));
/// let testers = ManagedRoute { name: "testers".into(), matches: RouteMatch::Header(vec![tester]) };
/// let managed = ManagedChange::To(vec![testers.into()]);
/// let to = Routes { weight: WeightChange::Keep, managed, written_for: "v2".into() };
/// editor.edit_virtual_service(&editor.objects()[0], &mut object, None, &to)?;
/// assert_eq!(object["spec"]["http"][0]["match"][0]["uri"]["prefix"], "/shop", "both conditions in one route");
/// assert!(annotation(&object, MANAGED_ANNOTATION).is_some_and(|asked| asked.contains("x-tester")));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub const MANAGED_ANNOTATION: &str = "rollout-core/managed";

/// A VirtualService with everything that the rollout says about it.
#[derive(Debug)]
pub(crate) struct VirtualService<'a> {
    pub(crate) config: &'a IstioConfig,
    pub(crate) name: &'a ObjectRef,
    /// The entries of `virtualServices` that refer to it.
    pub(crate) entries: Vec<&'a VirtualServiceRef>,
    /// The DestinationRule's host, if there is a DestinationRule.
    pub(crate) host: Option<&'a str>,
}

/// A change to a VirtualService.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) weight: WeightChange,
    pub(crate) managed: Managed<'a>,
    /// `None` leaves no record.
    pub(crate) written_for: Option<&'a Revision>,
}

impl VirtualService<'_> {
    fn matcher(&self) -> DestinationMatcher<'_> {
        DestinationMatcher::new(self.config, self.host, &self.name.namespace)
    }

    /// Returns the rules that are weighed, with the first http route of the Rollout's list first.
    pub(crate) fn weighed(&self, object: &Value) -> Result<Vec<Place>, EditError> {
        self.places(object).map_err(|finding| problem::of(self.name, &finding))
    }

    fn split(&self, object: &Value, place: Place) -> Result<Split, Finding> {
        let rule = place.of(object).unwrap_or(&Value::Null);
        match rule.get("delegate") {
            Some(to) if to.is_object() => Err(self.delegates(to, place)),
            _ => Split::find(self.matcher(), rule, || place.path()),
        }
    }

    /// Reports a delegate: Istio does not accept a route beside it.
    fn delegates(&self, to: &Value, place: Place) -> Finding {
        let text = |key| to.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(shown);
        let namespace = text("namespace").unwrap_or_else(|| self.name.namespace.to_string());
        let name = text("name").unwrap_or_default();
        let what = format!("this route delegates to {namespace}/{name}");
        let instead = format!("split that one: write `name: {name}.{namespace}` in the Rollout");
        Finding::error(format!("{}.delegate", place.path()), what, instead)
    }

    /// Returns the managed http routes that mirror and contain both destinations.
    fn mirrors(&self, object: &Value) -> Vec<(Place, Split)> {
        let Ok(http) = rules(object, Protocol::Http) else { return Vec::new() };
        let mirror = |rule: &Value| managed_name(self.config, rule).is_some() && rule.get("mirror").is_some();
        let places = http.iter().enumerate().filter(|(_, rule)| mirror(rule));
        let places = places.map(|(index, _)| Place { protocol: Protocol::Http, index });
        places.filter_map(|place| Some((place, self.split(object, place).ok()?))).collect()
    }

    /// Reads the object; `plain` is the same without sticky routes. If those are not as the weight asks for, the routes
    /// are not in order.
    pub(crate) fn read(&self, object: &Value, plain: &Value) -> Result<RoutesSeen, EditError> {
        let mut seen = self.read_it(plain).map_err(|finding| problem::of(self.name, &finding))?;
        if sticky::concerns(self.config, object) {
            let mut expected = plain.clone();
            let is_made = self.insert_sticky(&mut expected).is_ok();
            seen.in_order &= is_made && sticky::same_http(&expected, object);
        }
        Ok(seen)
    }

    /// Adds the routes of a sticky split to an object that has none.
    fn insert_sticky(&self, object: &mut Value) -> Result<(), Finding> {
        let Some(sticky) = &self.config.sticky else { return Ok(()) };
        let revision = self.note(object, WRITTEN_FOR_ANNOTATION).unwrap_or_default();
        // It becomes part of a header, so a note that somebody has edited counts only if it could be a revision.
        let is_plain = revision.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let release = Release {
            sticky,
            name: &sticky::route_name(self.config),
            revision: if is_plain { &revision } else { "" },
            of: self.config.max_weight,
        };
        let http = self.places(object)?.into_iter().filter(|place| place.protocol == Protocol::Http);
        let routes = http.map(|place| {
            let rule = place.of(object).unwrap_or(&Value::Null);
            let made = sticky::made(release, rule, &self.split(object, place)?, &|| place.path())?;
            Ok((place, made))
        });
        let routes = routes.collect::<Result<_, Finding>>()?;
        sticky::insert(object, routes);
        Ok(())
    }

    fn read_it(&self, object: &Value) -> Result<RoutesSeen, Finding> {
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
        let context = RouteContext::new(self.matcher(), object, &places);
        seen.managed = self.managed_seen(object, http, &context);
        seen.in_order = in_order(self.config, http, context.indices());
        seen.takes_managed = context.is_there();
        if seen.leads_to_canary() {
            seen.written_for = self.note(object, WRITTEN_FOR_ANNOTATION).as_deref().map(Into::into);
        }
        Ok(seen)
    }

    /// Returns the existing managed routes. Each is the one in the note, or else the one parsed from the route; the
    /// written routes must be exactly those that it results in, or another client has edited them.
    fn managed_seen(&self, object: &Value, http: &[Value], context: &RouteContext<'_>) -> Vec<ManagedSeen> {
        let mut noted = self.noted(object);
        let mut seen = Vec::new();
        for (rank, rules) in there(self.config, http) {
            let Some(name) = self.config.managed_routes.get(rank) else { continue };
            let is = |route: &ManagedRoute| {
                let Ok(made) = context.make(route) else { return false };
                made.iter().flatten().count() == rules.len()
                    && made.iter().flatten().zip(&rules).all(|(made, (_, rule))| same(made, rule))
            };
            let noted = noted.iter().position(|route| route.name == *name).map(|at| noted.swap_remove(at));
            let itself = || rules.front().and_then(|(_, rule)| parse(rule));
            let route = noted.filter(is).or_else(|| itself().filter(is));
            seen.push(route.map_or_else(
                || ManagedSeen::drifted(name.clone()),
                |route| ManagedSeen::new(Arc::new(route)),
            ));
        }
        seen
    }

    fn noted(&self, object: &Value) -> Vec<ManagedRoute> {
        let note = self.note(object, MANAGED_ANNOTATION);
        note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default()
    }

    /// Edits the object in place; returns whether anything changed. An error leaves it in any state.
    pub(crate) fn edit(&self, object: &mut Value, change: &Change<'_>) -> Result<bool, EditError> {
        if !sticky::concerns(self.config, object) {
            return self.edit_plain(object, change);
        }
        let before = object.clone();
        sticky::strip(self.config, object);
        let changed = self.edit_plain(object, change)?;
        self.insert_sticky(object).map_err(|finding| problem::of(self.name, &finding))?;
        if !changed && sticky::same_http(&before, object) {
            // It stays as another client's tools have written it.
            *object = before;
            return Ok(false);
        }
        Ok(true)
    }

    /// Edits an object without sticky routes.
    fn edit_plain(&self, object: &mut Value, change: &Change<'_>) -> Result<bool, EditError> {
        let of_object = |finding: Finding| problem::of(self.name, &finding);
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
        let (new, to_note) = self.arranged(object, &places, change.managed).map_err(of_object)?;
        if let (Some(new), Some(http)) =
            (new, object.get_mut("spec").and_then(|spec| spec.get_mut(Protocol::Http.key())))
        {
            arrange(http, new);
            changed = true;
        }
        if let (Some(routes), Some(_)) = (to_note, change.written_for) {
            let text = Some(routes).filter(|routes| !routes.is_empty());
            let text = text.and_then(|routes| serde_json::to_string(&routes).ok());
            changed |= self.set_note(object, MANAGED_ANNOTATION, text.as_deref())?;
        }
        let http = rules(object, Protocol::Http).map_err(of_object)?;
        active |= http.iter().any(|rule| managed_name(self.config, rule).is_some());
        self.annotate(object, change, changed, active, record.as_deref()).map(|noted| changed || noted)
    }

    /// Returns the new list of http routes, if it changes, and the managed routes to note, if that is decided.
    fn arranged(&self, object: &Value, places: &[Place], to: Managed<'_>) -> Result<Arranged, Finding> {
        let http = rules(object, Protocol::Http)?;
        let context = RouteContext::new(self.matcher(), object, places);
        Ok(match to {
            Managed::Keep => (None, None),
            Managed::Retain(names) => {
                let mut noted = self.noted(object);
                noted.retain(|route| names.contains(&route.name));
                (retained(self.config, http, names), Some(noted))
            }
            Managed::To(routes) => {
                // If no http route is split, there is none whose requests a managed one could take.
                let routes = if context.is_there() { routes } else { &[] };
                let narrow = routes.iter().filter(|_| context.narrows()).map(|route| (**route).clone());
                (arranged(&context, self.config, http, routes)?, Some(narrow.collect()))
            }
            Managed::Steps(_) if http.is_empty() => (None, None),
            Managed::Steps(steps) => {
                let first = places.iter().find(|place| place.protocol == Protocol::Http);
                let first = first.and_then(|place| place.of(object));
                let argo = ArgoRoutes::new(self.config, self.host, first);
                (stepped(&argo, self.config, http, steps)?, None)
            }
        })
    }

    fn places(&self, object: &Value) -> Result<Vec<Place>, Finding> {
        let mut places = Vec::new();
        let mut there = BTreeSet::new();
        for entry in &self.entries {
            let weighed = weighed(object, entry, self.config, self.matcher())?;
            places.extend(weighed.into_iter().filter(|place| there.insert(*place)));
        }
        Ok(places)
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

/// A new list of http routes, and the managed routes to note.
type Arranged = (Option<Vec<Slot>>, Option<Vec<ManagedRoute>>);

/// Converts a weight to another total, rounded down.
fn share_of(weight: Weight, total: u32) -> u32 {
    let exact = u64::from(weight.parts()) * u64::from(total) / u64::from(weight.of().max(1));
    u32::try_from(exact).unwrap_or(total).min(total)
}
