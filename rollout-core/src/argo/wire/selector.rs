use super::object::hashed;
use alloc::{collections::BTreeMap, string::String, vec::Vec};

hashed! {
    /// A label selector for pods.
    Selector like "matchLabels: {app: demo}", absent "{}" {
        match_labels: BTreeMap<String, String> = "matchLabels" filled,
        match_expressions: Vec<Requirement> = "matchExpressions" filled,
    }
}

hashed! {
    /// One condition on a label.
    Requirement like "{key: app, operator: In, values: [demo]}", absent "{}" {
        key: String = "key" always,
        operator: String = "operator" always,
        values: Vec<String> = "values" filled,
    }
}
