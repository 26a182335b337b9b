mod telling;

use super::{
    act::{self, act},
    command::{self, Outstanding},
    context::Context,
    events::Before,
    memory::Memory,
    observe::{self, Reading, Trouble},
    say, store,
    tell::Said,
};
use rollout_core::{
    Action, Answer, Command, CommandKind, Edit, Escaped, Event, Failure, Next, Outcome, Plan, Position,
    Resume, Revision, Spec, Status, Time, Turn, Wake, backend::TrafficBackend,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// What is missing or wrong is looked at again after so long, news or not: from what the watches show.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Counts that change are stored after so long, unless they go with something else before.
const COUNTS_WAIT: Duration = Duration::from_secs(5);

/// The Rollout's own number is written after so long, unless it goes with something else before.
const NUMBER_WAITS: Duration = Duration::from_secs(30);

/// What is said of a conflict that repeats itself while nothing has changed.
const NO_CONFLICT: &str = "the API server says that an object has changed, and none has since the last turn: \
                           something beside the objects refuses the write";

fn said(failure: &Failure) -> &str {
    match failure {
        Failure::Conflict => "somebody else wrote first; it is read and decided again",
        Failure::Refused(why) | Failure::Ambiguous(why) => why,
    }
}

/// A rollout that was read, and is decided on and carried out.
pub(super) struct AtWork<'w> {
    context: &'w Context,
    memory: &'w mut Memory,
    name: &'w str,
    reading: Reading,
    spec: Spec,
    backend: &'w dyn TrafficBackend,
    target: Revision,
    edits: Vec<Edit>,
    outstanding: Outstanding,
    /// What the commands did, to be told when it is stored.
    heard: Vec<Event>,
    /// Until when what is missing may be about to come.
    grace: Option<Instant>,
    /// Why the spec is not followed; only the way back from an aborted update is, then.
    not_followed: Option<String>,
}

impl<'w> AtWork<'w> {
    pub(super) fn new(
        context: &'w Context,
        memory: &'w mut Memory,
        name: &'w str,
        (reading, spec, target): (Reading, Spec, Revision),
        backend: &'w dyn TrafficBackend,
    ) -> Self {
        let outstanding = Outstanding::default();
        Self {
            context,
            memory,
            name,
            reading,
            spec,
            backend,
            target,
            edits: Vec::new(),
            outstanding,
            heard: Vec::new(),
            grace: None,
            not_followed: None,
        }
    }

    /// The spec that was read is not followed: only an abort is heard, and carried out.
    pub(super) fn not_following(mut self, why: Option<String>) -> Self {
        self.not_followed = why;
        self
    }

    /// What was read, where nothing is to be done with it: the spec is not followed, and the update was not aborted.
    pub(super) fn or_held(self, status: &Status) -> Result<Self, Box<Reading>> {
        if self.not_followed.is_some() && status.aborted.is_none() {
            Err(Box::new(self.reading))
        } else {
            Ok(self)
        }
    }

    /// What people asked for, by writing into the status or as a command in an annotation, applied.
    pub(super) fn hear(&mut self, mut status: Status, requests: &[CommandKind]) -> Status {
        let before = status.clone();
        for kind in requests {
            let Some(at) = Position::of(&status) else { continue };
            if self.not_followed.is_some() && *kind != CommandKind::Abort {
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
                Answer::Accepted { status: next, edits } => {
                    tracing::info!(rollout = self.name, command = %kind, "accepted");
                    status = next;
                    self.edits.extend(edits);
                }
                Answer::Rejected(why) => {
                    tracing::info!(rollout = self.name, command = %kind, %why, "rejected");
                }
            }
        }
        if self.not_followed.is_none() || command::is_abort(&self.reading.rollout) {
            (status, self.outstanding) = command::take(&self.reading, &self.spec, status, self.context.now());
        }
        self.heard = command::effects(&before, &status, self.spec.strategy.steps());
        status
    }

    /// Decides and carries out.
    pub(super) async fn work(mut self, status: &Status) -> Option<Instant> {
        let at = self.context.now();
        let mut turn = self.memory.driver.begin(&self.spec, status, &self.reading.observed, at);
        say::decision(self.memory, self.name, turn.plan(), &at.to_string());
        let who = (self.name, self.context.process.as_str());
        say::record(who, (&self.spec, status, &self.reading.observed, at), turn.plan());
        let on = self.reading.fingerprint();
        let is_missing = self.reading.trouble.as_ref().is_some_and(|trouble| trouble.missing.is_some());
        let was_said = |trouble: &Trouble| store::says_invalid(&self.reading, &trouble.why);
        let was_said = self.reading.trouble.as_ref().is_some_and(was_said);
        // What is already said is not taken back: another process's time for it is over.
        self.grace = self.memory.grace.until(is_missing, Instant::now()).filter(|_| !was_said);
        self.tell_trouble();
        let invalid = self.reading.trouble.as_ref();
        let invalid = invalid.filter(|trouble| trouble.is_the_users && self.grace.is_none());
        let invalid = self.not_followed.clone().or_else(|| invalid.map(|trouble| trouble.why.clone()));
        let plan = turn.plan().clone();
        let is_bookkeeping = only_progress(&plan, status);
        // What failed just now is not counted on.
        let is_failing = self.memory.driver.is_failing();
        let wire = |work: &Self| {
            let refused = work.memory.refused.as_ref().map(|(revision, why)| (revision, why.as_str()));
            let actions = if is_failing { [].as_slice() } else { plan.actions.as_slice() };
            let decided = store::Decided { status: &plan.status, actions, waiting: &plan.waiting, refused };
            let mut wire = store::wire(
                &work.reading,
                Some(&work.spec),
                &decided,
                invalid.as_deref(),
                work.context.now(),
            );
            work.outstanding.remember(&mut wire);
            wire
        };
        if self.context.dry_run {
            return self.end(turn, at);
        }
        for said in self.memory.waits.tell(&plan.waiting, Instant::now()) {
            self.context.publisher.say(&self.reading.rollout.value, &said, self.context.now());
        }
        let mut before = Vec::new();
        let (mut is_stored, mut fenced) = (false, false);
        loop {
            let result = match turn.next() {
                Next::Fence(nonce) => {
                    fenced = true;
                    act::fence(self.context, nonce, &mut self.reading, self.backend).await
                }
                Next::Store(_) if is_bookkeeping && plan.actions.is_empty() => Ok(Outcome::Unchanged),
                Next::Store(_) if !is_bookkeeping => {
                    let wire = wire(&self);
                    let stored = store::put(self.context, &mut self.reading, &wire).await;
                    is_stored = stored.is_ok();
                    stored
                }
                Next::Store(_) | Next::VerifyOwnership => {
                    let wire = wire(&self);
                    let (proved, stored) = self.prove(&plan, &wire).await;
                    is_stored = stored;
                    proved
                }
                Next::Act(action) => self.carry_out(action, &mut before).await,
                Next::Publish(events) => {
                    let mut all = std::mem::take(&mut self.heard);
                    all.extend_from_slice(events);
                    self.publish(&all, status, &plan.status, std::mem::take(&mut before));
                    Ok(Outcome::Unchanged)
                }
                Next::Done => break,
            };
            turn.done(result);
        }
        if turn.failure().is_none() && !fenced {
            let wire = wire(&self);
            turn.done(self.round_off((is_stored, is_bookkeeping), &wire, &plan).await);
        }
        if turn.failure().is_none() && !fenced || is_stored {
            let heard = std::mem::take(&mut self.heard);
            self.publish(&heard, status, &plan.status, Vec::new());
        }
        if let Some(failure) = turn.failure().cloned() {
            if self.memory.refused.is_some() && matches!(failure, Failure::Refused(_)) {
                self.correct(&wire(&self)).await;
            }
            if failure == Failure::Conflict && self.memory.is_no_conflict(on) {
                turn.done(Err(Failure::Refused(NO_CONFLICT.to_owned())));
            }
            self.tell_failure(turn.failure().unwrap_or(&failure));
        } else {
            if self.reading.trouble.is_none() && self.not_followed.is_none() {
                self.memory.troubles.clear();
            }
            if !fenced {
                self.memory.conflict_on = None;
            }
        }
        self.end(turn, at)
    }

    /// The turn is over: when the next one is due.
    fn end(&mut self, turn: Turn, at: Time) -> Option<Instant> {
        let elapsed = self.memory.elapsed();
        match self.memory.driver.end(turn, elapsed) {
            Resume::Now { .. } => Some(Instant::now()),
            Resume::After { delay, .. } => Some(Instant::now() + delay),
            Resume::At(wake) => self.at(Some(wake), at),
            Resume::OnChange => self.at(None, at),
        }
    }

    /// What was stored before it was done is stored again, when it was not done. If that fails, the next turn says it.
    async fn correct(&mut self, wire: &Value) {
        if !store::is_stored(&self.reading, wire) {
            drop(store::put(self.context, &mut self.reading, wire).await);
        }
    }

    /// Says why the turn stopped early.
    fn tell_failure(&mut self, failure: &Failure) {
        tracing::warn!(rollout = self.name, why = %Escaped(said(failure)), "the turn stopped early");
        if let Failure::Refused(why) = failure {
            let note = format!("Reconciliation failed with error: {why}");
            self.tell_once(&Said::warning("ReconciliationError", note));
        }
    }

    /// Carries out one action; `before` says how many pods there were, for each ReplicaSet that was written.
    async fn carry_out(&mut self, action: &Action, before: &mut Vec<Before>) -> Result<Outcome, Failure> {
        let was = self.pods_before(action);
        let result =
            act(self.context, self.memory, &mut self.reading, self.backend, &self.target, action).await;
        match &result {
            Ok(_) => {
                before.extend(was);
                self.memory.refused = None;
            }
            Err(Failure::Refused(why)) => self.tell_refusal(action, was, why),
            Err(Failure::Conflict | Failure::Ambiguous(_)) => {}
        }
        result
    }

    /// What is left to write when the turn went well: counts that changed, and what clients read in the
    /// Rollout itself.
    async fn round_off(
        &mut self,
        (is_stored, can_wait): (bool, bool),
        wire: &Value,
        plan: &Plan,
    ) -> Result<Outcome, Failure> {
        self.memory.shows.rests();
        let (mut is_proved, mut outcome) = (is_stored, Outcome::Unchanged);
        if is_stored || store::is_stored(&self.reading, wire) {
            self.memory.counts_since = None;
        } else if self.counts_are_due(wire, can_wait) {
            self.memory.counts_since = None;
            store::put(self.context, &mut self.reading, wire).await?;
            (is_proved, outcome) = (true, Outcome::Changed);
        }
        for edit in std::mem::take(&mut self.edits) {
            let patch = match edit {
                Edit::Paused(paused) => json!({"spec": {"paused": paused}}),
                Edit::Proceed(word) => {
                    let word = serde_json::to_string(&word).unwrap_or_default();
                    json!({"metadata": {"annotations": {observe::PROCEED: word}}})
                }
                // No client asks for it by a patch of the status: they write the template themselves.
                Edit::Template(_) => continue,
            };
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        if let Some(patch) = self.outstanding.patch(&self.reading) {
            store::merge(self.context, &mut self.reading, &patch).await?;
            outcome = Outcome::Changed;
        }
        if let Some(number) = store::renumber(&self.reading, &plan.status) {
            // Whoever sees an older template would give another revision the highest number, and so on for ever.
            if !is_proved {
                store::put(self.context, &mut self.reading, wire).await?;
            }
            store::set(self.context, &mut self.reading, number).await?;
        }
        let is_at_rest = plan.actions.is_empty() && plan.waiting.is_empty();
        match store::number(&self.reading, &plan.status) {
            Some(number) if number.is_urgent || is_at_rest || self.number_is_due() => {
                store::merge(self.context, &mut self.reading, &number.patch).await?;
                outcome = Outcome::Changed;
            }
            Some(_) => return Ok(outcome),
            None => {}
        }
        self.memory.number_since = None;
        Ok(outcome)
    }

    /// Whether the Rollout's number has to be written alone.
    fn number_is_due(&mut self) -> bool {
        self.memory.number_since.get_or_insert_with(Instant::now).elapsed() >= NUMBER_WAITS
    }

    /// Proves that nobody else is at work; and whether the status was stored by that. Any write proves that the
    /// Rollout is as it was read: the number that it is to bear (counts then wait a little longer), or its
    /// status, changed or not.
    async fn prove(&mut self, plan: &Plan, wire: &Value) -> (Result<Outcome, Failure>, bool) {
        let number = store::number(&self.reading, &plan.status);
        if let Some(number) = number.filter(|_| store::only_counts(&self.reading, wire)) {
            self.memory.counts_since = Some(Instant::now());
            let written = store::merge(self.context, &mut self.reading, &number.patch).await;
            return (written.map(|()| Outcome::Unchanged), false);
        }
        let stored = store::put(self.context, &mut self.reading, wire).await;
        let is_stored = stored.is_ok();
        (stored, is_stored)
    }

    /// Whether a status has to be stored now.
    fn counts_are_due(&mut self, wire: &Value, can_wait: bool) -> bool {
        if !can_wait {
            return true;
        }
        if !store::only_counts(&self.reading, wire) {
            // Counts go with it.
            self.memory.counts_since = None;
            return self.memory.shows.allows(Instant::now());
        }
        let since = *self.memory.counts_since.get_or_insert_with(Instant::now);
        since.elapsed() >= COUNTS_WAIT
    }

    fn pods_before(&self, action: &Action) -> Option<Before> {
        let Action::Scale { revision, .. } = action else { return None };
        let set = self.reading.sets.iter().find(|set| set.revision == *revision);
        Some(set.map_or(Before::Absent, |set| Before::Pods(set.wanted)))
    }

    /// When a wake-up is due by the clock that only runs forward.
    fn at(&self, wake: Option<Wake>, now: Time) -> Option<Instant> {
        // Whoever waits for proxies is woken when the answer changes; the wake-up only keeps the question alive.
        let wake = wake.map(|wake| Instant::now() + wake.at.since(now).max(Duration::from_millis(10)));
        let again = self.reading.trouble.as_ref();
        let again = again.map(|_| self.grace.unwrap_or_else(|| Instant::now() + LOOK_AGAIN));
        let counts = self.memory.counts_since.map(|since| since + COUNTS_WAIT);
        let number = self.memory.number_since.map(|since| since + NUMBER_WAITS);
        let waits = self.memory.waits.next().into_iter().chain(self.memory.shows.due());
        wake.into_iter().chain(again).chain(waits).chain(counts).chain(number).min()
    }
}

/// Whether nothing is decided but how the pods come along: the engine's own bookkeeping. It is stored with what
/// is stored next; if it is lost before, it is decided again from what is seen.
fn only_progress(plan: &Plan, stored: &Status) -> bool {
    let late = |status: &Status| status.progress.as_ref().is_some_and(|progress| progress.exceeded);
    let mut rest = plan.status.clone();
    rest.progress.clone_from(&stored.progress);
    plan.events.is_empty() && late(&plan.status) == late(stored) && rest == *stored
}
