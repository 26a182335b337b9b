use super::{Mesh, MeshWrite, MeshWritten};
use crate::{
    Failure, Outcome, Range,
    sim::{Content, TrafficObject},
    traffic::{
        Destination, ManagedChange, ManagedSeen, ObjectRef, ObjectVersion, Routes, RoutesSeen, Seen,
        Selection, Selectors, Version, WeightChange,
    },
};
use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

/// A traffic manager made of plain values: fast, for laws and unit tests.
///
/// By default one object with routes and one with selectors, as an Istio canary with subsets has them.
///
/// ```
/// use rollout_core::sim::{CoreMesh, Mesh};
/// assert_eq!(CoreMesh::new().objects().len(), 2);
/// assert_eq!(CoreMesh::none().objects().len(), 0);
/// assert_eq!(CoreMesh::new().routes(3).services().objects().len(), 5);
/// ```
#[derive(Debug, Clone)]
pub struct CoreMesh {
    manifests: Vec<(ObjectRef, Content)>,
    /// Selectors and routes are written through two backends (Services, and the traffic manager): a write of
    /// one does not mind a change of the other.
    apart: bool,
    /// The versions of all objects, as they were last handed out; `None` after a write.
    version: Option<Version>,
}

impl Default for CoreMesh {
    fn default() -> Self {
        Self::new()
    }
}

impl CoreMesh {
    /// One object with routes, one with the selectors of both destinations.
    #[must_use]
    pub fn new() -> Self {
        let users_own = || Some(Selection::UsersOwn);
        let selectors = Content::Selectors { stable: users_own(), canary: users_own() };
        Self {
            manifests: Vec::from([routes(0, false), selector("subsets", selectors)]),
            apart: false,
            version: None,
        }
    }

    /// No object at all: there is no traffic manager.
    #[must_use]
    pub fn none() -> Self {
        Self { manifests: Vec::new(), apart: false, version: None }
    }

    /// The same objects, by name and content, as another mesh begins with.
    #[must_use]
    pub fn like(other: &mut impl Mesh) -> Self {
        let manifests: Vec<_> =
            other.objects().into_iter().map(|object| (object.name, object.content)).collect();
        let one_side = |content: &Content| matches!(content, Content::Selectors { stable, canary } if stable.is_none() != canary.is_none());
        let apart = manifests.iter().any(|(_, content)| one_side(content));
        Self { manifests, apart, version: None }
    }

    /// This many objects with routes.
    #[must_use]
    pub fn routes(mut self, n: usize) -> Self {
        self.manifests.retain(|(_, content)| !matches!(content, Content::Routes { .. }));
        self.manifests.splice(0..0, (0..n).map(|index| routes(index, false)));
        self
    }

    /// Two Services, one for each destination, instead of an object that holds both; requests that no route
    /// of ours weighs go to the stable one.
    #[must_use]
    pub fn services(mut self) -> Self {
        self.manifests.retain(|(_, content)| matches!(content, Content::Routes { .. }));
        for (_, content) in &mut self.manifests {
            if let Content::Routes { stable_elsewhere, .. } = content {
                *stable_elsewhere = true;
            }
        }
        self.service(Destination::Stable).service(Destination::Canary)
    }

    /// One Service, for this destination, beside what there is.
    #[must_use]
    pub fn service(mut self, destination: Destination) -> Self {
        let users_own = |of| (of == destination).then_some(Selection::UsersOwn);
        let (stable, canary) = (users_own(Destination::Stable), users_own(Destination::Canary));
        let name = if destination == Destination::Stable { "stable" } else { "canary" };
        self.manifests.push(selector(name, Content::Selectors { stable, canary }));
        self.apart = true;
        self
    }
}

fn routes(index: usize, stable_elsewhere: bool) -> (ObjectRef, Content) {
    let name = if index == 0 { String::from("routes") } else { format!("routes-{}", index + 1) };
    let routes = RoutesSeen::new(Range::exact(0));
    (object("Routes", &name), Content::Routes { routes, stable_elsewhere, canary_elsewhere: false })
}

fn selector(name: &str, content: Content) -> (ObjectRef, Content) {
    (object("Selectors", name), content)
}

fn object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef::new("", kind, "", name)
}

impl Mesh for CoreMesh {
    fn objects(&mut self) -> Vec<TrafficObject> {
        let objects = self.manifests.iter().map(|(name, content)| TrafficObject {
            name: name.clone(),
            write: 1,
            generation: 1,
            nonce: None,
            signed: false,
            content: content.clone(),
        });
        objects.collect()
    }

    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String> {
        let mut seen = Seen::nothing();
        seen.routes.reserve_exact(objects.len());
        self.read_again(objects, &mut seen)?;
        Ok(seen)
    }

    fn read_again(&mut self, objects: &[TrafficObject], seen: &mut Seen) -> Result<(), String> {
        seen.stable.clear();
        seen.canary.clear();
        seen.routes.clear();
        seen.nonces.clear();
        (seen.stable_used_elsewhere, seen.canary_used_elsewhere) = (false, false);
        seen.version = self.version.get_or_insert_with(|| objects.iter().map(version_of).collect()).clone();
        for object in objects {
            if let Some(nonce) = object.nonce.as_ref().filter(|new| !seen.nonces.contains(new)) {
                seen.nonces.push(Arc::clone(nonce));
            }
            match &object.content {
                Content::Selectors { stable, canary } => {
                    for (selection, list) in [(stable, &mut seen.stable), (canary, &mut seen.canary)] {
                        if let Some(selection) = selection.as_ref().filter(|new| !list.contains(new)) {
                            list.push(selection.clone());
                        }
                    }
                    // A stable Service is the users' front door.
                    seen.stable_used_elsewhere |= self.apart && stable.is_some();
                }
                Content::Routes { routes, stable_elsewhere, canary_elsewhere } => {
                    seen.routes.push(routes.clone());
                    seen.stable_used_elsewhere |= stable_elsewhere;
                    seen.canary_used_elsewhere |= canary_elsewhere;
                }
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        objects: &mut [TrafficObject],
        what: MeshWrite<'_>,
        seen: &Version,
        most: usize,
    ) -> MeshWritten {
        let mut written = Written { seen, changes: Vec::new(), took_effect: false };
        let answer = match (what, self.apart) {
            (MeshWrite::Select(_), true) => written.write(objects, what, most, &[SELECTORS]),
            (MeshWrite::Route(_), true) => written.write(objects, what, most, &[ROUTES]),
            (MeshWrite::Fence(_), true) => written
                .write(objects, what, most, &[SELECTORS])
                .and_then(|_| written.write(objects, what, most, &[ROUTES])),
            (_, false) => written.write(objects, what, most, &[SELECTORS, ROUTES]),
        };
        let Written { took_effect, changes, .. } = written;
        let version = chained(seen, changes);
        if took_effect {
            let whole = self.version.as_ref() == Some(seen);
            self.version = whole.then(|| version.clone());
        }
        MeshWritten { took_effect, answer, version }
    }

    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let (Some(stored), Some((_, manifest))) = (objects.get_mut(object), self.manifests.get(object)) {
            let content = manifest.clone();
            self.somebody_writes(stored, content);
        }
    }

    fn strip(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let Some(stored) = objects.get_mut(object) {
            let mut content = stored.content.clone();
            if let Content::Routes { routes, .. } = &mut content {
                routes.written_for = None;
            }
            self.somebody_writes(stored, content);
        }
    }
}

impl CoreMesh {
    /// Somebody else writes an object, without our nonce; a write that changes nothing is none.
    fn somebody_writes(&mut self, stored: &mut TrafficObject, content: Content) {
        if stored.nonce.is_none() && !stored.signed && stored.content == content {
            return;
        }
        stored.generation += u64::from(!same_content(&stored.content, &content));
        stored.content = content;
        (stored.nonce, stored.signed) = (None, false);
        stored.write += 1;
        self.version = None;
    }
}

type Layer = fn(&Content) -> bool;
const SELECTORS: Layer = |content| matches!(content, Content::Selectors { .. });
const ROUTES: Layer = |content| matches!(content, Content::Routes { .. });

struct Written<'a> {
    seen: &'a Version,
    changes: Vec<(usize, ObjectVersion)>,
    took_effect: bool,
}

impl Written<'_> {
    /// Where it stands in what was seen; `None` when it has changed since, or was not seen.
    fn unchanged(&self, object: &TrafficObject) -> Option<usize> {
        let at = self.seen.objects().iter().position(|(name, _)| *name == object.name)?;
        let (_, version) = self.seen.objects().get(at)?;
        (version.write.parse() == Ok(object.write)).then_some(at)
    }

    /// Writes the objects of these layers, unless one of them has changed since it was seen.
    fn write(
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
        let mut outcome = Outcome::AsItWas;
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
                return Err(Failure::Unclear(String::from("the connection broke half-way")));
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

fn version_of(object: &TrafficObject) -> (ObjectRef, ObjectVersion) {
    let version = ObjectVersion { write: object.write.to_string().into(), content: object.generation };
    (object.name.clone(), version)
}

fn chained(seen: &Version, changes: Vec<(usize, ObjectVersion)>) -> Version {
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

/// The routes of one object after `to`; `None` when nothing changes.
fn routed(now: &RoutesSeen, to: &Routes) -> Option<RoutesSeen> {
    let weight = match to.weight {
        WeightChange::Keep => now.weight,
        WeightChange::To { weight, .. } => Range::exact(weight),
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
            WeightChange::To { .. } => Some(to.written_for.clone()),
        };
    }
    Some(next)
}

fn same_routes(here: &[ManagedSeen], to: &[Arc<crate::traffic::ManagedRoute>]) -> bool {
    here.len() == to.len() && here.iter().zip(to).all(|(here, to)| here.route.as_ref() == Some(to))
}

/// Whether a proxy would notice no difference: annotations do not count.
fn same_content(one: &Content, other: &Content) -> bool {
    match (one, other) {
        (Content::Routes { routes: one, .. }, Content::Routes { routes: other, .. }) => {
            one.weight == other.weight && one.managed == other.managed && one.in_order == other.in_order
        }
        (one, other) => one == other,
    }
}
