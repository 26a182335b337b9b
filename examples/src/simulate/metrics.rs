//! What the analyses of a Rollout measure in a simulation.

use super::{
    args::{Scripted, ScriptedMetric},
    traffic::{self, Traffic},
};
use rollout_core::{
    Time,
    analysis::{
        Analysis, Answer, Ask, Composed, InvalidAnalysis, Metric, Phase, RunNext, RunSeen, RunSpec,
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
                (Some(scripted), _, metric) => of_script(scripted.at(at), metric),
                (None, Some(traffic), Some(metric)) => {
                    let result = before.metric(ask.metric());
                    traffic::measure(&traffic.borrow(), spec, metric, result, truth.now)
                }
                (None, ..) => of_script(Scripted::Nothing, None),
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

/// A value as the metric's provider would answer it. Where a provider judges by itself, 0 is a failure.
fn of_script(scripted: Scripted, metric: Option<&Metric>) -> Answer {
    let settings = |provider: &str| {
        metric.and_then(|metric| metric.provider().get(provider).filter(|set| !set.is_null()))
    };
    let of_number = |number: f64| {
        if settings("job").is_some() || settings("plugin").is_some() {
            let phase = if number == 0.0 { Phase::Failed } else { Phase::Successful };
            let (value, message, metadata) = (number.to_string(), String::new(), BTreeMap::new());
            return Answer::Verdict { phase, value, message, metadata, is_last: false };
        }
        Answer::Value(if settings("web").is_some() {
            Value::Json(serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number))
        } else if settings("datadog").is_some() || metric.is_some_and(traffic::is_scalar) {
            Value::Number(number)
        } else {
            Value::Numbers(vec![number])
        })
    };
    match scripted {
        Scripted::Number(number) => of_number(number),
        Scripted::Nothing if settings("web").is_some() || settings("datadog").is_some() => {
            Answer::Value(Value::Json(Json::Null))
        }
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
