use super::{Claim, EditError, EventText, Object, Topic};
use crate::{
    backend::{Layer, RolloutRef},
    traffic::{ObjectRef, Routes, Seen, Selectors},
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

/// Pure: how one kind of traffic manager's objects are read and edited.
///
/// Only the leaves that it owns change; every other byte of meaning survives.
pub trait ObjectEditor: fmt::Debug + Send + Sync {
    /// Whose objects these are: what is kept in an object that several Rollouts share is kept for each apart
    /// ([`note`](super::note)).
    fn rollout(&self) -> &RolloutRef;

    /// What the Rollout drives in the objects; two Rollouts must not drive the same. The default is nothing.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// The objects that are edited. They must exist, or what [`otherwise`](Self::otherwise) says instead.
    fn objects(&self) -> Vec<ObjectRef>;

    /// What is meant instead when `missing`, one of [`objects`](Self::objects), does not exist. The default
    /// is nothing. The objects that are read and edited then bear the other name.
    fn otherwise(&self, missing: &ObjectRef) -> Option<ObjectRef> {
        let _ = missing;
        None
    }

    /// Which other objects are read as well, to find out what else leads to our destinations. The default
    /// asks for none.
    ///
    /// `objects` are those of [`objects`](Self::objects), as far as they exist.
    fn mentions(&self, objects: &Objects) -> Vec<Mentions> {
        let _ = objects;
        Vec::new()
    }

    /// Reads what the objects say together. The default reads [each](Self::read_one) of them, also those of
    /// [`objects`](Self::objects) that are missing.
    /// [`ObjectBackend`](super::ObjectBackend) fills in the versions, and what is settled.
    ///
    /// # Errors
    /// An object that is missing or makes no sense: where, what, and what to write instead.
    fn read(&self, objects: &Objects) -> Result<Seen, EditError> {
        let there = |name: &ObjectRef| objects.contains_key(name);
        let mut names = self.objects();
        for name in &mut names {
            let other = if there(name) { None } else { self.otherwise(name).filter(there) };
            *name = other.unwrap_or_else(|| name.clone());
        }
        names.extend(objects.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
        names.iter().try_fold(Seen::nothing(), |seen, one| Ok(seen.and(self.read_one(objects, one)?)))
    }

    /// Reads one of these objects; the others provide context. One that only [mentions](Self::mentions) ours says no more
    /// than what is used elsewhere.
    ///
    /// # Errors
    /// As for [`read`](Self::read), of this object.
    fn read_one(&self, objects: &Objects, one: &ObjectRef) -> Result<Seen, EditError>;

    /// What must change so that the destinations lead to `to`.
    ///
    /// # Errors
    /// As for [`read`](Self::read). Nothing that matches is an error, never a silent success; but an editor
    /// whose objects hold no selectors changes nothing.
    fn select(&self, objects: &Objects, to: &Selectors) -> Result<Edits, EditError>;

    /// What must change so that requests are split like `to`.
    ///
    /// # Errors
    /// As for [`select`](Self::select). An editor whose objects hold no routes changes nothing.
    fn route(&self, objects: &Objects, to: &Routes) -> Result<Edits, EditError>;

    /// What must change so that nothing of ours is left.
    ///
    /// # Errors
    /// As for [`select`](Self::select).
    fn release(&self, objects: &Objects) -> Result<Edits, EditError>;

    /// What Kubernetes events say about `topic`, in order. The default has no words for anything.
    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        let _ = topic;
        Vec::new()
    }

    /// What this object holds. One that only [mentions](Self::mentions) ours holds routes.
    fn layer(&self, object: &ObjectRef) -> Layer;
}

/// Objects that are read because of what they mention.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question: where, and what")]
pub struct Mentions {
    /// Their group, kind and namespace; its name means nothing.
    pub like: ObjectRef,
    /// Each mentions at least one of these keys. What a key is, the editor says; an index of the same kind has
    /// the same keys.
    pub keys: Vec<String>,
}

/// Objects by name, with the version that was read.
pub type Objects = BTreeMap<ObjectRef, Object>;

/// The objects that change, whole, in the order in which they are to be written.
pub type Edits = Vec<(ObjectRef, serde_json::Value)>;
