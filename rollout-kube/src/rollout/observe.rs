use super::{context::Context, memory::Memory, target};
use crate::{
    cache::{Entry, View},
    replica_set::ReplicaSet,
};
use rollout_core::{
    Gone, Observed, Proceed, Range, Revision, RevisionSeen, Status,
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
    (context, view): (&Context, &View),
    memory: &mut Memory,
    rollout: Entry,
    mut sets: Vec<ReplicaSet>,
    status: &Status,
    backend: &dyn TrafficBackend,
    live: bool,
) -> Reading {
    let now = Instant::now();
    let gone = look_for_dark((context, view), memory, &rollout, &mut sets, (status, live)).await;
    let revisions: Vec<_> = sets.iter().map(|set| revision_seen(memory, set, status, now)).collect();
    memory.counts.keep(&sets);
    let sum = |end: fn(&RevisionSeen) -> u32| revisions.iter().map(end).fold(0, u32::saturating_add);
    let users_own = Range::new(sum(|seen| seen.ready.lo()), sum(|seen| seen.ready.hi()));
    let names: Vec<Revision> =
        sets.iter().filter(|set| set.wanted > 0).map(|set| set.revision.clone()).collect();
    let observed = Observed::new().revisions(revisions).users_own(users_own).gone(gone);
    let mut observed = observed.proceed(word(&rollout));
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
    // A fence that did not come about may have met what an earlier process left; only a newer one is a rival.
    let tried = memory.tried.take();
    let ours = if held { memory.nonce.as_deref() } else { tried.as_deref() };
    // A nonce of our own process is a late write of ours.
    let process = |nonce: &str| nonce.rsplit_once('-').map_or(nonce, |(process, _)| process).to_owned();
    let is_rival = |ours: &str, nonce: &str| {
        let (ours, other) = (process(ours), process(nonce));
        if held { other != ours } else { other > ours }
    };
    if let (false, Some(ours)) = (memory.fence.holds(), ours)
        && let Some(other) = nonces.iter().find(|nonce| is_rival(ours, nonce))
    {
        memory.rival.met(ours, other, now);
    }
    Reading { rollout, sets, observed, traffic, trouble }
}

/// A stable revision that shows no ready pod during an update, or no ReplicaSet, is read live: only that can say
/// that it has none. Whether there is no ReplicaSet of it.
async fn look_for_dark(
    (context, view): (&Context, &View),
    memory: &mut Memory,
    rollout: &Entry,
    sets: &mut Vec<ReplicaSet>,
    (status, live): (&Status, bool),
) -> Option<Gone> {
    let Some(stable) = status.stable.as_ref().filter(|_| !status.is_done()) else {
        memory.dark.end();
        return None;
    };
    let is_there = |sets: &[ReplicaSet]| sets.iter().any(|set| set.revision == *stable);
    if !is_there(sets) && !live {
        let Ok(read) = target::replica_sets(view, rollout, true).await else {
            memory.dark.end();
            return None;
        };
        *sets = read;
    }
    if is_there(sets) {
        read_dark(context, memory, sets, stable, live).await;
        return None;
    }
    Some(Gone::new(stable.clone(), memory.dark.read_none(stable, Instant::now())))
}

async fn read_dark(
    context: &Context,
    memory: &mut Memory,
    sets: &mut [ReplicaSet],
    stable: &Revision,
    live: bool,
) {
    let set = sets.iter_mut().find(|set| set.revision == *stable && set.wanted > 0 && set.ready == 0);
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
