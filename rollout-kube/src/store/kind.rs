use rollout_core::traffic::ObjectRef;
use std::sync::Arc;

/// A kind of object and its API version.
///
/// ```
/// use rollout_kube::Kind;
/// let kind = Kind::new("networking.istio.io", "v1alpha3", "VirtualService", "virtualservices");
/// assert_eq!(kind.path("shop"), "/apis/networking.istio.io/v1alpha3/namespaces/shop/virtualservices");
/// assert_eq!(Kind::new("", "v1", "Service", "services").path(""), "/api/v1/services");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Kind {
    /// Its API group; empty for the core group.
    pub group: Arc<str>,
    /// The version of the API group to use.
    pub version: Arc<str>,
    /// Its name (`VirtualService`).
    pub kind: Arc<str>,
    /// Its name in paths (`virtualservices`).
    pub plural: Arc<str>,
    /// Whether its objects are in no namespace.
    pub is_of_cluster: bool,
}

impl Kind {
    /// Creates a kind of namespaced objects.
    #[must_use]
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        let is_of_cluster = false;
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            is_of_cluster,
        }
    }

    /// Makes it a kind of objects that are in no namespace.
    ///
    /// ```
    /// use rollout_kube::Kind;
    /// let kind = Kind::new("", "v1", "Node", "nodes").of_cluster();
    /// assert_eq!(kind.path("shop"), "/api/v1/nodes");
    /// ```
    #[must_use]
    pub fn of_cluster(mut self) -> Self {
        self.is_of_cluster = true;
        self
    }

    /// Returns the path of the objects of a namespace; of all namespaces when it is empty.
    ///
    /// See [`Kind`] for an example.
    #[must_use]
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis/" };
        let is_anywhere = namespace.is_empty() || self.is_of_cluster;
        let place = if is_anywhere { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}{}/{}{place}/{}", self.group, self.version, self.plural)
    }

    /// Returns the `apiVersion`, such as `apps/v1`.
    ///
    /// ```
    /// use rollout_kube::Kind;
    /// assert_eq!(Kind::new("apps", "v1", "ReplicaSet", "replicasets").api_version(), "apps/v1");
    /// assert_eq!(Kind::new("", "v1", "Service", "services").api_version(), "v1");
    /// ```
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.to_string();
        }
        format!("{}/{}", self.group, self.version)
    }

    /// Returns whether an object is of this kind, in any version.
    ///
    /// ```
    /// use rollout_kube::Kind;
    /// let kind = |version| Kind::new("networking.istio.io", version, "VirtualService", "virtualservices");
    /// assert!(kind("v1").is_of(&kind("v1alpha3").object("shop", "web")), "an object is named without a version");
    /// ```
    #[must_use]
    pub fn is_of(&self, object: &ObjectRef) -> bool {
        self.group == object.group && self.kind == object.kind
    }

    /// Returns a reference to one object of this kind.
    ///
    /// ```
    /// use rollout_kube::Kind;
    /// let web = Kind::new("", "v1", "Service", "services").object("shop", "web");
    /// assert_eq!(web.to_string(), "Service shop/web");
    /// ```
    #[must_use]
    pub fn object(&self, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef::new(&self.group, &self.kind, namespace, name)
    }

    /// Returns the kinds that a store knows from the start.
    pub(crate) fn known() -> Vec<Self> {
        vec![
            Self::new("", "v1", "Pod", "pods"),
            Self::new("", "v1", "Service", "services"),
            Self::new("", "v1", "PodTemplate", "podtemplates"),
            Self::new("apps", "v1", "Deployment", "deployments"),
            Self::new("apps", "v1", "ReplicaSet", "replicasets"),
            Self::new("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
        ]
    }
}
