use super::{
    analysis::{self, RunsRead},
    context::Context,
    memory::RolloutMemory,
    target,
    workload_ref::ReferencedWorkload,
};
use crate::{
    cache::{Entry, View},
    replica_set::{self, ReplicaSet},
};
use rollout_core::{
    Escaped, Gone, Observed, Range, Revision, RevisionSeen, Spec, Status,
    backend::{BackendError, StoreError, TrafficBackend},
    command::Proceed,
    traffic::{ObjectRef, Version},
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};
use tokio::time::Instant;

/// What one turn has read, and the versions that its writes are conditional on.
pub(super) struct Reading {
    pub(super) rollout: Entry,
    pub(super) sets: Vec<ReplicaSet>,
    pub(super) observed: Observed,
    /// The traffic objects' versions, chained with the turn's own writes.
    pub(super) traffic: Version,
    /// Why the traffic could not be read.
    pub(super) trouble: Option<Trouble>,
    /// The object that holds the pod template, if that is not the Rollout.
    pub(super) workload: Option<ReferencedWorkload>,
    /// The runs of analyses; `None` if they could not be read, or if this controller does not run any.
    pub(super) runs: Option<RunsRead>,
}

impl Reading {
    /// Builds a reading of only the Rollout and its ReplicaSets.
    pub(super) fn without_traffic(rollout: Entry, sets: Vec<ReplicaSet>) -> Self {
        Self {
            rollout,
            sets,
            observed: Observed::new(),
            traffic: Version::NONE,
            trouble: None,
            workload: None,
            runs: None,
        }
    }

    /// Records the object that holds the pod template; the Rollout has that template already.
    pub(super) fn with_workload(mut self, workload: Option<ReferencedWorkload>) -> Self {
        self.workload = workload;
        self
    }

    /// Records the Rollout as it was written.
    pub(super) fn wrote(&mut self, rollout: Entry) {
        self.rollout = match &self.workload {
            Some(workload) => workload.give_template(rollout),
            None => rollout,
        };
    }

    /// Returns a hash of the versions of everything that was read.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.rollout.version.hash(&mut hasher);
        for set in &self.sets {
            (set.name(), &set.entry.version).hash(&mut hasher);
        }
        self.traffic.hash(&mut hasher);
        self.workload.as_ref().map(|workload| &workload.version).hash(&mut hasher);
        hasher.finish()
    }
}

/// Why the traffic could not be read.
pub(super) struct Trouble {
    pub(super) why: String,
    /// Whether the user must fix it: an object is missing or invalid.
    pub(super) is_user_error: bool,
    /// The missing object.
    pub(super) missing: Option<ObjectRef>,
}

/// Reads everything about a rollout.
pub(super) async fn observe(
    (context, view): (&Context, &View),
    memory: &mut RolloutMemory,
    rollout: Entry,
    mut sets: Vec<ReplicaSet>,
    (spec, status): (&Spec, &Status),
    backend: &dyn TrafficBackend,
    live: bool,
) -> Reading {
    let found = check_unavailable_stable((context, view), &rollout, &mut sets, (status, live)).await;
    let is_live = |set: &ReplicaSet| found == Found::ReadLive(set.revision.clone());
    let revisions: Vec<_> = sets.iter().map(|set| revision_seen(memory, set, is_live(set))).collect();
    memory.counts.keep(&sets);
    let sum = |end: fn(&RevisionSeen) -> u32| revisions.iter().map(end).fold(0, u32::saturating_add);
    let user_selector = Range::new(sum(|seen| seen.ready.lo()), sum(|seen| seen.ready.hi()));
    let names: Vec<Revision> =
        sets.iter().filter(|set| set.wanted > 0).map(|set| set.revision.clone()).collect();
    let gone = if let Found::Gone(stable) = found { Some(Gone::new(stable, Duration::ZERO)) } else { None };
    let observed = Observed::new().revisions(revisions).user_selector(user_selector).gone(gone);
    let mut observed = observed.proceed(proceed_override(&rollout));
    let (mut traffic, mut trouble) = (Version::NONE, None);
    match backend.observe(&names).await {
        Ok(seen) => {
            traffic.clone_from(&seen.version);
            observed = observed.traffic(seen);
        }
        Err(error) => trouble = Some(Trouble::of(&error)),
    }
    let runs = runs((context, view), &rollout, spec, live).await;
    if let Some(runs) = &runs {
        observed = observed.runs(runs.seen());
    }
    let elapsed = memory.elapsed();
    if let Some(rival) = memory.driver.see(&mut observed, elapsed) {
        memory.rivals.met(&rival.ours, &rival.other, Instant::now());
    }
    Reading { rollout, sets, observed, traffic, trouble, workload: None, runs }
}

/// Reads the runs of analyses. Without them, the decision holds what depends on them.
async fn runs(
    (context, view): (&Context, &View),
    rollout: &Entry,
    spec: &Spec,
    live: bool,
) -> Option<RunsRead> {
    if !context.runs_analyses {
        return None;
    }
    if spec.strategy.analyses().next().is_none() {
        return Some(analysis::left(view, rollout));
    }
    match analysis::read(view, rollout, live).await {
        Ok(runs) => Some(runs),
        Err(error) => {
            let (name, why) = (rollout.name(), Escaped(&error));
            tracing::warn!(rollout = name, %why, "the AnalysisRuns could not be read");
            None
        }
    }
}

/// The result of checking a stable revision that shows no ready pod during an update.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It has ready pods, wants none, or could not be read.
    Nothing,
    /// It was read live.
    ReadLive(Revision),
    /// A live read shows no ReplicaSet of it.
    Gone(Revision),
}

/// Reads a stable revision live if it shows no ready pod during an update, or no ReplicaSet: only a live read proves
/// that it has none.
async fn check_unavailable_stable(
    (context, view): (&Context, &View),
    rollout: &Entry,
    sets: &mut Vec<ReplicaSet>,
    (status, live): (&Status, bool),
) -> Found {
    let Some(stable) = status.stable.as_ref().filter(|_| !status.is_done()) else { return Found::Nothing };
    let exists = |sets: &[ReplicaSet]| sets.iter().any(|set| set.revision == *stable);
    if !exists(sets) && !live {
        let Ok(read) = target::replica_sets(view, rollout, true).await else { return Found::Nothing };
        *sets = read;
    }
    if exists(sets) {
        read_unavailable(context, sets, stable, live).await
    } else {
        Found::Gone(stable.clone())
    }
}

async fn read_unavailable(
    context: &Context,
    sets: &mut [ReplicaSet],
    stable: &Revision,
    live: bool,
) -> Found {
    let set = sets.iter_mut().find(|set| set.revision == *stable && set.wanted > 0 && set.ready == 0);
    let Some(set) = set else { return Found::Nothing };
    if live {
        return Found::ReadLive(stable.clone());
    }
    let object = set.object();
    let by = set.entry.owner().map(|(name, _)| (object.namespace.to_string(), name.to_owned()));
    let Ok(entry) = context.caches.get_live(&object, by.as_ref()).await else { return Found::Nothing };
    if let Some(read) = ReplicaSet::read(entry) {
        *set = read;
    }
    Found::ReadLive(stable.clone())
}

fn revision_seen(memory: &mut RolloutMemory, set: &ReplicaSet, is_live: bool) -> RevisionSeen {
    let ready = memory.counts.range(set, set.ready);
    let available = memory.counts.range(set, set.available);
    replica_set::revision_seen(set, (ready, available), is_live)
}

/// The annotation with an operator's `proceed` override.
pub(super) const PROCEED: &str = "rollout-core/proceed";

fn proceed_override(rollout: &Entry) -> Option<Proceed> {
    serde_json::from_str(rollout.annotation(PROCEED)?).ok()
}

impl Trouble {
    fn of(error: &BackendError) -> Self {
        let missing = if let BackendError::Store { error: StoreError::NotFound(object), .. } = error {
            Some(object.clone())
        } else {
            None
        };
        let is_user_error = missing.is_some() || matches!(error, BackendError::Edit { .. });
        Self { why: error.to_string(), is_user_error, missing }
    }
}
