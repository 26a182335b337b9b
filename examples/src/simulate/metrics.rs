//! What the analyses of a Rollout measure in a simulation.

use super::{
    args::{Scripted, ScriptedMetric},
    traffic::{self, Traffic},
};
use rollout_core::{
    Strategy, Time,
    analysis::{
        Analysis, Answer, Ask, Composed, InvalidAnalysis, Metric, Phase, RunNext, RunRole, RunSeen, RunSpec,
        RunStatus, RunTurn, TemplateRef, Value,
    },
    sim::{Metrics, Truth},
};
use serde_json::Value as Json;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

/// The specs of the templates that were given.
pub(crate) type Given = BTreeMap<TemplateRef, Json>;

/// Metrics whose values the command line says, or that are measured of drawn requests.
#[derive(Debug)]
pub(crate) struct SimulatedMetrics {
    pub(crate) rollout: Json,
    pub(crate) templates: Arc<Given>,
    pub(crate) scripted: Vec<ScriptedMetric>,
    /// The requests, if there are any.
    pub(crate) traffic: Option<Rc<RefCell<Traffic>>>,
    /// When the update began.
    pub(crate) zero: Time,
    pub(crate) runs: BTreeMap<Arc<str>, (RunSpec, RunStatus)>,
}

impl Metrics for SimulatedMetrics {
    fn look(&mut self, truth: &Truth, run: &mut RunSeen, analysis: &Analysis) -> Option<Time> {
        if !self.runs.contains_key(&run.name) {
            let stable = truth.status.stable.as_ref().map(rollout_core::Revision::as_str);
            let wire = wire(analysis, &self.templates, &self.rollout, (stable, run.id.revision.as_str()));
            // What is wrong with it was said before anything was played.
            let spec = RunSpec::read(&wire.unwrap_or_default());
            self.runs.insert(run.name.clone(), (spec, RunStatus::default()));
        }
        let (spec, stored) = self.runs.get_mut(&run.name)?;
        if run.stopping && !stored.phase.is_done() {
            stored.phase = Phase::Successful;
            stored.message = "Run Terminated".into();
            run.phase = stored.phase;
            run.message = stored.message.as_str().into();
            return None;
        }
        let (before, at) = (stored.clone(), truth.now.since(self.zero));
        let answer = |ask: Ask| {
            let scripted = self.scripted.iter().find(|scripted| scripted.name == ask.metric());
            let answer = match (scripted, &self.traffic, spec.metric(ask.metric())) {
                (Some(scripted), ..) => of_script(scripted.at(at)),
                (None, Some(traffic), Some(metric)) => {
                    let result = before.metric(ask.metric());
                    traffic::measure(&traffic.borrow(), spec, metric, result, truth.now)
                }
                _ => of_script(Scripted::Nothing),
            };
            (ask, answer)
        };
        let mut turn = RunTurn::begin(spec, &before, truth.now);
        let wake = loop {
            match turn.next() {
                RunNext::Ask(asks) => turn.answered(&asks.into_iter().map(answer).collect::<Vec<_>>()),
                RunNext::Store(status) => *stored = status,
                RunNext::Done { wake } => break wake,
            }
        };
        *run = run.clone().measured(spec, stored);
        wake
    }

    fn pass(&mut self, truth: &Truth, to: Time) {
        if let Some(traffic) = &self.traffic {
            traffic.borrow_mut().pass(truth, to);
        }
    }
}

fn of_script(scripted: Scripted) -> Answer {
    match scripted {
        Scripted::Number(number) => Answer::Value(Value::Numbers(vec![number])),
        Scripted::Nothing => Answer::Value(Value::Numbers(Vec::new())),
        Scripted::Error => Answer::Unanswered { why: "the provider does not answer".into(), after: None },
    }
}

/// The spec of the AnalysisRun of an analysis.
///
/// # Errors
/// A template is not given, or templates and arguments do not fit.
fn wire(
    analysis: &Analysis,
    given: &Given,
    rollout: &Json,
    hashes: (Option<&str>, &str),
) -> Result<Json, InvalidAnalysis> {
    let template = |name: &TemplateRef| given.get(name).cloned();
    let composed = Composed::of_analysis(analysis, rollout, hashes, template)?;
    Ok(composed.run(&composed.resolved(|_, _| None)?))
}

/// What is wrong with the analyses of a strategy, each with its path in the manifest: before anything is played.
pub(crate) fn wrong(
    strategy: &Strategy,
    given: &Given,
    rollout: &Json,
    (scripted, has_traffic): (&[ScriptedMetric], bool),
) -> Vec<(String, String, String)> {
    let mut wrong = Vec::new();
    for (role, analysis) in strategy.analyses() {
        let path = match role {
            RunRole::Step(index) => format!("spec.strategy.canary.steps[{index}].analysis"),
            RunRole::Background => "spec.strategy.canary.analysis".to_owned(),
        };
        let spec = match wire(analysis, given, rollout, (Some("stable"), "latest")) {
            Ok(wire) => RunSpec::read(&wire),
            Err(InvalidAnalysis::NotFound(template)) => {
                let instead = "also pass the file that defines it".to_owned();
                wrong.push((path, format!("{template} not found"), instead));
                continue;
            }
            Err(error) => {
                let what = error.to_string();
                let (what, instead) = what.split_once("; ").unwrap_or((&what, ""));
                wrong.push((path, what.to_owned(), instead.to_owned()));
                continue;
            }
        };
        if let Some(invalid) = spec.invalid() {
            wrong.push((path, format!("its run is invalid: {invalid}"), "change the template".to_owned()));
            continue;
        }
        let unknown = |metric: &&Metric| scripted.iter().all(|scripted| scripted.name != metric.name());
        for metric in spec.metrics().iter().filter(unknown) {
            let name = metric.name();
            let what = if has_traffic {
                let Err(why) = traffic::can_measure(&spec, metric) else { continue };
                format!("the metric `{name}` cannot be measured of simulated requests: {why}")
            } else {
                format!("no value is given for the metric `{name}`")
            };
            wrong.push((
                path.clone(),
                what,
                format!(
                    "pass --metric {name}=0.99, or --metric {name}=0.99@0s,0.90@12m for values that change"
                ),
            ));
        }
    }
    wrong
}
