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
///
/// ```
/// use rollout_core::{argo::wire::Rollout, traffic::{ManagedChange, Routes, WeightChange, Weight}};
/// use rollout_istio::{ALLOW_FROM_ANNOTATION, IstioConfig, IstioEditor};
/// # use serde_json::json;
/// # let rollout = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {"strategy": {"canary": {
/// #     "trafficRouting": {"istio": {"virtualService": {"name": "gw.gateways"}}},
/// #     "stableService": "web", "canaryService": "web-canary",
/// # }}}});
/// let config = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap().unwrap();
/// let gateway = config.virtual_services[0].object("shop");
/// let editor = IstioEditor::new(config);
/// # let weight = WeightChange::To(Weight::new(5, 100));
/// # let to = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
/// let to_host = |name| json!({"destination": {"host": format!("{name}.shop.svc.cluster.local")}});
/// let route = json!({"route": [to_host("web"), to_host("web-canary")]});
/// let mut object = json!({"metadata": {"annotations": {}}, "spec": {"http": [route]}});
/// let error = editor.edit_virtual_service(&gateway, &mut object, None, &to).unwrap_err();
/// assert!(error.lacks_consent);
/// object["metadata"]["annotations"][ALLOW_FROM_ANNOTATION] = "shop, lab".into();
/// assert!(editor.edit_virtual_service(&gateway, &mut object, None, &to)?);
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
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
