//! When a Deployment gives its pods up to the Rollout that refers to it.

use super::*;
use rollout_core::{
    Range, Revision, Time,
    backend::{BackendError, TrafficBackend, Written},
    traffic::{Routes, RoutesSeen, Seen, Selectors, Settled, Version},
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Routes to pods that the proxies know, or not yet. Nothing about them has to be changed.
#[derive(Debug, Default, Clone)]
struct Proxies {
    have_selectors: Arc<AtomicBool>,
    have_endpoints: Arc<AtomicBool>,
    /// Since when they have been unable to answer.
    silent: Option<Instant>,
}

impl Proxies {
    fn settled(&self, have: &AtomicBool) -> Settled {
        if let Some(since) = self.silent {
            return Settled::Unknown { age: since.elapsed() };
        }
        if have.load(Ordering::SeqCst) {
            return Settled::Yes;
        }
        Settled::NotYet { since: Time::from_secs(1_800_000_000), behind: vec!["gateway".to_owned()] }
    }
}

#[async_trait::async_trait]
impl TrafficBackend for Proxies {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        let mut seen = Seen::nothing();
        seen.routes = vec![RoutesSeen::new(Range::exact(0))];
        seen.selectors_settled = self.settled(&self.have_selectors);
        seen.endpoints =
            revisions.iter().map(|of| (of.clone(), self.settled(&self.have_endpoints))).collect();
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

impl World {
    /// What the status says that is waited for.
    fn waits(&self) -> String {
        let conditions = self.status()["conditions"].as_array().cloned().unwrap_or_default();
        let waits = conditions.iter().find(|condition| condition["type"] == "Waiting");
        waits.map(|waits| waits["message"].as_str().unwrap().to_owned()).unwrap_or_default()
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
        let says = |what: &str| {
            format!(
                "Deployment shop/web keeps its pods until every proxy has the {what} of the Rollout; behind: gateway \
                 (since 2027-01-15T08:00:00Z); ends when every proxy has it"
            )
        };
        if setting == "progressively" {
            // The first deploy is over as soon as its pods are there.
            assert_eq!(world.waits(), says("selectors"));
        }
        proxies.have_endpoints.store(true, Ordering::SeqCst);
        if setting == "onsuccess" {
            world.until_phase("Healthy").await;
            world.memory.driver.read_live();
            let (_, next) = world.turn().await;
            assert_eq!(world.replicas_of_deployment(), 2, "no proxy has the new selectors");
            assert!(next.is_some_and(|next| !next.is_zero()), "it looks again: {next:?}");
            assert_eq!(world.status()["message"], says("selectors"));
            assert_eq!(world.waits(), says("selectors"));
        }
        proxies.have_selectors.store(true, Ordering::SeqCst);
        world.until_phase("Healthy").await;
        world.settle().await;
        assert_eq!(world.replicas_of_deployment(), 0, "{setting}");
        assert_eq!((world.waits(), world.status().get("message")), (String::new(), None), "{setting}");
    }
}

/// Then old pods stay for the scale-down delay, and the status says until when.
#[tokio::test(start_paused = true)]
async fn the_deployment_keeps_its_pods_for_a_while_if_the_proxies_cannot_be_asked() {
    let mut world = World::new(json!([])).await;
    let (began, start) = (Instant::now(), Time::from_secs(1_800_000_000));
    world.context.clock = Arc::new(move || start + began.elapsed());
    let proxies = Proxies { silent: Some(began), ..Proxies::default() };
    world.context.factory = Arc::new(move |_, _, _| Ok(Some(Box::new(proxies.clone()))));
    let rule = json!({"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"});
    let routing = json!({"istio": {"virtualService": {"name": "web"}, "destinationRule": rule}});
    let canary = json!({"trafficRouting": routing, "scaleDownDelaySeconds": 3600});
    world.edit(&json!({"spec": {"strategy": {"canary": canary}}}));
    world.deployment("web:v1", 2);
    world.refer("onsuccess");
    world.until_phase("Healthy").await;
    let says = "Deployment shop/web keeps its pods until every proxy has the selectors of the Rollout (since \
                2027-01-15T08:00:00Z); ends at 2027-01-15T09:00:00Z";
    for _ in 0..3 {
        world.memory.driver.read_live();
        let (_, next) = world.turn().await;
        assert_eq!(world.waits(), says, "{}", world.status());
        assert_eq!(world.replicas_of_deployment(), 2);
        assert!(next.is_some());
        tokio::time::advance(Duration::from_millis(1_001)).await;
    }
    tokio::time::advance(Duration::from_secs(3600)).await;
    world.memory.driver.read_live();
    world.turn().await;
    assert_eq!(world.replicas_of_deployment(), 0);
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
