//! The analyses of the Rollouts that are played: what they measure, and what their providers answer.

use crate::mesh::NAMESPACE;
use proptest::{
    prelude::{Just, prop_oneof},
    sample::select,
    strategy::Strategy as _,
};
use serde_json::{Value, json};

/// Templates, by what is seldom the same about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    /// One measurement.
    Once,
    Thrice,
    /// The first one comes later.
    Later,
    /// Some failures, errors and unclear answers are allowed.
    Tolerant,
    /// A second metric has no consequences.
    WithDryRun,
    /// A ClusterAnalysisTemplate; so many good ones in a row are needed.
    InARow,
    /// The provider measures for a while, and judges by itself.
    Job,
    /// Without an end.
    Watch,
}

const TEMPLATES: [Template; 8] = [
    Template::Once,
    Template::Thrice,
    Template::Later,
    Template::Tolerant,
    Template::WithDryRun,
    Template::InARow,
    Template::Job,
    Template::Watch,
];

/// What a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Bad,
    /// Mostly good, and bad, unclear or none now and then.
    Mixed,
    /// Neither good nor bad.
    Unsure,
    /// Good, after some time.
    Slow,
    /// Nothing.
    Silent,
    /// What no condition fits.
    Wrong,
    /// It wants to be asked later, most of the time.
    Busy,
    /// Nobody knows what came of a question, most of the time.
    Unclear,
}

/// An analysis beside the steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) template: Template,
    pub(crate) starting_step: u8,
}

/// How the analyses of a Rollout are run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Analysed {
    pub(crate) beside: Option<Beside>,
    /// Of its providers, at first.
    pub(crate) mood: Mood,
    /// How many successful runs and others are kept; 5 without a number.
    pub(crate) kept: Option<(u8, u8)>,
}

pub(crate) fn mood() -> impl proptest::strategy::Strategy<Value = Mood> {
    let odd = [Mood::Unsure, Mood::Slow, Mood::Silent, Mood::Wrong, Mood::Busy, Mood::Unclear, Mood::Mixed];
    prop_oneof![3 => Just(Mood::Good), 2 => Just(Mood::Bad), 4 => select(odd.to_vec())]
}

/// One that ends: a step waits for it.
pub(crate) fn ending() -> impl proptest::strategy::Strategy<Value = Template> {
    let ends: Vec<_> = TEMPLATES.into_iter().filter(|template| *template != Template::Watch).collect();
    select(ends)
}

pub(crate) fn analysed() -> impl proptest::strategy::Strategy<Value = Analysed> {
    let beside = (select(TEMPLATES.to_vec()), 0..3_u8)
        .prop_map(|(template, starting_step)| Some(Beside { template, starting_step }));
    let beside = prop_oneof![1 => Just(None), 1 => beside];
    let kept = prop_oneof![1 => Just(None), 2 => (0..3_u8, 0..3_u8).prop_map(Some)];
    (beside, mood(), kept).prop_map(|(beside, mood, kept)| Analysed { beside, mood, kept })
}

impl Analysed {
    /// Writes them into a Rollout.
    pub(crate) fn write(self, rollout: &mut Value, app: &str) {
        if let Some(beside) = self.beside {
            let mut analysis = beside.template.reference(app);
            analysis["startingStep"] = json!(beside.starting_step);
            rollout["spec"]["strategy"]["canary"]["analysis"] = analysis;
        }
        if let Some((successful, others)) = self.kept {
            rollout["spec"]["analysis"] =
                json!({"successfulRunHistoryLimit": successful, "unsuccessfulRunHistoryLimit": others});
        }
    }
}

impl Template {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn is_of_cluster(self) -> bool {
        self == Self::InARow
    }

    /// The metrics, with the answers about whom they ask.
    fn metrics(self, about: &str) -> Value {
        let metric = |more: Value| {
            let mut metric = json!({
                "name": "errors", "successCondition": "result[0] >= 0.95", "failureCondition": "result[0] < 0.9",
                "provider": {"prometheus": {"address": "http://prometheus:9090", "query": about}}
            });
            for (field, value) in more.as_object().into_iter().flatten() {
                metric[field.as_str()] = value.clone();
            }
            metric
        };
        match self {
            Self::Once => json!([metric(json!({}))]),
            Self::Thrice => json!([metric(json!({"interval": "4s", "count": 3}))]),
            Self::Later => json!([metric(json!({"initialDelay": "5s", "interval": "3s", "count": 2}))]),
            Self::Tolerant => json!([metric(json!({
                "interval": "3s", "count": 4, "failureLimit": 1, "consecutiveErrorLimit": 2,
                "inconclusiveLimit": 1
            }))]),
            Self::WithDryRun => json!([
                metric(json!({"interval": "4s", "count": 2})),
                metric(json!({"name": "latency", "interval": "3s", "count": 3}))
            ]),
            Self::InARow => {
                json!([metric(json!({"interval": "2s", "count": 6, "consecutiveSuccessLimit": 2}))])
            }
            Self::Job => {
                let spec = json!({"template": {"spec": {"containers": [{"name": "check", "image": about}]}}});
                json!([{
                    "name": "check", "count": 2, "interval": "3s", "provider": {"job": {"spec": spec}}
                }])
            }
            Self::Watch => json!([metric(json!({"interval": "6s", "failureLimit": 1}))]),
        }
    }

    fn spec(self, about: &str) -> Value {
        let mut spec = json!({"metrics": self.metrics(about)});
        if self == Self::WithDryRun {
            spec["dryRun"] = json!([{"metricName": "latency"}]);
        }
        spec
    }

    /// How a Rollout names it.
    pub(crate) fn reference(self, app: &str) -> Value {
        json!({
            "templates": [{"templateName": self.name(), "clusterScope": self.is_of_cluster()}],
            "args": [{"name": "about", "value": app}]
        })
    }

    /// A run that a person applies, which does not stay for ever.
    pub(crate) fn run(self, about: &str) -> Value {
        let mut spec = self.spec(about);
        spec["ttlStrategy"] = json!({"secondsAfterCompletion": 20});
        let labels = json!({"by": "hand"});
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"labels": labels},
            "spec": spec
        })
    }
}

/// Reads a time of a template.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    text.strip_suffix('s')?.parse().ok()
}

pub(crate) const RUNS: &str = "/apis/argoproj.io/v1alpha1/analysisruns";

pub(crate) fn run_path(name: &str) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/analysisruns/{name}")
}

/// All templates, by path.
pub(crate) fn objects() -> impl Iterator<Item = (String, Value)> {
    TEMPLATES.into_iter().map(|template| {
        let (kind, place) = if template.is_of_cluster() {
            ("ClusterAnalysisTemplate", "clusteranalysistemplates".to_owned())
        } else {
            ("AnalysisTemplate", format!("namespaces/{NAMESPACE}/analysistemplates"))
        };
        let mut spec = template.spec("{{args.about}}");
        spec["args"] = json!([{"name": "about"}]);
        let path = format!("/apis/argoproj.io/v1alpha1/{place}/{}", template.name());
        (path, json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "spec": spec}))
    })
}
