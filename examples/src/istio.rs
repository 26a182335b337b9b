//! How a controller of `rollout-kube` gets Istio for its traffic: the two do not know each other.

use rollout_core::{
    Finding,
    argo::wire::Rollout,
    backend::{DataPlane, ObjectBackend, ObjectStore, TrafficBackend},
};
use rollout_istio::{Foreign, IstioConfig, IstioEditor, hosts_named, release_abandoned};
use rollout_kube::{ControllerBuilder, Kind};
use std::sync::Arc;

const GROUP: &str = "networking.istio.io";

/// Adds the traffic backend for Istio, the index by which it finds VirtualServices, and how it takes out what a
/// Rollout left in a DestinationRule. VirtualServices of other namespaces are edited where `shared` allows it.
///
/// ```no_run
/// # async fn example(client: kube::Client) -> Result<(), rollout_kube::RunError> {
/// let builder = rollout_kube::Controller::builder(client);
/// let shared = rollout_istio::Foreign::Of(std::sync::Arc::default());
/// examples::istio::with_istio(builder, shared).run().await
/// # }
/// ```
pub fn with_istio(builder: ControllerBuilder, shared: Foreign) -> ControllerBuilder {
    builder
        .kind(Kind::new(GROUP, "v1alpha3", "VirtualService", "virtualservices"))
        .kind(Kind::new(GROUP, "v1alpha3", "DestinationRule", "destinationrules"))
        .index(GROUP, "VirtualService", hosts_named)
        .release(GROUP, "DestinationRule", release_abandoned)
        .traffic(move |rollout, store, data_plane| traffic(&shared, rollout, store, data_plane))
}

fn traffic(
    shared: &Foreign,
    rollout: &Rollout,
    store: Arc<dyn ObjectStore>,
    data_plane: Arc<dyn DataPlane>,
) -> Result<Option<Box<dyn TrafficBackend>>, Vec<Finding>> {
    let config = IstioConfig::from_wire(rollout)?;
    let backend = |config: IstioConfig| -> Box<dyn TrafficBackend> {
        Box::new(ObjectBackend::new(IstioEditor::new(config.foreign(shared.clone())), store, data_plane))
    };
    Ok(config.map(backend))
}
