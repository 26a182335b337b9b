//! Edits of a VirtualService from bytes to bytes.

use crate::IstioEditor;
use rollout_core::{
    backend::EditError,
    traffic::{ObjectRef, Routes},
};
use serde_json::Value;

/// The reason why bytes were not edited.
///
/// ```
/// use rollout_core::{backend::ObjectEditor, traffic::{ManagedChange, Routes, WeightChange}};
/// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef, conformance::edit_bytes};
/// let config = IstioConfig::hosts("shop", "a", "b").virtual_service(VirtualServiceRef::new("web"));
/// let editor = IstioEditor::new(config);
/// let (weight, managed) = (WeightChange::Keep, ManagedChange::Keep);
/// let to = Routes { weight, managed, written_for: "v2".into() };
/// let error = edit_bytes(&editor, &editor.objects()[0], b"spec: {}", None, &to).unwrap_err();
/// assert!(error.to_string().starts_with("VirtualService shop/web is not JSON: "), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BytesError {
    /// The bytes are not JSON, or nested too deeply.
    #[error("{0} is not JSON: {1}")]
    Json(ObjectRef, serde_json::Error),
    /// The object cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Edits a VirtualService as JSON text; `None` when nothing changes. Keys keep their order.
///
/// # Errors
/// The bytes are not JSON, or [`edit_virtual_service`](IstioEditor::edit_virtual_service) fails.
///
/// ```
/// use rollout_core::{backend::ObjectEditor, traffic::{ManagedChange, Routes, Weight, WeightChange}};
/// use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef, conformance::edit_bytes};
/// let config = IstioConfig::hosts("shop", "a", "b").virtual_service(VirtualServiceRef::new("provider"));
/// let editor = IstioEditor::new(config);
/// let name = &editor.objects()[0];
/// let before = br#"{"spec":{"http":[{"retries":{"attempts":3},"route":[{"weight":100,"destination":{"host":"a"}},{"weight":0,"destination":{"host":"b"}}]}]}}"#;
/// let to = Routes {
///     weight: WeightChange::To(Weight::new(0, 100)),
///     managed: ManagedChange::Keep,
///     written_for: "v2".into(),
/// };
/// assert_eq!(edit_bytes(&editor, name, before, None, &to)?, None);
/// let to = Routes { weight: WeightChange::To(Weight::new(5, 100)), ..to };
/// let after = edit_bytes(&editor, name, before, None, &to)?.unwrap_or_default();
/// let start = br#"{"spec":{"http":[{"retries":{"attempts":3},"route":[{"weight":95,"#;
/// assert!(after.starts_with(start));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn edit_bytes(
    editor: &IstioEditor,
    name: &ObjectRef,
    virtual_service: &[u8],
    destination_rule: Option<&Value>,
    to: &Routes,
) -> Result<Option<Vec<u8>>, BytesError> {
    let json = |error| BytesError::Json(name.clone(), error);
    let mut object: Value = serde_json::from_slice(virtual_service).map_err(json)?;
    if !editor.edit_virtual_service(name, &mut object, destination_rule, to)? {
        return Ok(None);
    }
    serde_json::to_vec(&object).map(Some).map_err(json)
}
