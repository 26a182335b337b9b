use crate::{
    Revision, Time,
    fleet::{Attempt, ClusterName, Inside, Mark, Policy, Progress, Release, Unreachable},
    sim::{Content, Truth},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

/// What the laws compare of one cluster, before and after a change.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Snapshot {
    /// True time.
    pub(super) now: Time,
    pub(super) replicas: u32,
    pub(super) progress: Option<Progress>,
    pub(super) stable: Option<Revision>,
    pub(super) canary: Option<Revision>,
    pub(super) step: u32,
    pub(super) is_aborted: bool,
    pub(super) promote_full: bool,
    /// Whether the earlier waves have let it begin.
    pub(super) begun: bool,
    pub(super) may_route: Option<u32>,
    pub(super) passed: Option<u32>,
    /// The highest weight of the canary in any object.
    pub(super) weight: u32,
    /// Whether a managed route sends requests to the canary in any object.
    pub(super) has_managed: bool,
    /// The number of pods that each revision wants.
    pub(super) wanted: Vec<(Revision, u32)>,
    pub(super) paused_at: Option<Time>,
}

impl Snapshot {
    pub(super) fn of(truth: &Truth) -> Self {
        let status = &truth.status;
        let member = status.fleet.as_deref();
        let routes = truth.traffic.iter().filter_map(|object| match &object.content {
            Content::Routes { routes, .. } => Some(routes),
            Content::Selectors { .. } => None,
        });
        Self {
            now: truth.now,
            replicas: truth.spec.replicas,
            progress: Progress::of(&truth.spec, status),
            stable: status.stable.clone(),
            canary: status.canary.clone(),
            step: status.step,
            is_aborted: status.aborted.is_some(),
            promote_full: status.promote_full,
            begun: member.is_some_and(|member| member.begun),
            may_route: member.and_then(|member| member.may_route),
            passed: member.and_then(|member| member.passed),
            weight: routes.clone().map(|routes| routes.weight.hi()).max().unwrap_or(0),
            has_managed: routes.clone().any(|routes| {
                let leads = |route: &crate::traffic::ManagedRoute| !route.is_mirror();
                routes.managed.iter().any(|managed| managed.route.as_deref().is_none_or(leads))
            }),
            wanted: truth.workloads.iter().map(|of| (of.revision.clone(), of.wanted)).collect(),
            paused_at: status.paused_at,
        }
    }

    /// Returns whether nothing but the time differs.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let Self {
            now: _, progress, stable, canary, step, is_aborted, promote_full, may_route, passed, ..
        } = self;
        *progress == other.progress
            && (stable, canary, step) == (&other.stable, &other.canary, &other.step)
            && (*is_aborted, *promote_full, self.begun) == (other.is_aborted, other.promote_full, other.begun)
            && (*may_route, *passed, self.paused_at) == (other.may_route, other.passed, other.paused_at)
            && (self.weight, self.has_managed) == (other.weight, other.has_managed)
            && (self.replicas, &self.wanted) == (other.replicas, &other.wanted)
    }

    pub(super) fn wants(&self, revision: &Revision) -> Option<u32> {
        self.wanted.iter().find(|(of, _)| of == revision).map(|(_, pods)| *pods)
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.stable.is_some() && self.stable != self.canary && !self.is_aborted
    }
}

/// What was true at some time: the furthest mark of each cluster in each attempt, and who was done.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) names: Vec<ClusterName>,
    last: Vec<Option<Snapshot>>,
    furthest: BTreeMap<(usize, Attempt, Revision), Vec<(Release, Mark)>>,
    done: BTreeMap<(usize, u32, Revision), Time>,
    failed: BTreeSet<(usize, Attempt, Revision)>,
    overridden: BTreeSet<(usize, Attempt, Revision)>,
    passed: BTreeMap<(usize, Attempt, Revision), u32>,
    /// Whether one cluster cannot read another now; by number, reader first.
    unreachable: BTreeSet<(usize, usize)>,
    unreachable_ever: BTreeSet<(usize, usize)>,
    waves: Vec<usize>,
    in_step: bool,
    tolerates: bool,
    unreachable_fails: bool,
}

impl Ledger {
    pub(super) fn new(names: Vec<ClusterName>, policy: &Policy) -> Self {
        let wave = |name: &ClusterName| policy.waves.iter().position(|wave| wave.contains(name)).unwrap_or(0);
        Self {
            last: vec![None; names.len()],
            furthest: BTreeMap::new(),
            done: BTreeMap::new(),
            failed: BTreeSet::new(),
            overridden: BTreeSet::new(),
            passed: BTreeMap::new(),
            unreachable: BTreeSet::new(),
            unreachable_ever: BTreeSet::new(),
            waves: names.iter().map(wave).collect(),
            in_step: policy.inside == Inside::LockStep,
            tolerates: policy.max_failures > 0,
            unreachable_fails: policy.unreachable != Unreachable::Hold,
            names,
        }
    }

    pub(super) fn last(&self, member: usize) -> Option<&Snapshot> {
        self.last.get(member)?.as_ref()
    }

    pub(super) fn remember(&mut self, member: usize, snapshot: Snapshot) {
        self.note(member, &snapshot);
        if let Some(last) = self.last.get_mut(member) {
            *last = Some(snapshot);
        }
    }

    /// Notes what is true now.
    pub(super) fn note(&mut self, member: usize, snapshot: &Snapshot) {
        let Some(progress) = &snapshot.progress else { return };
        let key = key(member, progress);
        let marks = self.furthest.entry(key.clone()).or_default();
        match marks.iter_mut().find(|(release, _)| *release == progress.release) {
            Some((_, mark)) => *mark = (*mark).max(progress.mark),
            None => marks.push((progress.release.clone(), progress.mark)),
        }
        if progress.mark == Mark::Done {
            self.done.entry(done_key(member, progress)).or_insert(snapshot.now);
        }
        if progress.failed {
            self.failed.insert(key.clone());
        }
        if snapshot.promote_full {
            self.overridden.insert(key.clone());
        }
        if let Some(passed) = snapshot.passed {
            let most = self.passed.entry(key).or_insert(passed);
            *most = (*most).max(passed);
        }
    }

    pub(super) fn hears(&mut self, to: usize, from: &ClusterName, is_unreachable: bool) {
        let Some(from) = self.names.iter().position(|name| name == from) else { return };
        if is_unreachable {
            self.unreachable.insert((to, from));
            self.unreachable_ever.insert((to, from));
        } else {
            self.unreachable.remove(&(to, from));
        }
    }

    pub(super) fn others(&self, member: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.names.len()).filter(move |other| *other != member)
    }

    /// The furthest mark that a cluster has ever had in the attempt of `progress`.
    pub(super) fn furthest(&self, member: usize, progress: &Progress) -> Mark {
        if self.is_done(member, progress) {
            return Mark::Done;
        }
        let marks = self.furthest.get(&key(member, progress)).map(Vec::as_slice).unwrap_or_default();
        let same = marks.iter().find(|(release, _)| *release == progress.release);
        same.map_or(Mark::Absent, |(_, mark)| *mark)
    }

    pub(super) fn is_done(&self, member: usize, progress: &Progress) -> bool {
        self.done_since(member, progress).is_some()
    }

    /// How many pods the user wanted when the cluster last changed.
    pub(super) fn replicas(&self, member: usize) -> u32 {
        self.last(member).map_or(0, |last| last.replicas)
    }

    /// When a cluster was first done with a revision.
    pub(super) fn done_since(&self, member: usize, progress: &Progress) -> Option<Time> {
        self.done.get(&done_key(member, progress)).copied()
    }

    /// Whether a cluster was ever done with a revision, in any attempt.
    pub(super) fn was_done(&self, member: usize, revision: &Revision) -> bool {
        self.done.keys().any(|(of, _, done)| *of == member && done == revision)
    }

    /// Whether a person has promoted the cluster in full in this attempt.
    pub(super) fn is_overridden(&self, member: usize, progress: &Progress) -> bool {
        self.overridden.contains(&key(member, progress))
    }

    /// Whether the policy may let a cluster go on without another one.
    pub(super) fn may_be_left(&self, member: usize, other: usize, progress: &Progress) -> bool {
        self.tolerates
            && (self.failed.contains(&key(other, progress))
                || self.unreachable_fails && self.unreachable_ever.contains(&(member, other)))
    }

    /// The clusters whose marks count for a cluster: those of its wave, if they go in step.
    pub(super) fn counted(&self, member: usize, progress: &Progress) -> Vec<usize> {
        let same = |other: &usize| self.waves.get(*other) == self.waves.get(member);
        let counts =
            |other: &usize| self.in_step && same(other) && !self.may_be_left(member, *other, progress);
        self.others(member).filter(counts).collect()
    }

    /// The clusters of the earlier waves that must be done.
    pub(super) fn earlier(&self, member: usize, progress: &Progress) -> Vec<usize> {
        let before = |other: &usize| self.waves.get(*other) < self.waves.get(member);
        self.others(member)
            .filter(before)
            .filter(|other| !self.may_be_left(member, *other, progress))
            .collect()
    }

    /// The last step that a person has ended in this attempt, in any cluster.
    pub(super) fn passed(&self, progress: &Progress) -> Option<u32> {
        (0..self.names.len()).filter_map(|member| self.passed.get(&key(member, progress)).copied()).max()
    }

    pub(super) fn is_cut_off(&self, member: usize) -> bool {
        self.others(member).all(|other| self.unreachable.contains(&(member, other)))
    }

    pub(super) fn name(&self, member: usize) -> &str {
        self.names.get(member).map(ClusterName::as_str).unwrap_or_default()
    }
}

fn key(member: usize, progress: &Progress) -> (usize, Attempt, Revision) {
    (member, progress.decision.attempt, progress.release.revision.clone())
}

fn done_key(member: usize, progress: &Progress) -> (usize, u32, Revision) {
    (member, progress.decision.attempt.release, progress.release.revision.clone())
}
