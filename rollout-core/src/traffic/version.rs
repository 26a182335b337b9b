use alloc::{sync::Arc, vec::Vec};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of one object.
///
/// See [`new`](Self::new) and [`in_cluster`](Self::in_cluster) for examples.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ObjectRef {
    /// The cluster; `None` for the program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Arc<str>>,
    /// The API group (`networking.istio.io`; empty for the core group).
    pub group: Arc<str>,
    /// The kind (`VirtualService`).
    pub kind: Arc<str>,
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl ObjectRef {
    /// Names an object in the program's own cluster.
    ///
    /// ```
    /// use rollout_core::traffic::ObjectRef;
    /// let object = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "provider");
    /// assert_eq!(object.to_string(), "VirtualService shop/provider");
    /// ```
    #[must_use]
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            cluster: None,
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Names the same object in another cluster.
    ///
    /// ```
    /// use rollout_core::traffic::ObjectRef;
    /// let object = ObjectRef::new("", "Service", "shop", "web");
    /// let remote = object.clone().in_cluster("west");
    /// assert_eq!(remote.to_string(), "Service shop/web in west");
    /// assert_ne!(remote, object, "another object, whatever its name");
    /// ```
    #[must_use]
    pub fn in_cluster(mut self, cluster: &str) -> Self {
        self.cluster = Some(cluster.into());
        self
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)?;
        self.cluster.as_ref().map_or(Ok(()), |cluster| write!(f, " in {cluster}"))
    }
}

/// The version of one object that was read.
///
/// ```
/// use rollout_core::traffic::ObjectVersion;
/// let read = ObjectVersion { write: "811".into(), content: 4 };
/// let annotated = ObjectVersion { write: "812".into(), ..read.clone() };
/// assert_ne!(read, annotated, "a write that is conditional on 811 now fails");
/// assert_eq!(read.content, annotated.content, "but the proxies need nothing new");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "two numbers that every store has")]
pub struct ObjectVersion {
    /// Changes with every write (`metadata.resourceVersion`): writes are conditional on it.
    pub write: Arc<str>,
    /// Changes with the content (`metadata.generation`): proxies are compared by it. Writing an annotation may cause no
    /// push, so it must not count as a change.
    pub content: u64,
}

/// The versions of all objects in an observation. Cloning is cheap.
///
/// See [`after`](Self::after) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Version(Option<Arc<[(ObjectRef, ObjectVersion)]>>);

impl Version {
    /// No objects.
    ///
    /// See [`objects`](Self::objects) for an example.
    pub const NONE: Self = Self(None);

    /// Returns the objects, in the order in which they were read.
    ///
    /// ```
    /// use rollout_core::traffic::{ObjectRef, ObjectVersion, Version};
    /// let web = ObjectRef::new("", "Service", "shop", "web");
    /// let version = Version::from_iter([(web.clone(), ObjectVersion { write: "811".into(), content: 4 })]);
    /// assert_eq!(version.objects()[0].0, web);
    /// assert!(Version::NONE.objects().is_empty());
    /// ```
    #[must_use]
    pub fn objects(&self) -> &[(ObjectRef, ObjectVersion)] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns the version of one object.
    ///
    /// ```
    /// use rollout_core::traffic::{ObjectRef, ObjectVersion, Version};
    /// let web = ObjectRef::new("", "Service", "shop", "web");
    /// let version = Version::from_iter([(web.clone(), ObjectVersion { write: "811".into(), content: 4 })]);
    /// assert_eq!(version.of(&web).map(|version| &*version.write), Some("811"));
    /// assert_eq!(version.of(&web.in_cluster("west")), None);
    /// ```
    #[must_use]
    pub fn of(&self, object: &ObjectRef) -> Option<&ObjectVersion> {
        self.objects().iter().find(|(other, _)| other == object).map(|(_, version)| version)
    }

    /// Returns these versions after a write: those in `written` replace the earlier ones.
    ///
    /// ```
    /// use rollout_core::traffic::{ObjectRef, ObjectVersion, Version};
    /// let at = |name, write: &str| {
    ///     (ObjectRef::new("", "Service", "shop", name), ObjectVersion { write: write.into(), content: 1 })
    /// };
    /// let seen = Version::from_iter([at("a", "1"), at("b", "2")]);
    /// let written = Version::from_iter([at("b", "3")]);
    /// assert_eq!(seen.after(&written), Version::from_iter([at("a", "1"), at("b", "3")]));
    /// ```
    #[must_use]
    pub fn after(&self, written: &Self) -> Self {
        let now = |(name, version): &(ObjectRef, ObjectVersion)| {
            (name.clone(), written.of(name).unwrap_or(version).clone())
        };
        let new = written.objects().iter().filter(|(name, _)| self.of(name).is_none());
        self.objects().iter().map(now).chain(new.cloned()).collect()
    }

    /// Returns both, with the other's objects after these.
    ///
    /// ```
    /// use rollout_core::traffic::{ObjectRef, ObjectVersion, Version};
    /// let at = |name| (ObjectRef::new("", "Service", "shop", name), ObjectVersion { write: "1".into(), content: 1 });
    /// let (services, routes) = (Version::from_iter([at("web")]), Version::from_iter([at("web-canary")]));
    /// assert_eq!(services.and(&routes), Version::from_iter([at("web"), at("web-canary")]));
    /// ```
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if other.objects().is_empty() {
            return self.clone();
        }
        self.objects().iter().chain(other.objects()).cloned().collect()
    }
}

/// Combines several numbers into one, depending on their order; 0 only if there are none, or all are 0.
pub(crate) fn fingerprint(of: impl IntoIterator<Item = u64>) -> u64 {
    // Like FNV-1a, but over whole numbers.
    let mix = |all: Option<u64>, one: u64| {
        Some((all.unwrap_or(0xcbf2_9ce4_8422_2325) ^ one).wrapping_mul(0x0100_0000_01b3).max(1))
    };
    of.into_iter().filter(|one| *one != 0).fold(None, mix).unwrap_or(0)
}

impl FromIterator<(ObjectRef, ObjectVersion)> for Version {
    fn from_iter<I: IntoIterator<Item = (ObjectRef, ObjectVersion)>>(objects: I) -> Self {
        let objects: Arc<[_]> = objects.into_iter().collect();
        Self((!objects.is_empty()).then_some(objects))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.objects().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<(ObjectRef, ObjectVersion)>::deserialize(deserializer).map(Self::from_iter)
    }
}
