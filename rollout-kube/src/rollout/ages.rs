use crate::replica_set::ReplicaSet;
use rollout_core::{
    Revision,
    traffic::{ObjectRef, Seen, Settled},
};
use tokio::time::Instant;

/// Since when this process has seen what it sees, for a data plane that cannot be asked. By a clock that
/// only runs forward: a restart makes ages shorter and waits longer, never the other way round.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    objects: Vec<(ObjectRef, u64, Instant)>,
    pods: Vec<(Revision, [u64; 4], Instant)>,
}

impl Ages {
    /// Fills in the age of every answer that is unknown.
    pub(crate) fn fill(&mut self, seen: &mut Seen, sets: &[ReplicaSet], now: Instant) {
        self.note_objects(seen, now);
        self.note_pods(sets, now);
        let holds_selectors = |object: &ObjectRef| matches!(&*object.kind, "Service" | "DestinationRule");
        let youngest = |selectors: bool| {
            let part = self.objects.iter().filter(|(object, ..)| holds_selectors(object) == selectors);
            part.map(|(_, _, since)| *since).max().unwrap_or(now)
        };
        let (routes, selectors) = (youngest(false), youngest(true));
        set(&mut seen.routes_settled, routes, now);
        set(&mut seen.selectors_settled, selectors, now);
        for (revision, settled) in &mut seen.endpoints {
            let row = self.pods.iter().find(|(other, ..)| other == revision);
            set(settled, row.map_or(now, |(_, _, since)| *since), now);
        }
    }

    fn note_objects(&mut self, seen: &Seen, now: Instant) {
        self.objects.retain(|(object, ..)| seen.version.of(object).is_some());
        for (object, version) in seen.version.objects() {
            match self.objects.iter_mut().find(|(other, ..)| other == object) {
                Some((_, content, _)) if *content == version.content => {}
                Some(row) => (row.1, row.2) = (version.content, now),
                None => self.objects.push((object.clone(), version.content, now)),
            }
        }
    }

    fn note_pods(&mut self, sets: &[ReplicaSet], now: Instant) {
        self.pods.retain(|(revision, ..)| sets.iter().any(|set| set.revision == *revision));
        for set in sets {
            let shown = [set.counted, set.replicas.into(), set.ready.into(), set.available.into()];
            match self.pods.iter_mut().find(|(revision, ..)| *revision == set.revision) {
                Some((_, before, _)) if *before == shown => {}
                Some(row) => (row.1, row.2) = (shown, now),
                None => self.pods.push((set.revision.clone(), shown, now)),
            }
        }
    }
}

fn set(settled: &mut Settled, since: Instant, now: Instant) {
    if let Settled::Unknown { age } = settled {
        *age = now.saturating_duration_since(since);
    }
}
