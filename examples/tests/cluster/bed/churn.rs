use super::{Namespace, RUNTIME};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
    core::ApiResource,
};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A VirtualService of a host that nobody asks for, changed again and again until this is dropped: istiod, which waits
/// for quiet, holds its pushes back for as long as it ever does.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub(crate) struct Churn(JoinHandle<()>);

impl Churn {
    /// One change each `every`.
    pub(super) fn start(space: &Namespace, every: Duration) -> Self {
        let resource = ApiResource {
            group: "networking.istio.io".into(),
            version: "v1".into(),
            api_version: "networking.istio.io/v1".into(),
            kind: "VirtualService".into(),
            plural: "virtualservices".into(),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(space.bed.client.clone(), &space.name, &resource);
        Self(RUNTIME.spawn(async move {
            let mut next = tokio::time::interval(every);
            for seconds in (1..60).cycle() {
                next.tick().await;
                let object = json!({
                    "apiVersion": "networking.istio.io/v1",
                    "kind": "VirtualService",
                    "metadata": {"name": "churn"},
                    "spec": {"hosts": ["nobody.test"], "http": [{
                        "timeout": format!("{seconds}s"),
                        "route": [{"destination": {"host": "nobody.test"}}],
                    }]},
                });
                let how = PatchParams::apply("churn").force();
                // One that fails is followed by the next.
                let _ = api.patch("churn", &how, &Patch::Apply(&object)).await;
            }
        }))
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.0.abort();
    }
}
