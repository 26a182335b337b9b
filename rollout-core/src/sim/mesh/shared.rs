use crate::{
    sim::{Content, TrafficObject},
    traffic::ObjectRef,
};
use alloc::{collections::BTreeMap, sync::Arc};
use spin::Mutex;

/// Objects that several [`CoreMesh`](super::CoreMesh)es share, each for its own Rollout.
///
/// Each mesh has its own part of an object, its routes or its subsets, and all share the versions: a write of one is a
/// new version for all, and their proxies get the object again.
///
/// ```
/// use rollout_core::sim::{CoreMesh, Mesh, SharedObjects};
/// let shared = SharedObjects::new(true, false);
/// let [mut one, mut other] = [(); 2].map(|()| CoreMesh::new().sharing(&shared));
/// let (mut ones, mut others) = (one.objects(), other.objects());
/// one.reapply(&mut ones, 0);
/// assert_eq!(shared.writes(), 1);
/// other.refresh(&mut others);
/// assert_eq!(ones, others);
/// ```
#[derive(Debug, Clone)]
pub struct SharedObjects {
    routes: bool,
    selectors: bool,
    objects: Arc<Mutex<BTreeMap<ObjectRef, Shared>>>,
}

/// The shared state of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared {
    write: u64,
    generation: u64,
    /// How often the whole object was reapplied from the user's manifest, and stripped of the engine's annotations.
    pub(super) reapplied: u64,
    pub(super) stripped: u64,
}

impl SharedObjects {
    /// Creates shared objects: those with routes, those with selectors, or both.
    ///
    /// See [`SharedObjects`] for an example.
    #[must_use]
    pub fn new(routes: bool, selectors: bool) -> Self {
        Self { routes, selectors, objects: Arc::default() }
    }

    /// Returns the number of writes.
    ///
    /// See [`SharedObjects`] for an example.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.objects.lock().values().map(|shared| shared.write - 1).sum()
    }

    /// Returns the state of an object after all writes so far, if it is shared.
    pub(super) fn of(&self, object: &TrafficObject) -> Option<Shared> {
        let is_shared = match object.content {
            Content::Routes { .. } => self.routes,
            Content::Selectors { .. } => self.selectors,
        };
        let new = Shared { write: 1, generation: 1, reapplied: 0, stripped: 0 };
        is_shared.then(|| self.objects.lock().get(&object.name).copied().unwrap_or(new))
    }

    /// Records a write, and applies `change` to the shared state.
    pub(super) fn keep(&self, object: &TrafficObject, change: impl FnOnce(&mut Shared)) {
        let Some(mut shared) = self.of(object) else { return };
        if shared.write == object.write {
            return;
        }
        (shared.write, shared.generation) = (object.write, object.generation);
        change(&mut shared);
        self.objects.lock().insert(object.name.clone(), shared);
    }
}

impl Shared {
    /// Gives an object the shared versions; returns whether it had others.
    pub(super) fn renew(&self, object: &mut TrafficObject) -> bool {
        let is_new = object.write != self.write;
        (object.write, object.generation) = (self.write, self.generation);
        is_new
    }
}
