//! What is written into the Rollout itself: its status, the answer to commands, and what clients read beside it.

use super::{Before, TurnRunner, observe, store};
use rollout_core::{Failure, Outcome, Plan, Store, Turn, command::Edit};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Counts that change are stored after so long, unless they go with something else before.
pub(super) const COUNTS_WAIT: Duration = Duration::from_secs(5);

/// The Rollout's own number is written after so long, unless it goes with something else before.
pub(super) const NUMBER_WAITS: Duration = Duration::from_secs(30);

/// What one turn writes into the Rollout, and has written.
pub(super) struct StatusWriter {
    pub(super) plan: Plan,
    urgency: Store,
    /// What is wrong with what the user wrote.
    invalid: Option<String>,
    /// Whether what is about to be done is shown as done: what failed just now is not counted on.
    pub(super) counts_as_done: bool,
    /// Whether the status of this turn is stored.
    is_stored: bool,
    /// How many pods there were, for each ReplicaSet that was written.
    pub(super) pods_before: Vec<Before>,
}

impl StatusWriter {
    pub(super) fn new(turn: &Turn, invalid: Option<String>) -> Self {
        let (plan, urgency) = (turn.plan().clone(), turn.store());
        Self { plan, urgency, invalid, counts_as_done: true, is_stored: false, pods_before: Vec::new() }
    }
}

impl TurnRunner<'_> {
    /// The whole status on the wire.
    fn wire(&self, writer: &StatusWriter) -> Value {
        let plan = &writer.plan;
        let refused = self.memory.refused.as_ref().map(|(revision, why)| (revision, why.as_str()));
        let actions = if writer.counts_as_done { plan.actions.as_slice() } else { &[] };
        let decided = store::Decided { status: &plan.status, actions, waiting: &plan.waiting, refused };
        let (spec, invalid) = (Some(&self.spec), writer.invalid.as_deref());
        let mut wire = store::wire(&self.reading, spec, &decided, invalid, self.context.now());
        self.outstanding.remember(&mut wire);
        wire
    }

    /// Stores the status, unless that may wait: it then goes with the report, or later.
    pub(super) async fn store(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        match writer.urgency {
            Store::WithNext if writer.plan.actions.is_empty() => Ok(Outcome::Unchanged),
            Store::WithNext | Store::No => self.verify(writer).await,
            Store::Now => {
                let wire = self.wire(writer);
                let stored = store::put(self.context, &mut self.reading, &wire).await;
                writer.is_stored = stored.is_ok();
                stored
            }
        }
    }

    /// Verifies that nobody else is at work. Any write proves that the Rollout is as it was read: the number that it is
    /// to bear (counts then wait a little longer), or its status, changed or not.
    pub(super) async fn verify(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        let wire = self.wire(writer);
        let number = store::number(&self.reading, &writer.plan.status);
        if let Some(number) = number.filter(|_| store::only_counts(&self.reading, &wire)) {
            self.memory.counts_since = Some(Instant::now());
            let written = store::merge(self.context, &mut self.reading, &number.patch).await;
            return written.map(|()| Outcome::Unchanged);
        }
        let stored = store::put(self.context, &mut self.reading, &wire).await;
        writer.is_stored = stored.is_ok();
        stored
    }

    /// What was stored before it was done is stored again, when it was not done. If that fails, the next turn says it.
    pub(super) async fn correct(&mut self, writer: &StatusWriter) {
        let wire = self.wire(writer);
        if !store::is_stored(&self.reading, &wire) {
            drop(store::put(self.context, &mut self.reading, &wire).await);
        }
    }

    /// Writes what is left when all went well: counts that changed, answers to commands, and what clients read in the
    /// Rollout itself.
    pub(super) async fn report(&mut self, writer: &mut StatusWriter) -> Result<Outcome, Failure> {
        if self.reading.trouble.is_none() && self.invalid_spec.is_none() {
            self.memory.troubles.clear();
        }
        self.memory.display_rate.clear_pending();
        let wire = self.wire(writer);
        let mut outcome = self.report_counts(writer, &wire).await?;
        outcome = outcome.or(self.answer().await?);
        if let Some(number) = store::renumber(&self.reading, &writer.plan.status) {
            // Whoever sees an older template would give another revision the highest number, and so on for ever.
            if !writer.is_stored {
                store::put(self.context, &mut self.reading, &wire).await?;
            }
            store::set(self.context, &mut self.reading, number).await?;
        }
        outcome = outcome.or(self.report_number(writer).await?);
        self.memory.conflict_on = None;
        Ok(outcome)
    }

    /// Stores the status where counts changed and have waited for long enough, or more than counts.
    async fn report_counts(&mut self, writer: &mut StatusWriter, wire: &Value) -> Result<Outcome, Failure> {
        if writer.is_stored || store::is_stored(&self.reading, wire) {
            self.memory.counts_since = None;
            return Ok(Outcome::Unchanged);
        }
        if !self.counts_are_due(wire) {
            return Ok(Outcome::Unchanged);
        }
        self.memory.counts_since = None;
        store::put(self.context, &mut self.reading, wire).await?;
        writer.is_stored = true;
        Ok(Outcome::Changed)
    }

    /// Whether a status that differs from what is stored has to be stored now.
    fn counts_are_due(&mut self, wire: &Value) -> bool {
        if !store::only_counts(&self.reading, wire) {
            // Counts go with it.
            self.memory.counts_since = None;
            return self.memory.display_rate.allows(Instant::now());
        }
        let since = *self.memory.counts_since.get_or_insert_with(Instant::now);
        since.elapsed() >= COUNTS_WAIT
    }

    /// Writes what accepted commands change in the Rollout, and the receipt of a command in an annotation.
    async fn answer(&mut self) -> Result<Outcome, Failure> {
        let edits = std::mem::take(&mut self.edits).into_iter().filter_map(|edit| match edit {
            Edit::Paused(paused) => Some(json!({"spec": {"paused": paused}})),
            Edit::Proceed(proceed) => {
                let text = serde_json::to_string(&proceed).unwrap_or_default();
                Some(json!({"metadata": {"annotations": {observe::PROCEED: text}}}))
            }
            // No client asks for it by a patch of the status: they write the template themselves.
            Edit::Template(_) => None,
        });
        let mut outcome = Outcome::Unchanged;
        for patch in edits.collect::<Vec<_>>() {
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        if let Some(patch) = self.outstanding.patch(&self.reading) {
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        Ok(outcome)
    }

    /// Writes the number of the current revision into the Rollout, when it is urgent, at rest, or has waited long enough.
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
