//! AnalysisRuns and their templates, as objects of a cluster: what a Rollout's turn and the measuring share.

mod datadog;
mod definition;

pub(crate) use datadog::Datadog;
#[cfg(feature = "analysis")]
pub(crate) use datadog::{SHARED, Version};
pub(crate) use definition::Definition;
#[cfg(feature = "analysis")]
pub(crate) use definition::SecretKey;

use crate::store::Kind;
use rollout_core::{
    analysis::{Compare, Metric, RunSpec},
    traffic::ObjectRef,
};
use serde_json::Value;

/// The supported metric providers.
const SUPPORTED: &str = "write `prometheus`, `web`, `job`, `datadog` or the plug-in `rollout-core/compare`";

/// Returns the kinds of analyses, and those that metrics need besides the ones that every store knows.
pub(crate) fn kinds() -> [Kind; 5] {
    let ours = |kind, plural| Kind::new("argoproj.io", "v1alpha1", kind, plural);
    [
        ours("AnalysisRun", "analysisruns"),
        ours("AnalysisTemplate", "analysistemplates"),
        ours("ClusterAnalysisTemplate", "clusteranalysistemplates").of_cluster(),
        Kind::new("", "v1", "Secret", "secrets"),
        Kind::new("batch", "v1", "Job", "jobs"),
    ]
}

/// Returns the reference to an AnalysisRun.
pub(crate) fn run_ref(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new("argoproj.io", "AnalysisRun", namespace, name)
}

/// Returns the provider of a metric: its name and its settings. A valid metric has exactly one.
pub(crate) fn provider_of(metric: &Value) -> Option<(&str, &Value)> {
    let all = metric.as_object().into_iter().flatten();
    all.map(|(name, provider)| (name.as_str(), provider)).find(|(_, provider)| !provider.is_null())
}

/// Returns why a metric of a run can never be measured: its provider is not supported, or what is written there is wrong.
pub(crate) fn wrong_provider(spec: &RunSpec, metric: &Metric) -> Option<String> {
    if let Some(compare) = Compare::read(spec, metric) {
        return compare.err().map(|wrong| wrong.to_string());
    }
    let (name, provider) = provider_of(metric.provider())?;
    let what = match name {
        "prometheus" | "web" | "job" => return None,
        "datadog" => return Datadog::read(provider).err(),
        "plugin" => {
            let name = provider.as_object().and_then(|plugins| plugins.keys().next());
            format!("plug-in `{}`", name.map_or("", String::as_str))
        }
        _ => format!("provider `{name}`"),
    };
    Some(format!("the {what} is not supported; {SUPPORTED}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_with_a_provider_is_known_before_it_is_asked() {
        let wrong = |provider: Value| {
            let spec = RunSpec::read(&json!({"metrics": [{"name": "a", "provider": provider}]}));
            wrong_provider(&spec, &spec.metrics()[0])
        };
        for provider in [json!({"prometheus": {}}), json!({"job": {}}), json!({"datadog": {"query": "a"}})] {
            assert_eq!(wrong(provider), None);
        }
        for (provider, what) in [
            (
                json!({"wavefront": {}}),
                "the provider `wavefront` is not supported; write `prometheus`, `web`",
            ),
            (json!({"plugin": {"a/b": {}}}), "the plug-in `a/b` is not supported; write `prometheus`, `web`"),
            (
                json!({"plugin": {"rollout-core/compare": {}}}),
                "provider.plugin[rollout-core/compare].canary.requests",
            ),
            (json!({"datadog": {}}), "there is nothing to ask; write `query`"),
            (json!({"datadog": {"query": "a", "secretRef": {"name": "b"}}}), "the Secret \"b\" would be in"),
        ] {
            let why = wrong(provider).unwrap();
            assert!(why.starts_with(what), "{why}");
        }
    }
}
