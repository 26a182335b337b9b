use super::{Claim, EditError, EventText, Mentions, Object, Topic};
use crate::{
    backend::{Layer, RolloutRef},
    traffic::{ObjectRef, Routes, Seen, Selectors},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// Reads and edits the objects of one kind of traffic manager. Editors are pure.
///
/// An editor changes only the fields that it owns; everything else keeps its meaning.
///
/// [`ServiceEditor`](super::ServiceEditor) is one:
///
/// ```
/// use rollout_core::backend::{Object, ObjectEditor, Objects, REVISION_LABEL, ServiceEditor};
/// use rollout_core::traffic::{ObjectVersion, Selection, Selectors};
/// # use serde_json::json;
/// let editor = ServiceEditor::new("shop", None, Some("web-canary"));
/// let value = json!({"spec": {"selector": {"app": "web"}, "sessionAffinity": "ClientIP"}}).into();
/// let read = Object { value, version: ObjectVersion { write: "811".into(), content: 4 } };
/// let objects = Objects::from([(editor.objects()[0].clone(), read)]);
///
/// let to = Selectors { stable: None, canary: Some(Selection::Revision("v2".into())) };
/// let (_, edited) = editor.select(&objects, &to)?.remove(0);
/// let selector = json!({"app": "web", REVISION_LABEL: "v2"});
/// assert_eq!(edited["spec"], json!({"selector": selector, "sessionAffinity": "ClientIP"}));
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
pub trait ObjectEditor: fmt::Debug + Send + Sync {
    /// Returns the Rollout that owns the objects. In an object that several Rollouts share, each keeps its own data
    /// ([`note`](super::note)).
    fn rollout(&self) -> &RolloutRef;

    /// Returns the parts of objects that the Rollout drives; no two Rollouts may drive the same part. The default is
    /// none.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// Returns the objects to edit. They, or their [fallbacks](Self::otherwise), must exist.
    fn objects(&self) -> Vec<ObjectRef>;

    /// Returns the fallback if `missing`, one of [`objects`](Self::objects), does not exist. The default is none. The
    /// objects that are read and edited then have the fallback's name.
    fn otherwise(&self, missing: &ObjectRef) -> Option<ObjectRef> {
        let _ = missing;
        None
    }

    /// Returns which other objects to read as well, to find out what else leads to the destinations. The default is
    /// none.
    ///
    /// `objects` contains those of [`objects`](Self::objects) that exist.
    fn mentions(&self, objects: &Objects) -> Vec<Mentions> {
        let _ = objects;
        Vec::new()
    }

    /// Reads what the objects say together. The default [reads each](Self::read_one) of them, including missing ones of
    /// [`objects`](Self::objects). [`ObjectBackend`](super::ObjectBackend) fills in the versions and what is settled.
    ///
    /// # Errors
    /// An object is missing or invalid: the error says where, what is wrong, and what to write instead.
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

    /// Reads one of these objects; the others provide context. An object that only [mentions](Self::mentions) the
    /// destinations says only whether they are used elsewhere.
    ///
    /// # Errors
    /// The same as for [`read`](Self::read), for this object.
    fn read_one(&self, objects: &Objects, one: &ObjectRef) -> Result<Seen, EditError>;

    /// Returns the edits that point the destinations at `to`.
    ///
    /// # Errors
    /// The same as for [`read`](Self::read). If nothing matches, that is an error, never a silent success; but an
    /// editor whose objects hold no selectors changes nothing.
    fn select(&self, objects: &Objects, to: &Selectors) -> Result<Edits, EditError>;

    /// Returns the edits that split requests according to `to`.
    ///
    /// # Errors
    /// The same as for [`select`](Self::select). An editor whose objects hold no routes changes nothing.
    fn route(&self, objects: &Objects, to: &Routes) -> Result<Edits, EditError>;

    /// Returns the edits that remove everything that the Rollout added.
    ///
    /// # Errors
    /// The same as for [`select`](Self::select).
    fn release(&self, objects: &Objects) -> Result<Edits, EditError>;

    /// Returns the texts of Kubernetes events about `topic`, in order. The default is none.
    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        let _ = topic;
        Vec::new()
    }

    /// Returns the layer that this object holds. An object that only [mentions](Self::mentions) the destinations holds
    /// routes.
    fn layer(&self, object: &ObjectRef) -> Layer;
}

/// Objects by name, with the versions that were read.
///
/// See [`ObjectEditor`] for an example.
pub type Objects = BTreeMap<ObjectRef, Object>;

/// The complete objects to write, in order.
///
/// See [`ObjectEditor`] for an example.
pub type Edits = Vec<(ObjectRef, serde_json::Value)>;
