use super::{IntOrPercent, Routing, Step, Strategy, Threshold, managed};
use alloc::{collections::BTreeSet, format, string::String, sync::Arc, vec::Vec};
use core::{fmt::Write, time::Duration};

/// Builds a [`Strategy`] in code.
///
/// A setter that is not called leaves Argo Rollouts' default; the last call wins.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct StrategyBuilder {
    strategy: Strategy,
    own_hash: bool,
}

/// The reason why a strategy is invalid.
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
        };
        Self { strategy, own_hash: false }
    }

    /// Appends a step.
    pub fn step(mut self, step: Step) -> Self {
        self.strategy.steps.push(step);
        self
    }

    /// Appends several steps.
    pub fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.strategy.steps.extend(steps);
        self
    }

    /// Sets whether a traffic manager splits the traffic.
    pub fn traffic_routing(mut self, routed: bool) -> Self {
        let new = || Routing { managed_routes: Vec::new(), max_weight: 100 };
        self.strategy.routing = routed.then(|| self.strategy.routing.take().unwrap_or_else(new));
        self
    }

    /// Appends a managed route. Turns traffic routing on.
    pub fn managed_route(mut self, name: &str) -> Self {
        self = self.traffic_routing(true);
        if let Some(routing) = &mut self.strategy.routing {
            routing.managed_routes.push(name.into());
        }
        self
    }

    /// Sets the weight that stands for all traffic (`maxTrafficWeight`, default 100). Turns traffic routing on.
    pub fn max_weight(mut self, total: u32) -> Self {
        self = self.traffic_routing(true);
        if let Some(routing) = &mut self.strategy.routing {
            routing.max_weight = total;
        }
        self
    }

    /// Sets whether there is a Service for the canary's pods.
    pub fn canary_service(mut self, there_is: bool) -> Self {
        self.strategy.canary_service = there_is;
        self
    }

    /// Sets whether there is a Service for the stable pods: the users' front door, always counted as used.
    pub fn stable_service(mut self, there_is: bool) -> Self {
        self.strategy.stable_service = there_is;
        self
    }

    /// Sets how many pods may exist above `spec.replicas`, without traffic routing.
    pub fn max_surge(mut self, surge: IntOrPercent) -> Self {
        self.strategy.max_surge = surge;
        self
    }

    /// Sets how many pods may be unavailable, without traffic routing.
    pub fn max_unavailable(mut self, unavailable: IntOrPercent) -> Self {
        self.strategy.max_unavailable = unavailable;
        self
    }

    /// Sets the minimum number of pods of a revision that has any, with traffic routing.
    pub fn min_pods_per_replica_set(mut self, pods: Option<u32>) -> Self {
        self.strategy.min_pods = pods;
        self
    }

    /// Sets how many pods are enough to continue; `None` means all.
    pub fn replica_progress_threshold(mut self, threshold: Option<Threshold>) -> Self {
        self.strategy.progress_threshold = threshold;
        self
    }

    /// Sets how long old pods stay after they lose their traffic; `None` is the default, not 0.
    pub fn scale_down_delay(mut self, delay: Option<Duration>) -> Self {
        self.strategy.scale_down_delay = delay;
        self
    }

    /// Sets how long an aborted canary's pods stay; `None` is the default, `Some(0)` keeps them for good.
    pub fn abort_scale_down_delay(mut self, delay: Option<Duration>) -> Self {
        self.strategy.abort_scale_down_delay = delay;
        self
    }

    /// Sets whether stable keeps only the pods that its share of the requests needs (`dynamicStableScale`). Without
    /// traffic routing, this has no effect.
    pub fn dynamic_stable_scale(mut self, shrinks: bool) -> Self {
        self.strategy.dynamic_stable_scale = shrinks;
        self
    }

    /// Sets how many old revisions keep their pods for the scale-down delay, the newest first; the others lose them at
    /// once (`scaleDownDelayRevisionLimit`). `None` is no limit.
    pub fn scale_down_delay_revision_limit(mut self, revisions: Option<u32>) -> Self {
        self.strategy.scale_down_delay_revision_limit = revisions;
        self
    }

    /// Identifies this list of steps by `hash` instead of by a hash computed from the steps.
    pub fn step_hash(mut self, hash: &str) -> Self {
        self.strategy.step_hash = hash.into();
        self.own_hash = true;
        self
    }

    /// Validates and builds the strategy.
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
    let needs_routing = !matches!(step, Step::Pause(_));
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
