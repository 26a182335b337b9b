use super::{charge, error::RunError, run::run};
use crate::{
    cache::Shelves,
    rollout::{Context, Factory, InvalidTraffic, Publisher},
    store::{Kind, Requests},
};
use kube::Client;
use rollout_core::{
    Time,
    backend::{DataPlane, NoDataPlane, ObjectStore, TrafficBackend},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Drives the Rollouts of a cluster. One replica, without leader election: a turn that acts proves by the
/// Rollout's resource version that nobody else is at work on it.
///
/// ```no_run
/// use rollout_kube::Controller;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = kube::Client::try_default().await?;
/// // Basic canaries need no traffic manager; one is handed in with `.traffic(…)`.
/// Controller::builder(client).namespace(Some("shop".into())).run().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Controller;

/// How a [`Controller`] is to work.
#[must_use = "nothing happens until `run` is called"]
pub struct ControllerBuilder {
    client: Client,
    manager: String,
    namespace: Option<String>,
    instance: Option<String>,
    kinds: Vec<Kind>,
    workers: usize,
    factory: Factory,
    data_plane: Arc<dyn DataPlane>,
    dry_run: bool,
}

impl Controller {
    /// A controller that talks to this API server.
    pub fn builder(client: Client) -> ControllerBuilder {
        ControllerBuilder {
            client,
            manager: "rollout-kube".to_owned(),
            namespace: None,
            instance: None,
            kinds: Vec::new(),
            workers: 10,
            factory: Arc::new(|_, _| Ok(None)),
            data_plane: Arc::new(NoDataPlane),
            dry_run: false,
        }
    }
}

impl ControllerBuilder {
    /// Under which name it writes (`fieldManager`). Default `rollout-kube`. Keep it: a Rollout whose
    /// ReplicaSets were written under another name is left alone.
    pub fn manager(mut self, name: impl Into<String>) -> Self {
        self.manager = name.into();
        self
    }

    /// Works on this namespace alone. Default: all of them.
    pub fn namespace(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }

    /// Works only on Rollouts with this value of the label
    /// `argo-rollouts.argoproj.io/controller-instance-id`. Default: only on those without it, and only when
    /// no other controller is at work.
    pub fn instance_id(mut self, id: Option<String>) -> Self {
        self.instance = id.filter(|id| !id.is_empty());
        self
    }

    /// Knows this kind, too, or speaks of it in another version of its API.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// How many rollouts may have their turn at the same time. Default 10.
    pub fn workers(mut self, most: usize) -> Self {
        self.workers = most.max(1);
        self
    }

    /// How the traffic manager that a Rollout asks for is made, over a store; `None` when it asks for none.
    /// Default: there is none.
    pub fn traffic(
        mut self,
        factory: impl Fn(&Value, Arc<dyn ObjectStore>) -> Result<Option<Box<dyn TrafficBackend>>, InvalidTraffic>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.factory = Arc::new(factory);
        self
    }

    /// Who knows what the proxies have of the Services. Default: nobody, so that waits go by time.
    pub fn data_plane(mut self, data_plane: Arc<dyn DataPlane>) -> Self {
        self.data_plane = data_plane;
        self
    }

    /// Observes, decides and says so in the log, and writes nothing.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Works until it is dropped.
    ///
    /// # Errors
    /// Another controller is at work, or the API server does not show what is needed.
    pub async fn run(self) -> Result<(), RunError> {
        let mut requests = Requests::new(self.client, &self.manager);
        for kind in self.kinds {
            requests.add(kind);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(0));
        if self.instance.is_none() {
            charge::nobody_else(&requests, now).await?;
        }
        let process = format!("{:x}-{:x}", since.as_nanos(), std::process::id());
        let publisher = Publisher::start(requests.clone(), &process);
        let (shelves, changes) = Shelves::new(requests, self.namespace);
        for kind in [("apps", "ReplicaSet"), ("argoproj.io", "Rollout")] {
            shelves.start(&ObjectRef::new(kind.0, kind.1, "", "")).await?;
        }
        let context = Context {
            shelves: Arc::new(shelves),
            publisher,
            factory: self.factory,
            data_plane: self.data_plane,
            instance: self.instance,
            dry_run: self.dry_run,
            process,
        };
        run(Arc::new(context), changes, self.workers).await;
        Ok(())
    }
}

impl fmt::Debug for ControllerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerBuilder")
            .field("manager", &self.manager)
            .field("namespace", &self.namespace)
            .field("instance", &self.instance)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}
