use super::{
    Delay, Pod, ProxyEndpoints, SimulatedWorkload, Watcher, What, mesh::Mesh, queue::Happening,
    settings::ReadKind, world::World,
};
use crate::{Range, Revision, Time};
use alloc::{sync::Arc, vec::Vec};

/// The hidden state of a workload, beside what the world shows of it.
#[derive(Debug, Clone)]
pub(super) struct Shadow {
    /// Unique among all workloads ever created.
    pub(super) id: u64,
    /// The time until which the workload's status counts the pods before its last change.
    counts_at: Option<Time>,
    counted: Range,
    /// The number of changes of its endpoints.
    pub(super) endpoints: u64,
    /// Changes that not every proxy has: their numbers, times and contents.
    pub(super) sent: Vec<(u64, Time, Arc<[u64]>)>,
}

/// The readiness of new pods of one revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PodPlan {
    After(Delay),
    Never,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Makes new pods of a revision become ready after this time from now on.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.pods_ready_after(&"v2".into(), Duration::from_secs(90));
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(60))?;
    /// assert_eq!(world.truth().workload(&"v2".into()).unwrap().ready(), 0);
    /// world.run_for(Duration::from_secs(60))?;
    /// assert!(world.truth().workload(&"v2".into()).unwrap().ready() > 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn pods_ready_after(&mut self, revision: &Revision, delay: impl Into<Delay>) {
        self.plan(revision, PodPlan::After(delay.into()));
    }

    /// Prevents new pods of a revision from becoming ready from now on.
    ///
    /// See [`end_faults`](Self::end_faults) for an example.
    pub fn pods_never_ready(&mut self, revision: &Revision) {
        self.plan(revision, PodPlan::Never);
    }

    /// Makes all pods of a revision unready and prevents new ones from becoming ready, until [`heal_pods`].
    ///
    /// [`heal_pods`]: Self::heal_pods
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.break_pods(&"v1".into());
    /// world.run_for(Duration::from_secs(10))?;
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().ready(), 0);
    /// assert!(world.summary().requests.unserved > 0, "nothing else can serve them");
    /// world.heal_pods(&"v1".into());
    /// world.run_for(Duration::from_secs(10))?;
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().ready(), 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn break_pods(&mut self, revision: &Revision) {
        self.plan(revision, PodPlan::Never);
        self.change_pods(revision, |pods| pods.iter_mut().for_each(|pod| pod.ready = false));
    }

    /// Makes the pods of a revision ready again, as fast as new ones in this world.
    ///
    /// See [`break_pods`](Self::break_pods) for an example.
    pub fn heal_pods(&mut self, revision: &Revision) {
        self.plans.retain(|(other, _)| other != revision);
        let Some(index) = self.workload_index(revision) else { return };
        self.ripen(index, 0);
    }

    /// Removes the `n` oldest pods of a revision; the workload replaces them.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.lose_pods(&"v1".into(), 1);
    /// let ready = |world: &rollout_core::sim::World<_>| world.truth().workload(&"v1".into()).unwrap().ready();
    /// assert_eq!(ready(&world), 1);
    /// world.run_for(Duration::from_secs(10))?;
    /// assert_eq!(ready(&world), 2, "the workload has replaced it");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn lose_pods(&mut self, revision: &Revision, n: usize) {
        self.change_pods(revision, |pods| drop(pods.drain(..n.min(pods.len()))));
        if let Some(index) = self.workload_index(revision) {
            self.follow_wanted(index);
        }
    }

    /// Deletes a revision's workload, and with it its pods, as a foreign client does.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(6))?;
    /// world.lose_workload(&"v1".into());
    /// assert!(world.truth().workload(&"v1".into()).is_none());
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v2".into()), "there is no way back");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn lose_workload(&mut self, revision: &Revision) {
        self.change_pods(revision, Vec::clear);
        if let Some(index) = self.workload_index(revision) {
            self.delete_workload(index);
            self.requests.changed();
        }
    }

    /// Makes the `n` oldest ready pods of a revision unready for a while.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.unready_pods(&"v1".into(), 1);
    /// let workload = world.truth().workload(&"v1".into()).unwrap();
    /// assert_eq!((workload.ready(), workload.pods.len()), (1, 2), "it is still there");
    /// world.run_for(Duration::from_secs(10))?;
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().ready(), 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn unready_pods(&mut self, revision: &Revision, n: usize) {
        self.change_pods(revision, |pods| {
            pods.iter_mut().filter(|pod| pod.ready).take(n).for_each(|pod| pod.ready = false);
        });
        if let Some(index) = self.workload_index(revision) {
            self.ripen(index, 0);
        }
    }

    /// Makes pods, including broken ones, follow the world's settings from now on.
    pub(super) fn heal_all_pods(&mut self) {
        self.plans.clear();
        (0..self.shadows.len()).for_each(|index| self.ripen(index, 0));
    }

    fn plan(&mut self, revision: &Revision, plan: PodPlan) {
        self.plans.retain(|(other, _)| other != revision);
        self.plans.push((revision.clone(), plan));
    }

    fn change_pods(&mut self, revision: &Revision, change: impl FnOnce(&mut Vec<Pod>)) {
        let Some(index) = self.workload_index(revision) else { return };
        let Some(workload) = self.truth.workloads.get_mut(index) else { return };
        let before = workload.pods.iter().filter(|pod| pod.ready).count();
        change(&mut workload.pods);
        if workload.pods.iter().filter(|pod| pod.ready).count() != before {
            self.readiness_changed(index);
            self.see(What::PodLost(revision));
        }
    }

    pub(super) fn workload_index(&self, revision: &Revision) -> Option<usize> {
        self.truth.workloads.iter().position(|workload| workload.revision == *revision)
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        self.shadows.iter().position(|shadow| shadow.id == id)
    }

    /// Writes a workload's pod count and scale-down deadline; creates it if it is new. Pods follow.
    pub(super) fn write_workload(
        &mut self,
        revision: &Revision,
        wanted: u32,
        scale_down_deadline: Option<Time>,
        nonce: Option<&Arc<str>>,
    ) {
        let index = self.workload_index(revision).unwrap_or_else(|| self.create(revision, nonce));
        let Some(workload) = self.truth.workloads.get_mut(index) else { return };
        let resized = workload.wanted != wanted;
        workload.version += 1;
        workload.scale_down_deadline = scale_down_deadline;
        workload.wanted = wanted;
        if resized {
            self.counts_are_late(index);
            self.follow_wanted(index);
        }
        self.changed(ReadKind::Workloads);
    }

    fn create(&mut self, revision: &Revision, nonce: Option<&Arc<str>>) -> usize {
        let number = self.truth.workloads.iter().map(|workload| workload.number).max().unwrap_or(0) + 1;
        // As on an API server, a recreated workload never has a version of the old one.
        let first = self.tally.workloads << 32;
        self.truth.workloads.push(SimulatedWorkload {
            revision: revision.clone(),
            number,
            wanted: 0,
            scale_down_deadline: None,
            version: first,
            nonce: nonce.cloned(),
            pods: Vec::new(),
        });
        self.tally.workloads += 1;
        let id = self.tally.workloads;
        self.shadows.push(Shadow {
            id,
            counts_at: None,
            counted: Range::exact(0),
            endpoints: first,
            sent: Vec::new(),
        });
        for proxy in &mut self.truth.proxies {
            let endpoints =
                ProxyEndpoints { revision: revision.clone(), generation: first, pods: Vec::new() };
            proxy.endpoints.push(endpoints);
        }
        self.shadows.len() - 1
    }

    /// Deletes a workload and all its pods.
    pub(super) fn delete_workload(&mut self, index: usize) {
        let revision = self.truth.workloads.remove(index).revision;
        self.shadows.remove(index);
        for proxy in &mut self.truth.proxies {
            proxy.endpoints.retain(|endpoints| endpoints.revision != revision);
        }
        self.changed(ReadKind::Workloads);
    }

    fn counts_are_late(&mut self, index: usize) {
        let lag = self.settings.counts_lag;
        let (Some(shadow), Some(workload)) = (self.shadows.get_mut(index), self.truth.workloads.get(index))
        else {
            return;
        };
        if lag.is_zero() && shadow.counts_at.is_none() {
            return;
        }
        if shadow.counts_at.is_none() {
            shadow.counted = Range::exact(workload.counted());
        }
        // Down and up again within the lag: the count may be anything in between.
        shadow.counted = shadow.counted.union(Range::exact(workload.wanted));
        let at = self.truth.now + lag;
        shadow.counts_at = Some(at);
        self.queue.schedule(at, Happening::Counted { workload: shadow.id });
    }

    pub(super) fn counted(&mut self, id: u64) {
        let Some(index) = self.index_of(id) else { return };
        let now = self.truth.now;
        if let Some(shadow) = self.shadows.get_mut(index)
            && shadow.counts_at.is_some_and(|at| at <= now)
        {
            shadow.counts_at = None;
            self.changed(ReadKind::Workloads);
        }
    }

    /// Returns the count in the workload's own status: a range while it lags behind the wanted pods.
    pub(super) fn ready_as_counted(&self, index: usize) -> Range {
        let Some(workload) = self.truth.workloads.get(index) else { return Range::UNKNOWN };
        match self.shadows.get(index) {
            Some(Shadow { counts_at: Some(_), counted, .. }) => {
                counted.union(Range::exact(workload.counted()))
            }
            _ => Range::exact(workload.counted()),
        }
    }

    /// Returns how many of the pods that the workload's status counts as `ready` are available.
    pub(super) fn available_as_counted(&self, index: usize, ready: Range) -> Range {
        if self.settings.min_ready.is_zero() {
            return ready;
        }
        let Some(workload) = self.truth.workloads.get(index) else { return Range::UNKNOWN };
        let for_long = |pod: &&Pod| pod.since + self.settings.min_ready <= self.truth.now;
        let counted = workload.pods.iter().filter(|pod| pod.ready && pod.ends.is_none());
        let available = u32::try_from(counted.filter(for_long).count()).unwrap_or(u32::MAX);
        if ready.is_exact() {
            Range::exact(available)
        } else {
            Range::new(available.min(ready.lo()), ready.hi())
        }
    }

    /// Creates or ends pods until there are as many as wanted.
    fn follow_wanted(&mut self, index: usize) {
        let (now, ends) = (self.truth.now, self.settings.pods_end.draw(&mut self.random));
        let (at, mut made) = (self.after(ends), self.pods_made);
        let (Some(workload), Some(shadow)) = (self.truth.workloads.get_mut(index), self.shadows.get(index))
        else {
            return;
        };
        let there = workload.pods.iter().filter(|pod| pod.ends.is_none()).count();
        let wanted = usize::try_from(workload.wanted).unwrap_or(usize::MAX);
        if there < wanted {
            let first = made + 1;
            for _ in there..wanted {
                made += 1;
                workload.pods.push(Pod { id: made, ready: false, born: now, since: now, ends: None });
            }
            self.pods_made = made;
            self.ripen(index, first);
        } else if there > wanted {
            let too_many = there - wanted;
            // Unready pods first, then those that have been ready for less time, then the youngest: like Kubernetes.
            let mut victims: Vec<_> = workload.pods.iter_mut().filter(|pod| pod.ends.is_none()).collect();
            victims.sort_by_key(|pod| (pod.ready, core::cmp::Reverse((pod.since, pod.id))));
            for pod in victims.into_iter().take(too_many) {
                pod.ends = Some(if pod.ready { at } else { now });
            }
            let id = shadow.id;
            self.queue.schedule(now, Happening::PodsEnd { workload: id });
            self.queue.schedule(at, Happening::PodsEnd { workload: id });
            self.readiness_changed(index);
        }
    }

    /// Schedules when the unready pods, from the id `first` on, become ready, as planned.
    fn ripen(&mut self, index: usize, first: u64) {
        let Some(workload) = self.truth.workloads.get(index) else { return };
        let plan = self.plans.iter().find(|(revision, _)| *revision == workload.revision);
        let delay = match plan {
            Some((_, PodPlan::Never)) => return,
            Some((_, PodPlan::After(delay))) => *delay,
            None => self.settings.pods_ready,
        };
        let Some(id) = self.shadows.get(index).map(|shadow| shadow.id) else { return };
        let unripe = workload.pods.iter().filter(|pod| !pod.ready && pod.ends.is_none() && pod.id >= first);
        if delay == Delay::from(delay.longest()) {
            let (first, last) =
                unripe.fold((u64::MAX, 0), |(first, last), pod| (first.min(pod.id), last.max(pod.id)));
            if first <= last {
                let delay = delay.draw(&mut self.random);
                let at = self.after(delay);
                self.queue.schedule(at, Happening::PodsReady { workload: id, first, last });
            }
            return;
        }
        let now = self.truth.now.as_millis();
        for pod in unripe {
            let at = Time::from_millis(now.saturating_add(delay.draw(&mut self.random)));
            let one = Happening::PodsReady { workload: id, first: pod.id, last: pod.id };
            self.queue.schedule(at, one);
        }
    }

    pub(super) fn pods_ready(&mut self, id: u64, first: u64, last: u64) {
        let Some(index) = self.index_of(id) else { return };
        let Some(workload) = self.truth.workloads.get_mut(index) else { return };
        let broken = |(revision, plan): &(Revision, PodPlan)| {
            *revision == workload.revision && *plan == PodPlan::Never
        };
        if self.plans.iter().any(broken) {
            return;
        }
        let (mut any, now) = (false, self.truth.now);
        for pod in &mut workload.pods {
            if (first..=last).contains(&pod.id) && pod.ends.is_none() && !pod.ready {
                (pod.ready, pod.since) = (true, now);
                any = true;
            }
        }
        if any {
            let revision = workload.revision.clone();
            let min_ready = self.settings.min_ready;
            if !min_ready.is_zero() {
                self.queue.schedule(now + min_ready, Happening::PodsAvailable);
            }
            self.readiness_changed(index);
            self.see(What::PodReady(&revision));
        }
    }

    pub(super) fn pods_end(&mut self, id: u64) {
        let Some(index) = self.index_of(id) else { return };
        let now = self.truth.now;
        let Some(workload) = self.truth.workloads.get_mut(index) else { return };
        let before = workload.pods.len();
        workload.pods.retain(|pod| pod.ends.is_none_or(|at| at > now));
        if workload.pods.len() != before {
            let revision = workload.revision.clone();
            self.requests.changed();
            self.changed(ReadKind::Workloads);
            self.see(What::PodEnded(&revision));
        }
    }

    fn readiness_changed(&mut self, index: usize) {
        self.send_endpoints(index);
        self.requests.changed();
        self.changed(ReadKind::Workloads);
    }
}
