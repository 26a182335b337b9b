use crate::{Finding, Place};
use alloc::string::String;

/// What is wrong with the text, and where, before its lines are looked up.
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
