use super::{answer, kind::Kind};
use http::{Method, Request};
use kube::Client;
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;
use std::{fmt, time::Duration};

/// The requests to an API server: plain JSON, each bounded in time.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(super) client: Client,
    kinds: Vec<Kind>,
    /// Who is named as the writer (`fieldManager`).
    pub(super) manager: String,
    patience: Duration,
}

pub(super) const JSON: &str = "application/json";

impl Requests {
    pub(crate) fn new(client: Client, manager: &str) -> Self {
        let patience = Duration::from_secs(30);
        Self { client, kinds: Kind::known(), manager: manager.to_owned(), patience }
    }

    /// From now on this kind is known, or spoken to in another version.
    pub(crate) fn add(&mut self, kind: Kind) {
        self.kinds.retain(|known| known.group != kind.group || known.kind != kind.kind);
        self.kinds.push(kind);
    }

    pub(crate) fn kind(&self, object: &ObjectRef) -> Result<&Kind, StoreError> {
        let found = self.kinds.iter().find(|kind| kind.is_of(object)).filter(|_| object.cluster.is_none());
        found.ok_or_else(|| StoreError::Refused {
            object: object.clone(),
            why: "this kind, or this cluster, is not known here; name it when the store is made".to_owned(),
        })
    }

    pub(crate) async fn get(&self, object: &ObjectRef) -> Result<Value, StoreError> {
        let path = format!("{}/{}", self.kind(object)?.path(&object.namespace), object.name);
        self.read(object, &path).await
    }

    /// All objects of the kind and namespace of `like`, each of them whole; those that `labels` selects, in
    /// the API's own notation, unless it is empty.
    pub(crate) async fn list(&self, like: &ObjectRef, labels: &str) -> Result<Vec<Value>, StoreError> {
        let kind = self.kind(like)?;
        let query = if labels.is_empty() { String::new() } else { format!("?labelSelector={labels}") };
        let mut list = self.read(like, &format!("{}{query}", kind.path(&like.namespace))).await?;
        let Some(Value::Array(mut items)) = list.get_mut("items").map(Value::take) else {
            return Err(StoreError::Unreadable {
                object: like.clone(),
                why: "the answer is no list".to_owned(),
            });
        };
        // Items of a list do not repeat what they are.
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.insert("apiVersion".to_owned(), kind.api_version().into());
            item.insert("kind".to_owned(), Value::from(&*kind.kind));
        }
        Ok(items)
    }

    /// Replaces the object, if it still has the version that stands in `to`.
    pub(crate) async fn replace(&self, object: &ObjectRef, to: &Value) -> Result<Value, StoreError> {
        self.write(object, Method::PUT, &format!("/{}", object.name), JSON, to).await
    }

    async fn read(&self, object: &ObjectRef, path: &str) -> Result<Value, StoreError> {
        let unreadable = |why: String| StoreError::Unreadable { object: object.clone(), why };
        let request = Request::get(path).body(Vec::new()).map_err(|error| unreadable(error.to_string()))?;
        match tokio::time::timeout(self.patience, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|error| answer::of_read(object, &error)),
            Err(_) => Err(unreadable(format!("no answer within {} s", self.patience.as_secs()))),
        }
    }

    pub(super) async fn write(
        &self,
        object: &ObjectRef,
        method: Method,
        below: &str,
        content: &str,
        body: &Value,
    ) -> Result<Value, StoreError> {
        let path = self.kind(object)?.path(&object.namespace);
        let refused = |why: String| StoreError::Refused { object: object.clone(), why };
        let who =
            if method == Method::DELETE { String::new() } else { format!("?fieldManager={}", self.manager) };
        let body = serde_json::to_vec(body).map_err(|error| refused(error.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}{below}{who}"))
            .header(http::header::CONTENT_TYPE, content)
            .body(body)
            .map_err(|error| refused(error.to_string()))?;
        match tokio::time::timeout(self.patience, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|error| answer::of_write(object, &error)),
            Err(_) => Err(StoreError::Unclear {
                object: object.clone(),
                why: format!("no answer within {} s", self.patience.as_secs()),
            }),
        }
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("manager", &self.manager).finish_non_exhaustive()
    }
}
