//! The places of values in a text.

use crate::Place;
use alloc::{boxed::Box, vec::Vec};

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1, width: 1, offset: 0 };
}

/// The places of a value and of everything in it.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) value: Place,
    /// The place of the name before it, if it has one.
    pub(super) key: Option<Place>,
    pub(super) children: Children,
}

#[derive(Debug, Clone)]
pub(super) enum Children {
    None,
    List(Box<[Places]>),
    Map(Fields),
}

/// The places of a map's fields by name: sorted, because many maps are small.
#[derive(Debug, Clone)]
pub(super) struct Fields(Box<[(Box<str>, Places)]>);

impl Fields {
    pub(super) fn new(mut fields: Vec<(Box<str>, Places)>) -> Self {
        fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self(fields.into_boxed_slice())
    }

    fn get(&self, name: &str) -> Option<&Places> {
        let index = self.0.binary_search_by(|(field, _)| (**field).cmp(name)).ok()?;
        self.0.get(index).map(|(_, places)| places)
    }

    pub(super) fn into_vec(self) -> Vec<(Box<str>, Places)> {
        self.0.into_vec()
    }
}

/// The maximum number of closing brackets tried as the end of a key.
const BRACKETS: usize = 16;

impl Places {
    /// Returns the place of the value at `path`, or of the nearest enclosing value that exists.
    pub(super) fn find(&self, path: &str, names_key: bool) -> Place {
        let (found, rest) = self.descend(path);
        let prefers_key = names_key && rest.is_empty();
        match (found.key, &found.children) {
            (Some(key), Children::List(_) | Children::Map(_)) => key,
            (Some(key), Children::None) if prefers_key => key,
            (_, Children::None | Children::List(_) | Children::Map(_)) => found.value,
        }
    }

    fn descend<'p>(&self, path: &'p str) -> (&Self, &'p str) {
        let (mut here, mut rest) = (self, path);
        while let Some((child, after)) = here.step(rest) {
            (here, rest) = (child, after);
        }
        (here, rest)
    }

    /// Follows the first part of the path; returns the rest as well.
    fn step<'p>(&self, path: &'p str) -> Option<(&Self, &'p str)> {
        match &self.children {
            Children::None => None,
            Children::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                Some((items.get(index.parse::<usize>().ok()?)?, rest))
            }
            Children::Map(fields) => match path.strip_prefix('[') {
                None => {
                    let path = path.strip_prefix('.').unwrap_or(path);
                    let (key, rest) = path.split_at_checked(path.find(['.', '[']).unwrap_or(path.len()))?;
                    Some((fields.get(key)?, rest))
                }
                // A key in brackets may contain brackets.
                Some(bracketed) => bracketed.match_indices(']').take(BRACKETS).find_map(|(end, _)| {
                    let (key, rest) = (bracketed.get(..end)?, bracketed.get(end + 1..)?);
                    let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                    fields.get(key).filter(|_| ends).map(|found| (found, rest))
                }),
            },
        }
    }
}
