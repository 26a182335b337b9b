//! Embeds the engine in a controller of one's own: here, workloads and traffic are two values in memory.
//!
//! Everything that a controller must do is in `observe`, `act` and `turn`; `main` plays a first deploy and an
//! update, first with a traffic manager, then without one.

use rollout_core::traffic::{RoutesSeen, Seen, Selection, Settled, WeightChange};
use rollout_core::{
    Action, Driver, InvalidStrategy, Next, Observed, Outcome, Range, Resume, Revision, RevisionSeen, Spec,
    Status, Step, Strategy, Time,
};
use std::{collections::BTreeMap, time::Duration};

struct Controller {
    workloads: BTreeMap<Revision, (u32, Option<Time>)>,
    traffic: Seen,
    status: Status,
    driver: Driver,
    now: Time,
}

impl Controller {
    /// What is there: here, pods are ready as soon as they are asked for.
    fn observe(&self) -> Observed {
        let revisions = self.workloads.iter().map(|(revision, (pods, mark))| {
            let (seen, ready) = (RevisionSeen::new(revision.clone()), Range::exact(*pods));
            seen.wanted(*pods).ready(ready).available(ready).mark(*mark)
        });
        let all = self.workloads.values().map(|(pods, _)| pods).sum();
        Observed::new().revisions(revisions).users_own(Range::exact(all)).traffic(self.traffic.clone())
    }

    /// One effect. This strategy has no managed routes; all proxies have everything at once.
    fn act(&mut self, action: Action) {
        match action {
            Action::Workload { revision, pods, mark } => {
                self.traffic.endpoints.push((revision.clone(), Settled::Yes));
                self.workloads.insert(revision, (pods, mark));
            }
            Action::Prune { revision } => drop(self.workloads.remove(&revision)),
            Action::Select(to) => {
                to.stable.into_iter().for_each(|pods| self.traffic.stable = vec![pods]);
                to.canary.into_iter().for_each(|pods| self.traffic.canary = vec![pods]);
            }
            Action::Route(to) => {
                let WeightChange::To { weight, .. } = to.weight else { return };
                let mut routes = RoutesSeen::new(Range::exact(weight));
                routes.written_for = Some(to.written_for);
                self.traffic.routes = vec![routes];
            }
        }
    }

    /// One turn; says when the next one begins.
    fn turn(&mut self, spec: &Spec) -> Resume {
        let (mut observed, elapsed) = (self.observe(), self.now.since(Time::from_secs(0)));
        self.driver.see(&mut observed, elapsed);
        let mut turn = self.driver.begin(spec, &self.status, &observed, self.now);
        loop {
            match turn.next() {
                // Nobody else writes to a value in memory.
                Next::Fence(_) | Next::Prove => {}
                Next::Store(status) => self.status = status.clone(),
                Next::Act(action) => self.act(action.clone()),
                Next::Publish(events) => events.iter().for_each(|event| println!("{}  {event}", self.now)),
                Next::Done => return self.driver.end(turn, elapsed),
            }
            turn.done(Ok(Outcome::Changed));
        }
    }
}

fn main() -> Result<(), InvalidStrategy> {
    for routed in [true, false] {
        println!("{} a traffic manager", if routed { "With" } else { "Without" });
        let steps = [Step::SetWeight(50), Step::Pause(Some(Duration::from_secs(600)))];
        let strategy = Strategy::builder().traffic_routing(routed).steps(steps).build()?;
        let mut traffic = Seen::new();
        (traffic.routes_settled, traffic.selectors_settled) = (Settled::Yes, Settled::Yes);
        if routed {
            traffic.routes = vec![RoutesSeen::new(Range::exact(0))];
            (traffic.stable, traffic.canary) = (vec![Selection::UsersOwn], vec![Selection::UsersOwn]);
        }
        let (driver, now) = (Driver::new("the only process"), Time::from_secs(0));
        let mut controller =
            Controller { workloads: BTreeMap::new(), traffic, status: Status::default(), driver, now };
        for revision in ["v1", "v2"] {
            let spec = Spec::new(strategy.clone(), revision.into()).replicas(4);
            loop {
                match controller.turn(&spec) {
                    Resume::Now { .. } => {}
                    Resume::At(wake) => controller.now = controller.now.max(wake.at),
                    Resume::After { delay, .. } => controller.now = controller.now + delay,
                    Resume::OnChange => break,
                }
            }
        }
    }
    Ok(())
}
