//! How a controller asks the played istiod.

use crate::mesh::Mesh;
use async_trait::async_trait;
use rollout_core::{
    Revision, Time,
    backend::{Fetch, Fetched, NoAnswer},
};
use rollout_kube::ControlPlane;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Who waits for an answer gives up after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may come of a question to istiod.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// The most that an answer takes.
    pub(crate) longest: Duration,
    /// Of a hundred questions, so many get no answer in time.
    pub(crate) silent: Arc<AtomicU64>,
}

/// Asks the played istiod; for everything else, the cluster as the controller sees it.
#[derive(Debug)]
pub(crate) struct PlayedFetch {
    pub(crate) cluster: ControlPlane,
    pub(crate) mesh: Mesh,
    pub(crate) asking: Asking,
    /// Whether istiod has answered all its questions once.
    pub(crate) was_answered: AtomicBool,
}

#[async_trait]
impl Fetch for PlayedFetch {
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
        let most = u64::try_from(self.asking.longest.as_millis()).unwrap();
        let takes = Duration::from_millis(self.mesh.now().dice.roll(most + 1));
        sleep(takes / 2).await;
        let answers: Vec<_> = {
            let mut mesh = self.mesh.now();
            let is_silent = mesh.dice.roll(100) < self.asking.silent.load(Ordering::Relaxed);
            if paths.contains(&"/metrics") {
                // It is asked for this once everything else has been answered.
                self.was_answered.store(true, Ordering::Relaxed);
            }
            let has_answer = mesh.answers() && !is_silent;
            if !has_answer && !self.was_answered.load(Ordering::Relaxed) {
                mesh.is_blind = true;
            }
            let answer = |path: &&str| if is_silent { Err(NoAnswer::Silent) } else { mesh.answer(path) };
            paths.iter().map(answer).collect()
        };
        let silent = answers.contains(&Err(NoAnswer::Silent));
        sleep(if silent { PATIENCE } else { takes / 2 }).await;
        vec![Fetched { replica: "istiod-1".to_owned(), answers }]
    }

    async fn ready(&self, namespace: &str, revision: &Revision) -> Option<Vec<String>> {
        self.cluster.ready(namespace, revision).await
    }

    async fn pods(&self, pods: &[(&str, &str)], live: bool) -> Vec<Option<bool>> {
        self.cluster.pods(pods, live).await
    }

    fn elapsed(&self) -> Duration {
        self.cluster.elapsed()
    }

    fn now(&self) -> Time {
        self.cluster.now()
    }
}
