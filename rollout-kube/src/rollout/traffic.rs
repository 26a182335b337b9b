use super::{context::Context, memory::Key};
use crate::cache::View;
use async_trait::async_trait;
use rollout_core::{
    Finding,
    argo::wire::Rollout,
    backend::{
        Chain, DataPlane, NoDataPlane, Object, ObjectBackend, ObjectStore, ServiceEditor, StoreError,
        TrafficBackend,
    },
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::Value;
use std::sync::Arc;

/// Builds the traffic manager that a Rollout asks for, from a store and a data plane; `None` if it asks for none.
pub(crate) type Factory = Arc<
    dyn Fn(
            &Rollout,
            Arc<dyn ObjectStore>,
            Arc<dyn DataPlane>,
        ) -> Result<Option<Box<dyn TrafficBackend>>, Vec<Finding>>
        + Send
        + Sync,
>;

/// A store without objects, for a backend that is only asked for its claims.
#[derive(Debug)]
pub(super) struct EmptyStore;

#[async_trait]
impl ObjectStore for EmptyStore {
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

/// Combines the Services of a rollout, and its traffic manager if it has one, into one backend.
pub(super) fn backend(
    context: &Context,
    key: &Key,
    rollout: &Rollout,
    view: &Arc<View>,
) -> Result<Box<dyn TrafficBackend>, Vec<Finding>> {
    let store: Arc<dyn ObjectStore> = view.clone();
    let services = ServiceEditor::from_wire(rollout)?;
    let data_plane = context.data_planes.of(key);
    match (context.factory)(rollout, store.clone(), data_plane.clone())? {
        Some(manager) => {
            let services = ObjectBackend::new(services, store, data_plane);
            Ok(Box::new(Chain::new(services, manager)))
        }
        // A mesh's data plane knows nothing of clients that use only a Service.
        None => Ok(Box::new(ObjectBackend::new(services, store, NoDataPlane))),
    }
}
