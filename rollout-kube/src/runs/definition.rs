//! What a run is to measure: its metrics with the arguments put in.

use rollout_core::analysis::{Composed, InvalidTemplates, RunSpec, Templates, compose};
use serde_json::{Value, json};

/// The spec of an AnalysisRun whose arguments all have a value, or come from Secrets.
#[derive(Debug)]
pub(crate) struct Definition<'r> {
    spec: &'r Value,
    composed: Composed,
}

/// A key of a Secret.
#[cfg(feature = "analysis")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecretKey {
    pub(crate) secret: String,
    pub(crate) key: String,
}

impl<'r> Definition<'r> {
    /// Reads the `spec` of an AnalysisRun.
    ///
    /// # Errors
    /// An argument has no value, or a text refers to something else than an argument.
    pub(crate) fn read(spec: &'r Value) -> Result<Self, InvalidTemplates> {
        let field = |name: &str| spec.get(name).cloned().unwrap_or_default();
        // One object around all metrics: names that stand twice are judged later, in the words of Argo Rollouts.
        let template = json!({"args": field("args"), "metrics": [{"all": field("metrics")}]});
        let composed = compose(&Templates { templates: &[template], ..Templates::default() })?;
        Ok(Self { spec, composed })
    }

    /// Returns the keys of Secrets that arguments come from, each once.
    #[cfg(feature = "analysis")]
    pub(crate) fn secrets(&self) -> Vec<SecretKey> {
        let of = |argument: &Value| {
            let from = argument.pointer("/valueFrom/secretKeyRef")?;
            let text = |field: &str| from.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            Some(SecretKey { secret: text("name"), key: text("key") })
        };
        let mut keys: Vec<_> = self.composed.args.iter().filter_map(of).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Returns the spec with the arguments put in. A Secret that `secret` does not know is a placeholder.
    ///
    /// # Errors
    /// A text refers to something else than an argument.
    pub(crate) fn resolved(
        &self,
        secret: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<RunSpec, InvalidTemplates> {
        let mut resolved = self.composed.resolved(secret)?;
        let metrics = resolved.first_mut().and_then(|all| all.get_mut("all")).map(Value::take);
        let field = |name: &str| self.spec.get(name).cloned().unwrap_or_default();
        Ok(RunSpec::read(&json!({
            "metrics": metrics,
            "dryRun": field("dryRun"),
            "measurementRetention": field("measurementRetention"),
            "terminate": field("terminate"),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "analysis")]
    #[test]
    fn arguments_are_put_in_and_secrets_are_named() {
        let spec = json!({
            "args": [
                {"name": "every", "value": "90s"},
                {"name": "token", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}},
            ],
            "metrics": [{
                "name": "a", "interval": "{{args.every}}",
                "provider": {"web": {"url": "http://web", "headers": [{"key": "a", "value": "{{args.token}}"}]}}
            }],
            "terminate": true
        });
        let definition = Definition::read(&spec).unwrap();
        let key = SecretKey { secret: "prometheus".into(), key: "token".into() };
        assert_eq!(definition.secrets(), [key]);
        let value = |run: &RunSpec| run.metrics()[0].provider()["web"]["headers"][0]["value"].clone();
        let run = definition.resolved(|_, _| None).unwrap();
        assert_eq!(run.metrics()[0].interval().unwrap().as_secs(), 90);
        assert_eq!(value(&run), "temp-for-secret");
        let run = definition.resolved(|name, key| Some(format!("{name}/{key}"))).unwrap();
        assert_eq!(value(&run), "prometheus/token");
    }

    #[test]
    fn two_metrics_of_one_name_get_the_words_of_argo_rollouts() {
        let metric = json!({"name": "a", "provider": {"job": {}}});
        let spec = json!({"metrics": [metric, metric]});
        let run = Definition::read(&spec).unwrap().resolved(|_, _| None).unwrap();
        assert_eq!(run.invalid(), Some("metrics[1]: duplicate name 'a"));
    }

    #[test]
    fn an_argument_without_a_value_is_an_error() {
        let spec = json!({"args": [{"name": "a"}], "metrics": [{"name": "{{args.a}}"}]});
        assert!(Definition::read(&spec).unwrap_err().to_string().starts_with("args.a was not resolved"));
        let spec = json!({"metrics": [{"name": "{{args.b}}"}]});
        assert!(Definition::read(&spec).unwrap_err().to_string().contains("{{args.b}}"));
    }
}
