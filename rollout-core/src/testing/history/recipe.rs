use crate::{
    IntOrPercent, InvalidStrategy, Revision, Spec, Step, Strategy, Threshold,
    pace::{GradualAbort, Windows},
    strategy::{Analysis, Background},
};
use alloc::{format, vec::Vec};
use core::time::Duration;

/// The user's spec, as a list of choices that can shrink one by one.
///
/// See [`spec`](Self::spec) for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a hand-written regression test gives all of it")]
#[expect(clippy::struct_excessive_bools, reason = "independent choices, each of which shrinks alone")]
pub struct Recipe {
    /// Whether a traffic manager splits the traffic; without one, the only steps are weights and pauses.
    pub routed: bool,
    /// The number of pods that carry all traffic.
    pub replicas: u32,
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether the destinations are two Services (hosts), not two subsets.
    pub services: bool,
    /// Without routing, whether there is a stable Service.
    pub stable_service: bool,
    /// Without routing, whether there is a canary Service.
    pub canary_service: bool,
    /// The total of the weights; only with a traffic manager. Weights above 1 are multiplied accordingly.
    pub max_weight: u32,
    /// The number of objects with routes.
    pub objects: u8,
    /// How many pods are enough.
    pub threshold: Option<Threshold>,
    /// The minimum number of pods of a revision that has any.
    pub min_pods: Option<u32>,
    /// Whether stable follows the weight; only with a traffic manager.
    pub dynamic: bool,
    /// Whether the two Services swap their roles at the end of an update; only with a traffic manager. Managed routes are
    /// then left out: the simulated objects do not say where such a route leads.
    pub ping_pong: bool,
    /// How many revisions back a rollback skips the steps.
    pub rollback_window: u32,
    /// How many old revisions keep their pods for the delay.
    pub scale_down_delay_revision_limit: Option<u32>,
    /// When steps may begin.
    pub windows: Windows,
    /// How fast an abort takes the traffic from the canary; only with a traffic manager.
    pub gradual_abort: Option<GradualAbort>,
    /// How long a pod must be ready before it is available.
    pub min_ready: Duration,
    /// How long old pods stay.
    pub delay: Option<Duration>,
    /// How long an aborted canary's pods stay.
    pub abort_delay: Option<Duration>,
    /// The maximum number of pods above `replicas`, without routing.
    pub surge: IntOrPercent,
    /// The maximum number of unavailable pods, without routing.
    pub unavailable: IntOrPercent,
    /// How long pods may make no progress.
    pub deadline: Duration,
    /// Whether the update is aborted then.
    pub deadline_aborts: bool,
    /// The step from which an analysis runs beside the steps, if there is one.
    pub background: Option<u32>,
}

/// The behaviour of the world apart from events.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::testing::history::{Histories, play};
/// let mut history = Histories::new().draw(7).unwrap();
/// history.surroundings.proxies = 1;
/// history.surroundings.proxy_lag = Duration::ZERO;
/// assert_eq!(play(&history).violation(), None, "in a world in which every proxy has everything at once");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a hand-written regression test gives all of it")]
pub struct Surroundings {
    /// The number of proxies.
    pub proxies: usize,
    /// The maximum time for a change to reach a proxy.
    pub proxy_lag: Duration,
    /// The maximum time for a pod to become ready.
    pub pods_ready: Duration,
    /// How long terminating pods still answer.
    pub pods_end: Duration,
    /// How long the counts of pods lag behind.
    pub counts_lag: Duration,
    /// How long a write takes.
    pub writes_take: Duration,
    /// The template whose pods never become ready, even without faults.
    pub never_ready: Option<u8>,
    /// Whether the proxies can be asked what they have. If not, changes must reach them within the shortest grace
    /// period, because no engine could be correct otherwise.
    pub can_be_asked: bool,
}

/// The names of the managed routes that a recipe's steps may use.
///
/// ```
/// use rollout_core::testing::history::{Histories, MANAGED};
/// let histories = Histories::new();
/// let mut recipe = histories.draw(7).unwrap().recipe;
/// recipe.routed = true;
/// let strategy = recipe.strategy(&[])?;
/// assert_eq!(strategy.routing().unwrap().managed_routes(), MANAGED.map(Into::into));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
pub const MANAGED: [&str; 3] = ["to-the-canary", "for-testers", "copy"];

impl Recipe {
    /// Builds the strategy.
    ///
    /// Without traffic routing, steps that need it are left out.
    ///
    /// ```
    /// use rollout_core::{CanaryScale, Step, testing::history::Histories};
    /// let mut recipe = Histories::new().draw(7).unwrap().recipe;
    /// recipe.routed = false;
    /// let steps = [Step::SetWeight(20), Step::SetCanaryScale(CanaryScale::Replicas(1))];
    /// assert_eq!(recipe.strategy(&steps)?.steps(), steps);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    ///
    /// # Errors
    /// The strategy cannot have these steps.
    pub fn strategy(&self, steps: &[Step]) -> Result<Strategy, InvalidStrategy> {
        let swaps = self.routed && self.ping_pong;
        let possible = |step: &&Step| match step {
            Step::SetWeight(_) | Step::Pause(_) | Step::SetCanaryScale(_) | Step::Analysis(_) => true,
            Step::SetHeaderRoute { .. } | Step::SetMirrorRoute { .. } => self.routed && !swaps,
        };
        let total = if self.routed { self.max_weight } else { 100 };
        let scaled = |step: &Step| match step {
            Step::SetWeight(weight) if *weight > 1 => Step::SetWeight(weight.saturating_mul(total) / 100),
            Step::SetWeight(_)
            | Step::Pause(_)
            | Step::SetCanaryScale(_)
            | Step::SetHeaderRoute { .. }
            | Step::SetMirrorRoute { .. }
            | Step::Analysis(_) => step.clone(),
        };
        let mut builder = Strategy::builder()
            .steps(steps.iter().filter(possible).map(scaled))
            .replica_progress_threshold(self.threshold)
            .scale_down_delay(self.delay)
            .abort_scale_down_delay(self.abort_delay)
            .max_surge(self.surge)
            .max_unavailable(self.unavailable)
            .min_pods_per_replica_set(self.min_pods)
            .dynamic_stable_scale(self.dynamic)
            .scale_down_delay_revision_limit(self.scale_down_delay_revision_limit);
        if self.routed {
            let services = self.has_services();
            builder = builder
                .traffic_routing(true)
                .max_weight(total)
                .stable_service(services)
                .canary_service(services);
            builder = builder.ping_pong(swaps);
            for name in MANAGED {
                builder = builder.managed_route(name);
            }
        } else {
            builder = builder.stable_service(self.stable_service).canary_service(self.canary_service);
        }
        let analysis = || Analysis::of("beside").into();
        let beside = self.background.map(|starting_step| Background { analysis: analysis(), starting_step });
        builder.background(beside).build()
    }

    /// Returns the names of the features that the history tries, for [`Premises`](crate::testing::Premises).
    ///
    /// ```
    /// use rollout_core::testing::history::Histories;
    /// let mut recipe = Histories::new().draw(7).unwrap().recipe;
    /// (recipe.routed, recipe.dynamic, recipe.rollback_window) = (true, true, 2);
    /// let features = recipe.features();
    /// assert!(features.contains(&"dynamicStableScale") && features.contains(&"rollbackWindow"), "{features:?}");
    /// recipe.routed = false;
    /// assert!(!recipe.features().contains(&"dynamicStableScale"), "it needs a traffic manager");
    /// ```
    #[must_use]
    pub fn features(&self) -> Vec<&'static str> {
        let has = |wanted: fn(&Step) -> bool| self.steps.iter().any(wanted);
        let scales = has(|step| matches!(step, Step::SetCanaryScale(_)));
        let swaps = self.routed && self.ping_pong;
        [
            ("basic canary", !self.routed),
            ("dynamicStableScale", self.routed && self.dynamic),
            ("gradual abort", self.routed && self.gradual_abort.is_some()),
            ("maxTrafficWeight", self.routed && self.max_weight != 100),
            ("minPodsPerReplicaSet", self.min_pods.is_some()),
            ("minReadySeconds", !self.min_ready.is_zero()),
            ("pingPong", swaps),
            ("progressDeadlineAbort", self.deadline_aborts),
            ("replicaProgressThreshold", self.threshold.is_some()),
            ("rollbackWindow", self.rollback_window > 0),
            ("scaleDownDelayRevisionLimit", self.scale_down_delay_revision_limit.is_some()),
            ("setCanaryScale", self.routed && scales),
            ("setCanaryScale without routing", !self.routed && scales),
            (
                "setHeaderRoute",
                self.routed && !swaps && has(|step| matches!(step, Step::SetHeaderRoute { .. })),
            ),
            (
                "setMirrorRoute",
                self.routed && !swaps && has(|step| matches!(step, Step::SetMirrorRoute { .. })),
            ),
            ("two Services", self.routed && self.has_services()),
            ("two VirtualServices", self.routed && self.objects > 1),
            ("windows", self.windows != Windows::always()),
        ]
        .into_iter()
        .filter_map(|(name, is_tried)| is_tried.then_some(name))
        .collect()
    }

    /// Returns whether the destinations are two Services.
    pub(super) fn has_services(&self) -> bool {
        self.services || self.ping_pong
    }

    /// Builds the user's object at the beginning.
    ///
    /// ```
    /// use rollout_core::{Step, testing::history::Histories};
    /// let mut recipe = Histories::new().draw(7).unwrap().recipe;
    /// recipe.replicas = 4;
    /// assert_eq!((recipe.spec()?.replicas, recipe.spec()?.target), (4, "v1".into()));
    /// recipe.steps = vec![Step::SetWeight(101)];
    /// assert!(recipe.spec().is_err());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`strategy`](Self::strategy).
    pub fn spec(&self) -> Result<Spec, InvalidStrategy> {
        let mut spec = Spec::new(self.strategy(&self.steps)?, revision(1)).replicas(self.replicas);
        spec.progress_deadline = self.deadline;
        spec.rollback_window = self.rollback_window;
        spec.progress_deadline_abort = self.deadline_aborts;
        spec.windows = self.windows.clone();
        spec.gradual_abort = self.gradual_abort;
        Ok(spec)
    }
}

/// Returns the revision for a template number.
pub(super) fn revision(number: u8) -> Revision {
    format!("v{number}").into()
}
