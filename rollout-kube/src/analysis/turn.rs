//! One look at a run: asks what is due, and stores what it is worth.

use super::{
    events,
    mask::Mask,
    provider::{Question, Told},
    runner::RunContext,
    secrets::{self, NoSecret},
    store, time_to_live,
};
use crate::{
    cache::Entry,
    guard::{Guard, off},
    rollout::{INSTANCE, Key},
    runs::{Definition, run_ref},
};
use futures::{StreamExt as _, stream};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Phase, RunNext, RunSpec, RunStatus, RunTurn, assess},
    backend::StoreError,
};
use serde_json::Value;
use tokio::sync::Notify;

/// How many questions of one run are open at the same time, and the most that one turn asks.
const AT_ONCE: usize = 4;
const A_TURN: usize = 20;
/// The most metrics of one run.
const METRICS: usize = 200;

/// When a run is looked at next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// When it changes.
    Over,
    /// At this time.
    At(Time),
    /// After a pause that grows: this failed.
    Failed(String),
    /// After a pause that grows: somebody else has written the run meanwhile. The answers do not count.
    Changed,
}

/// Looks at a run. `changed` is notified when it has changed meanwhile.
pub(super) async fn turn(context: &RunContext, key: &Key, changed: &Notify) -> After {
    let object = run_ref(&key.0, &key.1);
    let run = match context.caches.get(&object).await {
        Ok(run) => run,
        Err(StoreError::NotFound(_)) => return After::Over,
        Err(error) => return After::Failed(error.to_string()),
    };
    let label = run.label(INSTANCE).filter(|label| !label.is_empty());
    if label != context.instance.as_deref() || run.text("/metadata/deletionTimestamp").is_some() {
        return After::Over;
    }
    let none = Value::Null;
    let spec = run.value.get("spec").unwrap_or(&none);
    let stored = RunStatus::read(run.value.get("status").unwrap_or(&none));
    let turn = Turn { context, key, run: &run, stored: &stored, now: context.now() };
    if stored.phase.is_done() { turn.keep_or_delete(spec).await } else { turn.go_on(spec, changed).await }
}

struct Turn<'t> {
    context: &'t RunContext,
    key: &'t Key,
    run: &'t Entry,
    stored: &'t RunStatus,
    now: Time,
}

impl Turn<'_> {
    /// Deletes a finished run when its time is over.
    async fn keep_or_delete(&self, spec: &Value) -> After {
        let Some(ends) = time_to_live::ends(spec, self.stored) else { return After::Over };
        if ends > self.now {
            return After::At(ends);
        }
        match store::delete(self.context, self.key, self.run).await {
            Ok(()) | Err(StoreError::NotFound(_)) => After::Over,
            Err(StoreError::Conflict(_)) => After::Changed,
            Err(error) => After::Failed(error.to_string()),
        }
    }

    /// Asks and stores what is due.
    async fn go_on(&self, spec: &Value, changed: &Notify) -> After {
        let read = Definition::read(spec).and_then(|definition| {
            let resolved = definition.resolved(|_, _| None)?;
            Ok((definition, resolved))
        });
        let (definition, mut resolved) = match read {
            Ok(read) => read,
            Err(error) => return self.end(&format!("Unable to resolve metric arguments: {error}")).await,
        };
        if resolved.metrics().len() > METRICS {
            let many = resolved.metrics().len();
            return self
                .end(&format!("Analysis spec invalid: {many} metrics specified; write {METRICS} at most"))
                .await;
        }
        let keys = definition.secrets();
        let mut mask = Mask::default();
        // Secrets are read only when something is asked.
        if !keys.is_empty() && !assess(&resolved, self.stored, self.now).ask.is_empty() {
            let requests = self.context.caches.requests();
            let secrets = match secrets::read(requests, &self.key.0, keys).await {
                Ok(secrets) => secrets,
                Err(NoSecret::Missing(why)) => {
                    return self.end(&format!("Unable to resolve metric arguments: {why}")).await;
                }
                Err(NoSecret::Unreadable(error)) => return After::Failed(error.to_string()),
            };
            let value = |name: &str, key: &str| {
                let known = secrets.iter().find(|(known, _)| known.secret == name && known.key == key);
                known.map(|(_, value)| value.clone())
            };
            mask = Mask::new(secrets.values().cloned());
            resolved = match definition.resolved(value) {
                Ok(resolved) => resolved,
                Err(error) => return After::Failed(error.to_string()),
            };
        }
        self.carry_out(&resolved, mask, changed).await
    }

    async fn carry_out(&self, spec: &RunSpec, mut mask: Mask, changed: &Notify) -> After {
        let mut turn = RunTurn::begin(spec, self.stored, self.now);
        let (mut reached, mut is_unclear) = (self.stored.clone(), false);
        let mut beside = Vec::new();
        loop {
            match turn.next() {
                RunNext::Ask(asks) => {
                    let told = tokio::select! {
                        told = self.ask(spec, asks) => told,
                        () = self.changed(changed) => return After::Changed,
                    };
                    let mut answers = Vec::new();
                    for (ask, told) in told {
                        mask = mask.and(told.secrets);
                        if !told.metadata.is_empty() {
                            beside.push((ask.metric().to_owned(), told.metadata));
                        }
                        match told.answer {
                            Some(answer) => answers.push((ask, answer)),
                            None => is_unclear = true,
                        }
                    }
                    turn.answered(&answers);
                    self.log(&answers, &mask);
                }
                RunNext::Store(mut status) => {
                    describe(spec, &mut status);
                    for (metric, metadata) in beside.drain(..) {
                        let result = status.metrics.iter_mut().find(|result| *result.name == *metric);
                        if let Some(measured) = result.and_then(|result| result.measurements.last_mut()) {
                            measured.metadata.extend(metadata);
                        }
                    }
                    mask.status(&mut status);
                    if let Err(after) = self.store(&status).await {
                        return after;
                    }
                    reached = status;
                }
                RunNext::Done { wake } => {
                    if is_unclear && !off(Guard::UnclearIsAskedAgain) {
                        return After::Failed("the outcome of a question is unknown".to_owned());
                    }
                    let ends = || time_to_live::ends(self.run.value.get("spec")?, &reached);
                    return wake.or_else(ends).map_or(After::Over, After::At);
                }
            }
        }
    }

    /// Ends a run that cannot be measured at all.
    async fn end(&self, why: &str) -> After {
        let mut status = self.stored.clone();
        status.phase = Phase::Error;
        why.clone_into(&mut status.message);
        Mask::default().status(&mut status);
        match self.store(&status).await {
            Ok(()) => After::Over,
            Err(after) => after,
        }
    }

    async fn ask(&self, spec: &RunSpec, asks: Vec<Ask>) -> Vec<(Ask, Told)> {
        let questions = asks.into_iter().take(A_TURN).filter_map(|ask| {
            let metric = spec.metric(ask.metric())?;
            Some(async move {
                let result = self.stored.metric(ask.metric());
                let (run, now) = (&self.run.value, self.now);
                let question = Question { ask: &ask, spec, metric, result, run, now };
                let told = self.context.provider.ask(question).await;
                (ask, told)
            })
        });
        stream::iter(questions).buffer_unordered(AT_ONCE).collect().await
    }

    /// Waits until the run is no longer as it was read.
    async fn changed(&self, changed: &Notify) {
        loop {
            changed.notified().await;
            let now = self.context.caches.get(&run_ref(&self.key.0, &self.key.1)).await;
            let is_same = now.is_ok_and(|now| now.version.write == self.run.version.write);
            if is_same || off(Guard::ChangedRunIsAnew) {
                continue;
            }
            return;
        }
    }

    async fn store(&self, status: &RunStatus) -> Result<(), After> {
        let written = store::status(self.context, self.key, self.run, status).await;
        written.map_err(|error| {
            if matches!(error, StoreError::NotFound(_)) {
                After::Over
            } else if matches!(error, StoreError::Conflict(_)) {
                After::Changed
            } else {
                After::Failed(error.to_string())
            }
        })?;
        for event in events::events(self.stored, status) {
            self.context.publisher.publish(&self.run.value, &event, self.now);
        }
        if status.phase != self.stored.phase {
            let run = format!("{}/{}", self.key.0, self.key.1);
            let message = rollout_core::Escaped(&status.message);
            tracing::info!(run, phase = %status.phase, %message, "analysis");
        }
        Ok(())
    }

    fn log(&self, answers: &[(Ask, Answer)], mask: &Mask) {
        for (ask, answer) in answers {
            if let Answer::Unanswered { why, .. } = answer {
                let run = format!("{}/{}", self.key.0, self.key.1);
                let why = rollout_core::Escaped(mask.hide(why));
                tracing::debug!(run, metric = %rollout_core::Escaped(ask.metric()), %why, "not answered");
            }
        }
    }
}

/// Says what was asked, as Argo Rollouts does: the query with its arguments.
fn describe(spec: &RunSpec, status: &mut RunStatus) {
    for result in &mut status.metrics {
        let metric = spec.metric(&result.name);
        let query = metric.and_then(|metric| metric.provider().pointer("/prometheus/query"));
        if let Some(query) = query.and_then(Value::as_str).filter(|query| !query.is_empty()) {
            let query = query.to_owned();
            result.metadata.entry("ResolvedPrometheusQuery".to_owned()).or_insert(query);
        }
    }
}
