//! The rule that a VirtualService in another namespace is changed only if it, or the operator, allows it.

use crate::config::{Foreign, IstioConfig};
use rollout_core::{
    Finding,
    backend::{EditError, annotation},
    traffic::ObjectRef,
};
use serde_json::Value;

/// The annotation with which a VirtualService lets Rollouts of other namespaces split its traffic: those namespaces,
/// separated by commas, or `*` for all.
pub const ALLOW_FROM_ANNOTATION: &str = "rollout-core/allow-from";

/// Checks that the Rollout may read and change this object. If not, the error reveals nothing of its content.
pub(crate) fn check(config: &IstioConfig, name: &ObjectRef, object: &Value) -> Result<(), EditError> {
    let by_operator = match &config.foreign {
        Foreign::All => true,
        Foreign::Of(namespaces) => namespaces.contains(&name.namespace),
    };
    if by_operator || name.namespace == config.namespace {
        return Ok(());
    }
    let allowed = annotation(object, ALLOW_FROM_ANNOTATION).unwrap_or_default();
    if allowed.split(',').map(str::trim).any(|from| from == "*" || *from == *config.namespace) {
        return Ok(());
    }
    let path = format!("metadata.annotations.{ALLOW_FROM_ANNOTATION}");
    let what = format!("it does not allow Rollouts of namespace {} to split its traffic", config.namespace);
    let instead = format!(
        "have its owner annotate it with {ALLOW_FROM_ANNOTATION}: {}, or use one of your own",
        config.namespace
    );
    Err(EditError::no_consent(name.clone(), Finding::error(path, what, instead)))
}
