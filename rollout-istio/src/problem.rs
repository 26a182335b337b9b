//! What is wrong in an object, before it is known which.

use rollout_core::{backend::EditError, traffic::ObjectRef};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    path: String,
    what: String,
    instead: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), instead: instead.into() }
    }

    pub(crate) fn of(self, object: &ObjectRef) -> EditError {
        EditError::new(object.clone(), self.path, self.what, self.instead)
    }
}

/// `'a', 'b'`, or that there is none.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("'{name}'")).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
