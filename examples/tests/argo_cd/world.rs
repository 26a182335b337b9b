//! The guide's folders on a cluster in memory, with the whole controller, in virtual time.

use crate::{lua::ArgoCd, meant::meant};
use examples::istio::with_istio;
use rollout_core::Time;
use rollout_istio::Foreign;
use rollout_kube::{
    Controller,
    testing::{Change, SimulatedApiServer},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

pub(crate) const PROVIDER: &str = "dubbo3-provider";

/// Longer than any wait of these releases.
const LONGEST: Duration = Duration::from_secs(3_600);

pub(crate) struct World {
    pub(crate) server: SimulatedApiServer,
    pub(crate) argo_cd: ArgoCd,
    /// What the folder says, by path.
    pub(crate) manifests: BTreeMap<String, Value>,
    began: Instant,
    controller: JoinHandle<()>,
    looked_at: u64,
    /// The versions that people and tools made, not the controller.
    theirs: BTreeSet<u64>,
    /// Every health that was seen, with its message.
    pub(crate) said: BTreeSet<(String, String)>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// The path of an object on the server; `None` for what no controller needs here.
fn path(object: &Value) -> Option<String> {
    let (api, plural) = match object["kind"].as_str()? {
        "Rollout" => ("apis/argoproj.io/v1alpha1", "rollouts"),
        "Service" => ("api/v1", "services"),
        "VirtualService" => ("apis/networking.istio.io/v1alpha3", "virtualservices"),
        "DestinationRule" => ("apis/networking.istio.io/v1alpha3", "destinationrules"),
        _ => return None,
    };
    Some(format!("/{api}/namespaces/shop/{plural}/{}", object["metadata"]["name"].as_str()?))
}

/// The objects of a folder of `examples/manifests`.
pub(crate) fn manifests(folder: &str) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(folder);
    let mut all = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let object: Value = serde::Deserialize::deserialize(document).unwrap();
            all.extend(path(&object).map(|path| (path, object)));
        }
    }
    all
}

impl World {
    /// The folder is applied, and the first deploy is over.
    pub(crate) async fn at_rest(folder: &str) -> Self {
        let (server, began) = (SimulatedApiServer::start(), Instant::now());
        server.run_pods();
        let manifests = manifests(folder);
        for (path, object) in &manifests {
            server.apply(path, object.clone());
        }
        let client = server.client();
        let controller = tokio::spawn(async move {
            let builder = Controller::builder(client).clock(move || clock(began));
            drop(with_istio(builder, Foreign::Of(Arc::default())).run().await);
        });
        let argo_cd = ArgoCd::default();
        let theirs = BTreeSet::from([server.version()]);
        let said = BTreeSet::new();
        let mut world = Self { server, argo_cd, manifests, began, controller, looked_at: 0, theirs, said };
        world.until(|rollout| rollout["status"]["phase"] == "Healthy").await;
        // The selectors reach the proxies, and old traces go.
        world.pass(Duration::from_secs(120)).await;
        world
    }

    pub(crate) fn rollout(&self) -> Value {
        let all = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        (**all.iter().find(|rollout| is_provider(rollout)).unwrap()).clone()
    }

    /// Somebody, or some tool, changes an object.
    pub(crate) fn change(&mut self, path: &str, leaves: &Value) {
        self.look();
        self.server.patch(path, leaves);
        self.theirs.insert(self.server.version());
    }

    pub(crate) fn change_rollout(&mut self, patch: &Value) {
        self.change(&format!("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/{PROVIDER}"), patch);
    }

    /// A person commits another version, and it is applied.
    pub(crate) fn update(&mut self, version: &str) {
        let committed = self.manifests.values_mut().find(|object| is_provider(object)).unwrap();
        committed["spec"]["template"]["metadata"]["labels"]["version"] = version.into();
        let labels = json!({"metadata": {"labels": {"version": version}}});
        self.change_rollout(&json!({"spec": {"template": labels}}));
    }

    /// The objects on the server that are in the folder: their path, what the folder says, and what there is.
    pub(crate) fn in_git(&self) -> Vec<(String, Value, Value)> {
        let kinds = [
            "/apis/argoproj.io/v1alpha1/rollouts",
            "/api/v1/services",
            "/apis/networking.istio.io/v1alpha3/virtualservices",
            "/apis/networking.istio.io/v1alpha3/destinationrules",
        ];
        let all = kinds.iter().flat_map(|kind| self.server.all(kind));
        let live: BTreeMap<_, _> = all.map(|object| (path(&object).unwrap(), object)).collect();
        let both = self.manifests.iter().map(|(path, git)| {
            // Argo CD compares both in one version of the API.
            let (mut git, live) = (git.clone(), (*live[path]).clone());
            git["apiVersion"] = live["apiVersion"].clone();
            (path.clone(), git, live)
        });
        both.collect()
    }

    /// A person presses a button of Argo CD, which must be enabled.
    pub(crate) fn press(&mut self, action: &str) {
        let rollout = self.rollout();
        let enabled = self.argo_cd.enabled(&rollout);
        assert!(enabled.iter().any(|name| name == action), "{action} is not among {enabled:?}");
        let patch = self.argo_cd.patch(action, &rollout, &clock(self.began).to_string());
        self.change_rollout(&patch);
    }

    /// Lets time pass until the Rollout is so.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        while !wanted(&self.rollout()) {
            assert!(began.elapsed() < LONGEST, "it does not get there: {:#}", self.rollout());
            self.pass(Duration::from_secs(1)).await;
        }
    }

    /// Lets time pass until the Rollout waits at this step, counted from 0.
    pub(crate) async fn until_paused_at(&mut self, step: u64) {
        self.until(|rollout| {
            let status = &rollout["status"];
            status["phase"] == "Paused" && status["currentStepIndex"] == step
        })
        .await;
    }

    pub(crate) async fn pass(&mut self, time: Duration) {
        sleep(time).await;
        self.look();
    }

    /// Compares what Argo CD says of each write of the controller with what the Rollout means.
    fn look(&mut self) {
        for change in self.server.since(self.looked_at) {
            self.looked_at = change.version;
            self.judge(&change);
        }
    }

    fn judge(&mut self, change: &Change) {
        let rollout = &*change.object;
        if rollout["kind"] != "Rollout" {
            return;
        }
        let (health, message) = self.argo_cd.health(rollout);
        if !self.theirs.contains(&change.version) {
            assert_eq!(health, meant(rollout), "{rollout:#}");
        }
        if is_provider(rollout) {
            self.said.insert((health, message));
        }
    }
}

fn is_provider(object: &Value) -> bool {
    object["kind"] == "Rollout" && object["metadata"]["name"] == PROVIDER
}

fn clock(began: Instant) -> Time {
    Time::from_secs(1_800_000_000) + began.elapsed()
}
