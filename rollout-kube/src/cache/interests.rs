use super::{groups::Groups, objects::Key};
use rollout_core::traffic::ObjectRef;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

/// Something that a rollout read: a change to it wakes the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Interest {
    Object(ObjectRef),
    /// All objects of a kind with this index key, in one namespace or, when that is empty, in all.
    Having(ObjectRef, Arc<str>),
    /// All objects of a kind and namespace.
    All(ObjectRef),
}

/// Records which rollout read what.
///
/// An interest is recorded before the rollout reads, so that a change during its turn wakes it, too.
#[derive(Debug, Default)]
pub(crate) struct Interests(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_rollout: HashMap<Arc<Key>, HashSet<Arc<Interest>>>,
    by_interest: Groups<Arc<Interest>, Arc<Key>>,
}

impl Interests {
    /// Records that a rollout is about to read this.
    pub(super) fn note(&self, rollout: &Key, interest: Interest) {
        self.with(|inner| {
            let known = inner.by_rollout.get_key_value(rollout);
            if known.is_some_and(|(_, all)| all.contains(&interest)) {
                return;
            }
            let rollout = known.map_or_else(|| Arc::new(rollout.clone()), |(rollout, _)| Arc::clone(rollout));
            let known = inner.by_interest.key(&interest).cloned();
            let interest = known.unwrap_or_else(|| Arc::new(interest));
            inner.by_interest.insert(Arc::clone(&interest), Arc::clone(&rollout));
            inner.by_rollout.entry(rollout).or_default().insert(interest);
        });
    }

    /// Ends a rollout's turn: keeps only the interests of this turn.
    pub(crate) fn keep(&self, rollout: &Key, only: &HashSet<Interest>) {
        self.with(|inner| {
            let Some((rollout, mut all)) = inner.by_rollout.remove_entry(rollout) else { return };
            for interest in all.extract_if(|interest| !only.contains(&**interest)) {
                inner.by_interest.remove(&interest, &rollout);
            }
            if !all.is_empty() {
                inner.by_rollout.insert(rollout, all);
            }
        });
    }

    /// Returns the rollouts affected by a change to this object, which has or had these index keys.
    pub(crate) fn concerned<'k>(
        &self,
        object: &ObjectRef,
        keys: impl IntoIterator<Item = &'k Arc<str>>,
    ) -> HashSet<Key> {
        let like = ObjectRef::new(&object.group, &object.kind, &object.namespace, "");
        let anywhere = ObjectRef::new(&object.group, &object.kind, "", "");
        let having = keys
            .into_iter()
            .flat_map(|key| [&like, &anywhere].map(|like| Interest::Having(like.clone(), Arc::clone(key))));
        let interests: Vec<_> =
            having.chain([Interest::Object(object.clone()), Interest::All(like.clone())]).collect();
        self.with(|inner| {
            let concerned = interests.iter().flat_map(|one| inner.by_interest.of(one));
            concerned.map(|rollout| Key::clone(rollout)).collect()
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[path = "interests/tests.rs"]
mod tests;
