use super::{Mesh, as_millis};
use async_trait::async_trait;
use rollout_core::{
    Revision, Time,
    backend::{Fetch, Fetched, NoAnswer},
};
use rollout_kube::ControlPlane;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Who waits for an answer gives up after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the played istiod; for everything else, the cluster as the controller sees it.
#[derive(Debug)]
pub(crate) struct PlayedFetch {
    pub(crate) cluster: ControlPlane,
    pub(crate) mesh: Mesh,
    /// Whether istiod has answered all its questions once.
    pub(crate) was_answered: AtomicBool,
}

#[async_trait]
impl Fetch for PlayedFetch {
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
        let takes = {
            let mut mesh = self.mesh.now();
            let most = as_millis(mesh.lags.1);
            Duration::from_millis(mesh.dice.roll(most + 1))
        };
        sleep(takes / 2).await;
        let begun = Instant::now();
        let answers: Vec<_> = {
            let mut mesh = self.mesh.now();
            let is_silent = mesh.istiod.frozen_until.is_some() || mesh.dice.roll(100) < mesh.silent;
            if paths.contains(&"/metrics") {
                // It is asked for this once everything else has been answered.
                self.was_answered.store(true, Ordering::Relaxed);
            }
            let has_answer = mesh.istiod.down_until.is_none() && !is_silent;
            if !has_answer && !self.was_answered.load(Ordering::Relaxed) {
                mesh.is_blind = true;
            }
            let answer = |path: &&str| match mesh.istiod.down_until {
                Some(_) => Err(NoAnswer::Closed),
                None if is_silent => Err(NoAnswer::Silent),
                None => mesh.answer(path, begun),
            };
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
