//! The result of steps, as a function from objects to objects.

use crate::{Foreign, IstioConfig, IstioEditor, order::Managed, virtual_service::Change};
use rollout_core::{
    Finding, Revision,
    argo::{managed_route, wire::Rollout},
    backend::{EditError, Object, Objects},
    traffic::{ObjectRef, ObjectVersion, Selection, Selectors, Weight, WeightChange},
};
use serde_json::Value;
use std::sync::Arc;

/// The reason why objects were not edited.
///
/// ```
/// use rollout_core::argo::wire::Rollout;
/// use rollout_istio::conformance::{InForce, apply_steps};
/// let rollout = Rollout::from_value(&serde_json::json!({"spec": {"strategy": {"canary": {}}}}));
/// let to = InForce { canary: "v2".into(), stable: "v1".into(), weight: 5, managed: &[] };
/// let error = apply_steps(&rollout, Vec::new(), &to).unwrap_err();
/// assert!(error.to_string().ends_with("the Rollout has no Istio part; write one"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The Rollout has no Istio part.
    #[error("spec.strategy.canary.trafficRouting.istio: the Rollout has no Istio part; write one")]
    NoIstio,
    /// The Rollout's Istio part is invalid.
    #[error("{}", joined(.0))]
    Config(Vec<Finding>),
    /// A step is invalid.
    #[error("a step: {0}")]
    Step(#[from] Finding),
    /// An object lacks a name.
    #[error("{0}")]
    Input(String),
    /// An object cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// The state that a position of the steps asks for.
///
/// See [`apply_steps`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "everything that a position asks of Istio")]
pub struct InForce<'a> {
    /// The pods behind canary.
    pub canary: Revision,
    /// The pods behind stable.
    pub stable: Revision,
    /// The canary's weight out of 100.
    pub weight: u32,
    /// The `setHeaderRoute` and `setMirrorRoute` steps that are in force, as they are written.
    pub managed: &'a [Value],
}

/// Returns the Istio objects of a Rollout once `to` is in force, in the given order: edits first the subsets, then the
/// weights, then the managed routes. Objects that the Rollout does not name are returned unchanged.
///
/// This is Argo Rollouts' result. The engine ends up with the same subsets and weights, but writes managed routes [for
/// each weighed route](IstioEditor), and compares the whole host. Gates and the order of work do not matter here, and
/// no annotation is left behind.
///
/// # Errors
/// The Rollout's Istio part, a step, or an object is invalid.
///
/// ```
/// use rollout_core::argo::wire::Rollout;
/// use rollout_istio::conformance::{InForce, apply_steps};
/// # use serde_json::json;
/// let rollout = json!({"metadata": {"namespace": "shop"}, "spec": {"strategy": {"canary": {
///     "stableService": "a", "canaryService": "b",
///     "trafficRouting": {"istio": {"virtualService": {"name": "provider"}}},
/// }}}});
/// let provider = json!({"kind": "VirtualService", "apiVersion": "networking.istio.io/v1",
///     "metadata": {"name": "provider", "namespace": "shop"},
///     "spec": {"tcp": [{"route": [{"destination": {"host": "a"}}, {"destination": {"host": "b"}}]}]}});
/// let to = InForce { canary: "v2".into(), stable: "v1".into(), weight: 5, managed: &[] };
/// let after = apply_steps(&Rollout::from_value(&rollout), vec![provider], &to)?;
/// assert_eq!(after[0]["spec"]["tcp"][0]["route"][1]["weight"], 5);
/// # Ok::<(), rollout_istio::conformance::ApplyError>(())
/// ```
pub fn apply_steps(
    rollout: &Rollout,
    objects: Vec<Value>,
    to: &InForce<'_>,
) -> Result<Vec<Value>, ApplyError> {
    let config = IstioConfig::from_wire(rollout).map_err(ApplyError::Config)?.ok_or(ApplyError::NoIstio)?;
    let config = IstioConfig { like_argo_rollouts: true, ..config.foreign(Foreign::All) };
    let steps = to.managed.iter().map(managed_route).collect::<Result<Vec<_>, _>>()?;
    let mut names = Vec::new();
    let mut all = Objects::new();
    for value in objects {
        let name = named(&value, &config.namespace).ok_or_else(|| {
            ApplyError::Input("an object without apiVersion, kind or metadata.name; write all three".into())
        })?;
        names.push(name.clone());
        all.insert(
            name,
            Object { value: value.into(), version: ObjectVersion { write: "".into(), content: 0 } },
        );
    }
    let editor = IstioEditor::new(config);
    let selection = |revision: &Revision| Some(Selection::Revision(revision.clone()));
    let selectors = Selectors { stable: selection(&to.stable), canary: selection(&to.canary) };
    let change = Change {
        weight: WeightChange::To(Weight::new(to.weight, 100)),
        managed: Managed::Steps(&steps),
        written_for: None,
    };
    let mut edits = editor.selected(&all, &selectors)?;
    edits.extend(editor.edits(&all, &change)?);
    for (name, value) in edits {
        if let Some(object) = all.get_mut(&name) {
            object.value = value.into();
        }
    }
    Ok(names
        .into_iter()
        .filter_map(|name| all.remove(&name))
        .map(|object| Arc::unwrap_or_clone(object.value))
        .collect())
}

fn joined(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn named(value: &Value, namespace: &str) -> Option<ObjectRef> {
    let metadata = value.get("metadata")?;
    let group = value.get("apiVersion")?.as_str()?.split_once('/').map_or("", |(group, _)| group);
    let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
    Some(ObjectRef::new(group, value.get("kind")?.as_str()?, namespace, metadata.get("name")?.as_str()?))
}
