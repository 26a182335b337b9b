use crate::{
    Failure, Outcome,
    sim::TrafficObject,
    traffic::{Routes, Seen, Selectors, Version},
};
use alloc::{string::String, vec::Vec};
use core::fmt;

/// A traffic manager of the virtual world: what its objects say, and how they are written.
///
/// The world keeps the list of objects ([`Truth::traffic`](crate::sim::Truth::traffic)) and tells the
/// proxies; a mesh changes the list. A change of content counts [`TrafficObject::generation`] up, every
/// write counts [`TrafficObject::write`] up.
pub trait Mesh: fmt::Debug {
    /// The objects at the beginning, each with generation 1.
    fn objects(&mut self) -> Vec<TrafficObject>;

    /// Reads what the objects say now; the world fills in whether it is settled.
    ///
    /// # Errors
    /// That the objects make no sense: the traffic is then unknown to the controller.
    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String>;

    /// As [`read`](Self::read), into memory that a former reading used; only worth writing where every
    /// microsecond counts.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn read_again(&mut self, objects: &[TrafficObject], into: &mut Seen) -> Result<(), String> {
        *into = self.read(objects)?;
        Ok(())
    }

    /// Writes at most `most` objects, on the condition that each still has the version `seen`.
    fn write(
        &mut self,
        objects: &mut [TrafficObject],
        what: MeshWrite<'_>,
        seen: &Version,
        most: usize,
    ) -> MeshWritten;

    /// Brings the list up to date with what others have written, where objects are shared; by default, none are.
    fn refresh(&mut self, objects: &mut [TrafficObject]) {
        _ = objects;
    }

    /// The user's own manifest of one object again, by index: nothing of ours is left in it.
    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize);

    /// Takes our annotations from one object, by index: its nonce, and for whom it was written.
    fn strip(&mut self, objects: &mut [TrafficObject], object: usize);
}

/// What is to be written.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a mesh that cannot write a new kind must not compile")]
pub enum MeshWrite<'a> {
    /// Selectors.
    Select(&'a Selectors),
    /// Routes.
    Route(&'a Routes),
    /// A nonce into every object.
    Fence(&'a str),
}

/// What a write did.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by implementations of `Mesh`")]
pub struct MeshWritten {
    /// Whether any object was written, also when the answer is an error.
    pub took_effect: bool,
    /// The answer.
    pub answer: Result<Outcome, Failure>,
    /// The versions of `seen` with those of the objects that were written.
    pub version: Version,
}
