use super::{
    Content, TrafficObject, Watcher, What, mesh::Mesh, queue::Happening, settings::ReadKind, world::World,
};
use crate::{
    RevisionSeen, Time,
    traffic::{Seen, Settled},
};
use alloc::{sync::Arc, vec::Vec};

/// The hidden state of a traffic object, beside what the world shows of it.
#[derive(Debug, Clone)]
pub(super) struct Pipe {
    /// The last generation that was sent out.
    sent_generation: u64,
    /// The last write that watchers were notified of.
    told_write: u64,
    /// Contents that not every proxy has: their generations, times and contents.
    sent: Vec<(u64, Time, Content)>,
}

impl Pipe {
    pub(super) fn new(object: &TrafficObject) -> Self {
        Self { sent_generation: object.generation, told_write: object.write, sent: Vec::new() }
    }
}

impl Pipe {
    /// Iterates over the contents that not every proxy has.
    pub(super) fn contents(&mut self) -> impl Iterator<Item = &mut Content> {
        self.sent.iter_mut().map(|(.., content)| content)
    }
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Stops all deliveries to proxies until [`thaw`](Self::thaw).
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::waiting::{Settling, WaitReason};
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.freeze();
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(60))?;
    /// let waits = |reason: &WaitReason| matches!(reason, WaitReason::Settling { what: Settling::Selectors, .. });
    /// assert!(world.waiting().iter().any(|waiting| waits(&waiting.reason)), "{:?}", world.waiting());
    /// world.thaw();
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v2".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn freeze(&mut self) {
        self.frozen.fill(true);
    }

    /// Stops deliveries to one proxy, by index, until [`thaw`](Self::thaw).
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.freeze_proxy(1);
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(60))?;
    /// let waiting = world.waiting()[0].to_string();
    /// assert!(waiting.contains("proxy-2") && !waiting.contains("proxy-1"), "{waiting}");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn freeze_proxy(&mut self, proxy: usize) {
        if let Some(frozen) = self.frozen.get_mut(proxy) {
            *frozen = true;
        }
    }

    /// Resumes deliveries: proxies get what was held back, after the usual lag.
    ///
    /// See [`freeze`](Self::freeze) for an example.
    pub fn thaw(&mut self) {
        self.frozen.fill(false);
        for happening in core::mem::take(&mut self.parked) {
            let lag = self.settings.proxy_lag.draw(&mut self.random);
            self.queue.schedule(self.after(lag), happening);
        }
    }

    /// Sends out new contents of the traffic objects and notifies the watchers.
    pub(super) fn send_objects(&mut self) {
        for index in 0..self.pipes.len() {
            let (Some(object), Some(pipe)) = (self.truth.traffic.get(index), self.pipes.get_mut(index))
            else {
                continue;
            };
            if object.write == pipe.told_write {
                continue;
            }
            pipe.told_write = object.write;
            let kind = kind_of(&object.content);
            if object.generation != pipe.sent_generation {
                let generation = object.generation;
                pipe.sent_generation = generation;
                pipe.sent.push((generation, self.truth.now, object.content.clone()));
                for proxy in 0..self.truth.proxies.len() {
                    let lag = self.settings.proxy_lag.draw(&mut self.random);
                    let at = self.after(lag);
                    self.queue.schedule(at, Happening::Object { proxy, object: index, generation });
                }
            }
            self.changed(kind);
        }
    }

    pub(super) fn send_endpoints(&mut self, index: usize) {
        let (Some(workload), Some(shadow)) = (self.truth.workloads.get(index), self.shadows.get_mut(index))
        else {
            return;
        };
        let ready = workload.pods.iter().filter(|pod| pod.ready && pod.ends.is_none());
        let pods: Arc<[u64]> = ready.map(|pod| pod.id).collect();
        shadow.endpoints += 1;
        let (generation, workload) = (shadow.endpoints, shadow.id);
        shadow.sent.push((generation, self.truth.now, pods));
        for proxy in 0..self.truth.proxies.len() {
            let lag = self.settings.proxy_lag.draw(&mut self.random);
            let at = self.after(lag);
            self.queue.schedule(at, Happening::Endpoints { proxy, workload, generation });
        }
    }

    pub(super) fn deliver_object(
        &mut self,
        happening: Happening,
        proxy: usize,
        object: usize,
        generation: u64,
    ) {
        if self.frozen.get(proxy) == Some(&true) {
            self.parked.push(happening);
            return;
        }
        let Some(pipe) = self.pipes.get_mut(object) else { return };
        let Some((_, _, content)) = pipe.sent.iter().find(|(other, ..)| *other == generation) else { return };
        let copy = self.truth.proxies.get_mut(proxy).and_then(|proxy| proxy.objects.get_mut(object));
        let Some(copy) = copy.filter(|copy| copy.0 < generation) else { return };
        let from = core::mem::replace(copy, (generation, content.clone())).0;
        let everywhere =
            self.truth.proxies.iter().filter_map(|proxy| proxy.objects.get(object)).map(|copy| copy.0).min();
        pipe.sent.retain(|(other, ..)| everywhere.is_none_or(|everywhere| *other > everywhere));
        self.tally.deliveries += 1;
        self.requests.changed_at(proxy);
        self.see(What::DeliveredObject { proxy, object, from });
    }

    pub(super) fn deliver_endpoints(
        &mut self,
        happening: Happening,
        proxy: usize,
        workload: u64,
        generation: u64,
    ) {
        if self.frozen.get(proxy) == Some(&true) {
            self.parked.push(happening);
            return;
        }
        let Some(index) = self.shadows.iter().position(|shadow| shadow.id == workload) else { return };
        let (Some(shadow), Some(workload)) = (self.shadows.get_mut(index), self.truth.workloads.get(index))
        else {
            return;
        };
        let Some((_, _, pods)) = shadow.sent.iter().find(|(other, ..)| *other == generation) else { return };
        let copy = self.truth.proxies.get_mut(proxy).and_then(|proxy| proxy.endpoints.get_mut(index));
        let Some(copy) = copy.filter(|copy| copy.generation < generation) else { return };
        copy.generation = generation;
        copy.pods.clear();
        copy.pods.extend_from_slice(pods);
        let everywhere = self
            .truth
            .proxies
            .iter()
            .filter_map(|proxy| proxy.endpoints.get(index))
            .map(|copy| copy.generation);
        let everywhere = everywhere.min();
        shadow.sent.retain(|(other, ..)| everywhere.is_none_or(|everywhere| *other > everywhere));
        self.tally.deliveries += 1;
        let revision = workload.revision.clone();
        self.requests.changed_at(proxy);
        self.see(What::DeliveredEndpoints { proxy, revision: &revision });
    }

    /// Fills in whether every proxy has what was read; times are true times plus `offset`.
    pub(super) fn fill_settled(&self, seen: &mut Seen, revisions: &[RevisionSeen], offset: i64) {
        let mut routes = Settled::Yes;
        let mut selectors = Settled::Yes;
        for (index, (object, pipe)) in self.truth.traffic.iter().zip(&self.pipes).enumerate() {
            let at = seen.version.objects().get(index).filter(|(name, _)| *name == object.name);
            let read = at.map(|(_, version)| version).or_else(|| seen.version.of(&object.name));
            let Some(read) = read.map(|version| version.content) else { continue };
            let copies = self.truth.proxies.iter().filter_map(|proxy| proxy.objects.get(index));
            let settled = self.settled(copies.map(|copy| copy.0), read, offset, || {
                pipe.sent.iter().map(|(generation, at, _)| (*generation, *at))
            });
            let sum = match object.content {
                Content::Routes { .. } => &mut routes,
                Content::Selectors { .. } => &mut selectors,
            };
            *sum = core::mem::replace(sum, Settled::Yes).and(settled);
        }
        seen.routes_settled = routes;
        seen.selectors_settled = selectors;
        seen.endpoints.clear();
        for (at, RevisionSeen { revision, .. }) in revisions.iter().enumerate() {
            // Usually the lists are the same.
            let same = self.truth.workloads.get(at).is_some_and(|workload| workload.revision == *revision);
            let index = if same { Some(at) } else { self.workload_index(revision) };
            let settled = index.and_then(|index| self.shadows.get(index).map(|shadow| (index, shadow))).map(
                |(index, shadow)| {
                    let copies = self.truth.proxies.iter().filter_map(|proxy| proxy.endpoints.get(index));
                    self.settled(copies.map(|copy| copy.generation), shadow.endpoints, offset, || {
                        shadow.sent.iter().map(|(generation, at, _)| (*generation, *at))
                    })
                },
            );
            seen.endpoints.push((revision.clone(), settled.unwrap_or(Settled::Yes)));
        }
    }

    fn settled<S: Iterator<Item = (u64, Time)>>(
        &self,
        copies: impl Iterator<Item = u64> + Clone,
        read: u64,
        offset: i64,
        sent: impl Fn() -> S,
    ) -> Settled {
        if copies.clone().all(|copy| copy == read) {
            return Settled::Yes;
        }
        let mut since = self.truth.now;
        let mut behind = Vec::new();
        for (proxy, copy) in self.truth.proxies.iter().zip(copies) {
            if copy != read {
                behind.push(proxy.name.clone());
                let first = sent().find(|(generation, _)| *generation > copy).map(|(_, at)| at);
                since = first.map_or(since, |first| since.min(first));
            }
        }
        Settled::NotYet { since: Time::from_millis(since.as_millis().saturating_add(offset)), behind }
    }
}

pub(super) fn kind_of(content: &Content) -> ReadKind {
    match content {
        Content::Routes { .. } => ReadKind::Routes,
        Content::Selectors { .. } => ReadKind::Selectors,
    }
}
