use crate::{
    controller::Waker,
    rollout::{Context, Key, KubeEvent},
};
use rollout_core::{
    Revision,
    backend::{DataPlane, NoDataPlane, RolloutRef, Round, Rounds},
    traffic::{ObjectRef, Settled, Version},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};

/// Provides each rollout with its data plane, which knows what the proxies have.
pub(crate) struct DataPlanes {
    shared: Option<Arc<dyn Rounds>>,
    /// Signals that a rollout has asked.
    asked: Arc<Notify>,
}

impl DataPlanes {
    pub(crate) fn new(shared: Arc<dyn Rounds>) -> Self {
        Self { shared: Some(shared), asked: Arc::default() }
    }

    /// Provides no data plane.
    pub(crate) fn none() -> Self {
        Self { shared: None, asked: Arc::default() }
    }

    pub(crate) fn of(&self, rollout: &Key) -> Arc<dyn DataPlane> {
        let Some(shared) = &self.shared else { return Arc::new(NoDataPlane) };
        let asked = Arc::clone(&self.asked);
        Arc::new(RoundStarter { plane: Arc::clone(shared).of(&asker(rollout)), asked })
    }

    /// Forgets a rollout that is gone.
    pub(crate) fn forget(&self, rollout: &Key) {
        if let Some(shared) = &self.shared {
            shared.forget(&asker(rollout));
        }
    }
}

fn asker((namespace, name): &Key) -> RolloutRef {
    RolloutRef::new(namespace, name)
}

/// A data plane that starts the rounds when a rollout asks something that it may wait for.
#[derive(Debug)]
struct RoundStarter {
    plane: Arc<dyn DataPlane>,
    asked: Arc<Notify>,
}

#[async_trait::async_trait]
impl DataPlane for RoundStarter {
    async fn objects(&self, of: &Version) -> Settled {
        let settled = self.plane.objects(of).await;
        if settled != Settled::Yes {
            self.asked.notify_one();
        }
        settled
    }

    async fn endpoints(&self, of: &Revision) -> Settled {
        let settled = self.plane.endpoints(of).await;
        self.asked.notify_one();
        settled
    }

    async fn proxies_known_in(&self) -> Duration {
        self.plane.proxies_known_in().await
    }
}

/// Runs the rounds, one after the other and forever, while any rollout waits for something.
pub(crate) async fn run_rounds(context: Arc<Context>, waker: Waker) {
    let planes = &context.data_planes;
    let Some(shared) = planes.shared.clone() else { return };
    let mut complaint = None;
    loop {
        match shared.next_round() {
            None => planes.asked.notified().await,
            Some(Duration::ZERO) => {
                let round = shared.round().await;
                if complaint != round.complaint {
                    if let Some(why) = &round.complaint {
                        tracing::warn!(%why, "the control plane of the proxies cannot be asked");
                    }
                    complaint.clone_from(&round.complaint);
                }
                report(&context, &waker, round).await;
            }
            // A new question does not wait out an old one's pause.
            Some(pause) => _ = timeout(pause, planes.asked.notified()).await,
        }
    }
}

/// Logs and publishes the notes of a round, and wakes the rollouts whose answer has changed.
async fn report(context: &Context, waker: &Waker, round: Round) {
    for (note, whom) in &round.notes {
        tracing::warn!(%note, rollouts = whom.len(), "no longer waiting for a proxy");
        for who in whom.iter().filter(|_| !context.dry_run) {
            let rollout = ObjectRef::new("argoproj.io", "Rollout", &who.namespace, &who.name);
            if let Ok(entry) = context.caches.get(&rollout).await {
                let event = KubeEvent::warning("ProxyGivenUp", note.as_str());
                context.publisher.publish(&entry.value, &event, context.now());
            }
        }
    }
    for who in round.changed {
        waker.wake((who.namespace.to_string(), who.name.to_string()));
    }
}
