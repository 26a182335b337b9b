use super::{Watcher, What, mesh::Mesh, settings::ReadKind, world::World};
use crate::{
    Answer, Command, CommandKind, Revision, Spec, Time,
    command::{Edit, Position},
    fleet::{ClusterName, Peers, Reading},
};
use alloc::vec::Vec;

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Gives an operator's command for the current position of the rollout.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Answer, CommandKind};
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(1))?;
    /// assert!(matches!(world.command(CommandKind::Abort), Answer::Accepted { .. }));
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v1".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn command(&mut self, kind: CommandKind) -> Answer {
        let nothing = || Position::new(self.truth.spec.target.clone(), 0);
        let at = Position::of(&self.truth.status).unwrap_or_else(nothing);
        self.command_at(kind, at)
    }

    /// Gives an operator's command for an earlier position of the rollout.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Answer, CommandKind, command::{Position, Rejection}};
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// let seen = Position::of(&world.truth().status).unwrap();
    /// world.update_to("v2");
    /// world.run_for(Duration::from_secs(1))?;
    /// assert_eq!(world.command_at(CommandKind::Abort, seen), Answer::Rejected(Rejection::Stale));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn command_at(&mut self, kind: CommandKind, at: Position) -> Answer {
        let command = Command::new(kind, at);
        let observed = self.observed();
        let now = self.process.clock(self.truth.now);
        let answer = crate::apply(&command, &self.truth.spec, &self.truth.status, &observed, now);
        if let Answer::Accepted { status, edits, .. } = &answer {
            if *status != self.truth.status {
                self.truth.status = status.clone();
                self.truth.status_version += 1;
            }
            for edit in edits {
                match edit {
                    Edit::Paused(paused) => self.truth.spec.paused = *paused,
                    Edit::Template(revision) => self.truth.spec.target = revision.clone(),
                    Edit::Proceed(proceed) => self.proceed = Some(proceed.clone()),
                }
            }
            self.rollout_version += 1;
            self.changed(ReadKind::Rollout);
        }
        self.tally.commands += 1;
        self.see(What::Commanded { command: &command, answer: &answer });
        answer
    }

    /// Changes the user's manifest: another revision, other steps, more or fewer replicas.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.set_spec(|spec| spec.replicas = 5);
    /// assert!(world.run_to_rest(Duration::from_secs(60))?);
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().ready(), 5);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn set_spec(&mut self, change: impl FnOnce(&mut Spec)) {
        change(&mut self.truth.spec);
        self.rollout_version += 1;
        self.changed(ReadKind::Rollout);
        self.see(What::SpecChanged);
    }

    /// Changes the user's manifest to another revision.
    ///
    /// See [`crash`](Self::crash) for an example.
    pub fn update_to(&mut self, revision: impl Into<Revision>) {
        let revision = revision.into();
        self.set_spec(|spec| spec.target = revision);
    }

    /// Makes the world one cluster of a fleet, which knows nothing about the others yet.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::fleet::{ClusterName, Policy, Reading};
    /// use rollout_core::{Spec, Step, Strategy, sim::Sim, waiting::WaitReason};
    /// let [a, b] = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
    /// let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// let mut spec = Spec::new(strategy, "v1".into());
    /// spec.fleet = Some(Policy::new([vec![a.clone(), b.clone()]]).into());
    /// let mut world = Sim::new(spec).build();
    /// world.join(a);
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_to_rest(Duration::from_secs(600))?;
    /// assert!(matches!(world.waiting()[0].reason, WaitReason::OtherCluster(_)));
    /// world.hear(b, Reading::default());
    /// assert!(!world.is_at_rest(), "the process has yet to decide about it");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn join(&mut self, me: ClusterName) {
        self.peers = Some(Peers::new(me));
        self.process.wake(self.truth.now);
    }

    /// Tells the process what is known now about another cluster of the fleet.
    ///
    /// See [`join`](Self::join) for an example.
    pub fn hear(&mut self, cluster: ClusterName, reading: Reading) {
        if let Some(peers) = &mut self.peers {
            let since = reading.unreachable_since.map(|since| self.process.clock(since));
            peers.readings.insert(cluster, Reading { unreachable_since: since, ..reading });
            self.rest_is_over();
            self.process.wake(self.truth.now);
        }
    }

    /// Reapplies all the user's own traffic manifests, as GitOps does.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Range;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.set_spec(|spec| {
    ///     let steps = [Step::SetWeight(50), Step::Pause(None)];
    ///     spec.strategy = Strategy::builder().traffic_routing(true).steps(steps).build().unwrap();
    /// });
    /// world.update_to("v2");
    /// world.run_to_rest(Duration::from_secs(600))?;
    /// let weight = |world: &mut rollout_core::sim::World<_>| world.observed().traffic.unwrap().weight();
    /// world.reapply();
    /// assert_eq!(weight(&mut world), Range::exact(0), "the manifest says nothing about a canary");
    /// world.run_to_rest(Duration::from_secs(600))?;
    /// assert_eq!(weight(&mut world), Range::exact(50), "the controller has written it again");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reapply(&mut self) {
        (0..self.truth.traffic.len()).for_each(|object| self.reapply_object(object));
    }

    /// Reapplies the user's own manifest of one traffic object, by its index in
    /// [`Truth::traffic`](super::Truth::traffic).
    ///
    /// See [`reapply`](Self::reapply) for an example with all objects.
    pub fn reapply_object(&mut self, object: usize) {
        self.mesh.reapply(&mut self.truth.traffic, object);
        self.foreign_write(object);
    }

    /// Removes the engine's annotations from one traffic object, by its index, as a foreign client does.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.strip_annotations(0);
    /// assert_eq!(world.truth().traffic[0].nonce, None);
    /// world.update_to("v2");
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// assert_eq!(world.truth().status.stable, Some("v2".into()), "the annotations are not what it depends on");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn strip_annotations(&mut self, object: usize) {
        self.mesh.strip(&mut self.truth.traffic, object);
        self.foreign_write(object);
    }

    /// Picks up writes that other worlds may have made to shared objects by `now`: proxies receive them, and the
    /// controller is notified. For Rollouts that share objects, each in its own world.
    ///
    /// Nothing in this world may be due before `now`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::{CoreMesh, SharedObjects};
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// let shared = SharedObjects::new(true, true);
    /// let world = || Sim::new(spec.clone()).build_with(CoreMesh::new().sharing(&shared), ());
    /// let (mut web, mut api) = (world(), world());
    /// web.run_for(Duration::from_secs(30))?;
    /// let before = api.truth().traffic[0].write;
    /// api.look_again(web.now());
    /// assert!(api.truth().traffic[0].write > before, "`web` has written the object that both share");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn look_again(&mut self, now: Time) {
        self.advance(now);
        let before: Vec<u64> = self.truth.traffic.iter().map(|object| object.write).collect();
        self.mesh.refresh(&mut self.truth.traffic);
        for (index, before) in before.into_iter().enumerate() {
            if self.truth.traffic.get(index).is_some_and(|object| object.write != before) {
                self.foreign_write(index);
            }
        }
    }

    /// Sets or removes a revision's scale-down deadline, as a foreign client does.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// let soon = Some(world.now() + Duration::from_secs(60));
    /// world.mark_by_hand(&"v1".into(), soon);
    /// assert_eq!(world.truth().workload(&"v1".into()).unwrap().scale_down_deadline, soon);
    /// assert!(world.run_to_rest(Duration::from_secs(600))?);
    /// let workload = world.truth().workload(&"v1".into()).unwrap();
    /// assert_eq!((workload.scale_down_deadline, workload.ready()), (None, 2), "stable must not lose its pods");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn mark_by_hand(&mut self, revision: &Revision, scale_down_deadline: Option<Time>) {
        let workload = self.truth.workloads.iter_mut().find(|workload| workload.revision == *revision);
        if let Some(workload) = workload {
            workload.scale_down_deadline = scale_down_deadline;
            workload.version += 1;
            self.changed(ReadKind::Workloads);
            self.see(What::SpecChanged);
        }
    }

    pub(super) fn foreign_write(&mut self, object: usize) {
        if object < self.truth.traffic.len() {
            self.send_objects();
            self.see(What::ForeignWrite { object });
        }
    }
}
