use super::{context::Context, memory::Memory};
use crate::{cache::Entry, replica_set::ReplicaSet};
use rollout_core::{
    Observed, Proceed, Range, Revision, RevisionSeen, Status,
    backend::{BackendError, StoreError, TrafficBackend},
    traffic::{ObjectRef, Version},
};
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::time::Instant;

/// What one turn has read, and what its writes are conditional on.
pub(super) struct Reading {
    pub(super) rollout: Entry,
    pub(super) sets: Vec<ReplicaSet>,
    pub(super) observed: Observed,
    /// The traffic objects' versions, chained with the turn's own writes.
    pub(super) traffic: Version,
    /// Why the traffic could not be read.
    pub(super) trouble: Option<Trouble>,
}

impl Reading {
    /// Only the Rollout and its ReplicaSets.
    pub(super) fn nothing(rollout: Entry, sets: Vec<ReplicaSet>) -> Self {
        Self { rollout, sets, observed: Observed::new(), traffic: Version::NONE, trouble: None }
    }

    /// Changes with every version of everything that was read.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.rollout.version.hash(&mut hasher);
        for set in &self.sets {
            (set.name(), &set.entry.version).hash(&mut hasher);
        }
        self.traffic.hash(&mut hasher);
        hasher.finish()
    }
}

/// Why the traffic could not be read.
pub(super) struct Trouble {
    pub(super) why: String,
    /// Whether it is for the user to mend it: an object that is missing, or makes no sense.
    pub(super) is_the_users: bool,
    /// The object that is not there.
    pub(super) missing: Option<ObjectRef>,
}

/// Reads everything around a rollout.
pub(super) async fn observe(
    context: &Context,
    memory: &mut Memory,
    rollout: Entry,
    mut sets: Vec<ReplicaSet>,
    status: &Status,
    backend: &dyn TrafficBackend,
    live: bool,
) -> Reading {
    let now = Instant::now();
    look_for_dark(context, memory, &mut sets, status, live).await;
    let revisions: Vec<_> = sets.iter().map(|set| revision_seen(memory, set, status, now)).collect();
    memory.counts.keep(&sets);
    let sum = |end: fn(&RevisionSeen) -> u32| revisions.iter().map(end).fold(0, u32::saturating_add);
    let users_own = Range::new(sum(|seen| seen.ready.lo()), sum(|seen| seen.ready.hi()));
    let names: Vec<Revision> =
        sets.iter().filter(|set| set.wanted > 0).map(|set| set.revision.clone()).collect();
    let mut observed = Observed::new().revisions(revisions).users_own(users_own).proceed(word(&rollout));
    let (mut traffic, mut trouble) = (Version::NONE, None);
    match backend.observe(&names).await {
        Ok(mut seen) => {
            memory.ages.fill(&mut seen, &sets, now);
            traffic.clone_from(&seen.version);
            observed = observed.traffic(seen);
        }
        Err(error) => trouble = Some(Trouble::of(&error)),
    }
    let nonces = observed.traffic.iter().flat_map(|seen| &seen.nonces).map(|nonce| &**nonce);
    let nonces: Vec<&str> = nonces.chain(sets.iter().filter_map(ReplicaSet::nonce)).collect();
    let held = memory.fence.holds();
    memory.fence.found(nonces.iter().copied().map(Some));
    if let (true, false, Some(ours)) = (held, memory.fence.holds(), memory.nonce.as_deref())
        && let Some(other) = nonces.iter().find(|nonce| **nonce != ours)
    {
        memory.rival.met(ours, other, now);
    }
    Reading { rollout, sets, observed, traffic, trouble }
}

/// A stable revision that shows no ready pod during an update is read live: only that can call it dark.
async fn look_for_dark(
    context: &Context,
    memory: &mut Memory,
    sets: &mut [ReplicaSet],
    status: &Status,
    live: bool,
) {
    let stable = if status.is_done() { None } else { status.stable.as_ref() };
    let set = sets.iter_mut().find(|set| Some(&set.revision) == stable && set.wanted > 0 && set.ready == 0);
    let Some(set) = set else { return memory.dark.end() };
    if live {
        return;
    }
    let object = set.object();
    let by = set.entry.owner().map(|(name, _)| (object.namespace.to_string(), name.to_owned()));
    match context.shelves.get_live(&object, by.as_ref()).await {
        Ok(entry) => {
            if let Some(read) = ReplicaSet::read(entry) {
                *set = read;
            }
        }
        Err(_) => memory.dark.end(),
    }
}

fn revision_seen(memory: &mut Memory, set: &ReplicaSet, status: &Status, now: Instant) -> RevisionSeen {
    let ready = memory.counts.range(set, set.ready);
    let available = memory.counts.range(set, set.available);
    let is_stable = !status.is_done() && status.stable.as_ref() == Some(&set.revision);
    let dark = (is_stable && ready.hi() == 0 && set.wanted > 0).then(|| memory.dark.read(set, now));
    RevisionSeen::new(set.revision.clone())
        .number(set.number)
        .wanted(set.wanted)
        .ready(ready)
        .available(available)
        .mark(set.mark)
        .dark(dark)
}

/// The annotation that holds a person's word that one wait may end.
pub(super) const PROCEED: &str = "rollout-core/proceed";

fn word(rollout: &Entry) -> Option<Proceed> {
    serde_json::from_str(rollout.annotation(PROCEED)?).ok()
}

impl Trouble {
    fn of(error: &BackendError) -> Self {
        let missing = if let BackendError::Store { error: StoreError::NotFound(object), .. } = error {
            Some(object.clone())
        } else {
            None
        };
        let is_the_users = missing.is_some() || matches!(error, BackendError::Edit { .. });
        Self { why: error.to_string(), is_the_users, missing }
    }
}
