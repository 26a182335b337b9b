use super::{Attempt, ClusterName, Decision, Mark};
use crate::{Revision, Spec, Status, Time};
use alloc::{collections::BTreeMap, sync::Arc};
use serde::{Deserialize, Serialize};

/// What a cluster releases: which pods, by which steps. Clusters that release different things do not wait for each other
/// but hold.
///
/// ```
/// use rollout_core::fleet::Release;
/// let release = Release::new("5d96bf8bbd".into(), "6c5f".into());
/// assert_eq!(release.revision.as_str(), "5d96bf8bbd");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Release {
    /// The revision.
    pub revision: Revision,
    /// The hash of the list of steps.
    pub steps: Arc<str>,
}

impl Release {
    /// Creates the name of a release.
    #[must_use]
    pub fn new(revision: Revision, steps: Arc<str>) -> Self {
        Self { revision, steps }
    }
}

/// How far a cluster is, as the others read it. It follows from the stored [`Status`] alone.
///
/// ```
/// use rollout_core::fleet::{ClusterName, Mark, Member, Policy, Progress};
/// use rollout_core::{Spec, Status, Strategy};
/// let mut spec = Spec::new(Strategy::builder().build()?, "v2".into());
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// assert_eq!(Progress::of(&spec, &status), None, "a cluster alone");
/// spec.fleet = Some(Policy::new([vec![ClusterName::new("a").unwrap()]]).into());
/// let mut member = Member::default();
/// member.reached = Mark::Ready(0);
/// status.fleet = Some(Box::new(member));
/// let progress = Progress::of(&spec, &status).unwrap();
/// assert_eq!((progress.release.revision.as_str(), progress.mark), ("v2", Mark::Ready(0)));
/// let stored = serde_json::to_string(&progress)?;
/// assert_eq!(serde_json::from_str::<Progress>(&stored)?, progress, "for a transport that stores it apart");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Progress {
    /// What it releases, or has released last.
    pub release: Release,
    /// The number of its steps.
    pub steps: u32,
    /// The digest of its policy.
    pub policy: u64,
    /// How far it is.
    pub mark: Mark,
    /// What people have decided there.
    pub decision: Decision,
    /// Whether the release failed there: it was aborted, or its pods make no progress.
    pub failed: bool,
    /// The revision to which its routes may lead requests besides stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<Revision>,
}

impl Progress {
    /// Returns how far a cluster with this status is; `None` without a policy, or before anything was deployed.
    ///
    /// See [`Progress`] for an example.
    #[must_use]
    pub fn of(spec: &Spec, status: &Status) -> Option<Self> {
        let policy = spec.fleet.as_ref()?;
        let revision = status.canary.clone()?;
        let member = status.fleet.clone().unwrap_or_default();
        let late = status.progress.as_ref().is_some_and(|progress| progress.exceeded);
        Some(Self {
            // Edited steps are another release once this cluster has taken them over.
            release: Release::new(revision, status.step_hash.clone().unwrap_or_default()),
            steps: u32::try_from(spec.strategy.steps().len()).unwrap_or(u32::MAX),
            policy: policy.digest(),
            mark: member.reached,
            decision: member.decision(status.aborted.is_some()),
            failed: status.aborted.is_some() || late && !status.is_done(),
            leads_to: member.leads_to,
        })
    }
}

/// What is known about one other cluster.
///
/// ```
/// use rollout_core::{Time, fleet::Reading};
/// let reading = Reading::default().unreachable_since(Time::from_secs(60));
/// assert_eq!(reading.fresh(), None, "what cannot be read holds");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// What was read last; `None` if nothing was ever read, or there is no such Rollout.
    pub progress: Option<Progress>,
    /// Since when the cluster cannot be read, by the reader's clock; `None` if it can.
    pub unreachable_since: Option<Time>,
}

impl Reading {
    /// Creates a reading.
    ///
    /// ```
    /// use rollout_core::fleet::Reading;
    /// assert_eq!(Reading::new(None), Reading::default(), "it can be read, and there is no such Rollout");
    /// ```
    #[must_use]
    pub fn new(progress: Option<Progress>) -> Self {
        Self { progress, unreachable_since: None }
    }

    /// Marks the cluster as unreachable since `since`, by the reader's clock.
    ///
    /// See [`Reading`] for an example.
    #[must_use]
    pub fn unreachable_since(mut self, since: Time) -> Self {
        self.unreachable_since = Some(since);
        self
    }

    /// Returns what a decision may rest on.
    ///
    /// See [`Reading`] for an example.
    #[must_use]
    pub fn fresh(&self) -> Option<&Progress> {
        self.progress.as_ref().filter(|_| self.unreachable_since.is_none())
    }
}

/// What one cluster knows about the others of its fleet. A cluster without a reading could not be read.
///
/// ```
/// use rollout_core::fleet::{ClusterName, Peers, Reading};
/// let [a, b] = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
/// let peers = Peers::new(a).reading(b.clone(), Reading::default());
/// assert_eq!(peers.of(&b), Some(&Reading::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Peers {
    /// This cluster.
    pub me: ClusterName,
    /// The others.
    pub readings: BTreeMap<ClusterName, Reading>,
}

impl Peers {
    /// Creates the knowledge of a cluster that could read no other.
    ///
    /// See [`Peers`] for an example.
    #[must_use]
    pub fn new(me: ClusterName) -> Self {
        Self { me, readings: BTreeMap::new() }
    }

    /// Adds what is known about a cluster.
    ///
    /// See [`Peers`] for an example.
    #[must_use]
    pub fn reading(mut self, cluster: ClusterName, reading: Reading) -> Self {
        self.readings.insert(cluster, reading);
        self
    }

    /// Adds what was just read about a cluster.
    ///
    /// See [`fleet`](crate::fleet) for an example.
    #[must_use]
    pub fn read(self, cluster: ClusterName, progress: Progress) -> Self {
        self.reading(cluster, Reading::new(Some(progress)))
    }

    /// Returns what is known about a cluster.
    ///
    /// See [`Peers`] for an example.
    #[must_use]
    pub fn of(&self, cluster: &ClusterName) -> Option<&Reading> {
        self.readings.get(cluster)
    }

    /// Merges what people have decided about this release, here and in the clusters that can be read.
    pub(crate) fn decision(&self, here: &Progress) -> Decision {
        self.alike(here).fold(here.decision, |merged, (_, progress)| merged.join(progress.decision))
    }

    /// Returns a cluster that has aborted this attempt of the release.
    pub(crate) fn aborted_in<'p>(&'p self, here: &'p Progress, attempt: Attempt) -> Option<&'p ClusterName> {
        let aborted =
            |(_, progress): &(_, &Progress)| progress.decision.abort && progress.decision.attempt == attempt;
        self.alike(here).find(aborted).map(|(cluster, _)| cluster)
    }

    /// The clusters that can be read and have the same release by the same policy.
    fn alike<'p>(&'p self, here: &'p Progress) -> impl Iterator<Item = (&'p ClusterName, &'p Progress)> {
        let fresh = self.readings.iter().filter_map(|(cluster, reading)| Some((cluster, reading.fresh()?)));
        fresh.filter(|(_, progress)| progress.release == here.release && progress.policy == here.policy)
    }
}
