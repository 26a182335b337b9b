//! Writes to a [`CoreMesh`](super::CoreMesh).

use super::MeshWrite;
use crate::{
    Failure, Outcome, Range,
    sim::{Content, TrafficObject},
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, ObjectRef, ObjectVersion, Routes, RoutesSeen, Selection,
        Selectors, Version, WeightChange,
    },
};
use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

pub(super) type Layer = fn(&Content) -> bool;
pub(super) const SELECTORS: Layer = |content| matches!(content, Content::Selectors { .. });
pub(super) const ROUTES: Layer = |content| matches!(content, Content::Routes { .. });

pub(super) struct Written<'a> {
    pub(super) seen: &'a Version,
    pub(super) changes: Vec<(usize, ObjectVersion)>,
    pub(super) took_effect: bool,
}

impl Written<'_> {
    /// Returns the index in what was seen; `None` if the object has changed since, or was not seen.
    fn unchanged(&self, object: &TrafficObject) -> Option<usize> {
        let at = self.seen.objects().iter().position(|(name, _)| *name == object.name)?;
        let (_, version) = self.seen.objects().get(at)?;
        (version.write.parse() == Ok(object.write)).then_some(at)
    }

    /// Writes the objects of these layers, unless one of them has changed since it was seen.
    pub(super) fn write(
        &mut self,
        objects: &mut [TrafficObject],
        what: MeshWrite<'_>,
        most: usize,
        layers: &[Layer],
    ) -> Result<Outcome, Failure> {
        let ours = |object: &TrafficObject| layers.iter().any(|layer| layer(&object.content));
        if objects.iter().any(|object| ours(object) && self.unchanged(object).is_none()) {
            return Err(Failure::Conflict);
        }
        let mut outcome = Outcome::Unchanged;
        let mut named = false;
        for object in objects.iter_mut().filter(|object| ours(object)) {
            let content = match (what, &object.content) {
                (MeshWrite::Fence(_), _) => None,
                (MeshWrite::Select(to), Content::Selectors { stable, canary }) => {
                    named |= stable.is_some() && to.stable.is_some();
                    named |= canary.is_some() && to.canary.is_some();
                    match selected(stable.as_ref(), canary.as_ref(), to) {
                        None => continue,
                        some => some,
                    }
                }
                (MeshWrite::Route(to), Content::Routes { routes, stable_elsewhere, canary_elsewhere }) => {
                    named = true;
                    match routed(routes, to) {
                        None => continue,
                        Some(routes) => Some(Content::Routes {
                            routes,
                            stable_elsewhere: *stable_elsewhere,
                            canary_elsewhere: *canary_elsewhere,
                        }),
                    }
                }
                (MeshWrite::Select(_), Content::Routes { .. })
                | (MeshWrite::Route(_), Content::Selectors { .. }) => continue,
            };
            if self.changes.len() >= most {
                return Err(Failure::Ambiguous(String::from("the connection broke half-way")));
            }
            let Some(at) = self.unchanged(object) else { return Err(Failure::Conflict) };
            object.write += 1;
            if let MeshWrite::Fence(nonce) = what {
                object.nonce = Some(nonce.into());
            }
            object.signed |= matches!(what, MeshWrite::Select(_));
            if let Some(content) = content {
                object.content = content;
                object.generation += 1;
            }
            self.changes.push((at, version_of(object).1));
            self.took_effect = true;
            outcome = Outcome::Changed;
        }
        match what {
            MeshWrite::Select(_) | MeshWrite::Route(_) if !named => {
                Err(Failure::Refused(String::from("no object names such a destination")))
            }
            MeshWrite::Select(_) | MeshWrite::Route(_) | MeshWrite::Fence(_) => Ok(outcome),
        }
    }
}

pub(super) fn version_of(object: &TrafficObject) -> (ObjectRef, ObjectVersion) {
    let version = ObjectVersion { write: object.write.to_string().into(), content: object.generation };
    (object.name.clone(), version)
}

pub(super) fn chained(seen: &Version, changes: Vec<(usize, ObjectVersion)>) -> Version {
    if changes.is_empty() {
        return seen.clone();
    }
    let mut objects: Vec<_> = seen.objects().to_vec();
    for (at, version) in changes {
        if let Some((_, stored)) = objects.get_mut(at) {
            *stored = version;
        }
    }
    objects.into_iter().collect()
}

fn selected(stable: Option<&Selection>, canary: Option<&Selection>, to: &Selectors) -> Option<Content> {
    let change = |here: Option<&Selection>, to: Option<&Selection>| match (here, to) {
        (Some(here), Some(to)) if here != to => Some(to.clone()),
        _ => None,
    };
    let (new_stable, new_canary) = (change(stable, to.stable.as_ref()), change(canary, to.canary.as_ref()));
    (new_stable.is_some() || new_canary.is_some()).then(|| Content::Selectors {
        stable: new_stable.or_else(|| stable.cloned()),
        canary: new_canary.or_else(|| canary.cloned()),
    })
}

/// Returns the routes of one object after `to`; `None` if nothing changes.
fn routed(now: &RoutesSeen, to: &Routes) -> Option<RoutesSeen> {
    let weight = match to.weight {
        WeightChange::Keep => now.weight,
        WeightChange::To(weight) => Range::exact(weight.parts()),
    };
    let managed_stays = match &to.managed {
        _ if !now.takes_managed => true,
        ManagedChange::Keep => true,
        ManagedChange::Retain(names) => now.managed.iter().all(|here| names.contains(&here.name)),
        ManagedChange::To(routes) => now.in_order && same_routes(&now.managed, routes),
    };
    if managed_stays && weight == now.weight {
        return None;
    }
    let managed: Vec<ManagedSeen> = match &to.managed {
        _ if !now.takes_managed => now.managed.clone(),
        ManagedChange::Keep => now.managed.clone(),
        ManagedChange::Retain(names) => {
            now.managed.iter().filter(|here| names.contains(&here.name)).cloned().collect()
        }
        ManagedChange::To(routes) => routes.iter().cloned().map(ManagedSeen::new).collect(),
    };
    let in_order = now.in_order || matches!(to.managed, ManagedChange::To(_));
    let mut next =
        RoutesSeen { weight, managed, in_order, written_for: None, takes_managed: now.takes_managed };
    if next.leads_to_canary() {
        next.written_for = match to.weight {
            WeightChange::Keep => now.written_for.clone(),
            WeightChange::To(_) => Some(to.written_for.clone()),
        };
    }
    Some(next)
}

fn same_routes(here: &[ManagedSeen], to: &[Arc<ManagedRoute>]) -> bool {
    here.len() == to.len() && here.iter().zip(to).all(|(here, to)| here.route.as_ref() == Some(to))
}
