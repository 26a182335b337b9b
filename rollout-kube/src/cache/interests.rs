use super::objects::Key;
use rollout_core::traffic::ObjectRef;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

/// What a rollout looked at: a change of it is news for the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Interest {
    Object(ObjectRef),
    /// All objects of a kind and namespace, or of every one when it is empty, that have this index key.
    Having(ObjectRef, Arc<str>),
    /// All objects of a kind and namespace.
    All(ObjectRef),
}

/// Who looked at what.
///
/// Noted before the rollout looks, so that a change during its turn is news for it, too.
#[derive(Debug, Default)]
pub(crate) struct Interests(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_rollout: HashMap<Key, HashSet<Interest>>,
    by_interest: HashMap<Interest, HashSet<Key>>,
}

impl Interests {
    /// A rollout is about to look at this.
    pub(super) fn note(&self, rollout: &Key, interest: Interest) {
        self.with(|inner| {
            if inner.by_rollout.get(rollout).is_some_and(|all| all.contains(&interest)) {
                return;
            }
            inner.by_interest.entry(interest.clone()).or_default().insert(rollout.clone());
            inner.by_rollout.entry(rollout.clone()).or_default().insert(interest);
        });
    }

    /// The turn of a rollout is over, and it looked only at these.
    pub(crate) fn keep(&self, rollout: &Key, only: &HashSet<Interest>) {
        self.with(|inner| {
            let Some(all) = inner.by_rollout.get_mut(rollout) else { return };
            let mut forgotten = Vec::new();
            all.retain(|interest| {
                let stays = only.contains(interest);
                if !stays {
                    forgotten.push(interest.clone());
                }
                stays
            });
            if all.is_empty() {
                inner.by_rollout.remove(rollout);
            }
            for interest in forgotten {
                if let Some(rollouts) = inner.by_interest.get_mut(&interest) {
                    rollouts.remove(rollout);
                    if rollouts.is_empty() {
                        inner.by_interest.remove(&interest);
                    }
                }
            }
        });
    }

    /// The rollouts that a change of this object concerns; it has or had these index keys.
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
            interests.iter().filter_map(|one| inner.by_interest.get(one)).flatten().cloned().collect()
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[path = "interests/tests.rs"]
mod tests;
