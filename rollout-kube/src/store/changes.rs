//! The writes that controllers make.

use super::{Received, Requests, address::Address, answer, requests::JSON};
use http::Method;
#[cfg(feature = "controller")]
use kube::Client;
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;

const MERGE_PATCH: &str = "application/merge-patch+json";

impl Requests {
    #[cfg(feature = "controller")]
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    #[cfg(feature = "controller")]
    pub(crate) fn manager(&self) -> &str {
        &self.manager
    }

    /// Replaces its status alone, likewise.
    pub(crate) async fn replace_status(
        &self,
        object: &ObjectRef,
        to: &Value,
    ) -> Result<Received, StoreError> {
        let written = self.write(object, Method::PUT, self.one(object)?.status(), JSON, to).await?;
        answer::written(object, written)
    }

    /// Changes leaves. Lists are replaced whole: never for what has lists of others.
    ///
    /// A patch that depends on a version is only made when something is to change: one that is answered and left
    /// everything as it was is refused, or it would be made again in every turn.
    pub(crate) async fn merge(&self, object: &ObjectRef, patch: &Value) -> Result<Received, StoreError> {
        let written = self.write(object, Method::PATCH, self.one(object)?, MERGE_PATCH, patch).await?;
        let written = answer::written(object, written)?;
        let version = "/metadata/resourceVersion";
        if patch.pointer(version).is_some_and(|before| written.value.pointer(version) == Some(before)) {
            let why =
                "a change was written, and the answer is as before; see which admission webhook undoes it";
            return Err(StoreError::Refused { object: object.clone(), why: why.to_owned() });
        }
        Ok(written)
    }

    /// Makes an object; [`StoreError::AlreadyExists`] when there is one of this name.
    pub(crate) async fn create(&self, object: &ObjectRef, value: &Value) -> Result<Received, StoreError> {
        self.one(object)?;
        let all = Address::all(self.kind(object)?, object)?;
        let written = self.write(object, Method::POST, all, JSON, value).await?;
        answer::written(object, written)
    }

    /// Deletes what `options` (a `DeleteOptions`) describes.
    pub(crate) async fn delete(&self, object: &ObjectRef, options: &Value) -> Result<(), StoreError> {
        self.write(object, Method::DELETE, self.one(object)?, JSON, options).await.map(drop)
    }
}
