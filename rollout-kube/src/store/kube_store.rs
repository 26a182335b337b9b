use super::{Kind, Received, Requests};
use async_trait::async_trait;
use kube::Client;
use rollout_core::{
    backend::{Object, ObjectStore, StoreError},
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A store of objects on a Kubernetes API server; every read and write goes to the server.
///
/// It knows Pods, Services, ReplicaSets and Rollouts; add other kinds, such as those of a traffic manager, with
/// [`kind`](Self::kind). A write is a `PUT` with the resource version that was read. A 4xx answer is a refusal (409 is
/// a conflict); any other failure, including no answer within 30 s, may have taken effect.
///
/// Objects are read without `metadata.managedFields`; a write that omits it leaves it unchanged.
///
/// ```
/// use rollout_core::backend::{NoDataPlane, ObjectBackend, ServiceEditor, TrafficBackend};
/// use rollout_core::traffic::{Selection, Selectors};
/// use rollout_kube::{KubeStore, testing::SimulatedApiServer};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // On a cluster, `kube::Client::try_default()` makes the client.
/// let server = SimulatedApiServer::start();
/// server.apply("/api/v1/namespaces/shop/services/web", json!({"spec": {"selector": {"app": "web"}}}));
/// let store = KubeStore::new(server.client(), "my-controller");
/// let backend = ObjectBackend::new(ServiceEditor::new("shop", Some("web"), None), store, NoDataPlane);
///
/// let seen = backend.observe(&[]).await?;
/// let to = Selectors { stable: Some(Selection::Revision("v1".into())), canary: None };
/// backend.select(&to, &seen.version).await?;
/// let selector = &server.all("/api/v1/services")[0]["spec"]["selector"];
/// assert_eq!(selector, &json!({"app": "web", "rollouts-pod-template-hash": "v1"}));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct KubeStore {
    pub(super) requests: Requests,
}

impl KubeStore {
    /// Creates a store that writes with the field manager `manager`.
    ///
    /// See [`KubeStore`] for an example.
    #[must_use]
    pub fn new(client: Client, manager: &str) -> Self {
        Self { requests: Requests::new(client, manager) }
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Replaces the status of an object (its `status` subresource), if the object still has the version `read`, and
    /// returns the new version. Everything else stays unchanged.
    ///
    /// # Errors
    /// As for [`replace`](ObjectStore::replace).
    ///
    /// ```
    /// use rollout_core::backend::{ObjectStore, StoreError};
    /// use rollout_kube::{Kind, KubeStore, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = SimulatedApiServer::start();
    /// server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web", json!({"spec": {"paused": true}}));
    /// let store = KubeStore::new(server.client(), "my-controller");
    /// let web = Kind::new("argoproj.io", "v1alpha1", "Rollout", "rollouts").object("shop", "web");
    ///
    /// let read = store.get(&web).await?;
    /// store.replace_status(&web, &read, json!({"step": 1})).await?;
    /// assert_eq!(store.get(&web).await?.value["status"]["step"], 1);
    /// let stale = store.replace_status(&web, &read, json!({"step": 0})).await;
    /// assert_eq!(stale, Err(StoreError::Conflict(web)));
    /// # Ok(()) }
    /// ```
    pub async fn replace_status(
        &self,
        object: &ObjectRef,
        read: &Object,
        status: Value,
    ) -> Result<ObjectVersion, StoreError> {
        let mut to = (*read.value).clone();
        if let Some(fields) = to.as_object_mut() {
            fields.insert("status".to_owned(), status);
        }
        conditional(object, &mut to, &read.version)?;
        self.requests.replace_status(object, &to).await.map(|written| version_of(&written.value))
    }

    /// Adds a kind, or changes the API version to use for it.
    ///
    /// ```
    /// use rollout_core::backend::ObjectStore;
    /// use rollout_kube::{Kind, KubeStore, testing::SimulatedApiServer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = SimulatedApiServer::start();
    /// server.apply("/apis/example.com/v1/namespaces/shop/canaries/web", serde_json::json!({"spec": {}}));
    /// let kind = Kind::new("example.com", "v1", "Canary", "canaries");
    /// let store = KubeStore::new(server.client(), "my-controller");
    /// assert!(store.get(&kind.object("shop", "web")).await.is_err(), "a kind that it does not know");
    /// assert!(store.kind(kind.clone()).get(&kind.object("shop", "web")).await.is_ok());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.requests.add(kind);
        self
    }
}

#[async_trait]
impl ObjectStore for KubeStore {
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError> {
        let value = self.requests.get(object).await?.value;
        let version = version_of(&value);
        Ok(Object { value: value.into(), version })
    }

    async fn list(&self, like: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        let values = self.requests.list(like, "").await?;
        let named = |Received { value, .. }: Received| {
            let text = |field: &str| value.pointer(field).and_then(Value::as_str).unwrap_or_default();
            let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
            let object = ObjectRef::new(&like.group, &like.kind, namespace, name);
            let version = version_of(&value);
            (object, Object { value: value.into(), version })
        };
        Ok(values.into_iter().map(named).collect())
    }

    async fn replace(
        &self,
        object: &ObjectRef,
        mut to: Value,
        read: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        conditional(object, &mut to, read)?;
        self.requests.replace(object, &to).await.map(|written| version_of(&written.value))
    }
}

/// Makes a write conditional on the version that was read.
pub(crate) fn conditional(
    object: &ObjectRef,
    to: &mut Value,
    read: &ObjectVersion,
) -> Result<(), StoreError> {
    let Some(metadata) = to.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err(StoreError::Refused { object: object.clone(), why: "it has no metadata".to_owned() });
    };
    metadata.insert("resourceVersion".to_owned(), Value::from(&*read.write));
    Ok(())
}

/// Returns the version of an object. A kind without generations (a Service) has a hash of its content instead.
pub(crate) fn version_of(value: &Value) -> ObjectVersion {
    let metadata = value.get("metadata");
    let field = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let write = field("resourceVersion").and_then(Value::as_str).unwrap_or_default();
    let content = field("generation").and_then(Value::as_u64);
    ObjectVersion { write: write.into(), content: content.unwrap_or_else(|| content_hash(value)) }
}

fn content_hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, part) in value.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "metadata" | "status" | "apiVersion" | "kind") {
            key.hash(&mut hasher);
            part.to_string().hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mock::{Answer, server};
    use rollout_core::{
        Failure,
        backend::{BackendError, NoDataPlane, ObjectBackend, ServiceEditor, TrafficBackend},
        traffic::Selectors,
    };
    use serde_json::json;

    fn service() -> ObjectRef {
        ObjectRef::new("", "Service", "shop", "canary")
    }

    fn stored(version: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": "shop", "name": "canary", "resourceVersion": version},
            "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]}
        })
    }

    #[tokio::test]
    async fn a_write_carries_the_version_that_was_read_and_returns_the_new_one() {
        let (client, seen) = server(|request| match request.method.as_str() {
            "GET" => Answer::ok(stored("7")),
            _ => Answer::ok(stored("8")),
        });
        let backend = ObjectBackend::new(
            ServiceEditor::new("shop", None, Some("canary")),
            KubeStore::new(client, "us"),
            NoDataPlane,
        );
        let read = backend.observe(&[]).await.unwrap();
        let to = Selectors { stable: None, canary: Some(rollout_core::Revision::from("v2").into()) };
        let written = backend.select(&to, &read.version).await.unwrap();
        assert_eq!(&*written.version.of(&service()).unwrap().write, "8");
        let requests = seen.lock().unwrap();
        let put = requests.iter().find(|request| request.method == "PUT").unwrap();
        assert_eq!(put.uri, "/api/v1/namespaces/shop/services/canary?fieldManager=us");
        assert_eq!(put.body["metadata"]["resourceVersion"], "7");
        assert_eq!(put.body["spec"]["ports"], json!([{"port": 80}]), "other owners' fields stay");
    }

    #[tokio::test]
    async fn each_status_code_of_a_failed_write_is_classified() {
        let cases = [
            (409, Failure::Conflict),
            (403, Failure::Refused("Service shop/canary: because".into())),
            (429, Failure::Refused("Service shop/canary: because".into())),
            (500, Failure::Ambiguous("Service shop/canary: because (it may have taken effect)".into())),
            (504, Failure::Ambiguous("Service shop/canary: because (it may have taken effect)".into())),
        ];
        for (code, expected) in cases {
            let (client, _) = server(move |_| Answer::failure(code, "because"));
            let store = KubeStore::new(client, "us");
            let read = ObjectVersion { write: "7".into(), content: 1 };
            let error = store.replace(&service(), stored("7"), &read).await.unwrap_err();
            assert_eq!(Failure::from(&BackendError::from(error)), expected, "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unanswered_write_may_have_taken_effect() {
        let (client, _) = server(|_| Answer::Never);
        let store = KubeStore::new(client, "us");
        let read = ObjectVersion { write: "7".into(), content: 1 };
        let error = store.replace(&service(), stored("7"), &read).await.unwrap_err();
        assert!(matches!(error, StoreError::Ambiguous { .. }), "{error}");
        let error = store.get(&service()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_missing_object_differs_from_an_unreadable_one() {
        let (client, _) = server(|_| Answer::failure(404, "none"));
        let error = KubeStore::new(client, "us").get(&service()).await.unwrap_err();
        assert_eq!(error, StoreError::NotFound(service()));
        let (client, _) = server(|_| Answer::failure(403, "not yours"));
        let error = KubeStore::new(client, "us").list(&service()).await.unwrap_err();
        assert!(error.to_string().contains("not yours"), "{error}");
    }

    #[tokio::test]
    async fn an_unknown_kind_is_named_and_can_be_added() {
        let (client, seen) = server(|_| Answer::ok(json!({"items": []})));
        let route = ObjectRef::new("gateway.networking.k8s.io", "HTTPRoute", "shop", "shop");
        let store = KubeStore::new(client, "us");
        assert!(matches!(store.get(&route).await, Err(StoreError::Refused { .. })));
        let store = store.kind(Kind::new("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"));
        assert!(store.list(&route).await.unwrap().is_empty());
        assert!(
            seen.lock().unwrap()[0].uri.contains("gateway.networking.k8s.io/v1/namespaces/shop/httproutes")
        );
    }

    #[test]
    fn a_service_has_no_generation_so_its_content_counts() {
        let mut changed = stored("7");
        let annotated = version_of(&stored("8"));
        assert_eq!(version_of(&changed).content, annotated.content);
        changed["spec"]["selector"]["app"] = json!("other");
        assert_ne!(version_of(&changed).content, annotated.content);
        assert_eq!(version_of(&json!({"metadata": {"generation": 3}})).content, 3);
    }
}
