//! Embeds the engine in a controller of one's own: here, the cluster is one value in memory.
//!
//! Everything that a controller must do is in `act` and `turn`; `main` plays a first deploy and an update, first with
//! a traffic manager, then without one.

use clap::Command;
use rollout_core::traffic::{ByDestination, Routes, RoutesSeen, Seen, Selection, Settled, WeightChange};
use rollout_core::{
    Action, Driver, InvalidStrategy, Next, Observed, Outcome, Range, Resume, RevisionSeen, Spec, Status,
    Step, Strategy, Time,
};
use std::time::Duration;

const ABOUT: &str = "Embed the engine in a loop of your own: simulate a first deploy and an update";

struct Controller {
    cluster: Observed,
    status: Status,
    driver: Driver,
    now: Time,
}

impl Controller {
    /// One effect. Pods are ready as soon as they are asked for, and all proxies have everything at once.
    fn act(&mut self, action: &Action) {
        let Observed { revisions: Some(revisions), traffic: Some(traffic), .. } = &mut self.cluster else {
            return;
        };
        match action {
            Action::Scale { revision, pods, scale_down_deadline } => {
                revisions.retain(|seen| seen.revision != *revision);
                let seen = RevisionSeen::new(revision.clone()).scale_down_deadline(*scale_down_deadline);
                revisions.push(seen.wanted(*pods).ready(Range::exact(*pods)).available(Range::exact(*pods)));
                traffic.endpoints.push((revision.clone(), Settled::Yes));
            }
            Action::Prune { revision } => revisions.retain(|seen| seen.revision != *revision),
            Action::Select(to) => {
                for (destination, pods) in to.iter().filter_map(|(of, pods)| Some((of, pods.clone()?))) {
                    traffic.behind[destination] = vec![pods];
                }
            }
            Action::Route(Routes { weight: WeightChange::To(weight), .. }) => {
                traffic.routes = vec![RoutesSeen::new(Range::exact(weight.parts()))];
            }
            // The strategy has no managed routes and no analyses.
            Action::Route(_) | Action::Run(_) => {}
        }
    }

    /// One turn; says when the next one begins.
    fn turn(&mut self, spec: &Spec) -> Resume {
        let elapsed = self.now.since(Time::from_secs(0));
        self.driver.see(&mut self.cluster, elapsed);
        let mut turn = self.driver.begin(spec, &self.status, &self.cluster, self.now);
        loop {
            match turn.next() {
                // Nobody else writes to a value in memory.
                Next::Fence(_) | Next::VerifyOwnership | Next::Report => {}
                Next::Store(status) => self.status = status.clone(),
                Next::Act(action) => self.act(action),
                Next::Publish(events) => events.iter().for_each(|event| println!("{}  {event}", self.now)),
                Next::Done => return self.driver.end(turn, elapsed),
            }
            turn.done(Ok(Outcome::Changed));
        }
    }
}

fn main() -> Result<(), InvalidStrategy> {
    // It takes no options but --help and --version.
    Command::new("embed").about(ABOUT).version(env!("CARGO_PKG_VERSION")).get_matches();
    for routed in [true, false] {
        println!("{} a traffic manager", if routed { "With" } else { "Without" });
        let steps = [Step::SetWeight(50), Step::Pause(Some(Duration::from_secs(600)))];
        let strategy = Strategy::builder().traffic_routing(routed).steps(steps).build()?;
        let mut traffic = Seen::nothing();
        traffic.routes.extend(routed.then(|| RoutesSeen::new(Range::exact(0))));
        traffic.behind = ByDestination::from_fn(|_| vec![Selection::Unpinned]);
        let cluster = Observed::new().revisions([]).user_selector(Range::exact(4)).traffic(traffic);
        let (status, driver, now) = (Status::default(), Driver::new("the only process"), Time::from_secs(0));
        let mut controller = Controller { cluster, status, driver, now };
        for revision in ["v1", "v2"] {
            let spec = Spec::new(strategy.clone(), revision.into()).replicas(4);
            while let Some(at) = controller.turn(&spec).due(controller.now) {
                controller.now = at;
            }
        }
    }
    Ok(())
}
