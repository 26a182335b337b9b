use super::{
    fnv::{fnv1a, safe},
    text::Text,
};
use crate::argo::{
    Finding, Severity,
    reader::Reader,
    wire::{Canary, CanaryStep, StrategyField},
};
use alloc::{string::String, vec::Vec};
use serde_json::{Map, Value};

/// Computes Argo Rollouts' hash of a Rollout's steps, as stored in `status.currentStepHash`.
///
/// Invalid steps are hashed as they are; a Rollout without a canary has the empty text. The hash is exact to the byte,
/// so that neither migration to this engine nor back restarts the steps.
///
/// ```
/// use rollout_core::argo::step_hash;
/// use serde_json::json;
/// let steps = json!([{"setWeight": 5}, {"pause": {"duration": "10m"}}, {"setWeight": 50}, {"pause": {"duration": "10m"}}]);
/// let rollout = json!({"spec": {"strategy": {"canary": {"steps": steps}}}});
/// assert_eq!(step_hash(&rollout).unwrap(), "7bbfd758bf");
/// ```
///
/// # Errors
/// Returns every place in the steps where a value has the wrong type. Nothing outside the steps matters.
pub fn step_hash(rollout: &Value) -> Result<String, Vec<Finding>> {
    let strategy = field(rollout, "spec").and_then(|spec| field(spec, "strategy"));
    if strategy.and_then(|strategy| field(strategy, "blueGreen")).is_some() {
        return Ok(String::new());
    }
    let Some(canary) = strategy.and_then(|strategy| field(strategy, "canary")) else {
        return Ok(String::new());
    };
    let Some(canary) = canary.as_object() else {
        let mut reader = Reader::at("spec.strategy.canary");
        reader.wrong("a map", canary, "write `steps:` below it");
        return Err(reader.findings.into_list());
    };
    steps(canary)
}

fn steps(canary: &Map<String, Value>) -> Result<String, Vec<Finding>> {
    let mut reader = Reader::at("spec.strategy.canary");
    let steps: Option<Vec<CanaryStep>> = reader.field(canary, "steps");
    let mut findings = reader.findings.into_list();
    findings.retain(|finding| finding.severity == Severity::Error);
    if findings.is_empty() { Ok(hash(steps.as_ref())) } else { Err(findings) }
}

fn field<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.get(key).filter(|value| !value.is_null())
}

fn hash(steps: Option<&Vec<CanaryStep>>) -> String {
    let mut text = String::new();
    match steps {
        Some(steps) => steps.write(&mut text),
        None => text.push_str("null"),
    }
    safe(fnv1a(text.as_bytes()))
}

impl StrategyField {
    /// Returns the [step hash](step_hash).
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let hash = |strategy| {
    ///     let rollout = Rollout::from_value(&json!({"spec": {"strategy": strategy}}));
    ///     rollout.spec.and_then(|spec| spec.strategy).map(|strategy| strategy.step_hash())
    /// };
    /// assert_eq!(hash(json!({"blueGreen": {}})).as_deref(), Some(""), "no canary, no hash");
    /// assert_ne!(hash(json!({"canary": {}})).as_deref(), Some(""), "though it has no steps");
    /// ```
    #[must_use]
    pub fn step_hash(&self) -> String {
        match (&self.blue_green, &self.canary) {
            (Some(blue_green), _) if !blue_green.is_null() => String::new(),
            (_, Some(canary)) => canary.step_hash(),
            (_, None) => String::new(),
        }
    }
}

impl Canary {
    /// Returns the [step hash](step_hash).
    ///
    /// ```
    /// use rollout_core::argo::{step_hash, wire::Rollout};
    /// use serde_json::json;
    /// let rollout = json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 5}]}}}});
    /// let canary = Rollout::from_value(&rollout).canary().cloned().unwrap();
    /// assert_eq!(Ok(canary.step_hash()), step_hash(&rollout));
    /// ```
    #[must_use]
    pub fn step_hash(&self) -> String {
        hash(self.steps.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(steps: &Value) -> Result<String, Vec<Finding>> {
        step_hash(&json!({"spec": {"strategy": {"canary": {"steps": steps}}}}))
    }

    #[test]
    fn known_hashes() {
        assert_eq!(of(&json!(null)), Ok("5ffbfbbd64".into()));
        assert_eq!(of(&json!([])), Ok("5f8cb5778f".into()));
        assert_eq!(of(&json!([{}])), Ok("8bb748cdf".into()));
        assert_eq!(of(&json!([null])), Ok("8bb748cdf".into()));
        let header = json!([
            {"setCanaryScale": {"weight": 100}},
            {"setHeaderRoute": {"match": [{"headerName": "lane", "headerValue": {"exact": "test-v2"}}], "name": "test-v2"}},
            {"pause": {}}
        ]);
        assert_eq!(of(&header), Ok("767c45d9b5".into()));
        let traps = json!([
            {"experiment": {"templates": [{"name": "x<y>&z", "specRef": "canary", "weight": 0}], "duration": "5m"}},
            {"setMirrorRoute": {"name": "m", "match": [{"headers": {"b": {"exact": "1"}, "a": {"regex": "^ü$"}}}], "percentage": 0}},
            {"analysis": {"templates": [{"templateName": "t", "clusterScope": false}], "args": [{"name": "v", "value": ""}]}},
            {"plugin": {"name": "org/p", "config": {"z": 1, "a": [1, "two"]}}},
            {"pause": {}, "setWeight": 50, "unknown": 1}
        ]);
        assert_eq!(of(&traps), Ok("576dc95d5f".into()));
    }

    #[test]
    fn no_canary_has_no_hash() {
        assert_eq!(step_hash(&json!({})), Ok(String::new()));
        assert_eq!(
            step_hash(&json!({"spec": {"strategy": {"canary": {}, "blueGreen": {}}}})),
            Ok(String::new())
        );
    }

    #[test]
    fn wrong_types_are_errors_with_their_paths() {
        let errors = of(&json!([{"setWeight": "5"}, {"pause": {"duration": [1]}}, "x"])).unwrap_err();
        let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
        let want = ["[0].setWeight", "[1].pause.duration", "[2]"]
            .map(|at| alloc::format!("spec.strategy.canary.steps{at}"));
        assert_eq!(paths, want);
    }
}
