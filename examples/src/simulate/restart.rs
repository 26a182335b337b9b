//! `restartAt`: pods that are older than that are evicted, a few at a time, as the controller does it.

use super::{happening::Kind, play::Play};
use rollout_core::{
    Revision, Time,
    argo::wire::IntOrText,
    conformance::{Fenceposts, fenceposts},
};
use serde_json::Value;

impl Play<'_> {
    /// When the next pods are to be evicted, if nothing else happens before.
    pub(super) fn restart_at(&self) -> Option<Time> {
        let asked = Time::parse_rfc3339(self.live.pointer("/spec/restartAt")?.as_str()?)?;
        let now = self.world.now();
        if asked > now {
            return Some(asked);
        }
        (!self.evictable(asked).is_empty()).then_some(now)
    }

    /// Evicts as many pods of each revision as may be unavailable.
    pub(super) fn restart(&mut self) {
        let text = self.live.pointer("/spec/restartAt").and_then(Value::as_str);
        let Some(asked) = text.and_then(Time::parse_rfc3339) else { return };
        for (revision, pods) in self.evictable(asked) {
            self.note(Kind::Evicted { revision: revision.clone(), pods });
            self.world.lose_pods(&revision, usize::try_from(pods).unwrap_or(usize::MAX));
        }
    }

    /// Of which revisions some pods are older, and how many of those may go now. Those that are lost first are the
    /// oldest.
    fn evictable(&self, asked: Time) -> Vec<(Revision, u32)> {
        let workloads = self.world.truth().workloads.iter().filter(|workload| workload.wanted > 0);
        let may_go = |wanted: u32, ready: u32| (ready + self.unavailable(wanted)).saturating_sub(wanted);
        let some = workloads.map(|workload| {
            let old = workload.pods.iter().filter(|pod| pod.born < asked && pod.ends.is_none()).count();
            let pods = may_go(workload.wanted, workload.ready()).min(u32::try_from(old).unwrap_or(u32::MAX));
            (workload.revision.clone(), pods)
        });
        some.filter(|(_, pods)| *pods > 0).collect()
    }

    /// How many of so many pods may be unavailable: at least one, or a restart would never begin.
    fn unavailable(&self, pods: u32) -> u32 {
        let field = |name: &str| {
            let value = self.live.pointer("/spec/strategy/canary")?.get(name)?;
            IntOrText::from_value(value).ok()
        };
        let Fenceposts { unavailable, .. } =
            fenceposts(pods, field("maxSurge").as_ref(), field("maxUnavailable").as_ref());
        unavailable.max(1)
    }
}
