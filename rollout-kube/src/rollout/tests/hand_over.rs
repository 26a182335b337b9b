//! When a Deployment gives its pods up to the Rollout that refers to it.

use super::*;
use rollout_core::{
    Range, Revision,
    backend::{BackendError, TrafficBackend, Written},
    traffic::{Routes, RoutesSeen, Seen, Selectors, Settled, Version},
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Routes to pods that the proxies know, or not yet. Nothing about them has to be changed.
#[derive(Debug, Default, Clone)]
struct Proxies {
    have_selectors: Arc<AtomicBool>,
    have_endpoints: Arc<AtomicBool>,
}

fn settled(have: &AtomicBool) -> Settled {
    if have.load(Ordering::SeqCst) {
        return Settled::Yes;
    }
    Settled::NotYet { since: crate::rollout::wall_clock(), behind: vec!["gateway".to_owned()] }
}

#[async_trait::async_trait]
impl TrafficBackend for Proxies {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        let mut seen = Seen::nothing();
        seen.routes = vec![RoutesSeen::new(Range::exact(0))];
        seen.selectors_settled = settled(&self.have_selectors);
        seen.endpoints = revisions.iter().map(|of| (of.clone(), settled(&self.have_endpoints))).collect();
        Ok(seen)
    }

    async fn select(&self, _: &Selectors, _: &Version) -> Result<Written, BackendError> {
        Ok(Written::default())
    }

    async fn route(&self, _: &Routes, _: &Version) -> Result<Written, BackendError> {
        Ok(Written::default())
    }

    async fn release(&self, _: &Version) -> Result<Written, BackendError> {
        Ok(Written::default())
    }

    async fn fence(&self, _: &str, _: &Version) -> Result<Written, BackendError> {
        Ok(Written::default())
    }
}

/// A proxy that is behind sends requests to pods of the Deployment, or has none of those that replace them.
#[tokio::test(start_paused = true)]
async fn the_deployment_keeps_the_pods_that_a_proxy_still_needs() {
    for setting in ["onsuccess", "progressively"] {
        let mut world = World::new(json!([{"setWeight": 50}, {"pause": {}}])).await;
        let proxies = Proxies::default();
        let backend = proxies.clone();
        world.context.factory = Arc::new(move |_, _, _| Ok(Some(Box::new(backend.clone()))));
        world.deployment("web:v1", 2);
        world.refer(setting);
        world.until(|rollout| rollout["status"]["availableReplicas"] == 2).await;
        world.settle().await;
        assert_eq!(world.replicas_of_deployment(), 2, "{setting}: no proxy has the new endpoints");
        proxies.have_endpoints.store(true, Ordering::SeqCst);
        if setting == "onsuccess" {
            world.until_phase("Healthy").await;
            world.memory.driver.read_live();
            let (_, next) = world.turn().await;
            assert_eq!(world.replicas_of_deployment(), 2, "no proxy has the new selectors");
            assert!(next.is_some_and(|next| !next.is_zero()), "it looks again: {next:?}");
        }
        proxies.have_selectors.store(true, Ordering::SeqCst);
        world.until_phase("Healthy").await;
        world.settle().await;
        assert_eq!(world.replicas_of_deployment(), 0, "{setting}");
    }
}

/// A pod that is not available for a moment does not bring back what it replaced.
#[tokio::test(start_paused = true)]
async fn a_deployment_gets_no_pod_back_while_the_first_deploy_goes_on() {
    let mut world = World::new(json!([])).await;
    world.deployment("web:v1", 10);
    world.refer("progressively");
    for _ in 0..4 {
        world.memory.driver.read_live();
        world.turn().await;
    }
    for available in [1, 0] {
        world.counts(1);
        let (path, mut set) = world.set_of("web:v1");
        set["status"]["availableReplicas"] = json!(available);
        world.cluster().put(&path, set);
        world.memory.driver.read_live();
        world.turn().await;
        assert_eq!(world.replicas_of_deployment(), 9, "{available} available");
    }
}
