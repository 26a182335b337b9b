use super::{BackendError, Scale, StoreError, TrafficBackend, Workload, Workloads, Written};
use crate::{Action, Failure, Gone, Observed, Outcome, Range, Revision, Status, traffic::Version};
use alloc::vec::Vec;
use core::time::Duration;

/// The observation of one turn, and the versions that its writes depend on: the half of a loop that is independent of
/// the kinds of pods and traffic.
///
/// Read with [`take`](Self::take), let [`Driver::see`](crate::Driver::see) complete [`observed`](Self::observed), and
/// answer [`Next::Fence`](crate::Next::Fence) with [`fence`](Self::fence) and [`Next::Act`](crate::Next::Act) with
/// [`act`](Self::act). Your loop stores the status, publishes, and waits.
///
/// ```
/// # use rollout_core::async_trait::async_trait;
/// use rollout_core::backend::{MemoryStore, NoDataPlane, ObjectBackend, Reading, ServiceEditor, ready};
/// use rollout_core::{Action, Outcome, Status, traffic::{ObjectRef, Selection, Selectors}};
/// # use rollout_core::{Failure, backend::{Scale, StoreError, Workload, Workloads}};
/// # use serde_json::json;
/// # #[derive(Debug)]
/// # struct NoPods;
/// # #[async_trait]
/// # impl Workloads for NoPods {
/// #     async fn observe(&self) -> Result<Vec<Workload>, StoreError> { Ok(Vec::new()) }
/// #     async fn scale(&self, _: &Scale, _: &[Workload]) -> Result<Option<Workload>, Failure> { Ok(None) }
/// #     async fn delete(&self, _: &Workload) -> Result<(), Failure> { Ok(()) }
/// #     async fn fence(&self, _: &str, seen: &Workload) -> Result<Workload, Failure> { Ok(seen.clone()) }
/// # }
/// let store = MemoryStore::new();
/// let service = ObjectRef::new("", "Service", "shop", "web");
/// store.apply(&service, json!({"spec": {"selector": {"app": "web"}}}));
/// let traffic = ObjectBackend::new(ServiceEditor::new("shop", Some("web"), None), store, NoDataPlane);
///
/// let mut reading = ready(Reading::take(&traffic, &NoPods, &Status::default()))??;
/// assert_eq!(reading.observed.revisions.as_deref(), Some(&[][..]));
/// let to = Selectors { stable: Some(Selection::Revision("v1".into())), canary: None };
/// // The second write is conditional on the version that the first one returned.
/// assert_eq!(ready(reading.fence("me-1"))?, Ok(Outcome::Changed));
/// assert_eq!(ready(reading.act(&Action::Select(to), Some("me-1")))?, Ok(Outcome::Changed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reading<'r> {
    /// The observation that the engine decides on.
    pub observed: Observed,
    /// The reason why the traffic could not be read: the rollout holds. Report it to someone who can fix it.
    pub trouble: Option<BackendError>,
    traffic: &'r dyn TrafficBackend,
    workloads: &'r dyn Workloads,
    version: Version,
    seen: Vec<Workload>,
}

impl<'r> Reading<'r> {
    /// Reads the workloads, and then the traffic. `status` is the stored one; if the workload of its stable revision is
    /// missing, that is part of the observation.
    ///
    /// See [`Reading`] for an example.
    ///
    /// # Errors
    /// The workloads could not be read; [`Driver::failed`](crate::Driver::failed) says when to try again. Traffic that
    /// could not be read is not an error but [`trouble`](Self::trouble): pods can be decided without it.
    pub async fn take(
        traffic: &'r dyn TrafficBackend,
        workloads: &'r dyn Workloads,
        status: &Status,
    ) -> Result<Self, StoreError> {
        let seen = workloads.observe().await?;
        let revisions: Vec<_> = seen.iter().map(|workload| workload.seen.clone()).collect();
        let with_pods = revisions.iter().filter(|seen| seen.wanted > 0);
        let names: Vec<Revision> = with_pods.map(|seen| seen.revision.clone()).collect();
        let ready = revisions.iter().map(|seen| seen.ready).fold(Range::exact(0), |all, one| {
            Range::new(all.lo().saturating_add(one.lo()), all.hi().saturating_add(one.hi()))
        });
        let is_absent = |stable: &&Revision| !revisions.iter().any(|seen| seen.revision == **stable);
        let gone = status.stable.as_ref().filter(|_| !status.is_done()).filter(is_absent);
        let gone = gone.map(|stable| Gone::new(stable.clone(), Duration::ZERO));
        let observed = Observed::new().revisions(revisions).user_selector(ready).gone(gone);
        let mut reading = Self { observed, trouble: None, traffic, workloads, version: Version::NONE, seen };
        match traffic.observe(&names).await {
            Ok(seen) => {
                reading.version = seen.version.clone();
                reading.observed.traffic = Some(seen);
            }
            Err(error) => reading.trouble = Some(error),
        }
        Ok(reading)
    }

    /// Writes `nonce` into every object that decisions depend on.
    ///
    /// See [`Reading`] for an example.
    ///
    /// # Errors
    /// Some object may not have the nonce; pass the failure to [`Turn::done`](crate::Turn::done).
    pub async fn fence(&mut self, nonce: &str) -> Result<Outcome, Failure> {
        if self.observed.traffic.is_some() {
            let written = self.traffic.fence(nonce, &self.version).await;
            Written::chain(written, &mut self.version)?;
        }
        for workload in &mut self.seen {
            *workload = self.workloads.fence(nonce, workload).await?;
        }
        Ok(Outcome::Changed)
    }

    /// Carries out one action. `nonce` is that of the fence ([`Driver::nonce`](crate::Driver::nonce)).
    ///
    /// See [`Reading`] for an example.
    ///
    /// # Errors
    /// The action failed; pass the failure to [`Turn::done`](crate::Turn::done).
    pub async fn act(&mut self, action: &Action, nonce: Option<&str>) -> Result<Outcome, Failure> {
        match action {
            Action::Select(to) => {
                let written = self.traffic.select(to, &self.version).await;
                Written::chain(written, &mut self.version)
            }
            Action::Route(to) => {
                let written = self.traffic.route(to, &self.version).await;
                Written::chain(written, &mut self.version)
            }
            Action::Scale { revision, pods, scale_down_deadline } => {
                let to = Scale::new(revision.clone(), *pods)
                    .scale_down_deadline(*scale_down_deadline)
                    .nonce(nonce);
                let Some(now) = self.workloads.scale(&to, &self.seen).await? else {
                    return Ok(Outcome::Unchanged);
                };
                self.seen.retain(|workload| workload.seen.revision != *revision);
                self.seen.push(now);
                Ok(Outcome::Changed)
            }
            Action::Run(_) => Err(Failure::Refused("analyses are not driven by this loop".into())),
            Action::Prune { revision } => {
                let is_it = |workload: &Workload| workload.seen.revision == *revision;
                let Some(at) = self.seen.iter().position(is_it) else { return Ok(Outcome::Unchanged) };
                let workload = self.seen.swap_remove(at);
                self.workloads.delete(&workload).await.map(|()| Outcome::Changed)
            }
        }
    }
}
