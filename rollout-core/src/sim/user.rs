use super::{Watcher, What, mesh::Mesh, settings::ReadKind, world::World};
use crate::{
    Answer, Command, CommandKind, Revision, Spec, Time,
    command::{Edit, Position},
};
use alloc::vec::Vec;

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Gives an operator's command for the current position of the rollout.
    pub fn command(&mut self, kind: CommandKind) -> Answer {
        let nothing = || Position::new(self.truth.spec.target.clone(), 0);
        let at = Position::of(&self.truth.status).unwrap_or_else(nothing);
        self.command_at(kind, at)
    }

    /// Gives an operator's command for an earlier position of the rollout.
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
    pub fn set_spec(&mut self, change: impl FnOnce(&mut Spec)) {
        change(&mut self.truth.spec);
        self.rollout_version += 1;
        self.changed(ReadKind::Rollout);
        self.see(What::SpecChanged);
    }

    /// Changes the user's manifest to another revision.
    pub fn update_to(&mut self, revision: impl Into<Revision>) {
        let revision = revision.into();
        self.set_spec(|spec| spec.target = revision);
    }

    /// Reapplies all the user's own traffic manifests, as GitOps does.
    pub fn reapply(&mut self) {
        (0..self.truth.traffic.len()).for_each(|object| self.reapply_object(object));
    }

    /// Reapplies the user's own manifest of one traffic object, by its index in
    /// [`Truth::traffic`](super::Truth::traffic).
    pub fn reapply_object(&mut self, object: usize) {
        self.mesh.reapply(&mut self.truth.traffic, object);
        self.foreign_write(object);
    }

    /// Removes the engine's annotations from one traffic object, by its index, as a foreign client does.
    pub fn strip_annotations(&mut self, object: usize) {
        self.mesh.strip(&mut self.truth.traffic, object);
        self.foreign_write(object);
    }

    /// Picks up writes that other worlds may have made to shared objects by `now`: proxies receive them, and the
    /// controller is notified. For Rollouts that share objects, each in its own world.
    ///
    /// Nothing in this world may be due before `now`.
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
