#[cfg(feature = "analysis")]
mod analysis;

use super::{
    error::RunError,
    preflight, process,
    run::{Sources, run},
    waker::Waker,
};
#[cfg(feature = "analysis")]
use crate::analysis::Analysis;
use crate::{
    cache::{Caches, Changed, Index},
    clusters::Clusters,
    control_plane::{ControlPlane, ControlPlaneAt, DataPlanes, run_rounds},
    rollout::{Clock, Context, Factory, Publisher, Release, abandoned_index, claims_index, wall_clock},
    store::{Kind, Requests},
};
use kube::Client;
use rollout_core::{
    Finding, Time,
    argo::wire::Rollout,
    backend::{DataPlane, EditError, ObjectStore, RolloutRef, Rounds, TrafficBackend, release_service},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{fmt, future::Future, pin::pin, sync::Arc};
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet};

/// Drives the Rollouts of a cluster. Run one replica; there is no leader election. A turn that acts first proves,
/// through the Rollout's resource version, that no other process works on the Rollout.
///
/// On a cluster (see [`ControllerBuilder`] for an example that runs in memory):
///
/// ```no_run
/// use rollout_kube::Controller;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = kube::Client::try_default().await?;
/// // Basic canaries need no traffic manager; supply one with `.traffic(…)`.
/// Controller::builder(client).namespace(Some("shop".into())).run().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Controller;

/// The configuration of a [`Controller`].
///
/// ```
/// use rollout_core::Time;
/// use rollout_kube::{Controller, testing::SimulatedApiServer};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// server.run_pods();
/// # let pods = json!({"containers": [{"name": "web", "image": "web:v1"}]});
/// # let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pods});
/// # let selector = json!({"matchLabels": {"app": "web"}});
/// let spec = json!({"replicas": 2, "selector": selector, "template": template, "strategy": {"canary": {}}});
/// server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web", json!({"spec": spec}));
/// let builder = || {
///     let noon = || Time::from_secs(1_769_860_800);
///     Controller::builder(server.client()).workers(4).clock(noon)
/// };
/// for idle in [
///     builder().dry_run(true),
///     builder().namespace(Some("lab".into())),
///     builder().instance_id(Some("blue".into())),
/// ] {
///     idle.run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
///     assert!(server.all("/apis/apps/v1/replicasets").is_empty());
/// }
/// builder().run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
/// let web = &server.all("/apis/argoproj.io/v1alpha1/rollouts")[0];
/// assert_eq!(web["status"]["phase"], "Healthy");
/// assert_eq!(web["status"]["conditions"][0]["lastTransitionTime"], "2026-01-31T12:00:00Z");
/// # Ok(()) }
/// ```
#[must_use = "nothing happens until `run` is called"]
pub struct ControllerBuilder {
    client: Client,
    manager: String,
    namespace: Option<String>,
    instance: Option<String>,
    kinds: Vec<Kind>,
    indexes: Vec<(String, String, Index)>,
    releases: Vec<Release>,
    workers: usize,
    factory: Factory,
    data_plane: Option<(ControlPlaneAt, MakeDataPlane)>,
    dry_run: bool,
    clock: Clock,
    clusters: Option<Clusters>,
    #[cfg(feature = "analysis")]
    analysis: Option<Analysis>,
    /// What answers the questions of runs, in place of the real providers.
    #[cfg(feature = "analysis")]
    provider: Option<Arc<dyn crate::analysis::Provider>>,
}

impl Controller {
    /// Begins the configuration of a controller for this API server.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn builder(client: Client) -> ControllerBuilder {
        let builder = ControllerBuilder {
            client,
            manager: "rollout-kube".to_owned(),
            namespace: None,
            instance: None,
            kinds: Vec::new(),
            indexes: Vec::new(),
            releases: Vec::new(),
            workers: 10,
            factory: Arc::new(|_, _, _| Ok(None)),
            data_plane: None,
            dry_run: false,
            clock: Arc::new(wall_clock),
            clusters: None,
            #[cfg(feature = "analysis")]
            analysis: None,
            #[cfg(feature = "analysis")]
            provider: None,
        };
        builder.release("", "Service", release_service)
    }
}

impl ControllerBuilder {
    /// Sets the field manager of its writes (`fieldManager`). Default `rollout-kube`. Do not change it later: the
    /// controller leaves a Rollout alone whose ReplicaSets were written under another name.
    pub fn manager(mut self, name: impl Into<String>) -> Self {
        self.manager = name.into();
        self
    }

    /// Works on this namespace only. Default: all namespaces.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn namespace(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }

    /// Works only on Rollouts whose label `argo-rollouts.argoproj.io/controller-instance-id` has this value. Default:
    /// only on Rollouts without the label, and only if no other controller is running.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn instance_id(mut self, id: Option<String>) -> Self {
        self.instance = id.filter(|id| !id.is_empty());
        self
    }

    /// Adds a kind, or changes the API version to use for it.
    ///
    /// See [`release`](Self::release) for an example.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Sets how many rollouts may run a turn at the same time. Default 10.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn workers(mut self, max: usize) -> Self {
        self.workers = max.max(1);
        self
    }

    /// Sets the factory of traffic managers. From a Rollout, a store and a data plane, it builds the traffic manager
    /// that the Rollout asks for, or returns `None` if it asks for none, or all errors in that configuration. Default:
    /// no traffic manager.
    ///
    /// ```
    /// use rollout_core::Finding;
    /// use rollout_kube::{Controller, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = SimulatedApiServer::start();
    /// # let pods = json!({"containers": [{"name": "web", "image": "web:v1"}]});
    /// # let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pods});
    /// # let selector = json!({"matchLabels": {"app": "web"}});
    /// let spec = json!({"selector": selector, "template": template, "strategy": {"canary": {}}});
    /// server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web", json!({"spec": spec}));
    /// let path = "spec.strategy.canary.trafficRouting";
    /// let builder = Controller::builder(server.client())
    ///     .traffic(move |_, _, _| Err(vec![Finding::error(path, "is missing", "name a VirtualService")]));
    /// builder.run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
    /// let status = &server.all("/apis/argoproj.io/v1alpha1/rollouts")[0]["status"];
    /// let message = status["message"].as_str().ok_or("nothing is reported")?;
    /// assert!(message.contains("is missing; name a VirtualService"), "{message}");
    /// # Ok(()) }
    /// ```
    pub fn traffic(
        mut self,
        factory: impl Fn(
            &Rollout,
            Arc<dyn ObjectStore>,
            Arc<dyn DataPlane>,
        ) -> Result<Option<Box<dyn TrafficBackend>>, Vec<Finding>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.factory = Arc::new(factory);
        self
    }

    /// Sets the data plane for all rollouts, built from a control plane: it knows what the proxies have. It is queried
    /// in rounds, while a rollout waits for something. Default: none, so that waits last for fixed times.
    ///
    /// See [`ControlPlane`] for an example.
    pub fn data_plane(
        mut self,
        at: ControlPlaneAt,
        make: impl FnOnce(ControlPlane) -> Arc<dyn Rounds> + Send + 'static,
    ) -> Self {
        self.data_plane = Some((at, Box::new(make)));
        self
    }

    /// Observes, decides and logs, but writes nothing.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Sets the clock. Default: the system clock. A test in virtual time supplies its own.
    ///
    /// See [`ControllerBuilder`] for an example.
    pub fn clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Releases Rollouts with the annotation `rollout-core/fleet` together with those of other clusters. Default: they are
    /// refused.
    ///
    /// See [`Clusters`] for an example.
    pub fn clusters(mut self, clusters: Clusters) -> Self {
        self.clusters = Some(clusters);
        self
    }

    /// Indexes the objects of a kind by these keys, computed from the namespace and the object: the keys that an
    /// [`ObjectEditor`](rollout_core::backend::ObjectEditor) asks for in its `mentions`. Without an index, the
    /// controller reads all objects of the kind in the namespace instead.
    pub fn index(
        mut self,
        group: &str,
        kind: &str,
        keys: impl Fn(&str, &Value) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.indexes.push((group.to_owned(), kind.to_owned(), Index::new(keys)));
        self
    }

    /// Sets how to release an object of this kind when a Rollout is gone or no longer names it: `remove` takes out what
    /// the Rollout left in the object, and returns whether that changed anything. It is called only for objects with a
    /// note of this engine. Services are registered from the start.
    ///
    /// ```
    /// use rollout_core::backend::set_note;
    /// use rollout_kube::{Controller, Kind, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = SimulatedApiServer::start();
    /// const NOTE: &str = "rollout-core/example";
    /// let gateway = json!({"metadata": {"annotations": {NOTE: r#"{"gone":"5 %"}"#}}});
    /// server.apply("/apis/example.com/v1/namespaces/shop/gateways/gw", gateway);
    /// Controller::builder(server.client())
    ///     .kind(Kind::new("example.com", "v1", "Gateway", "gateways"))
    ///     .release("example.com", "Gateway", |name, object, rollout| set_note(name, object, NOTE, rollout, None))
    ///     .run_until(tokio::time::sleep(std::time::Duration::from_secs(60)))
    ///     .await?;
    /// let gateway = &server.all("/apis/example.com/v1/gateways")[0];
    /// assert!(gateway["metadata"].get("annotations").is_none(), "there is no Rollout `gone`");
    /// # Ok(()) }
    /// ```
    pub fn release(
        mut self,
        group: &str,
        kind: &str,
        remove: impl Fn(&ObjectRef, &mut Value, &RolloutRef) -> Result<bool, EditError> + Send + Sync + 'static,
    ) -> Self {
        let (group, kind, remove) = (group.to_owned(), kind.to_owned(), Arc::new(remove));
        self.releases.push(Release { group, kind, remove });
        self
    }

    /// Runs until the future is dropped.
    ///
    /// See [`RunError`] for an example.
    ///
    /// # Errors
    /// Another controller is running, or the API server does not show what is needed.
    pub async fn run(self) -> Result<(), RunError> {
        self.run_until(std::future::pending()).await
    }

    /// Runs until `stop` is ready. Then it starts no more turns and waits up to 20 s for the running ones. The next
    /// process continues where they stopped.
    ///
    /// See [`ControllerBuilder`] for an example.
    ///
    /// # Errors
    /// Same as [`run`](Self::run).
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let mut stop = pin!(stop);
        let workers = self.workers;
        #[cfg(feature = "analysis")]
        let analysis = (self.analysis.filter(|_| !self.dry_run), self.provider.clone());
        let (clusters, namespace) = (self.clusters.clone(), self.namespace.clone());
        let (mut context, changes) = tokio::select! {
            () = &mut stop => return Ok(()),
            started = self.start() => started?,
        };
        let (waker, due) = Waker::new();
        let mut rounds = JoinSet::new();
        context.clusters = clusters.map(|clusters| {
            let woken = (Arc::clone(&context.clock), waker.clone());
            clusters.start(context.caches.requests(), namespace.as_deref(), woken, &mut rounds)
        });
        let context = Arc::new(context);
        rounds.spawn(run_rounds(Arc::clone(&context), waker));
        #[cfg(feature = "analysis")]
        let (changes, runs) = analysis::start(analysis, &context, changes, &mut rounds);
        run(context, Sources { changes, wakes: due }, workers, stop).await;
        #[cfg(feature = "analysis")]
        analysis::flush(runs).await;
        Ok(())
    }

    async fn start(self) -> Result<(Context, UnboundedReceiver<Changed>), RunError> {
        let mut requests = Requests::new(self.client, &self.manager);
        requests.add_all(crate::runs::kinds());
        for kind in self.kinds {
            requests.add(kind);
        }
        let now = (self.clock)();
        if self.instance.is_none() {
            preflight::ensure_sole_controller(&requests, now).await?;
        }
        let process = process::name(now);
        let publisher = Publisher::start(requests.clone(), &process);
        let (mut caches, changes) = Caches::new(requests, self.namespace.clone());
        for (group, kind, index) in self.indexes {
            caches = caches.index(&group, &kind, index);
        }
        for Release { group, kind, .. } in &self.releases {
            caches = caches.index(group, kind, abandoned_index(group, kind));
        }
        let claims = claims_index(Arc::clone(&self.factory), self.instance.clone());
        caches = caches.index("argoproj.io", "Rollout", claims);
        for kind in [("apps", "ReplicaSet"), ("argoproj.io", "Rollout")] {
            caches.start(&ObjectRef::new(kind.0, kind.1, "", "")).await?;
        }
        for Release { group, kind, .. } in &self.releases {
            // A kind that is not installed has nothing to release.
            let _ = caches.start(&ObjectRef::new(group, kind, "", "")).await;
        }
        let caches = Arc::new(caches);
        let data_planes = match self.data_plane {
            None => DataPlanes::none(),
            Some((at, make)) => {
                let plane = ControlPlane::new(
                    at,
                    self.namespace.as_deref(),
                    Arc::clone(&caches),
                    Arc::clone(&self.clock),
                );
                DataPlanes::new(make(plane.map_err(RunError::NoTrustedRoots)?))
            }
        };
        let context = Context {
            caches,
            publisher,
            factory: self.factory,
            data_planes,
            clusters: None,
            instance: self.instance,
            dry_run: self.dry_run,
            releases: self.releases,
            #[cfg(feature = "analysis")]
            runs_analyses: self.analysis.is_some(),
            #[cfg(not(feature = "analysis"))]
            runs_analyses: false,
            process,
            clock: self.clock,
        };
        Ok((context, changes))
    }
}

type MakeDataPlane = Box<dyn FnOnce(ControlPlane) -> Arc<dyn Rounds> + Send>;

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
