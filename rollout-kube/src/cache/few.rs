use std::collections::BTreeSet;

/// A set that has one member nearly always: an index of thousands of them would be mostly empty rooms otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Few<T> {
    One(T),
    /// Two or more.
    Many(BTreeSet<T>),
}

impl<T: Ord> Few<T> {
    pub(super) fn insert(&mut self, member: T) {
        match self {
            Self::Many(all) => _ = all.insert(member),
            Self::One(there) if *there == member => {}
            Self::One(_) => {
                let all = BTreeSet::from([member]);
                if let (Self::One(there), Self::Many(all)) = (std::mem::replace(self, Self::Many(all)), self)
                {
                    all.insert(there);
                }
            }
        }
    }

    /// Without a member; `None` when nobody is left.
    pub(super) fn without(self, member: &T) -> Option<Self> {
        match self {
            Self::One(there) => (there != *member).then_some(Self::One(there)),
            Self::Many(mut all) => {
                all.remove(member);
                if all.len() > 1 { Some(Self::Many(all)) } else { all.pop_first().map(Self::One) }
            }
        }
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
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

    proptest! {
        #[test]
        fn it_holds_what_a_set_holds(changes in vec((0..4_u8, proptest::bool::ANY), 0..30)) {
            let (mut few, mut set) = (None::<Few<u8>>, BTreeSet::new());
            for (member, is_new) in changes {
                few = match few {
                    _ if !is_new => few.and_then(|few| few.without(&member)),
                    None => Some(Few::One(member)),
                    Some(mut few) => {
                        few.insert(member);
                        Some(few)
                    }
                };
                if is_new { set.insert(member) } else { set.remove(&member) };
                assert_eq!(few.is_none(), set.is_empty());
                assert!(few.iter().flat_map(Few::iter).eq(&set));
                assert!(!matches!(&few, Some(Few::Many(all)) if all.len() < 2));
            }
        }
    }
}
