//! A played istiod, with proxies and pods, by a clock that a test moves.

use rollout_core::{
    Revision, Time,
    backend::{DataPlane, Fetch, Fetched, NoAnswer, RolloutRef, Round, Rounds, ready},
    traffic::{ObjectRef, ObjectVersion, Settled, Version},
};
use rollout_istio::Istiod;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub(crate) const UUID: &str = "0d6f4f7e-55a2-4f80-9b0c-2a7ed1a8b9c1";

/// One replica of istiod, as it would answer.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) answers: Result<(), NoAnswer>,
    pub(crate) generation: u64,
    pub(crate) write: u64,
    pub(crate) other: u64,
    pub(crate) selects: &'static str,
    pub(crate) service: u64,
    pub(crate) endpoints: Vec<(&'static str, &'static str)>,
    /// Name, newest push sent, newest push acknowledged.
    pub(crate) proxies: Vec<(&'static str, u64, u64)>,
    pub(crate) gateways: Vec<&'static str>,
    /// Those that have asked for no routes.
    pub(crate) without_routes: Vec<&'static str>,
    pub(crate) exports: Vec<&'static str>,
    /// Namespace of a Sidecar, and the hosts of its egress.
    pub(crate) sidecars: Vec<(&'static str, Vec<&'static str>)>,
    /// When the process began, by the clock of the test; unset when it does not say.
    pub(crate) began: Option<Duration>,
    /// The second of a nonce.
    pub(crate) second: u32,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) at: Duration,
    /// How long an answer takes.
    pub(crate) takes: Duration,
    pub(crate) ready: Option<Vec<&'static str>>,
    pub(crate) replicas: BTreeMap<&'static str, Replica>,
    /// Of which pods it is known that they exist, or do not, by `name.namespace`.
    pub(crate) pods: BTreeMap<&'static str, bool>,
    /// Whether that is known without asking.
    pub(crate) pods_are_watched: bool,
    /// Every path that was asked for.
    pub(crate) asked: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Mesh(Arc<Mutex<World>>);

#[async_trait::async_trait]
impl Fetch for Mesh {
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
        let mut world = self.world();
        let (takes, at) = (world.takes, world.at);
        world.at += takes;
        world.asked.extend(paths.iter().map(|path| (*path).to_owned()));
        let fetched = world.replicas.iter().map(|(name, replica)| Fetched {
            replica: (*name).into(),
            answers: paths.iter().map(|path| replica.answers.and_then(|()| replica.body(path, at))).collect(),
        });
        fetched.collect()
    }

    async fn ready(&self, _namespace: &str, _revision: &Revision) -> Option<Vec<String>> {
        let world = self.world();
        world.ready.as_ref().map(|all| all.iter().map(|address| (*address).to_owned()).collect())
    }

    async fn pods(&self, pods: &[(&str, &str)], live: bool) -> Vec<Option<bool>> {
        let world = self.world();
        let known = |(namespace, name): &(&str, &str)| {
            let exists = world.pods.get(format!("{name}.{namespace}").as_str()).copied();
            // Whoever is asked live knows what is not there.
            exists.filter(|exists| *exists && (live || world.pods_are_watched)).or(live.then_some(false))
        };
        pods.iter().map(known).collect()
    }

    fn elapsed(&self) -> Duration {
        self.world().at
    }

    fn now(&self) -> Time {
        Time::from_millis(i64::try_from(self.elapsed().as_millis()).unwrap())
    }
}

impl Replica {
    pub(crate) fn new() -> Self {
        Self {
            answers: Ok(()),
            generation: 1,
            write: 10,
            other: 1,
            selects: "v1",
            service: 5,
            endpoints: vec![("10.0.0.1", "v1")],
            proxies: vec![("a.shop", 7, 7), ("b.shop", 7, 7)],
            gateways: Vec::new(),
            without_routes: Vec::new(),
            exports: Vec::new(),
            sidecars: Vec::new(),
            began: Some(Duration::ZERO),
            second: 10,
        }
    }

    fn body(&self, path: &str, at: Duration) -> Result<Vec<u8>, NoAnswer> {
        let nonce = |push: u64| format!("2026-11-24T09:38:{}Z/{push}{UUID}", self.second);
        let value = match path {
            "/debug/configz" => self.objects(),
            "/debug/registryz" => json!([{
                "Attributes": {"Name": "provider", "Namespace": "shop", "ServiceRegistry": "Kubernetes",
                    "LabelSelectors": {"app": "x", "rollouts-pod-template-hash": self.selects}},
                "ResourceVersion": self.service.to_string(), "hostname": "provider.shop.svc.cluster.local",
            }, {"Attributes": {"Name": "none", "Namespace": "shop", "LabelSelectors": null}}]),
            "/debug/endpointShardz" => {
                let endpoint = |(address, revision): &(&str, &str)| json!({
                    "Labels": {"rollouts-pod-template-hash": revision, "app": "x"}, "Addresses": [address],
                    "HealthStatus": 1, "Namespace": "shop"});
                let all: Vec<_> = self.endpoints.iter().map(endpoint).collect();
                json!({
                    "provider.shop.svc.cluster.local":
                        {"shop": {"Shards": {"Kubernetes/c": all}, "ServiceAccounts": {}}},
                    "empty.shop.svc.cluster.local": {"shop": {"Shards": {"Kubernetes/c": null}}}})
            }
            "/metrics" => {
                let uptime = at.saturating_sub(self.began.ok_or(NoAnswer::Status(404))?).as_secs_f64();
                return Ok(format!("a 1\nistiod_uptime_seconds {uptime}\nz 2\n").into_bytes());
            }
            "/debug/syncz" => self.proxies.iter().map(|(name, sent, acked)| {
                let routes = |push| if self.without_routes.contains(name) { String::new() } else { nonce(push) };
                json!({
                    "proxy": name, "proxy_type": if self.gateways.contains(name) { "router" } else { "sidecar" },
                    "route_sent": routes(*sent), "route_acked": routes(*acked),
                    "cluster_sent": nonce(1), "cluster_acked": nonce(1)})
            }).collect(),
            other => panic!("{other}"),
        };
        Ok(value.to_string().into_bytes())
    }

    fn objects(&self) -> Value {
        let api = "networking.istio.io/v1";
        let mut all = vec![
            json!({"kind": "VirtualService", "apiVersion": api, "spec": {"http": [], "exportTo": self.exports},
                "metadata": {"name": "provider", "namespace": "shop", "generation": self.generation,
                    "resourceVersion": self.write.to_string(), "creationTimestamp": null}}),
            json!({"kind": "Gateway", "apiVersion": api, "metadata": {
                "name": "other", "namespace": "far", "resourceVersion": self.other.to_string()}}),
        ];
        all.extend(self.sidecars.iter().map(|(namespace, hosts)| {
            json!({
            "kind": "Sidecar", "apiVersion": api, "spec": {"egress": [{"hosts": hosts}]},
            "metadata": {"name": "default", "namespace": namespace, "resourceVersion": "3"}})
        }));
        all.into()
    }
}

impl Mesh {
    pub(crate) fn new() -> Self {
        let replicas = BTreeMap::from([("istiod-1", Replica::new())]);
        Self(Arc::new(Mutex::new(World {
            at: Duration::from_secs(100),
            takes: Duration::ZERO,
            ready: Some(vec!["10.0.0.1"]),
            replicas,
            pods: BTreeMap::new(),
            pods_are_watched: true,
            asked: Vec::new(),
        })))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(crate) fn istiod(&self) -> Arc<Istiod<Self>> {
        Arc::new(Istiod::new(self.clone()).debounce(Duration::from_millis(100)))
    }

    /// Time passes, and then something has changed.
    pub(crate) fn after(&self, millis: u64, change: impl FnOnce(&mut Replica)) {
        let mut world = self.world();
        world.at += Duration::from_millis(millis);
        change(world.replicas.get_mut("istiod-1").unwrap());
    }
}

pub(crate) fn push(replica: &mut Replica) {
    for (_, sent, acked) in &mut replica.proxies {
        (*sent, *acked) = (*sent + 1, *acked + 1);
    }
}

pub(crate) fn version(content: u64, write: &str) -> Version {
    let name = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "provider");
    Version::from_iter([(name, ObjectVersion { write: write.into(), content })])
}

pub(crate) fn asker() -> RolloutRef {
    RolloutRef::new("shop", "provider")
}

pub(crate) fn plane<F: Fetch + 'static>(istiod: &Arc<Istiod<F>>) -> Arc<dyn DataPlane> {
    Arc::clone(istiod).of(&asker())
}

pub(crate) fn round<F: Fetch + 'static>(istiod: &Istiod<F>) -> Round {
    ready(istiod.round()).unwrap()
}

/// What is known of these versions after one more round.
pub(crate) fn objects<F: Fetch + 'static>(istiod: &Arc<Istiod<F>>, of: &Version) -> Settled {
    let plane = plane(istiod);
    ready(plane.objects(of)).unwrap();
    round(istiod);
    ready(plane.objects(of)).unwrap()
}

pub(crate) fn routes(istiod: &Arc<Istiod<Mesh>>, generation: u64) -> Settled {
    objects(istiod, &version(generation, "x"))
}

pub(crate) fn endpoints<F: Fetch + 'static>(istiod: &Arc<Istiod<F>>) -> Settled {
    let plane = plane(istiod);
    ready(plane.endpoints(&"v1".into())).unwrap();
    round(istiod);
    ready(plane.endpoints(&"v1".into())).unwrap()
}

pub(crate) fn behind(settled: &Settled) -> Vec<&str> {
    let Settled::NotYet { behind, .. } = settled else { return vec!["not NotYet"] };
    behind.iter().map(String::as_str).collect()
}
