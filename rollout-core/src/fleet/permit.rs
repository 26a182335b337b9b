use super::{
    Abort, ClusterName, ClusterSeen, ClusterWait, Inside, Mark, Need, Peers, Policy, Progress, Unreachable,
};
use crate::{
    Time,
    reconcile::guard::{Guard, off},
};
use alloc::vec::Vec;
use core::time::Duration;

/// How far a cluster may go. Nothing that it has already reached is ever taken back.
///
/// ```
/// use rollout_core::fleet::{Mark, Permit};
/// let alone = Permit::alone();
/// assert_eq!((alone.up_to, alone.lowest, alone.waiting), (Mark::Done, Mark::Done, None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permit {
    /// The furthest mark that it may reach.
    pub up_to: Mark,
    /// The mark of the other cluster that is furthest behind; [`Mark::Absent`] if one could not be read. Pods that a step
    /// no longer needs stay until every cluster has this step, and those of the old revision until every cluster is done:
    /// requests of any cluster may reach them.
    pub lowest: Mark,
    /// How long the clusters of the earlier waves must have been done before this one may begin; they are.
    pub soak: Duration,
    /// The cluster that holds this one back.
    pub waiting: Option<ClusterWait>,
    /// The cluster on whose account old pods stay; `None` if every other one is done.
    pub behind: Option<ClusterWait>,
    /// The cluster on whose account the pods of an aborted revision stay.
    pub holds_canary: Option<ClusterWait>,
    /// When a cluster that cannot be read counts as failed.
    pub decide_at: Option<Time>,
}

impl Permit {
    /// The permit of a cluster without others: everything.
    ///
    /// See [`Permit`] for an example.
    #[must_use]
    pub const fn alone() -> Self {
        Self {
            up_to: Mark::Done,
            lowest: Mark::Done,
            soak: Duration::ZERO,
            waiting: None,
            behind: None,
            holds_canary: None,
            decide_at: None,
        }
    }
}

/// Returns how far a cluster may go, from how far it is itself and what is known about the others.
///
/// A pure function, in time that grows with the number of clusters only. A cluster counts as far as it is with the same
/// release, by the same policy and in the same attempt. One that was seen done with the release counts in any retry of it, and
/// also when it cannot be read any more: that never becomes false. What else cannot be read counts as not begun.
///
/// - A wave may begin when every cluster of the earlier waves is done, but for those whose failure the policy tolerates.
/// - Inside a wave, in step: one mark further than the cluster that is furthest behind.
/// - Inside a wave, free: in the order of the list.
/// - If more clusters failed than tolerated, nobody goes further.
///
/// See [`fleet`](crate::fleet) for an example.
#[must_use]
pub fn permit(policy: &Policy, here: &Progress, peers: &Peers, now: Time) -> Permit {
    let mut permit = permit_at(policy, here, peers, now);
    if let Unreachable::CountAsFailed { after } = policy.unreachable {
        let unreachable = peers.readings.values().filter_map(|reading| reading.unreachable_since);
        let mut ends: Vec<Time> = unreachable.map(|since| since + after).filter(|at| *at > now).collect();
        ends.sort_unstable();
        permit.decide_at =
            ends.into_iter().find(|at| permit_at(policy, here, peers, *at).up_to > permit.up_to);
    }
    permit
}

fn permit_at(policy: &Policy, here: &Progress, peers: &Peers, now: Time) -> Permit {
    let mut permit = Permit::alone();
    let view = View { policy, here, peers, now };
    let mut failed = Failed { count: 0, last: None };
    for cluster in view.others() {
        if let Some(last) = view.failure(cluster) {
            failed.count += 1;
            failed.last = Some((cluster, last));
        }
        if view.mark(cluster) < permit.lowest {
            permit.lowest = view.mark(cluster);
            permit.behind = Some(view.wait(cluster, Need::Mark(Mark::Done)));
        }
        if permit.holds_canary.is_none() && view.holds_canary(cluster) {
            permit.holds_canary = Some(view.wait(cluster, Need::LetsGo));
        }
    }
    view.advance(&mut permit, &failed);
    permit
}

struct View<'a> {
    policy: &'a Policy,
    here: &'a Progress,
    peers: &'a Peers,
    now: Time,
}

struct Failed<'a> {
    count: u32,
    last: Option<(&'a ClusterName, ClusterSeen)>,
}

impl<'a> View<'a> {
    fn others(&self) -> impl Iterator<Item = &'a ClusterName> + Clone {
        let me = &self.peers.me;
        self.policy.clusters().filter(move |cluster| *cluster != me)
    }

    fn fresh(&self, cluster: &ClusterName) -> Option<&'a Progress> {
        self.peers.of(cluster)?.fresh()
    }

    fn is_alike(&self, progress: &Progress) -> bool {
        off(Guard::ReleasesApart)
            || progress.release == self.here.release && progress.policy == self.here.policy
    }

    /// How far a cluster is known to be in this attempt. That it is done stays true, even if it cannot be read any more.
    fn mark(&self, cluster: &ClusterName) -> Mark {
        let last = self.peers.of(cluster).and_then(|reading| reading.progress.as_ref());
        match last.filter(|progress| self.is_alike(progress)) {
            Some(progress) if progress.mark == Mark::Done && self.is_of_this_release(progress) => Mark::Done,
            Some(progress)
                if (self.fresh(cluster).is_some() || off(Guard::UnknownHolds))
                    && (progress.decision.attempt == self.here.decision.attempt
                        || off(Guard::AttemptsApart)) =>
            {
                progress.mark
            }
            None if off(Guard::UnknownHolds) => Mark::Done,
            _ => Mark::Absent,
        }
    }

    fn is_of_this_release(&self, progress: &Progress) -> bool {
        progress.decision.attempt.release == self.here.decision.attempt.release || off(Guard::AttemptsApart)
    }

    /// Returns how a cluster failed, if it is known to have failed in this attempt, or counts as failed.
    fn failure(&self, cluster: &ClusterName) -> Option<ClusterSeen> {
        let reading = self.peers.of(cluster)?;
        if let (Some(since), Unreachable::CountAsFailed { after }) =
            (reading.unreachable_since, self.policy.unreachable)
            && since + after <= self.now
        {
            return Some(self.seen(cluster));
        }
        let progress = reading.fresh().filter(|progress| self.is_alike(progress))?;
        let failed = progress.failed
            && progress.mark != Mark::Done
            && progress.decision.attempt == self.here.decision.attempt;
        failed.then_some(ClusterSeen::Failed(progress.mark))
    }

    /// Returns whether requests of a cluster may still reach the canary of this one, which was aborted.
    fn holds_canary(&self, cluster: &ClusterName) -> bool {
        let Some(progress) = self.fresh(cluster) else { return true };
        if progress.leads_to.as_ref() == Some(&self.here.release.revision) {
            return self.mark(cluster) != Mark::Done;
        }
        let goes_on = self.is_alike(progress)
            && progress.decision.attempt == self.here.decision.attempt
            && !progress.decision.abort;
        // With an abort that counts everywhere, it may have yet to see it.
        goes_on && progress.mark != Mark::Done && self.policy.abort == Abort::Everywhere
    }

    fn advance(&self, permit: &mut Permit, failed: &Failed<'_>) {
        let me = &self.peers.me;
        let hold = |permit: &mut Permit, up_to: Mark, waiting| {
            permit.up_to = up_to.max(self.here.mark);
            permit.waiting = Some(waiting);
        };
        if failed.count > self.policy.max_failures
            && let Some((cluster, seen)) = &failed.last
        {
            let waiting = ClusterWait::new((*cluster).clone(), Need::Works, seen.clone(), self.here.steps);
            return hold(permit, Mark::Absent, waiting);
        }
        let is_failed = |cluster: &&ClusterName| self.failure(cluster).is_some();
        let is_behind = |cluster: &&ClusterName| self.mark(cluster) != Mark::Done && !is_failed(cluster);
        let mut earlier = self.policy.waves.iter().take_while(|wave| !wave.contains(me));
        if let Some(behind) = earlier.find_map(|wave| wave.iter().find(is_behind)) {
            return hold(permit, Mark::Absent, self.wait(behind, Need::Mark(Mark::Done)));
        }
        let Some(position) = self.policy.waves.iter().position(|wave| wave.contains(me)) else {
            let waiting = ClusterWait::new(me.clone(), Need::IsNamed, ClusterSeen::NotNamed, self.here.steps);
            return hold(permit, Mark::Absent, waiting);
        };
        if position > 0 {
            permit.soak = self.policy.soak;
        }
        let wave = self.policy.waves.get(position).map(Vec::as_slice).unwrap_or_default();
        match self.policy.inside {
            Inside::LockStep => {
                let counted = wave.iter().filter(|cluster| *cluster != me && !is_failed(cluster));
                let last = if off(Guard::SlowestCounts) {
                    counted.max_by_key(|cluster| self.mark(cluster))
                } else {
                    counted.min_by_key(|cluster| self.mark(cluster))
                };
                let Some(last) = last else { return };
                let next = self.mark(last).next();
                if next < Mark::Done {
                    let need = Need::Mark(next.max(self.here.mark));
                    hold(permit, next, self.wait(last, need));
                }
            }
            Inside::Free => {
                let mut before = wave.iter().take_while(|cluster| *cluster != me).filter(is_behind);
                let tolerated = usize::try_from(self.policy.max_failures.saturating_sub(failed.count));
                if let Some(first) = before.nth(tolerated.unwrap_or(usize::MAX)) {
                    hold(permit, Mark::Absent, self.wait(first, Need::Mark(Mark::Done)));
                }
            }
        }
    }

    fn wait(&self, cluster: &ClusterName, need: Need) -> ClusterWait {
        ClusterWait::new(cluster.clone(), need, self.seen(cluster), self.here.steps)
    }

    fn seen(&self, cluster: &ClusterName) -> ClusterSeen {
        let reading = self.peers.of(cluster);
        let progress = reading.and_then(|reading| reading.progress.as_ref());
        if let Some(since) = reading.and_then(|reading| reading.unreachable_since) {
            let last = progress.filter(|progress| self.is_alike(progress)).map(|progress| progress.mark);
            return ClusterSeen::Unreachable { since, last };
        }
        let Some(progress) = progress else { return ClusterSeen::Never };
        if progress.release.revision != self.here.release.revision {
            ClusterSeen::Releases(progress.release.revision.clone())
        } else if progress.policy != self.here.policy {
            ClusterSeen::OtherPolicy
        } else if progress.release.steps != self.here.release.steps {
            ClusterSeen::OtherSteps
        } else if progress.mark == Mark::Done && self.is_of_this_release(progress) {
            ClusterSeen::At(Mark::Done)
        } else if progress.decision.attempt != self.here.decision.attempt {
            ClusterSeen::OtherAttempt(progress.decision.attempt)
        } else if progress.failed {
            ClusterSeen::Failed(progress.mark)
        } else {
            ClusterSeen::At(progress.mark)
        }
    }
}
