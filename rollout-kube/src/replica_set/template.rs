use super::{anti_affinity, pod_metadata, quantity};
use crate::entry::Entry;
use rollout_core::backend::REVISION_LABEL;
use serde_json::Value;

/// Returns whether a ReplicaSet's pod template, with the API server's defaults, is the one that a Rollout asks for.
///
/// What the engine adds for `antiAffinity`, `canaryMetadata` and `stableMetadata` does not count. Everything in the
/// Rollout's template must be there; everything else must be a default of the server.
pub(crate) fn same_template(wanted: &Value, set: &Entry) -> bool {
    // A client that copied the template of a ReplicaSet, as `undo` does, also copied what the engine had added.
    let mut wanted = wanted.clone();
    anti_affinity::without_rules(&mut wanted);
    pod_metadata::without_added(&mut wanted, set);
    own_template(set).is_some_and(|actual| same(&wanted, &actual, ""))
}

/// Returns the pod template of a ReplicaSet without what the engine added to it, except for the label of the revision.
pub(crate) fn own_template(set: &Entry) -> Option<Value> {
    let mut template = set.template()?;
    anti_affinity::without_rules(&mut template);
    pod_metadata::restore(&mut template, set);
    Some(template)
}

fn same(wanted: &Value, actual: &Value, key: &str) -> bool {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => {
            let is_same = |(key, value): (&String, &Value)| match actual.get(key) {
                Some(actual) => same(value, actual, key),
                None => is_empty_or_default(value),
            };
            let is_extra = |key: &str| !wanted.contains_key(key) && key != REVISION_LABEL;
            wanted.iter().all(is_same)
                && actual.iter().filter(|(key, _)| is_extra(key)).all(|(key, value)| is_default(key, value))
        }
        (Value::Array(wanted), Value::Array(actual)) => {
            wanted.len() == actual.len()
                && wanted.iter().zip(actual).all(|(wanted, actual)| same(wanted, actual, key))
        }
        (wanted, actual) if wanted == actual => true,
        (wanted, actual) if is_default(key, actual) && is_empty_or_default(wanted) => true,
        (wanted, actual) => match (text(wanted), text(actual)) {
            (Some(wanted), Some(actual)) => quantity::same(&wanted, &actual),
            _ => false,
        },
    }
}

/// Returns whether a value is null, empty, or made only of defaults.
fn is_empty_or_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.iter().all(|(key, value)| key == REVISION_LABEL || is_default(key, value)),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
    }
}

/// Returns whether the API server sets this value for an omitted field.
fn is_default(key: &str, value: &Value) -> bool {
    let number = value.as_i64();
    match (key, value.as_str()) {
        ("dnsPolicy", Some("ClusterFirst"))
        | ("restartPolicy", Some("Always"))
        | ("schedulerName", Some("default-scheduler"))
        | ("imagePullPolicy", Some("Always" | "IfNotPresent"))
        | ("terminationMessagePath", Some("/dev/termination-log"))
        | ("terminationMessagePolicy", Some("File"))
        | ("protocol", Some("TCP"))
        | ("scheme", Some("HTTP"))
        | ("apiVersion", Some("v1"))
        | ("divisor", Some("0"))
        | ("serviceAccount", Some(_)) => true,
        ("terminationGracePeriodSeconds", None) => number == Some(30),
        ("timeoutSeconds" | "successThreshold", None) => number == Some(1),
        ("periodSeconds", None) => number == Some(10),
        ("failureThreshold", None) => number == Some(3),
        ("defaultMode", None) => number == Some(420),
        ("expirationSeconds", None) => number == Some(3607),
        _ => is_empty_or_default(value),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> Value {
        json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{
                "name": "c", "image": "web:v1", "ports": [{"containerPort": 8080}],
                "resources": {"requests": {"cpu": 0.5, "memory": "1024Mi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}
            }]}
        })
    }

    /// The template as the API server completes it.
    fn actual() -> Value {
        json!({
            "metadata": {"creationTimestamp": null, "labels": {"app": "web", "rollouts-pod-template-hash": "abc"}},
            "spec": {
                "containers": [{
                    "name": "c", "image": "web:v1", "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                    "readinessProbe": {
                        "httpGet": {"path": "/", "port": 8080, "scheme": "HTTP"},
                        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3
                    },
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"
                }],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
                "securityContext": {}, "schedulerName": "default-scheduler"
            }
        })
    }

    #[test]
    fn a_default_of_the_server_is_no_difference() {
        assert!(same(&wanted(), &actual(), ""));
        let mut explicit = wanted();
        explicit["spec"]["restartPolicy"] = json!("Always");
        explicit["spec"]["nodeSelector"] = json!({});
        assert!(same(&explicit, &actual(), ""), "nor is an explicit default");
    }

    #[test]
    fn everything_else_is_a_difference() {
        let cases = [
            ("/spec/containers/0/image", json!("web:v2")),
            ("/spec/containers/0/ports/0/containerPort", json!(8081)),
            ("/spec/containers/0/resources/requests/cpu", json!("501m")),
            ("/spec/restartPolicy", json!("Never")),
            ("/spec/terminationGracePeriodSeconds", json!(31)),
            ("/metadata/labels/app", json!("other")),
            ("/spec/containers/0/readinessProbe/periodSeconds", json!(5)),
        ];
        for (pointer, value) in cases {
            let mut actual = actual();
            *actual.pointer_mut(pointer).unwrap() = value;
            assert!(!same(&wanted(), &actual, ""), "{pointer}");
        }
        let mut actual = actual();
        actual["spec"]["hostNetwork"] = json!(true);
        assert!(!same(&wanted(), &actual, ""), "a field that the Rollout does not ask for");
        let mut more = wanted();
        more["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "1"}]);
        assert!(!same(&more, &self::actual(), ""), "a field that the ReplicaSet does not have");
    }
}
