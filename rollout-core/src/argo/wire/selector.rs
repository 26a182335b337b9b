use super::object::hashed;
use alloc::{collections::BTreeMap, string::String, vec::Vec};

hashed! {
    /// A label selector for pods.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let selector = json!({
    ///     "matchLabels": {"app": "web"},
    ///     "matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["debug"]}],
    /// });
    /// let selector = Rollout::from_value(&json!({"spec": {"selector": selector}})).spec.unwrap().selector.unwrap();
    /// assert_eq!(selector.match_labels.unwrap()["app"], "web");
    /// assert_eq!(selector.match_expressions.unwrap()[0].operator.as_deref(), Some("NotIn"));
    /// ```
    Selector like "matchLabels: {app: demo}", absent "{}" {
        match_labels: BTreeMap<String, String> = "matchLabels" filled,
        match_expressions: Vec<Requirement> = "matchExpressions" filled,
    }
}

hashed! {
    /// One condition on a label.
    ///
    /// See [`Selector`] for an example.
    Requirement like "{key: app, operator: In, values: [demo]}", absent "{}" {
        key: String = "key" always,
        operator: String = "operator" always,
        values: Vec<String> = "values" filled,
    }
}
