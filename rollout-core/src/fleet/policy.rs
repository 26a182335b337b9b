use super::ClusterName;
use alloc::{collections::BTreeSet, vec::Vec};
use core::{fmt, time::Duration};
use serde::{Deserialize, Serialize};

/// How the clusters of a fleet release together.
///
/// ```
/// use rollout_core::fleet::{ClusterName, Inside, Policy};
/// let [a, b, c] = ["a", "b", "c"].map(|name| ClusterName::new(name).unwrap());
/// let policy = Policy::new([vec![a], vec![b, c]]);
/// assert_eq!((policy.waves.len(), policy.inside, policy.mistakes()), (2, Inside::LockStep, vec![]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Policy {
    /// The clusters, in waves: a wave begins when the ones before it are done.
    pub waves: Vec<Vec<ClusterName>>,
    /// How the clusters of one wave go. Default: in step.
    pub inside: Inside,
    /// How long a wave waits after the one before it is done. Default no time.
    pub soak: Duration,
    /// How many clusters may fail before the others stop. Default 0.
    pub max_failures: u32,
    /// What a cluster counts as that cannot be read. Default: it is waited for.
    pub unreachable: Unreachable,
    /// Whether an abort in one cluster is one in all. Default: it is.
    pub abort: Abort,
    /// Whether a pause that a person ends in one cluster ends in all. Default: it does.
    pub follow: bool,
    /// Who writes the routes. Default: each cluster its own.
    pub traffic: Traffic,
}

/// How the clusters of one wave go.
///
/// ```
/// assert_eq!(serde_json::to_value(rollout_core::fleet::Inside::LockStep)?, "lockStep");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Inside {
    /// All at each step together: nobody routes a step before all have the pods for it.
    #[default]
    LockStep,
    /// Each by itself, in the order of the list: one begins when all before it are done, but for
    /// [`max_failures`](Policy::max_failures) of them.
    Free,
}

/// What a cluster counts as that cannot be read.
///
/// ```
/// use rollout_core::fleet::Unreachable;
/// assert_eq!(Unreachable::default(), Unreachable::Hold);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Unreachable {
    /// It is waited for.
    #[default]
    Hold,
    /// It counts as failed once it could not be read for this time.
    CountAsFailed {
        /// The time.
        after: Duration,
    },
}

/// Where an abort counts.
///
/// ```
/// use rollout_core::fleet::Abort;
/// assert_eq!(Abort::default(), Abort::Everywhere);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Abort {
    /// In every cluster that is not done.
    #[default]
    Everywhere,
    /// Only where it happened; it counts as a failure of that cluster.
    Here,
}

/// Who writes the routes.
///
/// ```
/// use rollout_core::fleet::Traffic;
/// assert_eq!(Traffic::default(), Traffic::Own);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Traffic {
    /// Each cluster its own.
    #[default]
    Own,
    /// One cluster writes the routes that the proxies of all clusters obey. The others only observe them.
    Shared {
        /// The cluster that writes.
        owner: ClusterName,
    },
}

/// A mistake in a policy.
///
/// ```
/// use rollout_core::fleet::{Policy, PolicyMistake};
/// let mistakes = Policy::new([]).mistakes();
/// assert_eq!(mistakes, [PolicyMistake::NoCluster]);
/// assert_eq!(mistakes[0].instead(), "name the clusters: `\"clusters\": [\"a\", \"b\"]`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyMistake {
    /// There is no cluster.
    NoCluster,
    /// A wave is empty; its index.
    EmptyWave(usize),
    /// A cluster is named twice.
    Twice(ClusterName),
    /// More clusters than a decision can be asked to look at.
    TooMany(usize),
    /// One route for all clusters, which do not go in step.
    SharedOutOfStep,
    /// The cluster that writes the routes is none of the clusters.
    UnknownOwner(ClusterName),
}

impl Policy {
    /// The maximum number of clusters.
    pub const MOST: usize = 64;

    /// Creates a policy with the defaults: all clusters of a wave in step, each with its own routes, an abort
    /// everywhere, no failure tolerated, and a cluster that cannot be read is waited for.
    ///
    /// See [`Policy`] for an example.
    #[must_use]
    pub fn new(waves: impl IntoIterator<Item = Vec<ClusterName>>) -> Self {
        Self {
            waves: waves.into_iter().collect(),
            inside: Inside::default(),
            soak: Duration::ZERO,
            max_failures: 0,
            unreachable: Unreachable::default(),
            abort: Abort::default(),
            follow: true,
            traffic: Traffic::default(),
        }
    }

    /// Returns all clusters, in their order.
    ///
    /// ```
    /// use rollout_core::fleet::{ClusterName, Policy};
    /// let [a, b] = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let policy = Policy::new([vec![b.clone()], vec![a.clone()]]);
    /// assert!(policy.clusters().eq([&b, &a]));
    /// ```
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterName> + Clone {
        self.waves.iter().flatten()
    }

    /// Returns the cluster that writes the routes of `cluster`, if it is another one.
    ///
    /// ```
    /// use rollout_core::fleet::{ClusterName, Policy, Traffic};
    /// let [a, b] = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut policy = Policy::new([vec![a.clone(), b.clone()]]);
    /// policy.traffic = Traffic::Shared { owner: a.clone() };
    /// assert_eq!((policy.owner(&a), policy.owner(&b)), (None, Some(&a)));
    /// ```
    #[must_use]
    pub fn owner(&self, cluster: &ClusterName) -> Option<&ClusterName> {
        match &self.traffic {
            Traffic::Shared { owner } => Some(owner).filter(|owner| *owner != cluster),
            Traffic::Own => None,
        }
    }

    /// Returns all mistakes; a policy without one can be followed.
    ///
    /// ```
    /// use rollout_core::fleet::{ClusterName, Policy, PolicyMistake, Traffic};
    /// let [a, b] = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let mut policy = Policy::new([vec![a.clone()], vec![b]]);
    /// policy.traffic = Traffic::Shared { owner: a };
    /// assert_eq!(policy.mistakes(), [PolicyMistake::SharedOutOfStep]);
    /// ```
    #[must_use]
    pub fn mistakes(&self) -> Vec<PolicyMistake> {
        let mut mistakes = Vec::new();
        let count = self.clusters().count();
        if count == 0 {
            mistakes.push(PolicyMistake::NoCluster);
        } else {
            let empty = self.waves.iter().enumerate().filter(|(_, wave)| wave.is_empty());
            mistakes.extend(empty.map(|(index, _)| PolicyMistake::EmptyWave(index)));
        }
        let mut seen = BTreeSet::new();
        let mut told = BTreeSet::new();
        for cluster in self.clusters() {
            if !seen.insert(cluster) && told.insert(cluster) {
                mistakes.push(PolicyMistake::Twice(cluster.clone()));
            }
        }
        if count > Self::MOST {
            mistakes.push(PolicyMistake::TooMany(count));
        }
        if let Traffic::Shared { owner } = &self.traffic {
            if self.waves.len() > 1 || self.inside != Inside::LockStep {
                mistakes.push(PolicyMistake::SharedOutOfStep);
            }
            if count > 0 && !seen.contains(owner) {
                mistakes.push(PolicyMistake::UnknownOwner(owner.clone()));
            }
        }
        mistakes
    }

    /// Returns a number that is the same for equal policies, and most likely another for others.
    ///
    /// ```
    /// use rollout_core::fleet::{ClusterName, Policy};
    /// let mut policy = Policy::new([vec![ClusterName::new("a").unwrap()]]);
    /// let before = policy.digest();
    /// policy.max_failures = 1;
    /// assert_ne!(policy.digest(), before);
    /// ```
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
        digest.mix(&[u8::from(self.inside == Inside::Free), u8::from(self.abort == Abort::Here)]);
        digest.mix(&[u8::from(self.follow)]);
        digest.mix(&self.soak.as_millis().to_le_bytes());
        digest.mix(&self.max_failures.to_le_bytes());
        if let Unreachable::CountAsFailed { after } = self.unreachable {
            digest.mix(&after.as_millis().to_le_bytes());
        }
        if let Traffic::Shared { owner } = &self.traffic {
            digest.mix(owner.as_str().as_bytes());
        }
        for wave in &self.waves {
            digest.mix(b";");
            for cluster in wave {
                digest.mix(cluster.as_str().as_bytes());
                digest.mix(b",");
            }
        }
        digest.0
    }
}

/// FNV-1a: the same in every build, unlike the standard library's hashes.
struct Fnv(u64);

impl Fnv {
    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl PolicyMistake {
    /// Returns what to write instead.
    ///
    /// See [`PolicyMistake`] for an example.
    #[must_use]
    pub const fn instead(&self) -> &'static str {
        match self {
            Self::NoCluster => "name the clusters: `\"clusters\": [\"a\", \"b\"]`",
            Self::EmptyWave(_) => "name the clusters of the wave, or remove it",
            Self::Twice(_) => "name each cluster once",
            Self::TooMany(_) => "name at most 64 clusters",
            Self::SharedOutOfStep => {
                "remove the waves and `\"inside\": \"free\"`, or give each cluster its own routes \
                 (`\"traffic\": \"own\"`), for example with `sourceLabels: {topology.istio.io/cluster: a}`"
            }
            Self::UnknownOwner(_) => "write the name of one of the clusters",
        }
    }
}

impl fmt::Display for PolicyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCluster => f.write_str("no cluster is named"),
            Self::EmptyWave(index) => write!(f, "wave {} has no cluster", index.saturating_add(1)),
            Self::Twice(cluster) => write!(f, "the cluster {cluster} is named twice"),
            Self::TooMany(count) => write!(f, "{count} clusters are named"),
            Self::SharedOutOfStep => f.write_str(
                "one route that all clusters obey cannot send 5 % of the requests in one cluster only, so they must \
                 all go in step",
            ),
            Self::UnknownOwner(owner) => write!(f, "the owner {owner} is none of the clusters"),
        }
    }
}
