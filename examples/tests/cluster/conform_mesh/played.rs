//! The played mesh, in a time of its own.

use super::{
    objects::Write,
    sequence::Step,
    view::{Answers, PATHS, Stored},
};
use crate::{
    bed::secs,
    played_mesh::{Mesh, ProxyOf, Shape},
};
use rollout_kube::testing::SimulatedApiServer;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Enough for everything: a proxy connects again within 15 s.
const REST: Duration = secs(60);
/// Longer than any sequence.
const UNTIL_TOLD: Duration = secs(100_000);
const DOWN: Duration = secs(1);

pub(super) struct PlayedMesh {
    server: SimulatedApiServer,
    mesh: Mesh,
    now: Instant,
    stored: Stored,
}

impl PlayedMesh {
    /// With these objects, at rest.
    pub(super) fn start(first: Vec<Write>) -> Self {
        let (server, now) = (SimulatedApiServer::start(), Instant::now());
        let proxy = |name: &str, of_type| ProxyOf { name: name.to_owned(), of_type, lag: Duration::ZERO };
        let proxies = [("sidecar-1.default", "sidecar"), ("sidecar-2.default", "sidecar")];
        let proxies = proxies.into_iter().chain([("gateway.istio-system", "router")]);
        let shape = Shape {
            proxies: proxies.map(|(name, of_type)| proxy(name, of_type)).collect(),
            watches: Duration::ZERO,
            endpoints: Duration::ZERO,
            seed: 0,
        };
        let mesh = Mesh::start(&server, shape, now);
        let mut played = Self { server, mesh, now, stored: Stored::new() };
        played.write(first);
        played.rest();
        played
    }

    fn write(&mut self, writes: Vec<Write>) {
        for (path, object) in writes {
            let Some(object) = object else {
                self.server.delete(&path);
                self.stored.retain(|name, _| !is_at(name, &path));
                continue;
            };
            let kind = object["kind"].as_str().unwrap().to_owned();
            self.server.apply(&path, object);
            let (all, name) = path.rsplit_once('/').unwrap();
            let there = self.server.all(all).into_iter().find(|there| there["metadata"]["name"] == *name);
            let version = there.unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
            if kind != "Pod" {
                self.stored.insert(format!("{kind} {name}"), version);
            }
        }
    }

    /// It comes to rest.
    fn rest(&mut self) {
        // What was written now is heard now.
        drop(self.mesh.at(self.now));
        self.now += REST;
        drop(self.mesh.at(self.now));
    }

    pub(super) fn step(&mut self, step: &Step, writes: Vec<Write>) {
        match step {
            Step::Changes(_) => self.write(writes),
            Step::Stop(at) => self.mesh.at(self.now).stop(*at, UNTIL_TOLD),
            Step::GoOn(at) => self.mesh.at(self.now).go_on(*at),
            Step::Restart(_) => {
                self.mesh.at(self.now).restart_istiod(DOWN);
                self.write(writes);
            }
        }
        self.rest();
    }

    pub(super) fn stored(&self) -> &Stored {
        &self.stored
    }

    pub(super) fn answers(&self) -> Answers {
        let mesh = self.mesh.at(self.now);
        Answers(PATHS.map(|path| serde_json::from_slice(&mesh.answer(path).unwrap()).unwrap()))
    }

    /// What the metrics say.
    pub(super) fn uptime(&self) -> Option<f64> {
        let metrics = self.mesh.at(self.now).answer("/metrics").unwrap();
        super::view::uptime(&String::from_utf8(metrics).unwrap())
    }

    pub(super) fn services(&self) -> Value {
        let services = self.mesh.at(self.now).answer("/debug/registryz").unwrap();
        serde_json::from_slice(&services).unwrap_or(json!("not JSON"))
    }
}

/// Whether an object of this kind and name is at this path.
pub(super) fn is_at(name: &str, path: &str) -> bool {
    let (kind, name) = name.split_once(' ').unwrap();
    let mut parts = path.rsplit('/');
    parts.next() == Some(name)
        && parts.next().is_some_and(|plural| plural.starts_with(&kind.to_lowercase()[..kind.len() - 1]))
}
