//! One sequence, asked of both servers.

use super::{
    sequence::Sequence,
    server::{Answer, Server},
};
use crate::bed::{Bed, Frozen, RUNTIME};
use kube::Client;
use rollout_kube::testing::SimulatedApiServer;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// So many sequences at a time, each in a namespace of its own.
pub(super) const LANES: usize = 4;

/// The real API server.
pub(super) struct Real {
    client: Client,
    // In this order: a server that goes on before its cluster ends.
    _frozen: [Frozen; 2],
    _bed: Arc<Bed>,
}

impl Real {
    /// That of a cluster on which from now on nobody else writes.
    pub(super) fn of(bed: Arc<Bed>) -> Self {
        let client = bed.client();
        RUNTIME.block_on(async {
            for lane in 0..LANES {
                let object =
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(lane)}});
                let request =
                    http::Request::post("/api/v1/namespaces").header("content-type", "application/json");
                client
                    .request::<Value>(request.body(object.to_string().into_bytes()).unwrap())
                    .await
                    .unwrap();
            }
        });
        Self {
            client,
            _frozen: ["kube-controller-manager", "podrunner"].map(|server| bed.freeze(server)),
            _bed: bed,
        }
    }
}

fn namespace(lane: usize) -> String {
    format!("conform-{lane}")
}

impl Real {
    /// One that is played and this one, each with the same empty namespace.
    pub(super) fn both(&self, lane: usize) -> [Server; 2] {
        let namespace = namespace(lane);
        let played = SimulatedApiServer::start();
        // The first versions are long gone.
        played.apply("/api/v1/namespaces/other/configmaps/first", json!({}));
        played.delete("/api/v1/namespaces/other/configmaps/first");
        played.expire();
        [Server::new(played.client(), &namespace), Server::new(self.client.clone(), &namespace)]
    }
}

/// How many were compared, by their line in the table: such as succeeded, such as were refused.
pub(super) type Counts = BTreeMap<&'static str, [u64; 2]>;

/// An answer that differs.
#[derive(Debug)]
pub(super) struct Difference {
    /// The step, or what comes after the last.
    pub(super) step: usize,
    pub(super) asked: String,
    pub(super) played: Answer,
    pub(super) real: Answer,
}

/// Compares until there is a difference.
pub(super) async fn compare(
    server: &Real,
    lane: usize,
    sequence: &Sequence,
    counts: &mut Counts,
) -> Option<Difference> {
    let [mut played, mut real] = server.both(lane);
    let difference = differ(&mut played, &mut real, sequence, counts).await;
    real.clean().await;
    difference
}

async fn differ(
    played: &mut Server,
    real: &mut Server,
    sequence: &Sequence,
    counts: &mut Counts,
) -> Option<Difference> {
    for (place, step) in sequence.steps.iter().enumerate() {
        let (ours, theirs) = (played.ask(sequence, step).await, real.ask(sequence, step).await);
        if ours != theirs {
            let asked = format!("played: {}\n  real: {}", played.asked, real.asked);
            return Some(Difference { step: place, asked, played: ours, real: theirs });
        }
        counts.entry(step.ask.name()).or_default()[usize::from(ours.code >= 400)] += 1;
    }
    for ((asked, ours), (_, theirs)) in played.shown().await.into_iter().zip(real.shown().await) {
        if ours != theirs {
            return Some(Difference { step: sequence.steps.len(), asked, played: ours, real: theirs });
        }
        let events = u64::try_from(ours.body.as_array().map_or(0, Vec::len)).unwrap();
        counts.entry("events of watches").or_default()[0] += events;
    }
    None
}
