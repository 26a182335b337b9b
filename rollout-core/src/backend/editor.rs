use super::{EditError, Object};
use crate::traffic::{ObjectRef, Routes, Seen, Selectors};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// Pure: how one kind of traffic manager's objects are read and edited.
///
/// Only the leaves that it owns change; every other byte of meaning survives.
pub trait ObjectEditor: fmt::Debug + Send + Sync {
    /// The objects that are edited. They must exist, or what [`otherwise`](Self::otherwise) says instead.
    fn objects(&self) -> Vec<ObjectRef>;

    /// What is meant instead when `missing`, one of [`objects`](Self::objects), does not exist. The default
    /// is nothing. The objects that are read and edited then bear the other name.
    fn otherwise(&self, missing: &ObjectRef) -> Option<ObjectRef> {
        let _ = missing;
        None
    }

    /// The kinds (group, kind, namespace) that are listed as well, to find out what else leads to our
    /// destinations. The default lists nothing.
    fn also_lists(&self) -> Vec<ObjectRef> {
        Vec::new()
    }

    /// Reads what the objects say. Settled answers and versions are filled in by the bridge.
    ///
    /// # Errors
    /// An object that is missing or makes no sense: where, what, and what to write instead.
    fn read(&self, objects: &Objects) -> Result<Seen, EditError>;

    /// What one of these objects says alone; the others are there to understand it. Also for one that is
    /// only listed: then all that it can say is what is used elsewhere.
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

    /// Whether this object carries routes; otherwise it carries selectors. Settled is asked for each apart.
    fn is_route(&self, object: &ObjectRef) -> bool;
}

/// Objects by name, with the version that was read.
pub type Objects = BTreeMap<ObjectRef, Object>;

/// The objects that change, whole, in the order in which they are to be written.
pub type Edits = Vec<(ObjectRef, serde_json::Value)>;
