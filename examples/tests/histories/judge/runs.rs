//! What must hold of AnalysisRuns, and of Rollouts that wait for them.

use super::{Judge, items, number, text};
use crate::analyses::seconds;
use rollout_core::{
    Status,
    analysis::{Phase, RunId, RunRole, RunStatus},
    argo::read_status,
};
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub(super) const FINAL: &str = "verdict_is_final";
pub(super) const OFTEN: &str = "measured_as_often_as_asked";
pub(super) const WRITES: &str = "one_write_for_each_measurement";
pub(super) const ONE: &str = "one_run_for_each_attempt";
pub(super) const ENDS: &str = "ended_run_ends_soon";
pub(super) const EVIDENCE: &str = "step_ends_by_evidence";
pub(super) const UNDECIDED: &str = "no_raise_while_undecided";
pub(super) const ABORTS: &str = "failed_run_aborts";
pub(super) const OVER: &str = "runs_end_with_their_position";
pub(super) const KEPT: &str = "few_runs_are_kept";
pub(super) const WAITS: &str = "unclear_question_waits";
pub(super) const COST: &str = "measurements_cost_little";

/// A run, as it was last seen.
#[derive(Debug)]
struct Run {
    name: String,
    /// The uid of its Rollout.
    owner: String,
    id: Option<RunId>,
    object: Arc<Value>,
    status: RunStatus,
    /// When it was told to end.
    ends: Option<Duration>,
}

impl Run {
    fn is_good(&self) -> bool {
        self.status.phase == Phase::Successful && self.ends.is_none()
    }
}

/// All runs, and what their Rollouts say.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// By uid.
    all: BTreeMap<String, Run>,
    /// The identities of runs that were deleted and had been successful: their verdict may have been seen.
    was_good: Vec<(String, RunId)>,
    /// By name.
    rollouts: BTreeMap<String, Seen>,
    /// The runs that failed, by their Rollout, since when nobody has heard them.
    unheard: Vec<(String, RunId, Duration)>,
    /// How often controllers have written a status.
    writes: u64,
    begun: u64,
}

/// A Rollout, as it was last seen.
#[derive(Debug)]
struct Seen {
    object: Arc<Value>,
    status: Status,
    /// Whether somebody changed its steps, so that nobody knows which ones its status is about.
    is_edited: bool,
}

fn steps(rollout: &Value) -> Option<&Value> {
    rollout.pointer("/spec/strategy/canary/steps")
}

/// Whether this run is the one that a status waits for.
fn counts(status: &Status, rollout: &Value, id: &RunId) -> bool {
    let under_way = status.stable.is_some() && !status.is_done() && status.aborted.is_none();
    let attempt =
        if id.role == RunRole::Background { status.attempts.background } else { status.attempts.step };
    let of_step = match id.role {
        RunRole::Step(step) => step == status.step,
        RunRole::Background => {
            number(rollout, "/spec/strategy/canary/analysis/startingStep") <= u64::from(status.step)
        }
    };
    let is_its =
        status.canary.as_ref() == Some(&id.revision) && status.step_hash.as_deref() == Some(&*id.step_hash);
    under_way && !status.promote_full && of_step && is_its && attempt == id.attempt
}

impl Judge {
    /// A version of an AnalysisRun.
    pub(super) fn run(&mut self, change: &Change, is_ours: bool) {
        let object = &change.object;
        let uid = text(object, "/metadata/uid").to_owned();
        if change.is_deleted {
            let Some(run) = self.runs.all.remove(&uid) else { return };
            if run.is_good() {
                self.runs.was_good.extend(run.id.map(|id| (run.owner, id)));
            }
            return;
        }
        let id = object.pointer("/metadata/annotations/rollout-core~1run").and_then(Value::as_str);
        let id: Option<RunId> = id.and_then(|id| serde_json::from_str(id).ok());
        let name = text(object, "/metadata/name").to_owned();
        let owner = text(object, "/metadata/ownerReferences/0/uid").to_owned();
        let status = RunStatus::read(object.get("status").unwrap_or(&Value::Null));
        let ends = object.pointer("/spec/terminate").is_some_and(|ends| *ends == Value::Bool(true));
        let before = self.runs.all.remove(&uid);
        if before.is_none() {
            self.runs.begun += 1;
            if let Some(id) = id.as_ref().filter(|_| !owner.is_empty()) {
                let another =
                    self.runs.all.values().find(|run| run.owner == owner && run.id.as_ref() == Some(id));
                let another = another.map(|run| run.name.clone());
                self.must(ONE, another.is_none(), || {
                    format!("{name} begins beside {}, for {id:?}", another.unwrap_or_default())
                });
            }
        }
        let ended = before.as_ref().and_then(|run| run.ends);
        if let Some(before) = &before {
            self.written(before, &status, is_ours);
        }
        let was_live = before.as_ref().is_none_or(|run| !run.status.phase.is_done());
        let run = Run {
            name,
            owner,
            id,
            object: Arc::clone(object),
            status,
            ends: ends.then(|| ended.unwrap_or(self.now)),
        };
        self.measured(&run);
        if was_live && matches!(run.status.phase, Phase::Failed | Phase::Error) {
            self.failed(&run);
        }
        self.runs.all.insert(uid, run);
    }

    /// A run was written over.
    fn written(&mut self, before: &Run, now: &RunStatus, is_ours: bool) {
        let name = &before.name;
        if before.status.phase.is_done() {
            let is_same = *now == before.status;
            self.must(FINAL, is_same, || {
                format!("{name} was {}, and is written: {now:?}", before.status.phase)
            });
        } else if is_ours && *now != before.status {
            self.runs.writes += 1;
            let all = |status: &RunStatus| -> BTreeSet<String> {
                let results = status.metrics.iter();
                let of = |result: &rollout_core::analysis::MetricResult| {
                    let name = result.name.clone();
                    let told = move |one: &rollout_core::analysis::Measurement| {
                        format!(
                            "{name} {:?} {:?} {:?} {:?}",
                            one.started_at, one.finished_at, one.resume_at, one.phase
                        )
                    };
                    result.measurements.iter().map(told).collect::<Vec<_>>()
                };
                results.flat_map(of).collect()
            };
            let is_news = all(&before.status) != all(now)
                || before.status.phase != now.phase
                || before.status.started_at != now.started_at;
            self.must(WRITES, is_news, || format!("{name} is written, and nothing was measured: {now:?}"));
        }
    }

    /// Between measurements is the time that the run asks for, and there are no more of them.
    fn measured(&mut self, run: &Run) {
        for metric in items(&run.object, "/spec/metrics") {
            let Some(result) = run.status.metric(text(metric, "/name")) else { continue };
            let interval = seconds(text(metric, "/interval"));
            let most = match number(metric, "/count") {
                0 if interval.is_none() => 1,
                0 => u64::MAX,
                most => most,
            };
            let count = u64::try_from(result.count).unwrap();
            self.must(OFTEN, count <= most, || format!("{} was measured {count} times: {metric}", run.name));
            let pairs = result.measurements.iter().zip(result.measurements.iter().skip(1));
            for (one, next) in pairs {
                let wait = interval.filter(|_| one.phase != Phase::Error).unwrap_or(10);
                let apart =
                    one.finished_at.zip(next.started_at).map(|(end, start)| start.as_secs() - end.as_secs());
                self.must(OFTEN, apart.is_some_and(|apart| apart >= wait), || {
                    format!("{} was measured again after {apart:?} s instead of {wait}", run.name)
                });
            }
            let delay = seconds(text(metric, "/initialDelay")).unwrap_or(0);
            let first = result.measurements.first().filter(|_| result.measurements.len() < 10);
            let after =
                first.and_then(|first| Some(first.started_at?.as_secs() - run.status.started_at?.as_secs()));
            if let Some(after) = after {
                self.must(OFTEN, after >= delay, || format!("{} was measured after {after} s", run.name));
            }
        }
    }

    /// The name and the state of the Rollout of a run.
    fn rollout_of(&self, run: &Run) -> Option<(&String, &Seen)> {
        self.runs.rollouts.iter().find(|(_, rollout)| text(&rollout.object, "/metadata/uid") == run.owner)
    }

    fn failed(&mut self, run: &Run) {
        let Some(id) = &run.id else { return };
        let app = self.rollout_of(run).filter(|(_, rollout)| counts(&rollout.status, &rollout.object, id));
        if let Some(app) = app.map(|(app, _)| app.clone()) {
            self.runs.unheard.push((app, id.clone(), self.now));
        }
    }

    /// A version of a Rollout.
    pub(super) fn analysed(&mut self, app: &str, change: &Change, is_ours: bool) {
        if change.is_deleted {
            self.runs.rollouts.remove(app);
            self.runs.unheard.retain(|(of, ..)| of != app);
            return;
        }
        let object = Arc::clone(&change.object);
        let Ok(read) = read_status(object.get("status").unwrap_or(&Value::Null)) else { return };
        let before = self.runs.rollouts.remove(app);
        let is_edited =
            before.as_ref().is_some_and(|before| before.is_edited || steps(&before.object) != steps(&object));
        if let Some(before) = before.filter(|_| is_ours && !is_edited) {
            self.advanced(app, &before, &read.status);
        }
        let heard: Vec<RunId> =
            self.runs.unheard.iter().filter(|(of, ..)| of == app).map(|(_, id, _)| id.clone()).collect();
        for id in heard.into_iter().filter(|id| !counts(&read.status, &object, id)) {
            self.must(ABORTS, true, String::new);
            self.runs.unheard.retain(|(of, unheard, _)| !(of == app && *unheard == id));
        }
        self.runs.rollouts.insert(app.to_owned(), Seen { object, status: read.status, is_edited });
    }

    /// A step with an analysis ends by a successful run of just this step and attempt, or by a person.
    fn advanced(&mut self, app: &str, before: &Seen, now: &Status) {
        let was = &before.status;
        let same = was.canary == now.canary && was.step_hash == now.step_hash && was.attempts == now.attempts;
        if !same
            || was.stable.is_none()
            || was.is_done()
            || was.promote_full
            || now.promote_full
            || now.aborted.is_some()
        {
            return;
        }
        let owner = text(&before.object, "/metadata/uid").to_owned();
        for (step, index) in items(&before.object, "/spec/strategy/canary/steps").zip(0_u32..) {
            let ends = (was.step..now.step).contains(&index) && step.get("analysis").is_some();
            let (Some(revision), Some(hash)) = (was.canary.clone().filter(|_| ends), was.step_hash.clone())
            else {
                continue;
            };
            let id = RunId::new(revision, hash, RunRole::Step(index), was.attempts.step);
            let is_it = |run: &&Run| run.owner == owner && run.id.as_ref() == Some(&id);
            let run = self.runs.all.values().find(is_it);
            let is_good =
                run.is_some_and(Run::is_good) || self.runs.was_good.contains(&(owner.clone(), id.clone()));
            let said = run.map(|run| (run.name.clone(), run.status.phase, run.ends));
            self.must(EVIDENCE, is_good, || format!("step {index} of {app} ends, and its run says {said:?}"));
        }
    }

    /// A controller gives a canary more requests.
    pub(super) fn raised(&mut self, app: &str, to: u64, stable: &str) {
        if let Some((_, id, since)) = self.runs.unheard.iter().find(|(of, ..)| of == app).cloned() {
            let is_late = self.now.saturating_sub(since) > self.heard;
            // Without stable, the canary is all that there is.
            let alone = self.was_alone(stable);
            self.must(ABORTS, !is_late || alone, || {
                format!("{app} goes to {to} %, and its run failed: {id:?}")
            });
        }
        let Some(seen) = self.runs.rollouts.get(app).filter(|seen| !seen.is_edited) else { return };
        let (status, step) = (&seen.status, usize::try_from(seen.status.step).unwrap());
        let steps = seen.object.pointer("/spec/strategy/canary/steps").and_then(Value::as_array);
        let before = steps.map(|steps| steps.split_at(step.min(steps.len())));
        let Some((before, [now, ..])) =
            before.filter(|_| status.stable.is_some() && status.canary != status.stable)
        else {
            return;
        };
        if now.get("analysis").is_none() || status.promote_full || status.aborted.is_some() {
            return;
        }
        let total = self.totals.get(app).copied().unwrap_or(100);
        let asked = before.iter().rev().find_map(|step| step.get("setWeight")?.as_u64()).unwrap_or(0);
        let alone = self.was_alone(stable);
        let is_asked = to * total <= asked * 100 + total;
        self.must(UNDECIDED, is_asked || alone, || {
            format!("{app} goes to {to} % at an analysis, and {asked} of {total} were asked for before")
        });
    }

    /// Whether stable had no ready pod just now.
    fn was_alone(&self, stable: &str) -> bool {
        let of_stable = self.sets.values().filter(|pods| pods.hash == stable);
        let since = of_stable.filter_map(|pods| pods.ready_since).min();
        since.is_none_or(|since| self.now.saturating_sub(since) < self.heard)
    }

    /// A run that was told to end goes on.
    pub(crate) fn ask_runs(&mut self) {
        // Four heartbeats of everything that may be late.
        let limit = self.heard * 2 + Duration::from_secs(2);
        let late = |run: &&Run| {
            !run.status.phase.is_done() && run.ends.is_some_and(|at| self.now.saturating_sub(at) > limit)
        };
        let late = self.runs.all.values().find(late).map(|run| run.name.clone());
        let any = self.runs.all.values().any(|run| run.ends.is_some());
        if any && self.is_calm() {
            self.must(ENDS, late.is_none(), || format!("{late:?} was told to end, and goes on"));
        }
    }

    /// The runs that go on although everything is at rest.
    pub(crate) fn unfinished_runs(&self) -> Vec<String> {
        let live = self.runs.all.values().filter(|run| !run.status.phase.is_done());
        live.map(|run| format!("{} goes on: {:?}", run.name, run.status)).collect()
    }

    /// Everything is at rest: what is left of the runs?
    pub(crate) fn runs_at_rest(&mut self, rollouts: &[Arc<Value>]) {
        let unheard = self.runs.unheard.first().cloned();
        if let Some(unheard) = unheard {
            self.must(ABORTS, false, || format!("nobody has heard of {unheard:?}"));
        }
        for rollout in rollouts {
            let (app, uid) = (text(rollout, "/metadata/name"), text(rollout, "/metadata/uid"));
            let limit = |field: &str| {
                let limit = rollout.pointer(&format!("/spec/analysis/{field}")).and_then(Value::as_u64);
                usize::try_from(limit.unwrap_or(5)).unwrap()
            };
            let its = || self.runs.all.values().filter(|run| run.owner == uid);
            let live = its().find(|run| !run.status.phase.is_done()).map(|run| run.name.clone());
            let good = its().filter(|run| run.status.phase == Phase::Successful).count();
            let all = its().count();
            let few = good <= limit("successfulRunHistoryLimit")
                && all - good <= limit("unsuccessfulRunHistoryLimit");
            if all > 0 {
                self.must(OVER, live.is_none(), || format!("{app} is at rest, and {live:?} goes on"));
                self.must(KEPT, few, || format!("{app} keeps {all} runs, {good} of them successful"));
            }
        }
    }

    /// What nobody knows the outcome of is asked again, but not at once.
    pub(crate) fn unclear(&mut self, (questions, at_once): (u64, Vec<String>)) {
        if questions > 0 {
            self.must(WAITS, at_once.is_empty(), || format!("{at_once:?} is asked again at once"));
        }
    }

    /// So many requests were about runs, and so many questions were asked.
    pub(crate) fn runs_cost(&mut self, requests: u64, questions: u64) {
        let (begun, writes) = (self.runs.begun, self.runs.writes);
        if begun > 0 && self.is_calm() {
            let most = writes + 4 * begun + 10;
            self.must(COST, requests <= most, || {
                format!("{requests} requests about {begun} runs, {writes} writes")
            });
            let most = 2 * writes + 2 * begun;
            self.must(COST, questions <= most, || format!("{questions} questions, and {writes} writes"));
        }
    }
}
