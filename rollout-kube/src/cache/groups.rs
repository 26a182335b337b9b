use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashMap, hash_map},
    hash::Hash,
};

/// A multimap for keys that nearly all have one member: a set for each of thousands of keys would waste memory.
#[derive(Debug, Clone)]
pub(super) struct Groups<K, T>(HashMap<K, Few<T>>);

#[derive(Debug, Clone)]
enum Few<T> {
    One(T),
    /// Two or more.
    Many(BTreeSet<T>),
}

impl<K, T> Default for Groups<K, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, T: Ord> Groups<K, T> {
    pub(super) fn insert(&mut self, key: K, member: T) {
        match self.0.entry(key) {
            hash_map::Entry::Occupied(mut few) => few.get_mut().insert(member),
            hash_map::Entry::Vacant(none) => _ = none.insert(Few::One(member)),
        }
    }

    /// Removes a member, and the key with its last member.
    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q, member: &T)
    where
        K: Borrow<Q>,
    {
        if let Some((key, few)) = self.0.remove_entry(key)
            && let Some(rest) = few.without(member)
        {
            self.0.insert(key, rest);
        }
    }

    /// Returns the stored key, if it has a member.
    pub(super) fn key<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&K>
    where
        K: Borrow<Q>,
    {
        self.0.get_key_value(key).map(|(key, _)| key)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the members of a key, in order.
    pub(super) fn of<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> impl Iterator<Item = &T>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).into_iter().flat_map(Few::iter)
    }
}

impl<T: Ord> Few<T> {
    fn insert(&mut self, member: T) {
        match self {
            Self::Many(all) => _ = all.insert(member),
            Self::One(existing) if *existing == member => {}
            Self::One(_) => {
                let all = BTreeSet::from([member]);
                if let (Self::One(existing), Self::Many(all)) =
                    (std::mem::replace(self, Self::Many(all)), self)
                {
                    all.insert(existing);
                }
            }
        }
    }

    /// Removes a member; returns `None` when none remains.
    fn without(self, member: &T) -> Option<Self> {
        match self {
            Self::One(existing) => (existing != *member).then_some(Self::One(existing)),
            Self::Many(mut all) => {
                all.remove(member);
                if all.len() > 1 { Some(Self::Many(all)) } else { all.pop_first().map(Self::One) }
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self {
            Self::One(one) => (Some(one), None),
            Self::Many(all) => (None, Some(all.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, proptest};
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_holds_the_same_members_as_sets(changes in vec((0..2_u8, 0..4_u8, proptest::bool::ANY), 0..40)) {
            let (mut groups, mut sets) = (Groups::default(), BTreeMap::<u8, BTreeSet<u8>>::new());
            for (key, member, is_new) in changes {
                if is_new {
                    groups.insert(key, member);
                    sets.entry(key).or_default().insert(member);
                } else {
                    groups.remove(&key, &member);
                    sets.entry(key).or_default().remove(&member);
                }
                sets.retain(|_, set| !set.is_empty());
                assert_eq!(groups.0.len(), sets.len(), "a key without members is removed");
                assert!(sets.iter().all(|(key, set)| groups.of(key).eq(set)));
                let is_small = |few: &Few<u8>| matches!(few, Few::Many(all) if all.len() < 2);
                assert!(!groups.0.values().any(is_small), "one member needs no set");
            }
        }
    }
}
