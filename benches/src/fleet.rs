use rollout_core::{
    Finding, Revision,
    argo::wire::Rollout,
    backend::{DataPlane, ObjectBackend, ObjectStore, TrafficBackend},
    traffic::{Settled, Version},
};
use rollout_istio::{IstioConfig, IstioEditor};
use rollout_kube::{Controller, Kind, testing::SimulatedApiServer};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// So many Rollouts of one namespace, each with a VirtualService and a DestinationRule of its own, in a controller
/// over an API server in memory; what an update of all of them costs.
///
/// Pods are ready at once, and proxies have everything at once: what is left is the controller.
#[derive(Debug)]
pub struct Fleet {
    server: SimulatedApiServer,
    rollouts: usize,
    /// The API server's; it must outlive the controller.
    _server: Runtime,
}

/// What the update of a fleet cost.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "figures")]
pub struct Cost {
    /// Processor time of the controller for each Rollout.
    pub processor: Duration,
    /// API requests for each Rollout, without events.
    pub requests: f64,
    /// How long the update of all took.
    pub took: Duration,
}

#[derive(Debug)]
struct AtOnce;

#[async_trait::async_trait]
impl DataPlane for AtOnce {
    async fn objects(&self, _: &Version) -> Settled {
        Settled::Yes
    }

    async fn endpoints(&self, _: &Revision) -> Settled {
        Settled::Yes
    }
}

fn traffic(
    rollout: &Rollout,
    store: Arc<dyn ObjectStore>,
    _: Arc<dyn DataPlane>,
) -> Result<Option<Box<dyn TrafficBackend>>, Vec<Finding>> {
    let config = IstioConfig::from_wire(rollout)?;
    let backend = |config| -> Box<dyn TrafficBackend> {
        Box::new(ObjectBackend::new(IstioEditor::new(config), store, AtOnce))
    };
    Ok(config.map(backend))
}

impl Fleet {
    /// All of them deployed and at rest, of version 1.
    ///
    /// # Panics
    /// When no runtime can be made.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a benchmark that cannot begin is worth nothing")]
    pub fn new(rollouts: usize) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let server = runtime.block_on(async { SimulatedApiServer::start() });
        server.run_pods();
        for number in 0..rollouts {
            let name = format!("app-{number}");
            let istio = "/apis/networking.istio.io/v1alpha3/namespaces/shop";
            server.apply(&format!("{istio}/virtualservices/{name}"), virtual_service(&name));
            server.apply(&format!("{istio}/destinationrules/{name}"), destination_rule(&name));
            server.apply(&path(number), rollout(&name));
        }
        Self { server, rollouts, _server: runtime }
    }

    /// Deploys all of them, then updates all of them to version 2; what the update cost.
    ///
    /// # Panics
    /// When the controller does not run, or the update does not end within ten minutes.
    #[must_use]
    pub fn update(&self) -> Cost {
        let server = self.server.clone();
        let rollouts = self.rollouts;
        let controller = std::thread::spawn(move || control(&server, rollouts));
        controller.join().unwrap_or_else(|_| std::process::abort())
    }
}

/// Runs a controller in this thread alone, whose processor time is then the controller's.
#[expect(clippy::expect_used, reason = "a benchmark of a controller that does not run is worth nothing")]
fn control(server: &SimulatedApiServer, rollouts: usize) -> Cost {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let controller = Controller::builder(server.client())
            .traffic(traffic)
            .kind(Kind::new("networking.istio.io", "v1alpha3", "VirtualService", "virtualservices"))
            .kind(Kind::new("networking.istio.io", "v1alpha3", "DestinationRule", "destinationrules"))
            .index("networking.istio.io", "VirtualService", rollout_istio::hosts_named)
            .release("networking.istio.io", "DestinationRule", rollout_istio::release_abandoned)
            .run();
        let watched = async {
            until(server, rollouts, 1).await;
            let (begun, processor, requests) = (Instant::now(), processor_time(), written(server));
            for number in 0..rollouts {
                server.patch(&path(number), &json!({"spec": {"template": template(2)}}));
            }
            until(server, rollouts, 2).await;
            let each = u32::try_from(rollouts).unwrap_or(u32::MAX);
            #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
            let requests = (written(server) - requests) as f64 / rollouts as f64;
            Cost {
                processor: processor_time().saturating_sub(processor) / each,
                requests,
                took: begun.elapsed(),
            }
        };
        tokio::select! {
            error = controller => std::panic::resume_unwind(Box::new(format!("it does not run: {error:?}"))),
            cost = watched => cost,
        }
    })
}

/// Until all are at rest at this version, and what was before is gone.
async fn until(server: &SimulatedApiServer, rollouts: usize, version: u32) {
    let image = format!("app:v{version}");
    let begun = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // The server's thread may do this: it is not the controller's work.
        let server = server.clone();
        let image = image.clone();
        let done = tokio::task::spawn_blocking(move || done(&server, &image)).await.unwrap_or(0);
        if done == rollouts {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(600), "{done} of {rollouts} are done");
    }
}

fn done(server: &SimulatedApiServer, image: &str) -> usize {
    let all = server.all("/apis/argoproj.io/v1alpha1/rollouts");
    let is_done = |rollout: &&Arc<Value>| {
        let at = |pointer: &str| rollout.pointer(pointer).unwrap_or(&Value::Null);
        at("/spec/template/spec/containers/0/image") == image
            && at("/status/phase") == "Healthy"
            && at("/status/stableRS") == at("/status/currentPodHash")
            && at("/status/observedGeneration").as_str() == Some(&at("/metadata/generation").to_string())
            && at("/status/replicas") == 1
    };
    all.iter().filter(is_done).count()
}

/// Requests so far that were no reads of a whole kind, no watches and no events.
fn written(server: &SimulatedApiServer) -> u64 {
    let counts = |what: &str| !what.contains("events") && !what.starts_with("WATCH");
    server.requests().iter().filter(|(what, _)| counts(what)).map(|(_, count)| count).sum()
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn path(number: usize) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/app-{number}")
}

fn template(version: u32) -> Value {
    json!({"spec": {"containers": [{"name": "app", "image": format!("app:v{version}")}]}})
}

fn rollout(name: &str) -> Value {
    let mut template = template(1);
    if let Some(fields) = template.as_object_mut() {
        fields.insert("metadata".to_owned(), json!({"labels": {"app": name}}));
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template,
            "strategy": {"canary": {
                "scaleDownDelaySeconds": 1, "steps": [{"setWeight": 5}, {"setWeight": 50}],
                "trafficRouting": {"istio": {
                    "virtualService": {"name": name, "routes": ["primary"]},
                    "destinationRule": {
                        "name": name, "stableSubsetName": "stable", "canarySubsetName": "canary"
                    }
                }}
            }}
        }
    })
}

fn virtual_service(name: &str) -> Value {
    let to = |subset, weight: u32| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
    json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
        "spec": {"hosts": [name], "http": [{"name": "primary", "route": [to("stable", 100), to("canary", 0)]}]}
    })
}

fn destination_rule(name: &str) -> Value {
    let subset = |subset| json!({"name": subset, "labels": {"app": name}});
    json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "DestinationRule",
        "spec": {"host": name, "subsets": [subset("stable"), subset("canary")]}
    })
}
