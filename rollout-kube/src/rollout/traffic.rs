use super::context::Context;
use crate::cache::View;
use rollout_core::backend::{NoDataPlane, ObjectStore, Pair, ServiceEditor, Stored, TrafficBackend};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// Makes the traffic manager that a Rollout asks for, over a store; `None` when it asks for none.
pub(crate) type Factory = Arc<
    dyn Fn(&Value, Arc<dyn ObjectStore>) -> Result<Option<Box<dyn TrafficBackend>>, InvalidTraffic>
        + Send
        + Sync,
>;

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
    let text =
        |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let namespace = text("/metadata/namespace").unwrap_or_default();
    let stable = text("/spec/strategy/canary/stableService");
    let canary = text("/spec/strategy/canary/canaryService");
    let services = ServiceEditor::new(namespace, stable, canary);
    match (context.factory)(rollout, store.clone())? {
        Some(manager) => {
            let services = Stored::new(services, store, context.data_plane.clone());
            Ok(Box::new(Pair::new(services, manager)))
        }
        // Whoever knows what a mesh's proxies have knows nothing of clients that go by a Service alone.
        None => Ok(Box::new(Stored::new(services, store, NoDataPlane))),
    }
}
