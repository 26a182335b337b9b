use super::{Received, address::Address, answer, kind::Kind};
use http::{Method, Request};
use kube::Client;
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fmt, time::Duration};

/// Sends requests to an API server: plain JSON, each with a time limit.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(super) client: Client,
    kinds: Vec<Kind>,
    /// The field manager of writes (`fieldManager`).
    pub(super) manager: String,
    timeout: Duration,
}

pub(super) const JSON: &str = "application/json";

impl Requests {
    pub(crate) fn new(client: Client, manager: &str) -> Self {
        let timeout = Duration::from_secs(30);
        Self { client, kinds: Kind::known(), manager: manager.to_owned(), timeout }
    }

    /// The namespace that this program is in: that of its service account, or of the context of its kubeconfig.
    #[cfg(feature = "analysis")]
    pub(crate) fn own_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Adds a kind, or changes the API version to use for it.
    pub(crate) fn add(&mut self, kind: Kind) {
        self.kinds.retain(|known| known.group != kind.group || known.kind != kind.kind);
        self.kinds.push(kind);
    }

    /// Adds several kinds.
    #[cfg(feature = "controller")]
    pub(crate) fn add_all(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        kinds.into_iter().for_each(|kind| self.add(kind));
    }

    pub(crate) fn kind(&self, object: &ObjectRef) -> Result<&Kind, StoreError> {
        let found = self.kinds.iter().find(|kind| kind.is_of(object)).filter(|_| object.cluster.is_none());
        found.ok_or_else(|| StoreError::Refused {
            object: object.clone(),
            why: "unknown kind or cluster; add the kind when you create the store".to_owned(),
        })
    }

    /// Returns the address of one object.
    pub(super) fn one(&self, object: &ObjectRef) -> Result<Address, StoreError> {
        Address::one(self.kind(object)?, object)
    }

    pub(crate) async fn get(&self, object: &ObjectRef) -> Result<Received, StoreError> {
        let found = self.read(object, &self.one(object)?).await?;
        answer::object(object, found)
    }

    /// Lists all objects of the kind and namespace of `like`; only those that `labels` selects (`app=web,tier=front`),
    /// unless it is empty.
    pub(crate) async fn list(&self, like: &ObjectRef, labels: &str) -> Result<Vec<Received>, StoreError> {
        let kind = self.kind(like)?;
        let address = Address::all(kind, like)?;
        let address = if labels.is_empty() { address } else { address.with("labelSelector", labels) };
        let mut items = answer::items(like, self.read(like, &address).await?)?;
        // The items of a list do not repeat their kind.
        for item in &mut items {
            item.set_kind(kind);
        }
        Ok(items)
    }

    /// Replaces the object, if it still has the version in `to`.
    pub(crate) async fn replace(&self, object: &ObjectRef, to: &Value) -> Result<Received, StoreError> {
        let written = self.write(object, Method::PUT, self.one(object)?, JSON, to).await?;
        answer::written(object, written)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        object: &ObjectRef,
        address: &Address,
    ) -> Result<T, StoreError> {
        let unreadable = |why: String| StoreError::Unreadable { object: object.clone(), why };
        let request = Request::get(address.as_str()).body(Vec::new());
        let request = request.map_err(|error| unreadable(error.to_string()))?;
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|error| answer::read_failed(object, &error)),
            Err(_) => Err(unreadable(format!("no answer within {} s", self.timeout.as_secs()))),
        }
    }

    pub(super) async fn write(
        &self,
        object: &ObjectRef,
        method: Method,
        address: Address,
        content: &str,
        body: &Value,
    ) -> Result<Received, StoreError> {
        let refused = |why: String| StoreError::Refused { object: object.clone(), why };
        if is_unconditional(&method, body) {
            return Err(refused(
                "it was read without a resource version, so the write cannot be conditional on it".to_owned(),
            ));
        }
        let address =
            if method == Method::DELETE { address } else { address.with("fieldManager", &self.manager) };
        let body = serde_json::to_vec(body).map_err(|error| refused(error.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(address.as_str())
            .header(http::header::CONTENT_TYPE, content)
            .body(body)
            .map_err(|error| refused(error.to_string()))?;
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|error| answer::write_failed(object, &error)),
            Err(_) => Err(StoreError::Ambiguous {
                object: object.clone(),
                why: format!("no answer within {} s", self.timeout.as_secs()),
            }),
        }
    }
}

/// Returns whether an API server would apply this write to any version: a replacement must name the version that was
/// read, and a patch must not name an empty one.
fn is_unconditional(method: &Method, body: &Value) -> bool {
    let version =
        body.pointer("/metadata/resourceVersion").map(|version| version.as_str().unwrap_or_default());
    match version {
        Some(version) => version.is_empty() && method != Method::POST,
        None => method == Method::PUT,
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("manager", &self.manager).finish_non_exhaustive()
    }
}
