use core::time::Duration;
use rollout_core::{
    Answer, CommandKind, Revision, Spec, Step, Strategy, StrategyBuilder,
    sim::{Content, CoreMesh, Moment, Sim, Truth, Watcher, World},
    testing::laws::{Laws, all},
    traffic::{ManagedRoute, RequestMatch, RouteMatch, Selection, StringMatch},
};
use std::sync::Arc;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// How the world stood at one moment, as a person would tell it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    /// The canary's weight in the objects.
    pub(crate) weight: u32,
    /// How many managed routes there are.
    pub(crate) headers: usize,
    /// What the destinations lead to; `*` is the user's own selector.
    pub(crate) stable: String,
    pub(crate) canary: String,
    /// Revision, pods asked for, pods ready, whether it has a scale-down deadline.
    pub(crate) pods: Vec<(String, u32, u32, bool)>,
    pub(crate) step: u32,
}

impl Scene {
    fn of(truth: &Truth) -> Self {
        let mut scene = Self {
            weight: 0,
            headers: 0,
            stable: "*".into(),
            canary: "*".into(),
            pods: Vec::new(),
            step: truth.status.step,
        };
        let name = |selection: &Selection| selection.revision().map_or("*".into(), ToString::to_string);
        for object in &truth.traffic {
            match &object.content {
                Content::Routes { routes, .. } => {
                    scene.weight = scene.weight.max(routes.weight.hi());
                    scene.headers = scene.headers.max(routes.managed.len());
                }
                Content::Selectors { stable, canary } => {
                    scene.stable = stable.as_ref().map_or("*".into(), name);
                    scene.canary = canary.as_ref().map_or("*".into(), name);
                }
                _ => {}
            }
        }
        for workload in &truth.workloads {
            let revision = workload.revision.to_string();
            scene.pods.push((
                revision,
                workload.wanted,
                workload.counted(),
                workload.scale_down_deadline.is_some(),
            ));
        }
        scene
    }

    pub(crate) fn wanted(&self, revision: &str) -> u32 {
        self.pods.iter().find(|(of, ..)| of == revision).map_or(0, |(_, wanted, ..)| *wanted)
    }

    pub(crate) fn ready(&self, revision: &str) -> u32 {
        self.pods.iter().find(|(of, ..)| of == revision).map_or(0, |(_, _, ready, _)| *ready)
    }

    pub(crate) fn scaling_down(&self, revision: &str) -> bool {
        self.pods.iter().any(|(of, .., scaling_down)| of == revision && *scaling_down)
    }
}

/// Writes down every scene, and lets the laws judge.
#[derive(Debug)]
pub(crate) struct Scribe {
    laws: Laws,
    scenes: Vec<Scene>,
}

impl Watcher for Scribe {
    fn see(&mut self, moment: &Moment<'_>) {
        self.laws.see(moment);
        let scene = Scene::of(moment.truth);
        if self.scenes.last() != Some(&scene) {
            self.scenes.push(scene);
        }
    }
}

/// A world to tell a story in: v1 is deployed and healthy.
pub(crate) struct Story {
    pub(crate) world: World<CoreMesh, Scribe>,
}

impl Story {
    /// With a traffic manager, and these steps.
    pub(crate) fn routed(replicas: u32, steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(replicas, steps, |strategy| strategy.managed_route("testers"))
    }

    /// Without a traffic manager: the weight is a ratio of pods.
    pub(crate) fn unrouted(replicas: u32, steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(replicas, steps, |strategy| strategy)
    }

    pub(crate) fn with(
        replicas: u32,
        steps: impl IntoIterator<Item = Step>,
        more: impl FnOnce(StrategyBuilder) -> StrategyBuilder,
    ) -> Self {
        let mut story = Self::not_deployed(replicas, steps, more);
        story.rest();
        assert_eq!(story.now().ready("v1"), replicas);
        story.world.watcher_mut().scenes.clear();
        story
    }

    pub(crate) fn not_deployed(
        replicas: u32,
        steps: impl IntoIterator<Item = Step>,
        more: impl FnOnce(StrategyBuilder) -> StrategyBuilder,
    ) -> Self {
        let strategy = more(Strategy::builder().steps(steps)).build().unwrap();
        let mesh = if strategy.routing().is_some() { CoreMesh::new() } else { CoreMesh::none() };
        Self::over(mesh, strategy, replicas)
    }

    /// Over these traffic objects, before v1 is deployed.
    pub(crate) fn over(mesh: CoreMesh, strategy: Strategy, replicas: u32) -> Self {
        let spec = Spec::new(strategy, "v1".into()).replicas(replicas);
        let scribe = Scribe { laws: Laws::new(all()).recording(), scenes: Vec::new() };
        Self { world: Sim::new(spec).build_with(mesh, scribe) }
    }

    pub(crate) fn now(&self) -> Scene {
        Scene::of(self.world.truth())
    }

    /// Every scene since v1 was deployed, or since the last look.
    pub(crate) fn scenes(&self) -> &[Scene] {
        &self.world.watcher().scenes
    }

    pub(crate) fn forget(&mut self) {
        self.world.watcher_mut().scenes.clear();
    }

    /// The weights that were written, in order.
    pub(crate) fn weights(&self) -> Vec<u32> {
        let mut weights: Vec<u32> = self.scenes().iter().map(|scene| scene.weight).collect();
        weights.dedup();
        weights
    }

    /// What was never to be seen was not seen.
    #[track_caller]
    pub(crate) fn never(&self, what: impl Fn(&Scene) -> bool) {
        let seen = self.scenes().iter().find(|scene| what(scene));
        assert_eq!(seen, None, "{:#?}", self.scenes());
    }

    #[track_caller]
    pub(crate) fn update(&mut self, revision: &str) {
        self.world.update_to(revision);
    }

    pub(crate) fn replicas(&mut self, pods: u32) {
        self.world.set_spec(|spec| spec.replicas = pods);
    }

    #[track_caller]
    pub(crate) fn say(&mut self, kind: CommandKind) {
        let answer = self.world.command(kind);
        assert!(matches!(answer, Answer::Accepted { .. }), "{kind}: {answer:?}");
    }

    /// Lets everything happen until nothing is left to happen.
    #[track_caller]
    pub(crate) fn rest(&mut self) {
        let rests = self.world.run_to_rest(24 * 60 * MINUTE);
        assert_eq!(rests, Ok(true), "{}", self.told());
        self.lawful();
    }

    #[track_caller]
    pub(crate) fn pass(&mut self, time: Duration) {
        self.world.run_for(time).unwrap();
        self.lawful();
    }

    /// Lets things happen until it looks like this.
    #[track_caller]
    pub(crate) fn until(&mut self, what: impl Fn(&Scene) -> bool) {
        let end = self.world.now() + 24 * 60 * MINUTE;
        while !what(&self.now()) {
            assert!(self.world.step().unwrap() && self.world.now() < end, "it never came: {}", self.told());
        }
        self.lawful();
    }

    /// Whether the rollout waits for something whose text has these words in it.
    #[track_caller]
    pub(crate) fn waits(&self, words: &str) {
        let waiting: Vec<_> = self.world.waiting().iter().map(ToString::to_string).collect();
        assert!(waiting.iter().any(|text| text.contains(words)), "{waiting:?}");
    }

    #[track_caller]
    pub(crate) fn is_done_with(&self, revision: &str) {
        let status = &self.world.truth().status;
        assert_eq!(
            (&status.stable, &status.canary),
            (&Some(r(revision)), &Some(r(revision))),
            "{}",
            self.told()
        );
    }

    /// The requests that met no ready pod.
    #[track_caller]
    pub(crate) fn no_request_failed(&self) {
        assert_eq!(self.world.summary().requests.unserved, 0, "{}", self.told());
    }

    #[track_caller]
    fn lawful(&self) {
        let violation = self.world.watcher().laws.violation();
        assert_eq!(violation, None, "{}", self.told());
    }

    fn told(&self) -> String {
        self.world.watcher().laws.timeline().map(ToString::to_string).unwrap_or_default()
    }
}

pub(crate) fn r(name: &str) -> Revision {
    name.into()
}

pub(crate) fn pause() -> Step {
    Step::Pause(None)
}

pub(crate) fn header() -> Step {
    let value = StringMatch::Exact("1".into());
    let matches = RouteMatch::Header(vec![RequestMatch::header("version", value)]);
    let route = Some(Arc::new(ManagedRoute { name: "testers".into(), matches }));
    Step::SetHeaderRoute { name: "testers".into(), route }
}
