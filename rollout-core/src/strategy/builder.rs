use super::{Background, IntOrPercent, Routing, Step, Strategy, Threshold, managed};
use alloc::{collections::BTreeSet, format, string::String, sync::Arc, vec::Vec};
use core::{fmt::Write, time::Duration};

/// Builds a [`Strategy`] in code.
///
/// A setter that is not called leaves Argo Rollouts' default; the last call wins.
///
/// ```
/// use rollout_core::{Step, Strategy};
/// let strategy = Strategy::builder().max_weight(100).max_weight(1000).step(Step::SetWeight(5)).build()?;
/// assert_eq!(strategy.max_weight(), 1000, "the last call wins");
/// assert_eq!(strategy.scale_down_delay().as_secs(), 30, "the default with traffic routing");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct StrategyBuilder {
    strategy: Strategy,
    own_hash: bool,
}

/// The reason why a strategy is invalid.
///
/// ```
/// use rollout_core::{Step, Strategy};
/// let error = Strategy::builder().step(Step::SetWeight(150)).build().unwrap_err();
/// assert_eq!(error.to_string(), "step 0: the weight 150 is not between 0 and 100");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStrategy {
    /// A weight is not between 0 and the total.
    #[error("step {step}: the weight {weight} is not between 0 and {max}")]
    Weight {
        /// The index of the step, from 0.
        step: usize,
        /// The weight asked for.
        weight: u32,
        /// The declared total.
        max: u32,
    },
    /// A step needs a traffic manager, and there is none.
    #[error("step {step}: `{text}` needs traffic routing; call `traffic_routing(true)`")]
    NeedsRouting {
        /// The index of the step, from 0.
        step: usize,
        /// The step.
        text: String,
    },
    /// A step names a route that is not in the list of managed routes.
    #[error("step {step}: the route {name:?} is not among the managed routes; add it with `managed_route`")]
    UnknownRoute {
        /// The index of the step, from 0.
        step: usize,
        /// The unknown name.
        name: String,
    },
    /// The declared total is 0.
    #[error("the total weight must be above 0")]
    NoTotal,
}

impl StrategyBuilder {
    pub(super) fn new() -> Self {
        let strategy = Strategy {
            steps: Vec::new(),
            step_hash: "".into(),
            routing: None,
            canary_service: false,
            stable_service: false,
            max_surge: IntOrPercent::DEFAULT,
            max_unavailable: IntOrPercent::DEFAULT,
            min_pods: None,
            progress_threshold: None,
            scale_down_delay: None,
            abort_scale_down_delay: None,
            dynamic_stable_scale: false,
            scale_down_delay_revision_limit: None,
            ping_pong: false,
            background: None,
        };
        Self { strategy, own_hash: false }
    }

    /// Appends a step.
    ///
    /// See [`steps`](Self::steps) for an example.
    pub fn step(mut self, step: Step) -> Self {
        self.strategy.steps.push(step);
        self
    }

    /// Appends several steps.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy};
    /// let weights = [5, 20, 50].map(Step::SetWeight);
    /// let strategy = Strategy::builder().steps(weights).step(Step::Pause(None)).build()?;
    /// assert_eq!(strategy.steps().len(), 4, "the pause comes after the weights");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.strategy.steps.extend(steps);
        self
    }

    /// Sets whether a traffic manager splits the traffic.
    ///
    /// Without one, which is the default, the weight is a ratio of pods. `false` also drops the managed routes and the
    /// total.
    ///
    /// ```
    /// use rollout_core::Strategy;
    /// let strategy = Strategy::builder().max_weight(1000).traffic_routing(false).build()?;
    /// assert!(strategy.routing().is_none());
    /// assert_eq!(strategy.max_weight(), 100);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn traffic_routing(mut self, routed: bool) -> Self {
        let new = || Routing { managed_routes: Vec::new(), max_weight: 100 };
        self.strategy.routing = routed.then(|| self.strategy.routing.take().unwrap_or_else(new));
        self
    }

    /// Appends a managed route. Turns traffic routing on.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy};
    /// let stop = Step::SetHeaderRoute { name: "beta".into(), route: None };
    /// assert!(Strategy::builder().traffic_routing(true).step(stop.clone()).build().is_err(), "an unknown route");
    /// assert!(Strategy::builder().managed_route("beta").step(stop).build().is_ok());
    /// ```
    pub fn managed_route(mut self, name: &str) -> Self {
        self = self.traffic_routing(true);
        if let Some(routing) = &mut self.strategy.routing {
            routing.managed_routes.push(name.into());
        }
        self
    }

    /// Sets the weight that stands for all traffic (`maxTrafficWeight`, default 100). Turns traffic routing on.
    ///
    /// See [`Strategy::weight`] for an example.
    pub fn max_weight(mut self, total: u32) -> Self {
        self = self.traffic_routing(true);
        if let Some(routing) = &mut self.strategy.routing {
            routing.max_weight = total;
        }
        self
    }

    /// Sets whether there is a Service for the canary's pods.
    ///
    /// Clients may use it directly, so it is pointed at the canary only when a pod is ready there:
    ///
    /// ```
    /// use rollout_core::{Action, Observed, Range, RevisionSeen, Spec, Status, Step, Strategy, Time, reconcile};
    /// use rollout_core::traffic::{RoutesSeen, Seen};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v2"}"#).unwrap();
    /// # let mut seen = Seen::nothing();
    /// # seen.behind.stable = vec![rollout_core::Revision::from("v1").into()];
    /// # seen.behind.canary = seen.behind.stable.clone();
    /// # seen.routes = vec![RoutesSeen::new(Range::exact(0))];
    /// # let stable = RevisionSeen::new("v1".into()).wanted(10).ready(Range::exact(10)).available(Range::exact(10));
    /// let canary = RevisionSeen::new("v2".into()).wanted(1).ready(Range::exact(0)).available(Range::exact(0));
    /// # let observed = Observed::new().revisions([stable, canary]).traffic(seen);
    /// for there_is in [false, true] {
    ///     let builder = Strategy::builder().traffic_routing(true).step(Step::SetWeight(5));
    ///     let spec = Spec::new(builder.canary_service(there_is).build()?, "v2".into()).replicas(10);
    ///     let plan = reconcile(&spec, &status, &observed, Time::from_secs(0));
    ///     assert_eq!(plan.actions.iter().any(Action::is_traffic), !there_is);
    /// }
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn canary_service(mut self, there_is: bool) -> Self {
        self.strategy.canary_service = there_is;
        self
    }

    /// Sets whether there is a Service for the stable pods: the users' front door, always counted as used.
    ///
    /// ```
    /// use rollout_core::{Action, Observed, Range, RevisionSeen, Spec, Status, Strategy, Time, reconcile};
    /// use rollout_core::traffic::{RoutesSeen, Seen};
    /// // `v2` has all the weight and has just become stable. Only one of its two pods is ready.
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v2","canary":"v2"}"#).unwrap();
    /// # let mut seen = Seen::nothing();
    /// # seen.behind.stable = vec![rollout_core::Revision::from("v1").into()];
    /// # seen.behind.canary = vec![rollout_core::Revision::from("v2").into()];
    /// # seen.routes = vec![RoutesSeen::new(Range::exact(100))];
    /// let v2 = RevisionSeen::new("v2".into()).wanted(2).ready(Range::exact(1)).available(Range::exact(1));
    /// # let observed = Observed::new().revisions([v2]).traffic(seen);
    /// for there_is in [false, true] {
    ///     let builder = Strategy::builder().traffic_routing(true).stable_service(there_is);
    ///     let spec = Spec::new(builder.build()?, "v2".into()).replicas(2);
    ///     let plan = reconcile(&spec, &status, &observed, Time::from_secs(0));
    ///     assert_eq!(plan.actions.iter().any(|action| matches!(action, Action::Select(_))), !there_is);
    /// }
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn stable_service(mut self, there_is: bool) -> Self {
        self.strategy.stable_service = there_is;
        self
    }

    /// Sets how many pods may exist above `spec.replicas`, without traffic routing.
    ///
    /// ```
    /// use rollout_core::{IntOrPercent, Spec, Status, Step, Strategy, conformance::goal};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v2"}"#).unwrap();
    /// let pods = |surge| {
    ///     let strategy = Strategy::builder().max_surge(surge).step(Step::SetWeight(20)).build()?;
    ///     let goal = goal(&Spec::new(strategy, "v2".into()).replicas(4), &status);
    ///     Ok::<_, rollout_core::InvalidStrategy>((goal.canary, goal.stable))
    /// };
    /// assert_eq!(pods(IntOrPercent::Int(0))?, (1, 3), "25 %, the nearest ratio of four pods");
    /// assert_eq!(pods(IntOrPercent::Int(1))?, (1, 4), "20 % of five pods");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn max_surge(mut self, surge: IntOrPercent) -> Self {
        self.strategy.max_surge = surge;
        self
    }

    /// Sets how many pods may be unavailable, without traffic routing.
    ///
    /// ```
    /// use rollout_core::{Action, IntOrPercent, Observed, Range, RevisionSeen, Spec, Status, Step, Strategy, Time};
    /// use rollout_core::{reconcile, traffic::Seen};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v2"}"#).unwrap();
    /// let v1 = RevisionSeen::new("v1".into()).wanted(4).ready(Range::exact(4)).available(Range::exact(4));
    /// let strategy = Strategy::builder()
    ///     .max_surge(IntOrPercent::Int(0))
    ///     .max_unavailable(IntOrPercent::Int(1))
    ///     .step(Step::SetWeight(50))
    ///     .build()?;
    /// let observed = Observed::new().revisions([v1]).traffic(Seen::nothing());
    /// let plan = reconcile(&Spec::new(strategy, "v2".into()).replicas(4), &status, &observed, Time::from_secs(0));
    /// assert_eq!(plan.actions, [Action::Scale { revision: "v1".into(), pods: 3, scale_down_deadline: None }]);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn max_unavailable(mut self, unavailable: IntOrPercent) -> Self {
        self.strategy.max_unavailable = unavailable;
        self
    }

    /// Sets the minimum number of pods of a revision that has any, with traffic routing.
    ///
    /// ```
    /// use rollout_core::{Spec, Status, Step, Strategy, conformance::goal};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v2"}"#).unwrap();
    /// let builder = Strategy::builder().traffic_routing(true).min_pods_per_replica_set(Some(2));
    /// let spec = |weight| {
    ///     let strategy = builder.clone().step(Step::SetWeight(weight)).build()?;
    ///     Ok::<_, rollout_core::InvalidStrategy>(Spec::new(strategy, "v2".into()).replicas(10))
    /// };
    /// assert_eq!(goal(&spec(5)?, &status).canary, 2, "5 % of the requests need one pod only");
    /// assert_eq!(goal(&spec(0)?, &status).canary, 0);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn min_pods_per_replica_set(mut self, pods: Option<u32>) -> Self {
        self.strategy.min_pods = pods;
        self
    }

    /// Sets how many pods are enough to continue; `None` means all.
    ///
    /// See [`Threshold::of`] for an example.
    pub fn replica_progress_threshold(mut self, threshold: Option<Threshold>) -> Self {
        self.strategy.progress_threshold = threshold;
        self
    }

    /// Sets how long old pods stay after they lose their traffic; `None` is the default, not 0.
    ///
    /// See [`Strategy::scale_down_delay`] for an example.
    pub fn scale_down_delay(mut self, delay: Option<Duration>) -> Self {
        self.strategy.scale_down_delay = delay;
        self
    }

    /// Sets how long an aborted canary's pods stay; `None` is the default, `Some(0)` keeps them for good.
    ///
    /// See [`Strategy::abort_scale_down_delay`] for an example.
    pub fn abort_scale_down_delay(mut self, delay: Option<Duration>) -> Self {
        self.strategy.abort_scale_down_delay = delay;
        self
    }

    /// Sets whether stable keeps only the pods that its share of the requests needs (`dynamicStableScale`). Without
    /// traffic routing, this has no effect.
    ///
    /// See [`Strategy::stable_follows_weight`] for an example.
    pub fn dynamic_stable_scale(mut self, shrinks: bool) -> Self {
        self.strategy.dynamic_stable_scale = shrinks;
        self
    }

    /// Sets the analysis that runs beside the steps. See [`Background`] for an example.
    pub fn background(mut self, background: Option<Background>) -> Self {
        self.strategy.background = background;
        self
    }

    /// Sets whether the destinations swap their roles at the end of an update. See [`Strategy::ping_pong`].
    pub fn ping_pong(mut self, swaps: bool) -> Self {
        self.strategy.ping_pong = swaps;
        self
    }

    /// Sets how many old revisions keep their pods for the scale-down delay, the newest first; the others lose them at
    /// once (`scaleDownDelayRevisionLimit`). `None` is no limit.
    ///
    /// ```
    /// use rollout_core::{Action, Observed, Range, RevisionSeen, Spec, Status, Strategy, Time, reconcile};
    /// use rollout_core::traffic::{RoutesSeen, Seen};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v3","canary":"v3"}"#).unwrap();
    /// # let mut seen = Seen::nothing();
    /// # seen.behind.stable = vec![rollout_core::Revision::from("v3").into()];
    /// # seen.behind.canary = seen.behind.stable.clone();
    /// # seen.routes = vec![RoutesSeen::new(Range::exact(0))];
    /// let [v1, v2, v3] = [("v1", 1), ("v2", 2), ("v3", 3)].map(|(revision, number)| {
    ///     let seen = RevisionSeen::new(revision.into()).number(number).wanted(1);
    ///     seen.ready(Range::exact(1)).available(Range::exact(1))
    /// });
    /// let strategy = Strategy::builder().traffic_routing(true).scale_down_delay_revision_limit(Some(1)).build()?;
    /// let observed = Observed::new().revisions([v1, v2, v3]).traffic(seen);
    /// let plan = reconcile(&Spec::new(strategy, "v3".into()), &status, &observed, Time::from_secs(0));
    /// let deadlines = plan.actions.iter().map(|action| match action {
    ///     Action::Scale { revision, scale_down_deadline, .. } => (revision.as_str(), *scale_down_deadline),
    ///     other => unreachable!("{other:?}"),
    /// });
    /// // Only the newest old revision keeps its pods for 30 s.
    /// assert!(deadlines.eq([("v1", Some(Time::from_secs(0))), ("v2", Some(Time::from_secs(30)))]));
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn scale_down_delay_revision_limit(mut self, revisions: Option<u32>) -> Self {
        self.strategy.scale_down_delay_revision_limit = revisions;
        self
    }

    /// Identifies this list of steps by `hash` instead of by a hash computed from the steps.
    ///
    /// A hash that stays the same while the steps change does not restart them.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy};
    /// let strategy = Strategy::builder().step(Step::SetWeight(5)).step_hash("6c5f8b7d9").build()?;
    /// assert_eq!(strategy.step_hash(), "6c5f8b7d9");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn step_hash(mut self, hash: &str) -> Self {
        self.strategy.step_hash = hash.into();
        self.own_hash = true;
        self
    }

    /// Validates and builds the strategy.
    ///
    /// ```
    /// use rollout_core::{InvalidStrategy, Step, Strategy};
    /// let error = Strategy::builder().step(Step::SetWeight(5)).step(Step::SetWeight(101)).build();
    /// assert_eq!(error, Err(InvalidStrategy::Weight { step: 1, weight: 101, max: 100 }));
    /// assert_eq!(Strategy::builder().max_weight(0).build(), Err(InvalidStrategy::NoTotal));
    /// ```
    ///
    /// # Errors
    /// Reports the first setting that makes the strategy invalid: see [`InvalidStrategy`].
    pub fn build(mut self) -> Result<Strategy, InvalidStrategy> {
        let strategy = &mut self.strategy;
        let max = strategy.max_weight();
        if max == 0 {
            return Err(InvalidStrategy::NoTotal);
        }
        let names = strategy.routing.as_ref().map(|routing| routing.managed_routes.iter().collect());
        for (index, step) in strategy.steps.iter().enumerate() {
            check(names.as_ref(), max, index, step)?;
        }
        if !self.own_hash {
            strategy.step_hash = hash(&strategy.steps);
        }
        Ok(self.strategy)
    }
}

fn check(
    names: Option<&BTreeSet<&Arc<str>>>,
    max: u32,
    index: usize,
    step: &Step,
) -> Result<(), InvalidStrategy> {
    if let Step::SetWeight(weight) = step {
        return if *weight <= max {
            Ok(())
        } else {
            Err(InvalidStrategy::Weight { step: index, weight: *weight, max })
        };
    }
    let needs_routing = !matches!(step, Step::Pause(_) | Step::SetCanaryScale(_) | Step::Analysis(_));
    let Some(names) = names else {
        let error = InvalidStrategy::NeedsRouting { step: index, text: format!("{step}") };
        return if needs_routing { Err(error) } else { Ok(()) };
    };
    match managed(step) {
        Some((name, _)) if !names.contains(name) => {
            Err(InvalidStrategy::UnknownRoute { step: index, name: String::from(&**name) })
        }
        _ => Ok(()),
    }
}

/// Computes FNV-1a over the debug text of the steps: within one version of this crate, equal steps have equal hashes.
fn hash(steps: &[Step]) -> Arc<str> {
    let mut text = String::new();
    for step in steps {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{step:?};");
    }
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_step_is_wrong() {
        let weight = Strategy::builder().step(Step::SetWeight(101)).build();
        assert_eq!(weight, Err(InvalidStrategy::Weight { step: 0, weight: 101, max: 100 }));
        let name: Arc<str> = "h".into();
        let header = Step::SetHeaderRoute { name, route: None };
        let unrouted = Strategy::builder().step(Step::Pause(None)).step(header.clone()).build();
        assert!(matches!(unrouted, Err(InvalidStrategy::NeedsRouting { step: 1, .. })));
        let unknown = Strategy::builder().managed_route("other").step(header).build();
        assert!(matches!(unknown, Err(InvalidStrategy::UnknownRoute { step: 0, .. })));
        assert_eq!(Strategy::builder().max_weight(0).build(), Err(InvalidStrategy::NoTotal));
    }

    #[test]
    fn other_steps_have_another_hash() {
        let of =
            |steps: &[Step]| Strategy::builder().steps(steps.iter().cloned()).build().map(|s| s.step_hash);
        assert_eq!(of(&[Step::SetWeight(5)]), of(&[Step::SetWeight(5)]));
        assert_ne!(of(&[Step::SetWeight(5)]), of(&[Step::SetWeight(50)]));
    }
}
