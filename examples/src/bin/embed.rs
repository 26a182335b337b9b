//! Embeds the engine in a controller of one's own: here, workloads and traffic are two values in memory.
//!
//! Everything that a controller must do is in `observe`, `act` and `turn`; `main` plays a first deploy and an
//! update, first with a traffic manager, then without one.

use rollout_core::traffic::{RoutesSeen, Seen, Selection, Settled, WeightChange};
use rollout_core::{
    Action, Fence, InvalidStrategy, Next, Observed, Outcome, Range, Revision, RevisionSeen, Spec, Status,
    Step, Strategy, Time, Turn,
};
use std::{collections::BTreeMap, time::Duration};

struct Controller {
    workloads: BTreeMap<Revision, (u32, Option<Time>)>,
    traffic: Seen,
    status: Status,
    fence: Fence,
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

    /// One turn; says when the next one is due: at once after a change, never when everything is done.
    fn turn(&mut self, spec: &Spec) -> Option<Time> {
        let mut turn = Turn::begin(spec, &self.status, &self.observe(), self.now, &self.fence);
        let changes = !turn.plan().actions.is_empty() || turn.plan().status != self.status;
        loop {
            match turn.next() {
                Next::Fence => self.fence.written("the only process".into()),
                Next::Store(status) => self.status = status.clone(),
                Next::Prove => {}
                Next::Act(action) => self.act(action.clone()),
                Next::Publish(events) => events.iter().for_each(|event| println!("{}  {event}", self.now)),
                Next::Done { .. } if changes => return Some(self.now),
                Next::Done { wake, .. } => return wake.map(|wake| wake.at),
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
        let mut traffic = Seen::nothing();
        if routed {
            traffic.routes = vec![RoutesSeen::new(Range::exact(0))];
            (traffic.stable, traffic.canary) = (vec![Selection::UsersOwn], vec![Selection::UsersOwn]);
        }
        let (status, fence, now) = (Status::default(), Fence::default(), Time::from_secs(0));
        let mut controller = Controller { workloads: BTreeMap::new(), traffic, status, fence, now };
        for revision in ["v1", "v2"] {
            let spec = Spec::new(strategy.clone(), revision.into()).replicas(4);
            while let Some(at) = controller.turn(&spec) {
                controller.now = controller.now.max(at);
            }
        }
    }
    Ok(())
}
