//! Writes to the Rollout itself: its status, the answers to commands, and other fields that clients read.

use super::{Before, KubeEvent, TurnRunner, analysis, observe, store};
use rollout_core::{
    Failure, Outcome, Plan, Store, Turn,
    analysis::{RunSeen, current_runs},
    argo::read_status,
    command::Edit,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Changed counts are stored after this long, unless another change takes them along earlier.
pub(super) const COUNTS_WAIT: Duration = Duration::from_secs(5);

/// The Rollout's revision number is written after this long, unless another write takes it along earlier.
pub(super) const NUMBER_WAITS: Duration = Duration::from_secs(30);

/// What one turn writes to the Rollout, and what it has written.
pub(super) struct StatusWriter {
    pub(super) plan: Plan,
    urgency: Store,
    /// The user's error.
    invalid: Option<String>,
    /// Whether to show planned actions as done: not after a failure.
    pub(super) counts_as_done: bool,
    /// The time of a restart that is over.
    pub(super) restarted: Option<String>,
    /// Whether the status of this turn is stored.
    is_stored: bool,
    /// The earlier pod count of each ReplicaSet that was written.
    pub(super) pods_before: Vec<Before>,
}

impl StatusWriter {
    pub(super) fn new(turn: &Turn, invalid: Option<String>) -> Self {
        let (plan, urgency) = (turn.plan().clone(), turn.store());
        Self {
            plan,
            urgency,
            invalid,
            counts_as_done: true,
            restarted: None,
            is_stored: false,
            pods_before: Vec::new(),
        }
    }
}

impl TurnRunner<'_> {
    /// Builds the whole status on the wire.
    fn wire(&self, writer: &StatusWriter) -> Value {
        let plan = &writer.plan;
        let refused = self.memory.refused.as_ref().map(|(revision, why)| (revision, why.as_str()));
        let actions = if writer.counts_as_done { plan.actions.as_slice() } else { &[] };
        let restarted = writer.restarted.as_deref();
        let decided =
            store::Decided { status: &plan.status, actions, waiting: &plan.waiting, refused, restarted };
        let (spec, invalid) = (Some(&self.spec), writer.invalid.as_deref());
        let mut wire = store::wire(&self.reading, spec, &decided, invalid, self.context.now());
        self.outstanding.remember(&mut wire);
        wire
    }

    /// Stores a status, and tells what it shows of the runs of analyses.
    async fn put(&mut self, wire: &Value) -> Result<Outcome, Failure> {
        let before = self.reading.rollout.value.get("status").unwrap_or(&Value::Null);
        let events = analysis::events(before, wire, self.judged(before));
        let stored = store::put(self.context, &mut self.reading, wire).await?;
        for event in events {
            self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
        }
        Ok(stored)
    }

    /// Returns the runs of the position that this status says.
    fn judged(&self, status: &Value) -> [Option<&RunSeen>; 2] {
        let observed = &self.reading.observed;
        if observed.runs.as_ref().is_none_or(Vec::is_empty) {
            return [None, None];
        }
        let Ok(read) = read_status(status) else { return [None, None] };
        current_runs(&self.spec, &read.status, observed, self.context.now()).unwrap_or_default()
    }

    /// Stores the status, unless it may wait for the report, or longer.
    pub(super) async fn store(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        match writer.urgency {
            Store::WithNext if writer.plan.actions.is_empty() => Ok(Outcome::Unchanged),
            Store::WithNext | Store::No => self.verify(writer).await,
            Store::Now => {
                let wire = self.wire(writer);
                let stored = self.put(&wire).await;
                writer.is_stored = stored.is_ok();
                stored
            }
        }
    }

    /// Verifies that no other process works on the Rollout. Any write proves that the Rollout is unchanged: that of its
    /// revision number (counts then wait a little longer), or of its status, changed or not.
    pub(super) async fn verify(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        let wire = self.wire(writer);
        let number = store::number(&self.reading, &writer.plan.status);
        if let Some(number) = number.filter(|_| store::only_counts(&self.reading, &wire)) {
            self.memory.counts_since = Some(Instant::now());
            let written = store::merge(self.context, &mut self.reading, &number.patch).await;
            return written.map(|()| Outcome::Unchanged);
        }
        let stored = self.put(&wire).await;
        writer.is_stored = stored.is_ok();
        stored
    }

    /// Corrects the stored status after a planned action failed. If that fails, too, the next turn corrects it.
    pub(super) async fn correct(&mut self, writer: &StatusWriter) {
        let wire = self.wire(writer);
        if !store::is_stored(&self.reading, &wire) {
            drop(self.put(&wire).await);
        }
    }

    /// Makes the remaining writes after all actions succeeded: changed counts, answers to commands, and fields that
    /// clients read in the Rollout.
    pub(super) async fn report(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        if self.reading.trouble.is_none() && self.invalid_spec.is_none() {
            self.memory.troubles.clear();
        }
        self.memory.display_rate.clear_pending();
        let wire = self.wire(writer);
        let mut outcome = self.report_counts(writer, &wire).await?;
        outcome = outcome.or(self.answer().await?);
        if let Some(changes) = store::refresh(&self.reading, &writer.plan.status) {
            // A process that sees an older template would number another revision, and the two would alternate
            // forever.
            if !writer.is_stored {
                self.put(&wire).await?;
            }
            store::set(self.context, &mut self.reading, changes).await?;
        }
        outcome = outcome.or(self.report_number(writer).await?);
        self.memory.conflict_on = None;
        Ok(outcome)
    }

    /// Stores the status if changed counts have waited long enough, or if more than counts changed.
    async fn report_counts(&mut self, writer: &mut StatusWriter, wire: &Value) -> Result<Outcome, Failure> {
        if writer.is_stored || store::is_stored(&self.reading, wire) {
            self.memory.counts_since = None;
            return Ok(Outcome::Unchanged);
        }
        if !self.is_due(writer, wire) {
            return Ok(Outcome::Unchanged);
        }
        self.memory.counts_since = None;
        self.put(wire).await?;
        writer.is_stored = true;
        Ok(Outcome::Changed)
    }

    /// Returns whether a status that differs from the stored one must be stored now.
    fn is_due(&mut self, writer: &StatusWriter, wire: &Value) -> bool {
        if !store::only_counts(&self.reading, wire) {
            // The counts are stored with it.
            self.memory.counts_since = None;
            // Only what is waited for may depend on what a process remembers: without it, all processes agree.
            let is_remembered = writer.plan.waiting.iter().any(|waiting| waiting.reason.is_news());
            return !is_remembered || self.memory.display_rate.allows(Instant::now());
        }
        let since = *self.memory.counts_since.get_or_insert_with(Instant::now);
        since.elapsed() >= COUNTS_WAIT
    }

    /// Writes the changes of accepted commands to the Rollout, and the receipt of a command in an annotation.
    async fn answer(&mut self) -> Result<Outcome, Failure> {
        let edits = std::mem::take(&mut self.edits).into_iter().filter_map(|edit| match edit {
            Edit::Paused(paused) => Some(json!({"spec": {"paused": paused}})),
            Edit::Proceed(proceed) => {
                let text = serde_json::to_string(&proceed).unwrap_or_default();
                Some(json!({"metadata": {"annotations": {observe::PROCEED: text}}}))
            }
            // No client requests this by a status patch: they write the template themselves.
            Edit::Template(_) => None,
        });
        let mut outcome = Outcome::Unchanged;
        for patch in edits.collect::<Vec<_>>() {
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        // First: the receipt says that all is done.
        if let Some((workload, patch)) = self.outstanding.workload_patch(&self.reading) {
            match self.write_workload(&workload, &patch).await {
                Ok(()) => outcome = Outcome::Changed,
                Err(Failure::Refused(why)) => {
                    // The command stays unanswered, and is tried again in a later turn. Nothing else waits for it.
                    let note = format!("{workload}: the template could not be changed: {why}");
                    self.publish_once(&KubeEvent::warning("CommandError", note));
                    return Ok(outcome);
                }
                Err(failure) => return Err(failure),
            }
        }
        if let Some(patch) = self.outstanding.patch(&self.reading) {
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        Ok(outcome)
    }

    /// Writes the number of the current revision to the Rollout if it is urgent, the rollout is at rest, or the number
    /// has waited long enough.
    async fn report_number(&mut self, writer: &StatusWriter) -> Result<Outcome, Failure> {
        let Some(number) = store::number(&self.reading, &writer.plan.status) else {
            self.memory.number_since = None;
            return Ok(Outcome::Unchanged);
        };
        let is_at_rest = writer.plan.actions.is_empty() && writer.plan.waiting.is_empty();
        let mut waited =
            || self.memory.number_since.get_or_insert_with(Instant::now).elapsed() >= NUMBER_WAITS;
        if !(number.is_urgent || is_at_rest || waited()) {
            return Ok(Outcome::Unchanged);
        }
        store::merge(self.context, &mut self.reading, &number.patch).await?;
        self.memory.number_since = None;
        Ok(Outcome::Changed)
    }
}
