//! Embeds the engine in a controller of one's own: here, workloads and traffic are two values in memory.
//!
//! Everything that a controller must do is in `observe`, `act` and `turn`; `main` plays a first deploy and an
//! update, first with a traffic manager, then without one.

use rollout_core::traffic::{ManagedChange, ManagedSeen, RoutesSeen, Seen, Selection, WeightChange};
use rollout_core::{
    Action, Fence, InvalidStrategy, Next, Observed, Outcome, Range, Revision, RevisionSeen, Spec, Status, Step,
    Strategy, Time, Turn,
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
            let seen = RevisionSeen::new(revision.clone()).wanted(*pods).mark(*mark);
            seen.ready(Range::exact(*pods)).available(Range::exact(*pods))
        });
        let all = self.workloads.values().map(|(pods, _)| pods).sum();
        Observed::new().revisions(revisions).users_own(Range::exact(all)).traffic(self.traffic.clone())
    }

    /// One effect.
    fn act(&mut self, action: &Action) {
        match action {
            Action::Workload { revision, pods, mark } => {
                self.workloads.insert(revision.clone(), (*pods, *mark));
            }
            Action::Prune { revision } => drop(self.workloads.remove(revision)),
            Action::Select(to) => {
                to.stable.iter().for_each(|selection| self.traffic.stable = vec![selection.clone()]);
                to.canary.iter().for_each(|selection| self.traffic.canary = vec![selection.clone()]);
            }
            Action::Route(to) => {
                for routes in &mut self.traffic.routes {
                    if let WeightChange::To { weight, .. } = to.weight {
                        routes.weight = Range::exact(weight);
                        routes.written_for = Some(to.written_for.clone());
                    }
                    match &to.managed {
                        ManagedChange::Keep => {}
                        ManagedChange::Retain(names) => routes.managed.retain(|route| names.contains(&route.name)),
                        ManagedChange::To(managed) => {
                            routes.managed = managed.iter().cloned().map(ManagedSeen::new).collect();
                        }
                    }
                }
            }
        }
    }

    /// One turn; says when the next one is due, or that everything is done.
    fn turn(&mut self, spec: &Spec) -> Option<Time> {
        let mut turn = Turn::begin(spec, &self.status, &self.observe(), self.now, &self.fence);
        loop {
            match turn.next() {
                Next::Fence => self.fence.written("the only process".into()),
                Next::Store(status) => self.status = status.clone(),
                Next::Prove => {}
                Next::Act(action) => self.act(action),
                Next::Publish(events) => events.iter().for_each(|event| println!("{}  {event}", self.now)),
                Next::Done { wake, .. } => return wake.map(|wake| wake.at),
            }
            turn.done(Ok(Outcome::Changed));
        }
    }
}

fn main() -> Result<(), InvalidStrategy> {
    for routed in [true, false] {
        println!("{} traffic routing", if routed { "With" } else { "Without" });
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
