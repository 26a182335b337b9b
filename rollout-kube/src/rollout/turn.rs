use super::{
    act::{self, act},
    context::{Context, INSTANCE, now},
    events::{Before, Scene},
    memory::{Ended, Key, Memory},
    observe::{self, Reading, observe},
    publish::Said,
    say, store, target,
    traffic::backend,
};
use crate::cache::{Entry, View};
use rollout_core::{
    Action, Answer, Command, Edit, Failure, Next, Outcome, Position, Revision, Spec, Status, Turn, Wake,
    argo::{check, convert, read_status},
    backend::{StoreError, TrafficBackend},
    traffic::{ObjectRef, Selection},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What comes after a turn.
pub(crate) struct After {
    /// When the next is due if there is no news.
    pub(crate) next: Option<Instant>,
    /// Changes of these are news.
    pub(crate) asked: BTreeSet<ObjectRef>,
    /// The Rollout is gone, or is not for this controller.
    pub(crate) is_over: bool,
}

/// What is missing or wrong is looked at again after so long, news or not: from what the watches show.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Counts that change are stored after so long, unless they go with something else before.
const COUNTS_WAIT: Duration = Duration::from_secs(3);

/// One turn for one rollout: read, decide, store, carry out, report.
pub(crate) async fn turn(context: &Context, key: &Key, memory: &mut Memory) -> After {
    let view = Arc::new(View::new(Arc::clone(&context.shelves)));
    let name = format!("{}/{}", key.0, key.1);
    let (next, is_over) = match go(context, key, &name, memory, &view).await {
        Ok(Some(next)) => (next, false),
        Ok(None) => (None, true),
        Err(error) => {
            say::trouble(memory, &name, &error.to_string());
            (memory.ended(Ended::Refused, Instant::now()), false)
        }
    };
    After { next, asked: view.asked(), is_over }
}

/// `None` when there is nothing to do here at all; else when to look again.
async fn go(
    context: &Context,
    key: &Key,
    name: &str,
    memory: &mut Memory,
    view: &Arc<View>,
) -> Result<Option<Option<Instant>>, StoreError> {
    let object = ObjectRef::new("argoproj.io", "Rollout", &key.0, &key.1);
    let live = std::mem::take(&mut memory.live_next);
    let rollout =
        if live { context.shelves.get_live(&object).await } else { context.shelves.get(&object).await };
    let rollout = match rollout {
        Err(StoreError::NotFound(_)) => return Ok(None),
        rollout => rollout?,
    };
    if !context.is_mine(rollout.label(INSTANCE)) || rollout.text("/metadata/deletionTimestamp").is_some() {
        return Ok(None);
    }
    if !std::mem::replace(&mut memory.was_seen, true) {
        tracing::info!(rollout = name, "seen");
    }
    let sets = target::replica_sets(context, &rollout, live).await?;
    let manager = context.shelves.requests().manager();
    if let Some(why) = target::foreign(&rollout, &sets, manager) {
        if say::trouble(memory, name, &why) && !context.dry_run {
            context.publisher.say(&rollout.value, &Said::warning("RolloutHeld", why), now());
        }
        return Ok(Some(None));
    }
    let target = target::target(&rollout.value, &sets);
    let (spec, mut complaints) = understand(&rollout, &target);
    let read = match read_status(rollout.value.get("status").unwrap_or(&Value::Null)) {
        Ok(read) => read,
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let why = format!("its status cannot be read, so it is held: {}", errors.join("; "));
            if say::trouble(memory, name, &why) && !context.dry_run {
                context.publisher.say(&rollout.value, &Said::warning("RolloutHeld", why), now());
            }
            return Ok(Some(None));
        }
    };
    let backend = match backend(context, &rollout.value, view) {
        Ok(backend) => Some(backend),
        Err(invalid) => {
            complaints.extend(invalid.errors);
            None
        }
    };
    let (Some(spec), Some(backend), true) = (spec, backend, complaints.is_empty()) else {
        let reading = Reading {
            rollout,
            sets,
            observed: rollout_core::Observed::new(),
            traffic: rollout_core::traffic::Version::NONE,
            trouble: None,
        };
        return Ok(Some(refuse(context, memory, name, reading, &read.status, &complaints.join("; ")).await));
    };
    view.read_live(live);
    let reading = observe(context, memory, rollout, sets, &read.status, &*backend, live).await;
    view.read_live(false);
    let mut at_work =
        AtWork { context, memory, name, reading, spec, backend: &*backend, target, edits: Vec::new() };
    let status = at_work.hear(read.status, &read.requests);
    Ok(Some(at_work.work(&status).await))
}

/// What the Rollout asks for; and everything that is wrong with it, or not driven yet.
fn understand(rollout: &Entry, target: &Revision) -> (Option<Spec>, Vec<String>) {
    let report = check(&rollout.value);
    let mut complaints: Vec<String> =
        report.errors().map(|error| format!("{}: {}", error.path, error.message)).collect();
    let made = convert(&report.rollout, target.clone());
    complaints.extend(made.unsupported.iter().map(ToString::to_string));
    if complaints.is_empty() && made.spec.is_none() {
        complaints.push("spec.strategy: there is no canary strategy to follow".to_owned());
    }
    (made.spec, complaints)
}

/// Says in the Rollout's status what is wrong with it, and does nothing else.
async fn refuse(
    context: &Context,
    memory: &mut Memory,
    name: &str,
    mut reading: Reading,
    status: &Status,
    why: &str,
) -> Option<Instant> {
    say::trouble(memory, name, why);
    let wire = store::wire(&reading, None, status, Some(why));
    if context.dry_run || store::is_stored(&reading, &wire) {
        return memory.ended(Ended::Well, Instant::now());
    }
    match store::put(context, &mut reading, &wire).await {
        Ok(_) => memory.ended(Ended::Well, Instant::now()),
        Err(failure) => memory.ended(how(&failure), Instant::now()),
    }
}

fn how(failure: &Failure) -> Ended {
    match failure {
        Failure::Conflict => Ended::Conflict,
        Failure::Refused(_) => Ended::Refused,
        Failure::Unclear(_) => Ended::Unclear,
    }
}

struct AtWork<'w> {
    context: &'w Context,
    memory: &'w mut Memory,
    name: &'w str,
    reading: Reading,
    spec: Spec,
    backend: &'w dyn TrafficBackend,
    target: Revision,
    edits: Vec<Edit>,
}

impl AtWork<'_> {
    /// What people asked for by writing into the status, applied.
    fn hear(&mut self, mut status: Status, requests: &[rollout_core::CommandKind]) -> Status {
        for kind in requests {
            let Some(at) = Position::of(&status) else { continue };
            let command = Command::new(*kind, at);
            match rollout_core::apply(&command, &self.spec, &status, &self.reading.observed, now()) {
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
        status
    }

    /// Decides and carries out.
    async fn work(mut self, status: &Status) -> Option<Instant> {
        let at = now();
        let mut turn = Turn::begin(&self.spec, status, &self.reading.observed, at, &self.memory.fence);
        say::decision(self.memory, self.name, turn.plan(), &at.to_string());
        if let Some(trouble) = &self.reading.trouble {
            tracing::warn!(rollout = self.name, why = %trouble.why, "the traffic could not be read");
        }
        let invalid = self.reading.trouble.as_ref().filter(|trouble| trouble.is_the_users);
        let invalid = invalid.map(|trouble| trouble.why.clone());
        let next = turn.plan().status.clone();
        let wire =
            |reading: &Reading, spec: &Spec| store::wire(reading, Some(spec), &next, invalid.as_deref());
        if self.context.dry_run {
            let wake = turn.plan().wake;
            return self.at(wake, at);
        }
        let mut before = Vec::new();
        let (mut changed, mut is_stored, mut fenced) = (false, false, false);
        let (wake, failure) = loop {
            let result = match turn.next() {
                Next::Fence => {
                    fenced = true;
                    act::fence(self.context, self.memory, &mut self.reading, self.backend).await
                }
                // An unchanged status proves that the Rollout is as it was read; one whose counts have changed
                // is stored with them.
                Next::Store(_) | Next::Prove => {
                    is_stored = true;
                    let wire = wire(&self.reading, &self.spec);
                    store::put(self.context, &mut self.reading, &wire).await
                }
                Next::Act(action) => {
                    let was = self.pods_before(action);
                    let result =
                        act(self.context, self.memory, &mut self.reading, self.backend, &self.target, action)
                            .await;
                    if result.is_ok() {
                        before.extend(was);
                    }
                    result
                }
                Next::Publish(events) => {
                    self.publish(events, status, std::mem::take(&mut before));
                    Ok(Outcome::AsItWas)
                }
                Next::Done { wake, failure, .. } => break (wake, failure.cloned()),
            };
            changed |= result == Ok(Outcome::Changed);
            turn.done(result);
        };
        let failure = match failure {
            // Nothing was decided on yet: everything is read live first.
            None if fenced => {
                self.memory.live_next = true;
                None
            }
            None => {
                self.round_off(is_stored, &wire(&self.reading, &self.spec), &next, &mut changed).await.err()
            }
            failure => failure,
        };
        if let Some(failure) = failure {
            tracing::warn!(rollout = self.name, why = ?failure, "the turn stopped early");
            if let Failure::Refused(why) = &failure {
                let said =
                    Said::warning("ReconciliationError", format!("Reconciliation failed with error: {why}"));
                self.context.publisher.say(&self.reading.rollout.value, &said, now());
            }
            return self.memory.ended(how(&failure), Instant::now());
        }
        self.memory.ended(Ended::Well, Instant::now());
        if changed { Some(Instant::now()) } else { self.at(wake, at) }
    }

    /// What is left to write when the turn went well: counts that changed, and what clients read in the
    /// Rollout itself.
    async fn round_off(
        &mut self,
        is_stored: bool,
        wire: &Value,
        status: &Status,
        changed: &mut bool,
    ) -> Result<(), Failure> {
        if is_stored || store::is_stored(&self.reading, wire) {
            self.memory.counts_since = None;
        } else if self.counts_are_due(wire) {
            self.memory.counts_since = None;
            store::put(self.context, &mut self.reading, wire).await?;
            *changed = true;
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
            *changed = true;
        }
        let version = self.reading.rollout.version.clone();
        store::write_back(self.context, &mut self.reading, status).await?;
        *changed |= version != self.reading.rollout.version;
        Ok(())
    }

    /// Whether a status that was not decided on has to be stored now.
    fn counts_are_due(&mut self, wire: &Value) -> bool {
        if !store::only_counts(&self.reading, wire) {
            return true;
        }
        let since = *self.memory.counts_since.get_or_insert_with(Instant::now);
        since.elapsed() >= COUNTS_WAIT
    }

    fn pods_before(&self, action: &Action) -> Option<Before> {
        let Action::Workload { revision, .. } = action else { return None };
        let set = self.reading.sets.iter().find(|set| set.revision == *revision);
        Some(set.map_or(Before::Absent, |set| Before::Pods(set.wanted)))
    }

    fn publish(&mut self, events: &[rollout_core::Event], status: &Status, before: Vec<Before>) {
        let seen = self.reading.observed.traffic.as_ref();
        let first = |behind: fn(&rollout_core::traffic::Seen) -> &Vec<Selection>| {
            seen.and_then(|seen| behind(seen).first().cloned())
        };
        let mut scene = Scene {
            rollout: &self.reading.rollout.value,
            sets: &self.reading.sets,
            before,
            selected: (first(|seen| &seen.stable), first(|seen| &seen.canary)),
            weight: self.memory.weight,
            status,
            steps: self.spec.strategy.steps().len(),
        };
        let said = scene.tell(events);
        self.memory.weight = scene.weight;
        for said in said {
            self.context.publisher.say(&self.reading.rollout.value, &said, now());
        }
        for event in events {
            tracing::info!(rollout = self.name, %event, "done");
        }
    }

    /// When a wake-up is due by the clock that only runs forward.
    fn at(&self, wake: Option<Wake>, now: rollout_core::Time) -> Option<Instant> {
        let wake = wake.map(|wake| Instant::now() + wake.at.since(now).max(Duration::from_millis(10)));
        let again = self.reading.trouble.as_ref().map(|_| Instant::now() + LOOK_AGAIN);
        let counts = self.memory.counts_since.map(|since| since + COUNTS_WAIT);
        wake.into_iter().chain(again).chain(counts).min()
    }
}
