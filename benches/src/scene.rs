use core::{fmt, time::Duration};
use rollout_core::{
    Observed, Plan, Range, Revision, RevisionSeen, Spec, Status, Step, Strategy, Time, reconcile,
    traffic::{RoutesSeen, Seen, Selection, Settled},
};

/// What one decision is made on. Shows itself with the length of the plan that comes of it.
#[derive(Debug)]
pub struct Scene {
    name: &'static str,
    spec: Spec,
    status: Status,
    observed: Observed,
    now: Time,
}

impl Scene {
    /// Every scene that is measured.
    ///
    /// # Panics
    /// When a strategy here is not valid, which is a fault of this file.
    #[must_use]
    pub fn all() -> [Self; 4] {
        [Self::at_rest(), Self::in_a_pause(), Self::before_half(), Self::long()]
    }

    /// What it shows, in a few words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Decides.
    pub fn plan(&self) -> Plan {
        reconcile(&self.spec, &self.status, &self.observed, self.now)
    }

    /// Released long ago; one old revision without pods.
    fn at_rest() -> Self {
        let strategy = weights([5, 50]);
        let status = status(&strategy, "v2", "v2", 4);
        let old = RevisionSeen::new("v1".into()).number(1);
        let traffic = traffic("v2", "v2", 0);
        let mut scene = Self::new("at rest", strategy, status, vec![old, pods("v2", 2, 10)], traffic);
        scene.spec.target = "v2".into();
        scene
    }

    /// Ten pods; 5 % of the requests go to the canary, for another five minutes.
    fn in_a_pause() -> Self {
        let strategy = weights([5, 50]);
        let mut status = status(&strategy, "v1", "v2", 1);
        status.paused_at = Some(Time::from_secs(700));
        let revisions = vec![pods("v1", 1, 10), pods("v2", 2, 1)];
        Self::new("in a pause", strategy, status, revisions, traffic("v1", "v2", 5))
    }

    /// Ten pods; everything is there for half of the requests to go to the canary.
    fn before_half() -> Self {
        let strategy = weights([5, 50]);
        let status = status(&strategy, "v1", "v2", 2);
        let revisions = vec![pods("v1", 1, 10), pods("v2", 2, 5)];
        Self::new("before 50/50", strategy, status, revisions, traffic("v1", "v2", 5))
    }

    /// The same with 200 revisions, of which nobody took the old ones away, and 40 steps.
    fn long() -> Self {
        let strategy = weights(core::array::from_fn::<u32, 20, _>(|nth| 5 * u32::try_from(nth).unwrap_or(0)));
        let status = status(&strategy, "v199", "v200", 20);
        let old =
            (1..199).map(|number| RevisionSeen::new(format!("v{number}").as_str().into()).number(number));
        let mut revisions: Vec<_> = old.collect();
        revisions.extend([pods("v199", 199, 10), pods("v200", 200, 5)]);
        let mut scene =
            Self::new("200 revisions, 40 steps", strategy, status, revisions, traffic("v199", "v200", 45));
        scene.spec.target = "v200".into();
        scene.spec.revision_history_limit = 200;
        scene
    }

    fn new(
        name: &'static str,
        strategy: Strategy,
        status: Status,
        revisions: Vec<RevisionSeen>,
        mut traffic: Seen,
    ) -> Self {
        traffic.endpoints = revisions.iter().map(|seen| (seen.revision.clone(), Settled::Yes)).collect();
        let observed = Observed::new().user_selector(Range::exact(10)).revisions(revisions).traffic(traffic);
        Self {
            name,
            spec: Spec::new(strategy, "v2".into()).replicas(10),
            status,
            observed,
            now: Time::from_secs(1000),
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan();
        write!(f, "{} ({} actions, {} waits)", self.name, plan.actions.len(), plan.waiting.len())
    }
}

/// Each weight, and ten minutes after it.
fn weights(weights: impl IntoIterator<Item = u32>) -> Strategy {
    let pause = Step::Pause(Some(Duration::from_secs(600)));
    let steps = weights.into_iter().flat_map(|weight| [Step::SetWeight(weight), pause.clone()]);
    #[expect(clippy::expect_used, reason = "the weights are in this file")]
    Strategy::builder().traffic_routing(true).steps(steps).build().expect("weights up to 100")
}

fn status(strategy: &Strategy, stable: &str, canary: &str, step: u32) -> Status {
    let mut status = Status::default();
    status.stable = Some(stable.into());
    status.canary = Some(canary.into());
    status.step = step;
    status.step_hash = Some(strategy.step_hash().into());
    status
}

fn pods(revision: &str, number: u64, pods: u32) -> RevisionSeen {
    let all = Range::exact(pods);
    RevisionSeen::new(revision.into()).number(number).wanted(pods).ready(all).available(all)
}

fn traffic(stable: &str, canary: &str, weight: u32) -> Seen {
    let mut seen = Seen::nothing();
    seen.behind.stable = vec![Selection::Revision(Revision::from(stable))];
    seen.behind.canary = vec![Selection::Revision(Revision::from(canary))];
    seen.routes = vec![RoutesSeen::new(Range::exact(weight))];
    seen
}

#[cfg(test)]
mod tests {
    use super::Scene;
    use rollout_core::{
        Action,
        traffic::{ManagedChange, Routes, Weight, WeightChange},
    };

    #[test]
    fn every_scene_is_what_its_name_says() {
        let shown: Vec<_> = Scene::all().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "at rest (0 actions, 0 waits)",
                "in a pause (0 actions, 1 waits)",
                "before 50/50 (1 actions, 1 waits)",
                "200 revisions, 40 steps (1 actions, 1 waits)",
            ]
        );
    }

    #[test]
    fn the_route_to_half_is_what_is_decided_before_half() {
        let [.., before_half, _] = Scene::all();
        let plan = before_half.plan();
        let [Action::Route(Routes { weight, managed, .. })] = plan.actions.as_slice() else {
            panic!("{plan:?}");
        };
        assert_eq!((weight, managed), (&WeightChange::To(Weight::new(50, 100)), &ManagedChange::Keep));
    }
}
