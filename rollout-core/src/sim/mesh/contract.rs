use crate::{
    Failure, Outcome,
    sim::TrafficObject,
    traffic::{Routes, Seen, Selectors, Version},
};
use alloc::{string::String, vec::Vec};
use core::fmt;

/// Simulates a traffic manager: reads and writes its objects.
///
/// The world keeps the list of objects ([`Truth::traffic`](crate::sim::Truth::traffic)) and updates the proxies; a mesh
/// changes the list. A change of content increments [`TrafficObject::generation`], and every write increments
/// [`TrafficObject::write`].
///
/// ```
/// use rollout_core::{Failure, Outcome, Range, traffic::{ManagedChange, Routes, Weight, WeightChange}};
/// use rollout_core::sim::{CoreMesh, Mesh, MeshWrite};
/// let mut mesh = CoreMesh::new();
/// let mut objects = mesh.objects();
/// let seen = mesh.read(&objects)?.version;
/// let weight = WeightChange::To(Weight::new(5, 100));
/// let to = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// let mut write = |objects: &mut Vec<_>| mesh.write(objects, MeshWrite::Route(&to), &seen, usize::MAX);
/// assert_eq!(write(&mut objects).answer, Ok(Outcome::Changed));
/// assert_eq!(write(&mut objects).answer, Err(Failure::Conflict), "no longer the objects that were seen");
/// assert_eq!(mesh.read(&objects)?.weight(), Range::exact(5));
/// # Ok::<(), String>(())
/// ```
pub trait Mesh: fmt::Debug {
    /// Returns the initial objects, each with generation 1.
    fn objects(&mut self) -> Vec<TrafficObject>;

    /// Reads the current objects; the world fills in whether they are settled.
    ///
    /// # Errors
    /// The objects are invalid: the traffic is then unknown to the controller.
    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String>;

    /// Like [`read`](Self::read), but reuses the memory of a former reading; worth implementing only where every
    /// microsecond counts.
    ///
    /// # Errors
    /// The same as for [`read`](Self::read).
    fn read_again(&mut self, objects: &[TrafficObject], into: &mut Seen) -> Result<(), String> {
        *into = self.read(objects)?;
        Ok(())
    }

    /// Writes at most `most` objects, provided that each still has the version in `seen`.
    fn write(
        &mut self,
        objects: &mut [TrafficObject],
        what: MeshWrite<'_>,
        seen: &Version,
        most: usize,
    ) -> MeshResult;

    /// Updates the list with foreign writes, if objects are shared; the default does nothing.
    fn refresh(&mut self, objects: &mut [TrafficObject]) {
        _ = objects;
    }

    /// Follows a swap of the two destinations' roles (`pingPong`): what led to the canary now leads to stable. The world
    /// itself renames the objects; `total` is the weight of all traffic. The default does nothing. See
    /// [`ObjectMesh::swapped`](super::ObjectMesh::swapped) for an example.
    fn swap_roles(&mut self, total: u32) {
        _ = total;
    }

    /// Reapplies the user's own manifest of one object, by index, which removes everything that the engine added.
    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize);

    /// Removes the engine's annotations from one object, by index: its nonce, and the revision it was written for.
    fn strip(&mut self, objects: &mut [TrafficObject], object: usize);
}

/// The content of a write.
///
/// See [`Mesh`] for an example.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a mesh that cannot write a new kind must not compile")]
pub enum MeshWrite<'a> {
    /// Selectors.
    Select(&'a Selectors),
    /// Routes.
    Route(&'a Routes),
    /// A nonce for every object.
    Fence(&'a str),
}

/// The result of a write.
///
/// See [`Mesh`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by implementations of `Mesh`")]
pub struct MeshResult {
    /// Whether any object was written, even if the answer is an error.
    pub took_effect: bool,
    /// The answer.
    pub answer: Result<Outcome, Failure>,
    /// The versions of `seen`, updated with those of the written objects.
    pub version: Version,
}
