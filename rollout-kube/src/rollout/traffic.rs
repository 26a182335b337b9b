use super::context::Context;
use crate::cache::View;
use async_trait::async_trait;
use rollout_core::{
    backend::{
        Chain, DataPlane, NoDataPlane, Object, ObjectBackend, ObjectStore, ServiceEditor, StoreError,
        TrafficBackend,
    },
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// Makes the traffic manager that a Rollout asks for, over a store, with who knows what the
/// proxies have; `None` when it asks for none.
pub(crate) type Factory = Arc<
    dyn Fn(
            &Value,
            Arc<dyn ObjectStore>,
            Arc<dyn DataPlane>,
        ) -> Result<Option<Box<dyn TrafficBackend>>, InvalidTraffic>
        + Send
        + Sync,
>;

/// A store without objects: for a backend that is only asked what it would do.
#[derive(Debug)]
pub(super) struct Nowhere;

#[async_trait]
impl ObjectStore for Nowhere {
    async fn get(&self, object: &ObjectRef) -> Result<Object, StoreError> {
        Err(StoreError::NotFound(object.clone()))
    }

    async fn list(&self, _: &ObjectRef) -> Result<Vec<(ObjectRef, Object)>, StoreError> {
        Ok(Vec::new())
    }

    async fn replace(
        &self,
        object: &ObjectRef,
        _: Value,
        _: &ObjectVersion,
    ) -> Result<ObjectVersion, StoreError> {
        Err(StoreError::NotFound(object.clone()))
    }
}

/// What is wrong with what a Rollout says about its traffic manager: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTraffic {
    /// One sentence for each error.
    pub errors: Vec<String>,
}

impl InvalidTraffic {
    /// These errors.
    #[must_use]
    pub fn new(errors: impl IntoIterator<Item = String>) -> Self {
        Self { errors: errors.into_iter().collect() }
    }
}

impl fmt::Display for InvalidTraffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.errors.join("; "))
    }
}

impl std::error::Error for InvalidTraffic {}

/// The Services of a rollout, and its traffic manager if it has one, as one backend.
pub(super) fn backend(
    context: &Context,
    rollout: &Value,
    view: &Arc<View>,
) -> Result<Box<dyn TrafficBackend>, InvalidTraffic> {
    let store: Arc<dyn ObjectStore> = view.clone();
    let services = ServiceEditor::from_rollout(rollout)
        .map_err(|errors| InvalidTraffic::new(errors.iter().map(ToString::to_string)))?;
    let text =
        |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let data_plane = context.data_planes.of(&(text("/metadata/namespace"), text("/metadata/name")));
    match (context.factory)(rollout, store.clone(), data_plane.clone())? {
        Some(manager) => {
            let services = ObjectBackend::new(services, store, data_plane);
            Ok(Box::new(Chain::new(services, manager)))
        }
        // Whoever knows what a mesh's proxies have knows nothing of clients that go by a Service alone.
        None => Ok(Box::new(ObjectBackend::new(services, store, NoDataPlane))),
    }
}
