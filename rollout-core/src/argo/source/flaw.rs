use crate::{Finding, Place};
use alloc::string::String;

/// A flaw in the text and its place, before its line is looked up.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) place: Place,
    pub(super) finding: Finding,
}

impl Flaw {
    pub(super) fn new(place: Place, what: impl Into<String>, instead: &str) -> Self {
        Self { place, finding: Finding::error("", what, instead) }
    }
}
