//! `workloadRef`: the pod template is in another object.

use crate::{Finding, traffic::ObjectRef};
use alloc::{borrow::ToOwned, format};
use serde_json::Value;

/// Returns the object that holds a Rollout's pod template: a Deployment, a ReplicaSet or a PodTemplate of the
/// Rollout's namespace. Returns `None` if the Rollout has no `spec.workloadRef`.
///
/// ```
/// use rollout_core::argo::workload_ref;
/// use serde_json::json;
/// let refers = |version: &str, kind: &str| {
///     let reference = json!({"apiVersion": version, "kind": kind, "name": "web"});
///     workload_ref(&json!({"metadata": {"namespace": "shop"}, "spec": {"workloadRef": reference}}))
/// };
/// assert_eq!(refers("apps/v1", "Deployment").unwrap()?.to_string(), "Deployment shop/web");
/// assert_eq!(refers("v1", "PodTemplate").unwrap()?.to_string(), "PodTemplate shop/web");
/// let why = refers("apps/v1", "StatefulSet").unwrap().unwrap_err();
/// assert_eq!(why.what, "workload of type apps/v1/StatefulSet is not supported");
/// assert_eq!(workload_ref(&json!({"spec": {"template": {}}})), None);
/// # Ok::<(), rollout_core::Finding>(())
/// ```
///
/// # Errors
/// The reference is to a kind that holds no pod template.
#[must_use]
pub fn workload_ref(rollout: &Value) -> Option<Result<ObjectRef, Finding>> {
    let text = |value: &Value, field: &str| value.get(field)?.as_str().map(ToOwned::to_owned);
    let reference = rollout.get("spec")?.get("workloadRef").filter(|reference| !reference.is_null())?;
    let version = text(reference, "apiVersion").unwrap_or_default();
    let (kind, name) =
        (text(reference, "kind").unwrap_or_default(), text(reference, "name").unwrap_or_default());
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let namespace =
        rollout.get("metadata").and_then(|metadata| text(metadata, "namespace")).unwrap_or_default();
    Some(match (group, &*kind) {
        ("apps", "Deployment" | "ReplicaSet") | ("", "PodTemplate") => {
            Ok(ObjectRef::new(group, &kind, &namespace, &name))
        }
        _ => Err(Finding::error(
            "spec.workloadRef",
            format!("workload of type {version}/{kind} is not supported"),
            "name a Deployment or a ReplicaSet of apps/v1, or a PodTemplate of v1",
        )),
    })
}

/// Returns a Rollout as if it had a pod template itself, instead of a `workloadRef`: as the check, the hash of the
/// template and the decision need it. It also gets the `selector`, if there is one and it has none of its own.
///
/// Never store it: the API server would keep a template that the Rollout must not have.
///
/// ```
/// use rollout_core::argo::{check, with_template};
/// use serde_json::json;
/// let rollout = json!({"spec": {
///     "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "strategy": {"canary": {}}
/// }});
/// let deployment = json!({"spec": {
///     "selector": {"matchLabels": {"app": "web"}},
///     "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web:v1"}]}}
/// }});
/// let whole = with_template(&rollout, deployment["spec"]["template"].clone(), Some(&deployment["spec"]["selector"]));
/// assert!(check(&whole).is_valid());
/// assert!(whole["spec"]["workloadRef"].is_null());
/// ```
#[must_use]
pub fn with_template(rollout: &Value, template: Value, selector: Option<&Value>) -> Value {
    let mut rollout = rollout.clone();
    if let Some(spec) = rollout.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|field, _| field != "workloadRef");
        spec.insert("template".into(), template);
        let has_selector = spec.get("selector").is_some_and(|selector| !selector.is_null());
        if let (false, Some(selector)) = (has_selector, selector) {
            spec.insert("selector".into(), selector.clone());
        }
    }
    rollout
}
