//! The writes of a controller.

use super::{Received, Requests, address::Address, answer, requests::JSON};
use http::Method;
#[cfg(feature = "controller")]
use kube::Client;
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;
#[cfg(feature = "controller")]
use serde_json::json;

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

    /// Replaces only the status, if the object still has the version in `to`.
    pub(crate) async fn replace_status(
        &self,
        object: &ObjectRef,
        to: &Value,
    ) -> Result<Received, StoreError> {
        let written =
            self.write(object, Method::PUT, self.one(object)?.subresource("status"), JSON, to).await?;
        answer::written(object, written)
    }

    /// Changes fields with a merge patch. It replaces whole lists: never use it on lists that others own, too.
    ///
    /// A caller sends a conditional patch only to change something. A patch that succeeds without changing the object
    /// counts as refused; otherwise every turn would send it again.
    pub(crate) async fn merge(&self, object: &ObjectRef, patch: &Value) -> Result<Received, StoreError> {
        let written = self.write(object, Method::PATCH, self.one(object)?, MERGE_PATCH, patch).await?;
        let written = answer::written(object, written)?;
        let version = "/metadata/resourceVersion";
        if patch.pointer(version).is_some_and(|before| written.value.pointer(version) == Some(before)) {
            let why = "the write succeeded, but the answer shows no change; check for an admission webhook that \
                       reverts it";
            return Err(StoreError::Refused { object: object.clone(), why: why.to_owned() });
        }
        Ok(written)
    }

    /// Creates an object; returns [`StoreError::AlreadyExists`] if the name is taken.
    pub(crate) async fn create(&self, object: &ObjectRef, value: &Value) -> Result<Received, StoreError> {
        self.one(object)?;
        let all = Address::all(self.kind(object)?, object)?;
        let written = self.write(object, Method::POST, all, JSON, value).await?;
        answer::written(object, written)
    }

    /// Evicts a pod with this uid. The server refuses while a `PodDisruptionBudget` needs the pod.
    #[cfg(feature = "controller")]
    pub(crate) async fn evict(&self, pod: &ObjectRef, uid: &str) -> Result<(), StoreError> {
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": *pod.namespace, "name": *pod.name},
            "deleteOptions": {"preconditions": {"uid": uid}}
        });
        let address = self.one(pod)?.subresource("eviction");
        self.write(pod, Method::POST, address, JSON, &eviction).await.map(drop)
    }

    /// Deletes an object with `options`, a `DeleteOptions`.
    pub(crate) async fn delete(&self, object: &ObjectRef, options: &Value) -> Result<(), StoreError> {
        self.write(object, Method::DELETE, self.one(object)?, JSON, options).await.map(drop)
    }
}
