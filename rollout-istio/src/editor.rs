//! The editor of all Istio objects of one rollout.

use crate::{
    abandoned::{self, release_abandoned},
    claims::claims,
    config::{DestinationRuleRef, IstioConfig, VirtualServiceRef},
    consent,
    elsewhere::{self, RouteSource},
    hosts, name,
    order::Managed,
    problem, sticky, subsets,
    virtual_service::{Change, VirtualService},
    words,
};
use rollout_core::{
    Finding,
    backend::{
        Claim, EditError, Edits, EventText, Layer, Mentions, ObjectEditor, Objects, RolloutRef, Topic,
    },
    traffic::{ManagedChange, ObjectRef, Routes, Seen, Selection, Selectors, Weight, WeightChange},
};
use serde_json::Value;

/// Reads and edits the VirtualServices and the DestinationRule of one rollout.
///
/// It changes only what it owns: the weights of the two destinations in the routes that the Rollout names, the managed
/// routes, the revision label of the two subsets, and its own annotations
/// ([`WRITTEN_FOR_ANNOTATION`](crate::WRITTEN_FOR_ANNOTATION), [`WEIGHT_ANNOTATION`](crate::WEIGHT_ANNOTATION),
/// [`MANAGED_ANNOTATION`](crate::MANAGED_ANNOTATION), [`SUBSETS_ANNOTATION`](crate::SUBSETS_ANNOTATION)), of which each
/// Rollout has its own part.
///
/// A managed route is written once for each weighed http route, directly before it. It takes the matching requests of
/// that route and copies the user's settings for them (rewrite, timeout, retries, CORS, headers, faults), but sends the
/// requests to the canary of that route.
///
/// ```
/// use rollout_core::backend::{MemoryStore, NoDataPlane, ObjectEditor, ObjectBackend, TrafficBackend, ready};
/// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef};
/// # use serde_json::json;
/// let config = IstioConfig::hosts("shop", "provider", "provider-canary")
///     .virtual_service(VirtualServiceRef::new("provider"));
/// let editor = IstioEditor::new(config);
/// let store = MemoryStore::new();
/// store.apply(&editor.objects()[0], json!({"spec": {"http": [{"route": [
///     {"destination": {"host": "provider"}, "weight": 95},
///     {"destination": {"host": "provider-canary"}, "weight": 5},
/// ]}]}}));
/// let seen = ready(ObjectBackend::new(editor, store, NoDataPlane).observe(&[]))??;
/// assert_eq!(seen.weight().to_string(), "5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IstioEditor {
    config: IstioConfig,
}

impl IstioEditor {
    /// Creates an editor for the objects of `config`.
    ///
    /// See [`IstioEditor`] for an example.
    #[must_use]
    pub fn new(config: IstioConfig) -> Self {
        Self { config }
    }

    /// Returns the configuration.
    #[must_use]
    pub fn config(&self) -> &IstioConfig {
        &self.config
    }

    fn rule(&self) -> Option<(&DestinationRuleRef, ObjectRef)> {
        let rule = self.config.destination_rule.as_ref()?;
        Some((rule, name::destination_rule(&self.config.namespace, &rule.name)))
    }

    /// Returns the host of the DestinationRule, if one is configured.
    fn host<'a>(&self, objects: &'a Objects) -> Result<Option<&'a str>, EditError> {
        let Some((_, name)) = self.rule() else { return Ok(None) };
        let rule = find(objects, &name)?;
        subsets::host(rule).map(Some).map_err(|finding| problem::of(&name, &finding))
    }

    /// Returns the key of a host or Service of the rollout's own namespace in the index of hosts.
    fn own_host(&self, name: &str) -> String {
        hosts::key(&self.config.namespace, name::first_label(name))
    }

    /// Returns the object that an entry refers to, among the existing ones.
    fn resolve(&self, objects: &Objects, entry: &VirtualServiceRef) -> ObjectRef {
        let first = entry.object(&self.config.namespace);
        if objects.contains_key(&first) {
            return first;
        }
        let other = name::fallback_name(&self.config.namespace, &entry.name);
        other.filter(|other| objects.contains_key(other)).unwrap_or(first)
    }

    /// Returns each VirtualService once, with all entries that refer to it.
    fn resolve_all<'a>(&'a self, objects: &Objects) -> Vec<(ObjectRef, Vec<&'a VirtualServiceRef>)> {
        let mut all: Vec<(ObjectRef, Vec<&VirtualServiceRef>)> = Vec::new();
        for entry in &self.config.virtual_services {
            let name = self.resolve(objects, entry);
            match all.iter_mut().find(|(other, _)| *other == name) {
                Some((_, entries)) => entries.push(entry),
                None => all.push((name, vec![entry])),
            }
        }
        all
    }

    /// Edits one VirtualService of the rollout in place, for programs that manage their objects themselves.
    /// `destination_rule` is needed if one is configured. Returns whether anything changed.
    ///
    /// ```
    /// use rollout_core::backend::ObjectEditor;
    /// use rollout_core::traffic::{ManagedChange, Routes, Weight, WeightChange};
    /// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef};
    /// # use serde_json::json;
    /// let config = IstioConfig::hosts("shop", "web", "web-canary").virtual_service(VirtualServiceRef::new("web"));
    /// let editor = IstioEditor::new(config);
    /// let mut object = json!({"metadata": {"name": "web"}, "spec": {"http": [{"route": [
    ///     {"destination": {"host": "web"}}, {"destination": {"host": "web-canary"}, "weight": 0},
    /// ]}]}});
    /// let weight = WeightChange::To(Weight::new(5, 100));
    /// let to = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
    /// let name = &editor.objects()[0];
    /// assert!(editor.edit_virtual_service(name, &mut object, None, &to)?);
    /// let weights = [0, 1].map(|index| object["spec"]["http"][0]["route"][index]["weight"].as_u64());
    /// assert_eq!(weights, [Some(95), Some(5)]);
    /// assert!(!editor.edit_virtual_service(name, &mut object, None, &to)?, "nothing left to change");
    /// # Ok::<(), rollout_core::backend::EditError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`route`](ObjectEditor::route); the object may then be half-edited.
    pub fn edit_virtual_service(
        &self,
        name: &ObjectRef,
        object: &mut Value,
        destination_rule: Option<&Value>,
        to: &Routes,
    ) -> Result<bool, EditError> {
        let entries = self.config.virtual_services.iter();
        let means = |entry: &&VirtualServiceRef| name::may_name(&self.config.namespace, &entry.name, name);
        let entries: Vec<_> = entries.filter(means).collect();
        if entries.is_empty() {
            let what = "the Rollout does not name this VirtualService";
            return Err(problem::of(name, &Finding::error("metadata.name", what, "name it in the Rollout")));
        }
        consent::check(&self.config, name, object)?;
        let host = match (self.rule(), destination_rule) {
            (Some((_, name)), Some(rule)) => {
                Some(subsets::host(rule).map_err(|finding| problem::of(&name, &finding))?)
            }
            _ => None,
        };
        VirtualService { config: &self.config, name, entries, host }.edit(object, &change(to))
    }

    /// Returns one of the rollout's own VirtualServices, if the rollout may read it.
    fn allowed<'a>(&self, objects: &'a Objects, name: &ObjectRef) -> Result<&'a Value, EditError> {
        let object = find(objects, name)?;
        consent::check(&self.config, name, object).map(|()| object)
    }

    /// Returns the edited DestinationRule, if it changes; writes no notes.
    pub(crate) fn selected(&self, objects: &Objects, to: &Selectors) -> Result<Edits, EditError> {
        let Some((rule, name)) = self.rule() else { return Ok(Edits::new()) };
        let mut object = find(objects, &name)?.clone();
        let changed =
            subsets::select(&mut object, rule, to).map_err(|finding| problem::of(&name, &finding))?;
        Ok(if changed { vec![(name, object)] } else { Edits::new() })
    }

    /// Edits all VirtualServices; returns the complete objects that changed.
    pub(crate) fn edits(&self, objects: &Objects, change: &Change<'_>) -> Result<Edits, EditError> {
        let host = self.host(objects)?;
        let mut edits = Edits::new();
        for (name, entries) in self.resolve_all(objects) {
            let mut object = self.allowed(objects, &name)?.clone();
            let one = VirtualService { config: &self.config, name: &name, entries, host };
            if one.edit(&mut object, change)? {
                edits.push((name, object));
            }
        }
        Ok(edits)
    }
}

impl ObjectEditor for IstioEditor {
    fn rollout(&self) -> &RolloutRef {
        &self.config.rollout
    }

    fn claims(&self) -> Vec<Claim> {
        claims(&self.config)
    }

    fn objects(&self) -> Vec<ObjectRef> {
        let mut names: Vec<ObjectRef> = Vec::new();
        for entry in &self.config.virtual_services {
            let name = entry.object(&self.config.namespace);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.extend(self.rule().map(|(_, name)| name));
        names
    }

    fn otherwise(&self, missing: &ObjectRef) -> Option<ObjectRef> {
        let mut entries = self.config.virtual_services.iter();
        let entry = entries.find(|entry| entry.object(&self.config.namespace) == *missing)?;
        name::fallback_name(&self.config.namespace, &entry.name)
    }

    fn mentions(&self, objects: &Objects) -> Vec<Mentions> {
        let host = self.host(objects).ok().flatten();
        let names = [host, self.config.services.stable.as_deref(), self.config.services.canary.as_deref()];
        let mut keys: Vec<String> = names.into_iter().flatten().map(|name| self.own_host(name)).collect();
        keys.dedup();
        let mut likes = vec![name::virtual_service(&self.config.namespace, "")];
        for entry in &self.config.virtual_services {
            let like = name::virtual_service(&entry.object(&self.config.namespace).namespace, "");
            if !likes.contains(&like) {
                likes.push(like);
            }
        }
        likes.into_iter().map(|like| Mentions { like, keys: keys.clone() }).collect()
    }

    fn read(&self, objects: &Objects) -> Result<Seen, EditError> {
        let mut seen = Seen::nothing();
        if let Some((_, name)) = self.rule() {
            seen = seen.and(self.read_one(objects, &name)?);
        }
        let all = self.resolve_all(objects);
        for (name, _) in &all {
            seen = seen.and(self.read_one(objects, name)?);
        }
        let nowhere = seen.routes.iter().all(|object| !object.takes_managed);
        if let Some((name, _)) = all.first().filter(|_| nowhere && !self.config.managed_routes.is_empty()) {
            let what = "the Rollout has managedRoutes, but none of its VirtualServices has http routes";
            let instead = "write an http route, or remove managedRoutes from the Rollout";
            return Err(problem::of(name, &Finding::error("spec.http", what, instead)));
        }
        let others = objects.keys().filter(|name| name::is_virtual_service(name));
        for name in others.filter(|name| !all.iter().any(|(ours, _)| ours == *name)) {
            seen = seen.and(self.read_one(objects, name)?);
        }
        Ok(seen)
    }

    fn read_one(&self, objects: &Objects, one: &ObjectRef) -> Result<Seen, EditError> {
        let mut seen = Seen::nothing();
        let object = find(objects, one)?;
        if let Some((rule, _)) = self.rule().filter(|(_, name)| name == one) {
            let selected =
                |subset| subsets::selected(object, subset).map_err(|finding| problem::of(one, &finding));
            for (destination, subset) in rule.subsets.iter() {
                seen.behind[destination].push(selected(subset)?);
            }
        }
        if !name::is_virtual_service(one) {
            return Ok(seen);
        }
        let host = self.host(objects)?;
        let ours = self.resolve_all(objects).into_iter().find(|(name, _)| name == one);
        let plain = sticky::stripped(&self.config, object);
        let mut weighed = None;
        if let Some((_, entries)) = ours {
            self.allowed(objects, one)?;
            let ours = VirtualService { config: &self.config, name: one, entries, host };
            seen.routes.push(ours.read(object, &plain)?);
            weighed = Some(ours.weighed(&plain)?.into_iter().collect());
        }
        let source = RouteSource { name: one, weighed: weighed.as_ref() };
        elsewhere::add(&mut seen.used_elsewhere, &self.config, host, &plain, source);
        Ok(seen)
    }

    fn select(&self, objects: &Objects, to: &Selectors) -> Result<Edits, EditError> {
        let mut edits = self.selected(objects, to)?;
        if let (Some((rule, _)), Some((name, object))) = (self.rule(), edits.first_mut()) {
            abandoned::sign(name, object, rule, &self.config.rollout)?;
        }
        Ok(edits)
    }

    fn route(&self, objects: &Objects, to: &Routes) -> Result<Edits, EditError> {
        self.edits(objects, &change(to))
    }

    fn release(&self, objects: &Objects) -> Result<Edits, EditError> {
        let nobody = "".into();
        let all_to_stable = Change {
            weight: WeightChange::To(Weight::new(0, self.config.max_weight)),
            managed: Managed::To(&[]),
            written_for: Some(&nobody),
        };
        let mut edits = self.edits(objects, &all_to_stable)?;
        if let Some((rule, name)) = self.rule() {
            let user_selector =
                Selectors { stable: Some(Selection::Unpinned), canary: Some(Selection::Unpinned) };
            let mut object = find(objects, &name)?.clone();
            let changed = subsets::select(&mut object, rule, &user_selector)
                .map_err(|finding| problem::of(&name, &finding))?;
            if release_abandoned(&name, &mut object, &self.config.rollout)? || changed {
                edits.push((name, object));
            }
        }
        Ok(edits)
    }

    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        words::describe(&self.config, topic)
    }

    fn layer(&self, object: &ObjectRef) -> Layer {
        if name::is_virtual_service(object) { Layer::Routes } else { Layer::Selectors }
    }
}

fn change(to: &Routes) -> Change<'_> {
    let managed = match &to.managed {
        ManagedChange::Keep => Managed::Keep,
        ManagedChange::Retain(names) => Managed::Retain(names),
        ManagedChange::To(routes) => Managed::To(routes),
    };
    Change { weight: to.weight, managed, written_for: Some(&to.written_for) }
}

fn find<'a>(objects: &'a Objects, name: &ObjectRef) -> Result<&'a Value, EditError> {
    let missing = || {
        let what = format!("the {} does not exist", name.kind);
        problem::of(name, &Finding::error("", what, "create it, or correct its name in the Rollout"))
    };
    objects.get(name).map(|object| &*object.value).ok_or_else(missing)
}
