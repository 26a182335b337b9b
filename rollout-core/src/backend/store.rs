use super::{Mentions, Object, StoreError};
use crate::traffic::{ObjectRef, ObjectVersion};
use alloc::{boxed::Box, sync::Arc, vec::Vec};
use async_trait::async_trait;
use core::fmt;

/// A store of objects with compare-and-swap: in memory, or Kubernetes.
///
/// ```
/// use rollout_core::backend::{MemoryStore, ObjectStore, StoreError, ready};
/// use rollout_core::traffic::ObjectRef;
/// # use serde_json::json;
/// let (store, service) = (MemoryStore::new(), ObjectRef::new("", "Service", "shop", "web"));
/// store.apply(&service, json!({"spec": {"selector": {"app": "web"}}}));
/// let read = ready(store.get(&service))??;
/// let to = json!({"spec": {"selector": {"app": "web", "track": "stable"}}});
/// let now = ready(store.replace(&service, to.clone(), &read.version))??;
/// let late = ready(store.replace(&service, to, &read.version))?;
/// assert_eq!(late, Err(StoreError::Conflict(service)), "it now has the version {now:?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait ObjectStore: fmt::Debug + Send + Sync {
    /// Reads one object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or the object could not be read.
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError>;

    /// Lists all objects of the kind and namespace of `like`; its name is ignored.
    ///
    /// # Errors
    /// The objects could not be read.
    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError>;

    /// Returns the objects that mention one of the keys, and possibly others of the same kind and namespace. A store
    /// with an index finds them without a list. The default lists.
    ///
    /// # Errors
    /// The same as for [`list`](Self::list).
    async fn mentioning(&self, mentions: &Mentions) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        self.list(&mentions.like).await
    }

    /// Replaces an object if it still has the version `read`; returns its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has another version; [`StoreError::Refused`] if the store refuses the write;
    /// [`StoreError::Ambiguous`] if the write may or may not have taken effect.
    async fn replace(
        &self,
        object: &ObjectRef,
        to: serde_json::Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError>;
}

#[async_trait]
impl<S: ObjectStore + ?Sized> ObjectStore for Arc<S> {
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError> {
        (**self).get(object).await
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        (**self).list(like).await
    }

    async fn mentioning(&self, mentions: &Mentions) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        (**self).mentioning(mentions).await
    }

    async fn replace(
        &self,
        object: &ObjectRef,
        to: serde_json::Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        (**self).replace(object, to, read).await
    }
}
