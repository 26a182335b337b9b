//! The writes that only a controller makes.

use super::{Requests, requests::JSON};
use http::Method;
use kube::Client;
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;

const MERGE_PATCH: &str = "application/merge-patch+json";

impl Requests {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn manager(&self) -> &str {
        &self.manager
    }

    /// Replaces its status alone, likewise.
    pub(crate) async fn replace_status(&self, object: &ObjectRef, to: &Value) -> Result<Value, StoreError> {
        self.write(object, Method::PUT, &format!("/{}/status", object.name), JSON, to).await
    }

    /// Changes leaves. Lists are replaced whole: never for what has lists of others.
    pub(crate) async fn merge(&self, object: &ObjectRef, patch: &Value) -> Result<Value, StoreError> {
        self.write(object, Method::PATCH, &format!("/{}", object.name), MERGE_PATCH, patch).await
    }

    pub(crate) async fn create(&self, object: &ObjectRef, value: &Value) -> Result<Value, StoreError> {
        self.write(object, Method::POST, "", JSON, value).await
    }

    /// Deletes what `options` (a `DeleteOptions`) describes.
    pub(crate) async fn delete(&self, object: &ObjectRef, options: &Value) -> Result<(), StoreError> {
        self.write(object, Method::DELETE, &format!("/{}", object.name), JSON, options).await.map(drop)
    }
}
