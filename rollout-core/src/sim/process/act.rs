use super::{
    observe::{Versions, WorkloadRead},
    turn::Running,
};
use crate::{
    Action, Failure, Outcome, Status,
    sim::{
        Watcher, What, Writer,
        faults::{Fault, Late, LateWrite},
        mesh::{Mesh, MeshWrite},
        settings::ReadKind,
        world::World,
    },
};
use alloc::{string::String, sync::Arc};

/// One request of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Write<'a> {
    Fence(&'a str),
    Store(&'a Status),
    Act(&'a Action),
}

pub(super) type Answered = Result<Outcome, Failure>;

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Sends one request and returns the answer; `None` if the process died of it.
    pub(super) fn write(
        &mut self,
        by: Writer,
        versions: &mut Versions,
        write: Write<'_>,
    ) -> Option<Answered> {
        self.attempt(write);
        let unclear = || Err(Failure::Ambiguous(String::from("no answer")));
        let (took_effect, answer) = match self.next_fault() {
            None => self.perform(by, versions, write, usize::MAX),
            Some(Fault::Conflict) => (false, Err(Failure::Conflict)),
            Some(Fault::Refused) => (false, Err(Failure::Refused(String::from("refused by the world")))),
            Some(Fault::Ambiguous { took_effect: false }) => (false, unclear()),
            Some(Fault::Ambiguous { took_effect: true }) => {
                (self.perform(by, versions, write, usize::MAX).0, unclear())
            }
            Some(Fault::HalfWay { objects }) => {
                let (took_effect, answer) = self.perform(by, versions, write, objects);
                (took_effect, answer.and_then(|_| unclear()))
            }
            Some(Fault::Delayed { by: delay }) => {
                self.send_late(delay, by, versions, write);
                (false, unclear())
            }
            Some(Fault::Crash { before: true, late }) => {
                if let Some(late) = late {
                    self.send_late(late, by, versions, write);
                }
                self.process.dies_with = late;
                return None;
            }
            Some(Fault::Crash { before: false, late }) => {
                let (took_effect, _) = self.perform(by, versions, write, usize::MAX);
                self.show(by, write, took_effect, None);
                self.process.dies_with = late;
                return None;
            }
        };
        self.show(by, write, took_effect, Some(&answer));
        Some(answer)
    }

    /// Records the attempt: no later observation may be older.
    fn attempt(&mut self, write: Write<'_>) {
        let now = self.truth.now;
        let attempts = &mut self.process.wrote;
        match write {
            Write::Fence(_) => {
                for kind in [ReadKind::Workloads, ReadKind::Routes, ReadKind::Selectors] {
                    attempts.set(kind, now);
                }
            }
            Write::Store(_) => attempts.set(ReadKind::Rollout, now),
            Write::Act(Action::Scale { .. } | Action::Prune { .. }) => attempts.set(ReadKind::Workloads, now),
            // Runs are read live.
            Write::Act(Action::Run(_)) => {}
            Write::Act(Action::Select(_)) => attempts.set(ReadKind::Selectors, now),
            Write::Act(Action::Route(_)) => attempts.set(ReadKind::Routes, now),
        }
    }

    pub(super) fn show(
        &mut self,
        by: Writer,
        write: Write<'_>,
        took_effect: bool,
        answer: Option<&Answered>,
    ) {
        match write {
            Write::Fence(_) => self.see(What::Fenced { by, answer }),
            Write::Store(_) if took_effect => self.see(What::Stored { by }),
            Write::Store(_) => {}
            Write::Act(action) => self.see(What::Acted { by, action, took_effect, answer }),
        }
    }

    /// Carries out a request, on at most `most` traffic objects; returns whether anything changed, and the answer.
    pub(super) fn perform(
        &mut self,
        by: Writer,
        versions: &mut Versions,
        write: Write<'_>,
        most: usize,
    ) -> (bool, Answered) {
        match write {
            Write::Fence(nonce) => self.perform_fence(nonce, versions, most),
            Write::Store(status) => self.perform_store(versions, status),
            Write::Act(Action::Select(to)) => {
                self.tally.selects += 1;
                self.perform_traffic(versions, MeshWrite::Select(to), most)
            }
            Write::Act(Action::Route(to)) => {
                self.tally.routes += 1;
                self.perform_traffic(versions, MeshWrite::Route(to), most)
            }
            Write::Act(Action::Run(change)) => {
                let outcome = self.perform_run(change);
                (outcome == Outcome::Changed, Ok(outcome))
            }
            Write::Act(action @ (Action::Scale { .. } | Action::Prune { .. })) => {
                let answer = self.perform_workload(by, versions, action);
                (answer == Ok(Outcome::Changed), answer)
            }
        }
    }

    fn perform_traffic(
        &mut self,
        versions: &mut Versions,
        write: MeshWrite<'_>,
        most: usize,
    ) -> (bool, Answered) {
        let written = self.mesh.write(&mut self.truth.traffic, write, &versions.traffic, most);
        versions.traffic = written.version;
        if written.took_effect {
            self.send_objects();
        }
        (written.took_effect, written.answer)
    }

    fn perform_store(&mut self, versions: &mut Versions, status: &Status) -> (bool, Answered) {
        if versions.rollout != self.rollout_version {
            return (false, Err(Failure::Conflict));
        }
        self.tally.stores += 1;
        let roles = super::roles::roles(&self.truth.status);
        self.truth.status = status.clone();
        self.follow_roles(roles);
        self.truth.status_version += 1;
        self.rollout_version += 1;
        versions.rollout = self.rollout_version;
        self.changed(ReadKind::Rollout);
        (true, Ok(Outcome::Changed))
    }

    fn perform_fence(&mut self, nonce: &str, versions: &mut Versions, most: usize) -> (bool, Answered) {
        // Objects that could not be read cannot be fenced, and without a fence there are no actions.
        let unread = |read: usize, there: usize| read == 0 && there > 0;
        if unread(versions.traffic.objects().len(), self.truth.traffic.len())
            || unread(versions.workloads.len(), self.truth.workloads.len())
        {
            return (false, Err(Failure::Refused(String::from("not everything could be read"))));
        }
        self.tally.fences += 1;
        let nonce: Arc<str> = nonce.into();
        let mut took_effect = false;
        if !self.truth.traffic.is_empty() {
            let (traffic, answer) = self.perform_traffic(versions, MeshWrite::Fence(&nonce), most);
            took_effect |= traffic;
            if let Err(failure) = answer {
                return (took_effect, Err(failure));
            }
        }
        for WorkloadRead { revision, version, .. } in &mut versions.workloads {
            let stored = self.truth.workloads.iter_mut().find(|stored| stored.revision == *revision);
            let Some(stored) = stored.filter(|stored| stored.version == *version) else {
                return (took_effect, Err(Failure::Conflict));
            };
            stored.version += 1;
            stored.nonce = Some(Arc::clone(&nonce));
            *version = stored.version;
            took_effect = true;
        }
        self.changed(ReadKind::Workloads);
        (took_effect, Ok(Outcome::Changed))
    }

    fn perform_workload(&mut self, by: Writer, versions: &mut Versions, action: &Action) -> Answered {
        let (Action::Scale { revision, .. } | Action::Prune { revision }) = action else {
            return Ok(Outcome::Unchanged);
        };
        let known = versions.workloads.iter().position(|read| read.revision == *revision);
        let index = self.workload_index(revision);
        let there = index.and_then(|index| self.truth.workloads.get(index));
        let version = there.map(|workload| workload.version);
        if version != known.and_then(|known| versions.workloads.get(known)).map(|read| read.version) {
            return Err(Failure::Conflict);
        }
        match (action, there, index) {
            (Action::Scale { pods, scale_down_deadline, .. }, there, _) => {
                if there.is_some_and(|there| {
                    there.wanted == *pods && there.scale_down_deadline == *scale_down_deadline
                }) {
                    return Ok(Outcome::Unchanged);
                }
                self.tally.workload_writes += 1;
                let nonce = self.process.nonce_of(by);
                self.write_workload(revision, *pods, *scale_down_deadline, nonce.as_ref());
                let version = self.truth.workload(revision).map_or(0, |workload| workload.version);
                match known.and_then(|known| versions.workloads.get_mut(known)) {
                    Some(read) => read.version = version,
                    None => versions.workloads.push(WorkloadRead::written(revision, version)),
                }
                Ok(Outcome::Changed)
            }
            (_, Some(there), _) if there.wanted > 0 || !there.pods.is_empty() => {
                Err(Failure::Refused(String::from("it still has pods")))
            }
            (_, Some(_), Some(index)) => {
                self.tally.prunes += 1;
                versions.workloads.retain(|read| read.revision != *revision);
                self.delete_workload(index);
                Ok(Outcome::Changed)
            }
            _ => Ok(Outcome::Unchanged),
        }
    }

    fn send_late(&mut self, delay: core::time::Duration, by: Writer, versions: &Versions, write: Write<'_>) {
        let write = match write {
            Write::Fence(nonce) => LateWrite::Fence(nonce.into()),
            Write::Store(status) => LateWrite::Store(status.clone()),
            Write::Act(action) => LateWrite::Act(action.clone()),
        };
        self.schedule_late(
            delay,
            Late { by: Writer { late: true, ..by }, versions: versions.clone(), write },
        );
    }

    /// Ends the process; its writes in progress take effect late, each with the versions that it read.
    pub(super) fn die_at_work(&mut self, running: &Running) {
        let late = self.process.dies_with.take();
        if let Some(late) = late {
            let rest = running.turn.plan().actions.get(running.acted..).unwrap_or_default();
            for (nth, action) in (1_u32..).zip(rest) {
                self.send_late(
                    late + core::time::Duration::from_millis(10) * nth,
                    running.by,
                    &running.reading.versions,
                    Write::Act(action),
                );
            }
        }
        self.crash();
    }

    /// Carries out a late write, whose answer no process waits for.
    pub(in crate::sim) fn land(&mut self, index: usize) {
        let Some(Late { by, mut versions, write }) = self.late.get_mut(index).and_then(Option::take) else {
            return;
        };
        let write = match &write {
            LateWrite::Fence(nonce) => Write::Fence(nonce),
            LateWrite::Store(status) => Write::Store(status),
            LateWrite::Act(action) => Write::Act(action),
        };
        let (took_effect, _) = self.perform(by, &mut versions, write, usize::MAX);
        self.show(by, write, took_effect, None);
    }
}
