//! A controller over a load balancer of one's own. `examples::pool` stands for its API: a weighted pool, in memory.
//! `Balancer` is what you write for yours, and `testing::try_backend` tries it (`examples/tests/custom_backend.rs`).
//! `turn` is the loop; its servers start at once. `main` plays a first deploy, then a canary release.

use clap::Command;
use examples::pool::{Config, NotPut, Pool, Said, run};
use rollout_core::backend::{BackendError, EditError, StoreError, TrafficBackend, Written};
use rollout_core::traffic::{ManagedChange, ObjectRef, ObjectVersion, Routes, RoutesSeen, Seen};
use rollout_core::traffic::{Selection, Selectors, Settled, Version, WeightChange};
use rollout_core::{Action, Driver, Failure, Finding, InvalidStrategy, Next, Observed, Outcome, Range};
use rollout_core::{Revision, RevisionSeen, Spec, Status, Step, Strategy, Time, async_trait::async_trait};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Balancer(pub(crate) Pool);

/// What the engine calls the pool.
fn object() -> ObjectRef {
    ObjectRef::new("lb.example.com", "Pool", "shop", "web")
}

/// In which state it was read: `write` changes with every write, `content` with what the proxies have to know.
fn version(said: &Said) -> Version {
    let (write, content) = (said.version.to_string().into(), said.content);
    [(object(), ObjectVersion { write, content })].into_iter().collect()
}

impl Balancer {
    /// One write, on the version that the decision rests on and no other.
    async fn put(&self, on: &Version, to: impl FnOnce(&mut Config) + Send) -> Result<Written, BackendError> {
        let mut read = self.0.get().await;
        if version(&read) != *on {
            return Err(StoreError::Conflict(object()).into());
        }
        let before = read.config.clone();
        to(&mut read.config);
        if read.config == before {
            return Ok(Written::new(on.clone(), Vec::new()));
        }
        let now = self.0.put(&read.config, read.version).await.map_err(|not| match not {
            NotPut::Stale => StoreError::Conflict(object()),
            // What may have been done is never `Refused`: only this makes the engine fence it off.
            NotPut::TimedOut => StoreError::Ambiguous { object: object(), why: "no answer".into() },
        })?;
        Ok(Written::new(version(&now), vec![object()]))
    }
}

#[async_trait]
impl TrafficBackend for Balancer {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        let said = self.0.get().await;
        let (mut seen, mut routes) = (Seen::new(), RoutesSeen::new(Range::exact(said.config.weight)));
        seen.version = version(&said);
        // If it could not say what its proxies do, `UNKNOWN` would stay, and the engine would wait a while instead.
        let not_yet = Settled::NotYet { since: Time::from_unix(Ok(self.0.now())), behind: Vec::new() };
        let settled = if said.in_force { Settled::Yes } else { not_yet };
        (seen.routes_settled, seen.selectors_settled) = (settled.clone(), settled);
        // The proxies find the servers of a version themselves.
        seen.endpoints = revisions.iter().map(|revision| (revision.clone(), Settled::Yes)).collect();
        let Config { first, second, set_for, signed, .. } = said.config;
        let group = |name: Option<String>| name.map_or(Selection::Unpinned, |v| Revision::from(v).into());
        (seen.behind.stable, seen.behind.canary) = (vec![group(first)], vec![group(second)]);
        (routes.takes_managed, routes.written_for) = (false, set_for.map(Revision::from));
        (seen.routes, seen.nonces) = (vec![routes], signed.into_iter().map(Into::into).collect());
        Ok(seen)
    }

    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError> {
        let group = |to: &Selection| to.revision().map(ToString::to_string);
        let change = |config: &mut Config| {
            to.stable.iter().for_each(|to| config.first = group(to));
            to.canary.iter().for_each(|to| config.second = group(to));
        };
        self.put(seen, change).await
    }

    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError> {
        if matches!(&to.managed, ManagedChange::To(routes) if !routes.is_empty()) {
            let why = Finding::error("", "it reads no headers", "release by weight");
            return Err(EditError::new(object(), why).into());
        }
        let WeightChange::To(weight) = to.weight else { return self.put(seen, |_| ()).await };
        let set_for = (!weight.is_none()).then(|| to.written_for.to_string());
        self.put(seen, |config| (config.weight, config.set_for) = (weight.parts(), set_for)).await
    }

    async fn release(&self, seen: &Version) -> Result<Written, BackendError> {
        self.put(seen, |config| *config = Config::default()).await
    }

    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError> {
        self.put(seen, |config| config.signed = Some(nonce.to_owned())).await
    }
}

/// What lasts from turn to turn. Only the status must survive a restart.
type Controller = (Balancer, Vec<RevisionSeen>, Status, Driver);

/// One turn: observe, decide, carry out. Says when the next one is due, where nothing changes before.
async fn turn((balancer, servers, status, driver): &mut Controller, spec: &Spec) -> Option<Time> {
    let names: Vec<_> = servers.iter().map(|seen| seen.revision.clone()).collect();
    let (read, elapsed) = (balancer.observe(&names).await, balancer.0.now());
    let now = Time::from_unix(Ok(elapsed));
    let seen = match read {
        Ok(seen) => seen,
        Err(error) => return driver.failed(&Failure::from(&error), elapsed).due(now),
    };
    let mut version = seen.version.clone();
    let mut observed = Observed::new().revisions(servers.clone()).traffic(seen);
    driver.see(&mut observed, elapsed);
    let mut turn = driver.begin(spec, status, &observed, now);
    loop {
        let mut written = None;
        match turn.next() {
            Next::Fence(nonce) => written = Some(balancer.fence(nonce, &version).await),
            Next::Act(Action::Select(to)) => written = Some(balancer.select(to, &version).await),
            Next::Act(Action::Route(to)) => written = Some(balancer.route(to, &version).await),
            Next::Act(Action::Scale { revision, pods, scale_down_deadline }) => {
                servers.retain(|seen| seen.revision != *revision);
                let seen = RevisionSeen::new(revision.clone()).scale_down_deadline(*scale_down_deadline);
                servers.push(seen.wanted(*pods).ready(Range::exact(*pods)).available(Range::exact(*pods)));
            }
            Next::Act(Action::Prune { revision }) => servers.retain(|seen| seen.revision != *revision),
            Next::Store(new) => status.clone_from(new),
            Next::Publish(events) => events.iter().for_each(|event| println!("{now}  {event}")),
            Next::VerifyOwnership | Next::Report => written = Some(Ok(Written::default())), // Nobody else is there.
            Next::Act(Action::Run(_)) => {} // The strategy has no analysis.
            Next::Done => return driver.end(turn, elapsed).due(now),
        }
        let result = written.map_or(Ok(Outcome::Changed), |to| Written::chain(to, &mut version));
        turn.done(result.inspect_err(|failure| println!("{now}  {failure}")));
    }
}

fn main() -> Result<(), InvalidStrategy> {
    Command::new("custom_backend").about("Drive a pool").version(env!("CARGO_PKG_VERSION")).get_matches();
    let steps = [Step::SetWeight(20), Step::Pause(Some(Duration::from_secs(600))), Step::SetWeight(50)];
    let strategy = Strategy::builder().traffic_routing(true).steps(steps).build()?;
    // The proxies take 3 s, and the answer to the seventh write gets lost.
    let balancer = Balancer(Pool::new(Duration::from_secs(3), &[7]));
    let mut controller = (balancer, Vec::new(), Status::default(), Driver::new("the only process"));
    for revision in ["v1", "v2"] {
        let spec = Spec::new(strategy.clone(), revision.into()).replicas(4);
        while let Some(at) = run(turn(&mut controller, &spec)) {
            controller.0.0.wait_until(at.to_unix().unwrap_or_default());
        }
    }
    Ok(())
}
