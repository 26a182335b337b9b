use super::{
    Mesh, MeshResult, MeshWrite, SharedObjects,
    core_write::{ROUTES, SELECTORS, Written, chained, version_of},
    shared::Shared,
};
use crate::{
    Range,
    sim::{Content, TrafficObject},
    traffic::{Destination, ObjectRef, RoutesSeen, Seen, Selection, Version},
};
use alloc::{format, string::String, sync::Arc, vec::Vec};

/// A traffic manager made of plain values: fast, for laws and unit tests.
///
/// By default it has one object with routes and one with selectors, like an Istio canary with subsets.
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
    /// Whether selectors and routes are written through two backends (Services and the traffic manager), so that a
    /// write of one is independent of changes of the other.
    apart: bool,
    /// The versions of all objects, as last returned; `None` after a write.
    version: Option<Version>,
    shared: Option<SharedObjects>,
    /// For each object, how often it was reapplied and stripped, as far as this mesh has seen.
    seen: Vec<(u64, u64)>,
}

impl Default for CoreMesh {
    fn default() -> Self {
        Self::new()
    }
}

impl CoreMesh {
    /// Creates a mesh with one object for routes and one for the selectors of both destinations.
    ///
    /// See [`CoreMesh`] for an example.
    #[must_use]
    pub fn new() -> Self {
        let user_selector = || Some(Selection::Unpinned);
        let selectors = Content::Selectors { stable: user_selector(), canary: user_selector() };
        Self { manifests: Vec::from([routes(0, false), selector("subsets", selectors)]), ..Self::none() }
    }

    /// Creates a mesh without objects: there is no traffic manager.
    ///
    /// See [`CoreMesh`] for an example.
    #[must_use]
    pub fn none() -> Self {
        Self { manifests: Vec::new(), apart: false, version: None, shared: None, seen: Vec::new() }
    }

    /// Creates a mesh with the same initial objects, by name and content, as another.
    ///
    /// ```
    /// use rollout_core::sim::{CoreMesh, Mesh};
    /// let mut original = CoreMesh::new().routes(2).services();
    /// let mut copy = CoreMesh::like(&mut original);
    /// assert_eq!(copy.objects(), original.objects());
    /// ```
    #[must_use]
    pub fn like(other: &mut impl Mesh) -> Self {
        let manifests: Vec<_> =
            other.objects().into_iter().map(|object| (object.name, object.content)).collect();
        let one_side = |content: &Content| matches!(content, Content::Selectors { stable, canary } if stable.is_none() != canary.is_none());
        let apart = manifests.iter().any(|(_, content)| one_side(content));
        Self { manifests, apart, ..Self::none() }
    }

    /// Sets the number of objects with routes.
    ///
    /// See [`CoreMesh`] for an example.
    #[must_use]
    pub fn routes(mut self, n: usize) -> Self {
        self.manifests.retain(|(_, content)| !matches!(content, Content::Routes { .. }));
        self.manifests.splice(0..0, (0..n).map(|index| routes(index, false)));
        self
    }

    /// Uses two Services, one for each destination, instead of an object that holds both; requests on unweighed routes
    /// go to the stable one.
    ///
    /// See [`CoreMesh`] for an example.
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

    /// Adds one Service for this destination.
    ///
    /// ```
    /// use rollout_core::{sim::{CoreMesh, Mesh}, traffic::Destination};
    /// let objects = CoreMesh::none().service(Destination::Stable).objects();
    /// assert_eq!((objects.len(), &*objects[0].name.name), (1, "stable"));
    /// ```
    #[must_use]
    pub fn service(mut self, destination: Destination) -> Self {
        let user_selector = |of| (of == destination).then_some(Selection::Unpinned);
        let (stable, canary) = (user_selector(Destination::Stable), user_selector(Destination::Canary));
        let name = if destination == Destination::Stable { "stable" } else { "canary" };
        self.manifests.push(selector(name, Content::Selectors { stable, canary }));
        self.apart = true;
        self
    }

    /// Shares these objects, by name, with every other mesh that shares them.
    ///
    /// See [`SharedObjects`] for an example.
    #[must_use]
    pub fn sharing(mut self, with: &SharedObjects) -> Self {
        self.shared = Some(with.clone());
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
        seen.behind.stable.clear();
        seen.behind.canary.clear();
        seen.routes.clear();
        seen.nonces.clear();
        (seen.used_elsewhere.stable, seen.used_elsewhere.canary) = (false, false);
        seen.version = self.version.get_or_insert_with(|| objects.iter().map(version_of).collect()).clone();
        for object in objects {
            if let Some(nonce) = object.nonce.as_ref().filter(|new| !seen.nonces.contains(new)) {
                seen.nonces.push(Arc::clone(nonce));
            }
            match &object.content {
                Content::Selectors { stable, canary } => {
                    for (selection, list) in
                        [(stable, &mut seen.behind.stable), (canary, &mut seen.behind.canary)]
                    {
                        if let Some(selection) = selection.as_ref().filter(|new| !list.contains(new)) {
                            list.push(selection.clone());
                        }
                    }
                    // A stable Service is the users' front door.
                    seen.used_elsewhere.stable |= self.apart && stable.is_some();
                }
                Content::Routes { routes, stable_elsewhere, canary_elsewhere } => {
                    seen.routes.push(routes.clone());
                    seen.used_elsewhere.stable |= stable_elsewhere;
                    seen.used_elsewhere.canary |= canary_elsewhere;
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
    ) -> MeshResult {
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
            for object in &*objects {
                self.keep(object, |_| ());
            }
        }
        MeshResult { took_effect, answer, version }
    }

    fn swap_roles(&mut self, total: u32) {
        for (_, content) in &mut self.manifests {
            content.swap_roles(total);
        }
        self.version = None;
    }

    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let (Some(stored), Some((_, manifest))) = (objects.get_mut(object), self.manifests.get(object)) {
            let content = manifest.clone();
            let before = (stored.write, stored.generation);
            self.somebody_writes(stored, content);
            if self.shares(stored) {
                // This may change the content of another mesh.
                (stored.write, stored.generation) = (before.0 + 1, before.1 + 1);
                self.version = None;
            }
            self.keep(stored, |shared| shared.reapplied += 1);
            self.has_seen(object, stored);
        }
    }

    fn strip(&mut self, objects: &mut [TrafficObject], object: usize) {
        if let Some(stored) = objects.get_mut(object) {
            let (content, before) = (stripped(&stored.content), stored.write);
            self.somebody_writes(stored, content);
            if self.shares(stored) {
                stored.write = before + 1;
                self.version = None;
            }
            self.keep(stored, |shared| shared.stripped += 1);
            self.has_seen(object, stored);
        }
    }

    fn refresh(&mut self, objects: &mut [TrafficObject]) {
        let Some(shared) = &self.shared else { return };
        for (index, object) in objects.iter_mut().enumerate() {
            let Some(now) = shared.of(object) else { continue };
            if !now.renew(object) {
                continue;
            }
            self.version = None;
            self.seen.resize(self.seen.len().max(index + 1), (0, 0));
            let Some(seen) = self.seen.get_mut(index) else { continue };
            let (reapplied, strips) = core::mem::replace(seen, (now.reapplied, now.stripped));
            if let Some((_, manifest)) = self.manifests.get(index).filter(|_| now.reapplied > reapplied) {
                object.content = manifest.clone();
            } else if now.stripped > strips {
                object.content = stripped(&object.content);
            } else {
                continue;
            }
            (object.nonce, object.signed) = (None, false);
        }
    }
}

impl CoreMesh {
    fn shares(&self, object: &TrafficObject) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.of(object).is_some())
    }

    fn keep(&self, object: &TrafficObject, change: impl FnOnce(&mut Shared)) {
        if let Some(shared) = &self.shared {
            shared.keep(object, change);
        }
    }

    /// Records that this mesh has applied all changes of this object.
    fn has_seen(&mut self, index: usize, object: &TrafficObject) {
        let Some(now) = self.shared.as_ref().and_then(|shared| shared.of(object)) else { return };
        self.seen.resize(self.seen.len().max(index + 1), (0, 0));
        if let Some(seen) = self.seen.get_mut(index) {
            *seen = (now.reapplied, now.stripped);
        }
    }

    /// Simulates a foreign write to an object, without the engine's nonce; a write that changes nothing is ignored.
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

/// Returns the content without the engine's annotations.
fn stripped(content: &Content) -> Content {
    let mut content = content.clone();
    if let Content::Routes { routes, .. } = &mut content {
        routes.written_for = None;
    }
    content
}

/// Returns whether the contents are the same to a proxy: annotations do not count.
fn same_content(one: &Content, other: &Content) -> bool {
    match (one, other) {
        (Content::Routes { routes: one, .. }, Content::Routes { routes: other, .. }) => {
            one.weight == other.weight && one.managed == other.managed && one.in_order == other.in_order
        }
        (one, other) => one == other,
    }
}
