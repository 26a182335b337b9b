use super::{
    ReplicaSet,
    make::{Pattern, patch, replica_set},
    names::Names,
    number,
};
use crate::store::{Kind, KubeStore, Received, Requests};
use rollout_core::{Failure, Revision, Time, argo::template_hash, backend::StoreError, traffic::ObjectRef};
use serde_json::{Value, json};
use std::sync::Arc;

/// The ReplicaSets of one object: a Rollout, or any object that your own controller watches. They implement
/// [`Workloads`](rollout_core::backend::Workloads).
///
/// A ReplicaSet is named after the object and its revision (`web-7cd8554c8`), and owned by the object: it is deleted
/// with it. Its pod template and selector are the object's `spec.template` and `spec.selector`, unless you
/// [set](Self::template) others; both get the label of the revision.
///
/// It reads live and keeps no state: create one for each turn.
///
/// ```
/// use rollout_core::backend::{Scale, Workloads};
/// use rollout_kube::{Kind, KubeStore, ReplicaSets, testing::SimulatedApiServer};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// let store = KubeStore::new(server.client(), "my-controller");
/// let canary = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "1"}, "spec": {"image": "web:v1"}});
/// let template = json!({
///     "metadata": {"labels": {"app": "web"}},
///     "spec": {"containers": [{"name": "web", "image": canary["spec"]["image"]}]},
/// });
/// let kind = Kind::new("example.com", "v1", "Canary", "canaries");
/// let sets = ReplicaSets::new(&store, &kind, canary).template(template);
///
/// let to = Scale::new(sets.revision(), 2);
/// let made = sets.scale(&to, &sets.observe().await?).await?;
/// assert!(made.is_some());
/// let seen = sets.observe().await?;
/// assert_eq!((seen.len(), &seen[0].seen.revision, seen[0].seen.wanted), (1, &to.revision, 2));
/// assert_eq!(sets.scale(&to, &seen).await?, None, "nothing to change");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ReplicaSets {
    requests: Requests,
    pub(super) pattern: Pattern,
}

impl ReplicaSets {
    /// Creates the access to the ReplicaSets of `object`, which has this kind and, as read from the server, a
    /// `metadata.uid`.
    ///
    /// See [`ReplicaSets`] for an example.
    #[must_use]
    pub fn new(store: &KubeStore, kind: &Kind, object: impl Into<Arc<Value>>) -> Self {
        Self::over(store.requests(), kind, object.into())
    }

    /// Creates the access to the ReplicaSets of a Rollout.
    #[cfg(feature = "controller")]
    pub(crate) fn of_rollout(requests: &Requests, rollout: &Arc<Value>) -> Self {
        let kind = Kind::new("argoproj.io", "v1alpha1", "Rollout", "rollouts");
        Self::over(requests, &kind, Arc::clone(rollout))
    }

    fn over(requests: &Requests, kind: &Kind, object: Arc<Value>) -> Self {
        Self { requests: requests.clone(), pattern: Pattern::new(kind, object) }
    }

    /// Sets the pod template, instead of the object's `spec.template`.
    ///
    /// See [`ReplicaSets`] for an example.
    #[must_use]
    pub fn template(mut self, template: Value) -> Self {
        self.pattern.template = Some(template);
        self
    }

    /// Sets the selector, instead of the object's `spec.selector`. If there is neither, the labels of the pod template
    /// are selected.
    ///
    /// ```
    /// use rollout_core::backend::{Scale, Workloads};
    /// use rollout_kube::{Kind, KubeStore, ReplicaSets, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = SimulatedApiServer::start();
    /// # let store = KubeStore::new(server.client(), "my-controller");
    /// # let kind = Kind::new("example.com", "v1", "Canary", "canaries");
    /// let labels = json!({"app": "web", "team": "shop"});
    /// let spec = json!({"template": {"metadata": {"labels": labels}, "spec": {"containers": []}}});
    /// let canary = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "1"}, "spec": spec});
    /// let sets = ReplicaSets::new(&store, &kind, canary).selector(json!({"matchLabels": {"app": "web"}}));
    /// sets.scale(&Scale::new(sets.revision(), 1), &[]).await?;
    /// let selector = &server.all("/apis/apps/v1/replicasets")[0]["spec"]["selector"]["matchLabels"];
    /// assert_eq!(selector, &json!({"app": "web", "rollouts-pod-template-hash": sets.revision().as_str()}));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn selector(mut self, selector: Value) -> Self {
        self.pattern.selector = Some(selector);
        self
    }

    /// Sets the names of labels and annotations.
    ///
    /// ```
    /// use rollout_core::{Time, backend::{Scale, Workloads}};
    /// use rollout_kube::{Kind, KubeStore, Names, ReplicaSets, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = SimulatedApiServer::start();
    /// # let store = KubeStore::new(server.client(), "my-controller");
    /// # let kind = Kind::new("example.com", "v1", "Canary", "canaries");
    /// # let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}});
    /// # let spec = json!({"replicas": 4, "template": template});
    /// # let canary = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "1"}, "spec": spec});
    /// let names = Names::new().revision("example.com/revision").number("example.com/number");
    /// let names = names.desired("example.com/desired").deadline("example.com/deadline").fence("example.com/fence");
    /// let sets = ReplicaSets::new(&store, &kind, canary).names(names);
    /// let to = Scale::new(sets.revision(), 1).nonce(Some("me-1"));
    /// let made = sets.scale(&to, &[]).await?.ok_or("it did not exist")?;
    /// sets.scale(&to.scale_down_deadline(Some(Time::from_secs(60))), &[made]).await?;
    /// let metadata = &server.all("/apis/apps/v1/replicasets")[0]["metadata"];
    /// assert_eq!(metadata["labels"]["example.com/revision"], sets.revision().as_str());
    /// assert_eq!(metadata["annotations"], json!({
    ///     "example.com/number": "1",
    ///     "example.com/desired": "4",
    ///     "example.com/fence": "me-1",
    ///     "example.com/deadline": "1970-01-01T00:01:00Z",
    /// }));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn names(mut self, names: Names) -> Self {
        self.pattern.names = names;
        self
    }

    /// Returns the revision of the pod template: its hash, as Argo Rollouts computes it. It is the target of a
    /// [`Spec`](rollout_core::Spec), and the only revision for which a ReplicaSet can be created.
    ///
    /// See [`ReplicaSets`] for an example.
    #[must_use]
    pub fn revision(&self) -> Revision {
        template_hash(&self.pattern.template())
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Creates a ReplicaSet.
    pub(crate) async fn make(
        &self,
        object: &ObjectRef,
        (revision, number): (&Revision, u64),
        to: (u32, Option<Time>),
        nonce: Option<&str>,
    ) -> Result<Received, StoreError> {
        let set = replica_set(&self.pattern, revision, number, to, nonce);
        self.requests.create(object, &set).await
    }

    /// Returns the reference to a revision's ReplicaSet.
    pub(crate) fn object(&self, revision: &Revision) -> ObjectRef {
        let object = &self.pattern.object;
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        ObjectRef::new("apps", "ReplicaSet", namespace, &super::name(object, revision))
    }

    /// Gives a ReplicaSet this pod count and scale-down deadline and, with `highest`, the highest number. Returns
    /// `None` if there is nothing to change.
    pub(crate) async fn change(
        &self,
        set: &ReplicaSet,
        to: (u32, Option<Time>),
        highest: Option<u64>,
    ) -> Result<Option<Received>, StoreError> {
        match patch(&self.pattern, set, to, highest) {
            Some(patch) => self.requests.merge(&set.object(), &patch).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns why no ReplicaSet can be created for a revision that is not the current one.
    pub(crate) fn no_template(&self, revision: &Revision) -> Failure {
        let kind = &self.pattern.kind.kind;
        Failure::Refused(format!(
            "the ReplicaSet of revision {revision} no longer exists, and its template is not the {kind}'s"
        ))
    }

    /// Writes a nonce into a ReplicaSet.
    pub(crate) async fn sign(&self, set: &ReplicaSet, nonce: &str) -> Result<Received, StoreError> {
        let patch = json!({"metadata": {
            "resourceVersion": *set.entry.version.write,
            "annotations": {&*self.pattern.names.fence: nonce}
        }});
        self.requests.merge(&set.object(), &patch).await
    }

    /// Deletes a ReplicaSet without pods; succeeds if it is already gone.
    pub(crate) async fn remove(&self, set: &ReplicaSet) -> Result<(), Failure> {
        if set.wanted > 0 || set.replicas > 0 {
            return Err(Failure::Refused(format!("ReplicaSet {} still has pods", set.name())));
        }
        let options = json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
            "preconditions": {"uid": set.entry.uid(), "resourceVersion": *set.entry.version.write}
        });
        match self.requests.delete(&set.object(), &options).await {
            Ok(()) | Err(StoreError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into_failure()),
        }
    }
}

/// Returns the number of a new ReplicaSet.
pub(super) fn next(sets: &[ReplicaSet]) -> u64 {
    number::next(number::highest(sets))
}

/// Checks that a ReplicaSet wants the pods that were just written. Otherwise the controller would fight forever against
/// whatever reverts the write.
pub(crate) fn took_effect(set: &ReplicaSet, pods: u32) -> Result<(), Failure> {
    if set.wanted == pods {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "ReplicaSet {}: wrote spec.replicas: {pods}, but the answer says {}; check for an admission webhook that \
         changes it",
        set.name(),
        set.wanted
    )))
}
