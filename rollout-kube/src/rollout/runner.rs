mod metadata;
mod publishing;
mod restart;
mod status_writer;
mod workload;

use super::{
    act::{self, act},
    analysis,
    command::{self, Outstanding},
    context::Context,
    kube_events::Before,
    log,
    memory::RolloutMemory,
    observe::{self, Reading, Trouble},
    publish::KubeEvent,
    restart::Restart,
    store,
};
use crate::cache::{Entry, View};
pub(crate) use metadata::MetadataFailures;
pub(crate) use restart::RestartMemory;
use rollout_core::{
    Action, Answer, Command, CommandKind, Escaped, Event, Failure, Next, Outcome, Resume, Revision, Spec,
    Status, Time, Turn, Wake,
    backend::TrafficBackend,
    command::{Edit, Position},
};
use status_writer::{COUNTS_WAIT, NUMBER_WAITS, StatusWriter};
use std::time::Duration;
use tokio::time::Instant;
pub(crate) use workload::WorkloadScaling;

/// The pause before another look, in the cache, at missing or invalid objects, even if nothing changes.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The report of a conflict that repeats while nothing has changed.
const NO_CONFLICT: &str = "the API server reports a conflict, but no object has changed since the last turn: \
                           something else refuses the write";

/// Runs the turn of a rollout that was read: decides and carries out.
pub(super) struct TurnRunner<'w> {
    context: &'w Context,
    memory: &'w mut RolloutMemory,
    name: &'w str,
    reading: Reading,
    spec: Spec,
    backend: &'w dyn TrafficBackend,
    view: &'w View,
    target: Revision,
    edits: Vec<Edit>,
    outstanding: Outstanding,
    /// The events of the commands, to publish once their effect is stored.
    command_events: Vec<Event>,
    /// Until when missing objects have a grace period.
    grace: Option<Instant>,
    /// Whether this turn changed the pods of a ReplicaSet.
    has_scaled: bool,
    /// Why the spec is invalid. Then only the way back from an aborted update is carried out.
    invalid_spec: Option<String>,
}

impl<'w> TurnRunner<'w> {
    pub(super) fn new(
        context: &'w Context,
        memory: &'w mut RolloutMemory,
        name: &'w str,
        (reading, spec, target): (Reading, Spec, Revision),
        (backend, view): (&'w dyn TrafficBackend, &'w View),
    ) -> Self {
        let outstanding = Outstanding::default();
        Self {
            context,
            memory,
            name,
            reading,
            spec,
            backend,
            view,
            target,
            edits: Vec::new(),
            outstanding,
            command_events: Vec::new(),
            grace: None,
            has_scaled: false,
            invalid_spec: None,
        }
    }

    /// Marks the spec as invalid: then only an abort is accepted and carried out.
    pub(super) fn with_invalid_spec(mut self, why: Option<String>) -> Self {
        self.invalid_spec = why;
        self
    }

    /// Returns the reading as an error if there is nothing to do: the spec is invalid, and the update was not aborted.
    pub(super) fn or_held(self, status: &Status) -> Result<Self, Box<Reading>> {
        if self.invalid_spec.is_some() && status.aborted.is_none() {
            Err(Box::new(self.reading))
        } else {
            Ok(self)
        }
    }

    /// Applies commands from status patches and annotations.
    pub(super) fn apply_commands(&mut self, mut status: Status, requests: &[CommandKind]) -> Status {
        for kind in requests {
            let Some(at) = Position::of(&status) else { continue };
            if self.invalid_spec.is_some() && *kind != CommandKind::Abort {
                tracing::info!(rollout = self.name, command = %kind, why = "the spec is not valid", "rejected");
                continue;
            }
            let command = Command::new(*kind, at);
            match rollout_core::apply(
                &command,
                &self.spec,
                &status,
                &self.reading.observed,
                self.context.now(),
            ) {
                Answer::Accepted { status: next, edits, events } => {
                    tracing::info!(rollout = self.name, command = %kind, "accepted");
                    status = next;
                    self.edits.extend(edits);
                    self.command_events.extend(events);
                }
                Answer::Rejected(why) => {
                    tracing::info!(rollout = self.name, command = %kind, %why, "rejected");
                }
            }
        }
        if self.invalid_spec.is_none() || command::is_abort(&self.reading.rollout) {
            (status, self.outstanding) = command::take(&self.reading, &self.spec, status, self.context.now());
        }
        self.command_events.append(&mut self.outstanding.events);
        if self.command_events.iter().any(|event| matches!(event, Event::Aborted { .. })) {
            // Promoted and aborted between two turns: nothing was resumed.
            self.command_events.retain(|event| *event != Event::Resumed);
        }
        status
    }

    /// Decides and carries out.
    pub(super) async fn run(mut self, status: &Status) -> Option<Instant> {
        let at = self.context.now();
        let observed = &self.reading.observed;
        let turn = self.memory.driver.begin(&self.spec, status, observed, at);
        let mut turn = turn.after_commands(std::mem::take(&mut self.command_events));
        log::decision(self.memory, self.name, &self.spec, turn.plan(), &at.to_string());
        let who = (self.name, self.context.process.as_str());
        log::record(who, (&self.spec, status, observed, at), turn.plan());
        let on = self.reading.fingerprint();
        let restart = self.assess_restart(&turn.plan().status);
        let mut writer = StatusWriter::new(&turn, self.invalid());
        writer.plan.waiting.extend(self.hand_over(turn.plan(), at).map(|(waiting, _)| waiting));
        writer.restarted = if let Restart::Done(at) = &restart { Some(at.clone()) } else { None };
        writer.counts_as_done = !self.memory.driver.is_failing();
        if self.context.dry_run {
            return self.end(turn, at);
        }
        for event in self.memory.waits.due_events(&writer.plan.waiting, Instant::now()) {
            self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
        }
        // The future of a turn stays small.
        Box::pin(self.publish_copies()).await;
        loop {
            let result = match turn.next() {
                Next::Fence(nonce) => act::fence(self.context, nonce, &mut self.reading, self.backend).await,
                Next::Store(_) => self.store(&mut writer).await,
                Next::VerifyOwnership => self.verify(&mut writer).await,
                Next::Act(action) => self.carry_out(action, &mut writer).await,
                Next::Publish(events) => {
                    let before = std::mem::take(&mut writer.pods_before);
                    self.publish(events, status, &writer.plan.status, before);
                    Ok(Outcome::Unchanged)
                }
                Next::Report => self.report(&mut writer).await,
                Next::Done => break,
            };
            turn.done(result.map_err(|failure| self.classify(failure, on)));
        }
        if let Some(failure) = turn.failure() {
            if self.memory.refused.is_some() && matches!(failure, Failure::Refused(_)) {
                self.correct(&writer).await;
            }
            self.publish_failure(failure);
        } else if self.invalid_spec.is_none() {
            let metadata = self.write_metadata(&writer.plan.status).await;
            let restart = self.evict(restart).await;
            let workload = self.scale_workload(turn.plan(), at).await;
            return self.end(turn, at).into_iter().chain(metadata).chain(restart).chain(workload).min();
        }
        self.end(turn, at)
    }

    /// Turns a repeated conflict without any change into a refusal: observing again does not help.
    fn classify(&mut self, failure: Failure, on: u64) -> Failure {
        if failure == Failure::Conflict && self.memory.is_repeated_conflict(on) {
            return Failure::Refused(NO_CONFLICT.to_owned());
        }
        failure
    }

    /// Returns the user's error, if there is one; publishes it if it is new.
    fn invalid(&mut self) -> Option<String> {
        let is_missing = self.reading.trouble.as_ref().is_some_and(|trouble| trouble.missing.is_some());
        let was_reported = |trouble: &Trouble| store::reports_invalid(&self.reading, &trouble.why);
        let was_reported = self.reading.trouble.as_ref().is_some_and(was_reported);
        // Do not withdraw a reported error: another process's grace period for it is over.
        self.grace = self.memory.grace.until(is_missing, Instant::now()).filter(|_| !was_reported);
        self.publish_trouble();
        let trouble = self.reading.trouble.as_ref();
        let user_error = trouble.filter(|trouble| trouble.is_user_error && self.grace.is_none());
        self.invalid_spec.clone().or_else(|| user_error.map(|trouble| trouble.why.clone()))
    }

    /// Ends the turn; returns when the next one is due.
    fn end(&mut self, turn: Turn, at: Time) -> Option<Instant> {
        let elapsed = self.memory.elapsed();
        match self.memory.driver.end(turn, elapsed) {
            Resume::Now { .. } => Some(Instant::now()),
            Resume::After { delay, .. } => Some(Instant::now() + delay),
            Resume::At(wake) => self.at(Some(wake), at),
            Resume::OnChange => self.at(None, at),
        }
    }

    /// Reports why the turn stopped early.
    fn publish_failure(&mut self, failure: &Failure) {
        tracing::warn!(rollout = self.name, why = %Escaped(failure), "the turn stopped early");
        if let Failure::Refused(why) = failure {
            let note = format!("Reconciliation failed with error: {why}");
            self.publish_once(&KubeEvent::warning("ReconciliationError", note));
        }
    }

    /// Carries out one action. The writer collects the earlier pod count of each ReplicaSet that was written.
    async fn carry_out(&mut self, action: &Action, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        let was = self.pods_before(action);
        let (by, stable) = ((self.backend, self.view), writer.plan.status.stable.as_ref());
        let result =
            act(self.context, self.memory, &mut self.reading, by, (&self.target, stable), action).await;
        match &result {
            Ok(outcome) => {
                // No change, no event.
                self.has_scaled |= *outcome == Outcome::Changed && was.is_some();
                writer.pods_before.extend(was.filter(|_| *outcome == Outcome::Changed));
                self.memory.refused = None;
            }
            Err(Failure::Refused(why)) => self.publish_refusal(action, was, why),
            Err(Failure::Conflict | Failure::Ambiguous(_)) => {}
        }
        result
    }

    fn pods_before(&self, action: &Action) -> Option<Before> {
        let Action::Scale { revision, .. } = action else { return None };
        let set = self.reading.sets.iter().find(|set| set.revision == *revision);
        Some(set.map_or(Before::Absent, |set| Before::Pods(set.wanted)))
    }

    /// Converts a wake-up to the monotonic clock, and returns the earliest of all reasons for the next turn.
    fn at(&self, wake: Option<Wake>, now: Time) -> Option<Instant> {
        // A wait for proxies ends with a changed answer; this wake-up only keeps the query running.
        let wake = wake.map(|wake| Instant::now() + wake.at.since(now).max(Duration::from_millis(10)));
        let again = self.reading.trouble.as_ref();
        let again = again.map(|_| self.grace.unwrap_or_else(|| Instant::now() + LOOK_AGAIN));
        let counts = self.memory.counts_since.map(|since| since + COUNTS_WAIT);
        let number = self.memory.number_since.map(|since| since + NUMBER_WAITS);
        let waits = self.memory.waits.next().into_iter().chain(self.memory.display_rate.due());
        wake.into_iter().chain(again).chain(waits).chain(counts).chain(number).min()
    }
}

/// Returns whether a pod is neither finished nor being deleted.
fn runs(pod: &Entry) -> bool {
    let phase = pod.text("/status/phase");
    pod.text("/metadata/deletionTimestamp").is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}
