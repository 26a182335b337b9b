//! The user's canary strategy, validated and typed.

mod analysis;
mod builder;
mod fenceposts;
mod step;

pub use analysis::{Analysis, AnalysisArg, ArgSource, Background};
pub use builder::{InvalidStrategy, StrategyBuilder};
pub use fenceposts::{Fenceposts, IntOrPercent};
pub use step::{CanaryScale, Step};

use crate::{
    analysis::RunRole,
    traffic::{ManagedRoute, Weight},
};
use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A canary strategy that the engine can drive.
///
/// Build it with [`Strategy::builder`], or from a manifest with the feature `argo`. Settings that the manifest language
/// allows but the engine does not support yet are rejected before.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Step, Strategy};
///
/// let strategy = Strategy::builder()
///     .traffic_routing(true)
///     .step(Step::SetWeight(5))
///     .step(Step::Pause(Some(Duration::from_secs(600))))
///     .build()?;
/// assert_eq!(strategy.steps().len(), 2);
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::struct_excessive_bools, reason = "independent settings of a manifest")]
pub struct Strategy {
    pub(crate) steps: Vec<Step>,
    pub(crate) step_hash: Arc<str>,
    pub(crate) routing: Option<Routing>,
    pub(crate) canary_service: bool,
    pub(crate) stable_service: bool,
    pub(crate) max_surge: IntOrPercent,
    pub(crate) max_unavailable: IntOrPercent,
    pub(crate) min_pods: Option<u32>,
    pub(crate) progress_threshold: Option<Threshold>,
    pub(crate) scale_down_delay: Option<Duration>,
    pub(crate) abort_scale_down_delay: Option<Duration>,
    pub(crate) dynamic_stable_scale: bool,
    pub(crate) scale_down_delay_revision_limit: Option<u32>,
    #[serde(default)]
    pub(crate) ping_pong: bool,
    #[serde(default)]
    pub(crate) background: Option<Background>,
}

impl Strategy {
    /// Starts a strategy without steps or traffic routing and with Argo Rollouts' defaults.
    ///
    /// ```
    /// use rollout_core::Strategy;
    /// let strategy = Strategy::builder().build()?;
    /// assert!(strategy.steps().is_empty() && strategy.routing().is_none());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn builder() -> StrategyBuilder {
        StrategyBuilder::new()
    }

    /// Returns the steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the hash of the list of steps; a change restarts the steps.
    ///
    /// For a strategy from a manifest, this is Argo Rollouts' own step hash, byte for byte.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy};
    /// let of = |weight| Strategy::builder().step(Step::SetWeight(weight)).build();
    /// assert_eq!(of(5)?.step_hash(), of(5)?.step_hash());
    /// assert_ne!(of(5)?.step_hash(), of(20)?.step_hash());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn step_hash(&self) -> &str {
        &self.step_hash
    }

    /// Returns how a traffic manager splits the traffic. Without one (`None`), the weight is a ratio of pods.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy};
    /// let basic = Strategy::builder().step(Step::SetWeight(20)).build()?;
    /// assert!(basic.routing().is_none(), "20 % are one pod of five");
    /// assert!(Strategy::builder().traffic_routing(true).build()?.routing().is_some());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn routing(&self) -> Option<&Routing> {
        self.routing.as_ref()
    }

    /// Returns the weight that stands for all traffic: 100 unless the strategy declares another total.
    #[must_use]
    pub fn max_weight(&self) -> u32 {
        self.routing.as_ref().map_or(100, |routing| routing.max_weight)
    }

    /// Returns the weight of `parts` out of [all traffic](Self::max_weight).
    ///
    /// ```
    /// use rollout_core::Strategy;
    /// let strategy = Strategy::builder().max_weight(1000).build()?;
    /// assert_eq!(strategy.weight(5).to_string(), "5 of 1000");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn weight(&self, parts: u32) -> Weight {
        Weight::new(parts, self.max_weight())
    }

    /// Returns how long an old revision keeps its pods after losing its traffic. The default is 30 s with traffic
    /// routing, else 0.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Strategy;
    /// let routed = |delay| Strategy::builder().traffic_routing(true).scale_down_delay(delay).build();
    /// assert_eq!(routed(None)?.scale_down_delay().as_secs(), 30);
    /// assert!(routed(Some(Duration::ZERO))?.scale_down_delay().is_zero(), "an explicit 0 is no delay");
    /// assert!(Strategy::builder().build()?.scale_down_delay().is_zero());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn scale_down_delay(&self) -> Duration {
        let default = Duration::from_secs(if self.routing.is_some() { 30 } else { 0 });
        self.scale_down_delay.unwrap_or(default)
    }

    /// Returns how long an old revision keeps its pods. Where stable follows the weight, that is no time at all: only
    /// one pod is left.
    pub(crate) fn old_revision_delay(&self) -> Duration {
        if self.stable_follows_weight() { Duration::ZERO } else { self.scale_down_delay() }
    }

    /// Returns whether stable keeps only the pods that its share of the requests needs (`dynamicStableScale`). Always
    /// `false` without traffic routing.
    ///
    /// ```
    /// use rollout_core::Strategy;
    /// let shrinks = Strategy::builder().dynamic_stable_scale(true);
    /// assert!(!shrinks.clone().build()?.stable_follows_weight());
    /// assert!(shrinks.traffic_routing(true).build()?.stable_follows_weight());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    ///
    /// At rest at a weight, stable then has fewer pods:
    ///
    /// ```
    /// use rollout_core::{Spec, Status, Step, Strategy, conformance::goal};
    /// # let status: Status = serde_json::from_str(r#"{"v":1,"stable":"v1","canary":"v2"}"#).unwrap();
    /// let builder = Strategy::builder().traffic_routing(true).step(Step::SetWeight(25));
    /// let pods = |shrinks| {
    ///     let strategy = builder.clone().dynamic_stable_scale(shrinks).build()?;
    ///     Ok::<_, rollout_core::InvalidStrategy>(goal(&Spec::new(strategy, "v2".into()).replicas(10), &status).stable)
    /// };
    /// assert_eq!((pods(false)?, pods(true)?), (10, 8), "75 % of the requests, rounded up");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn stable_follows_weight(&self) -> bool {
        self.dynamic_stable_scale && self.routing.is_some()
    }

    /// Returns whether the two destinations swap their roles when an update is complete (`pingPong`), so that the pods
    /// behind a destination with requests never change. Always `false` without traffic routing.
    ///
    /// Your loop then finds the objects of both roles by [`Status::stable_ping_pong`](crate::Status::stable_ping_pong),
    /// before it reads the traffic.
    ///
    /// ```
    /// use rollout_core::Strategy;
    /// let swaps = Strategy::builder().ping_pong(true);
    /// assert!(!swaps.clone().build()?.ping_pong());
    /// assert!(swaps.traffic_routing(true).build()?.ping_pong());
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn ping_pong(&self) -> bool {
        self.ping_pong && self.routing.is_some()
    }

    /// Returns the analysis that runs beside the steps. See [`Background`] for an example.
    #[must_use]
    pub fn background(&self) -> Option<&Background> {
        self.background.as_ref()
    }

    /// Returns the analyses that steps wait for, in order, and then the background one.
    ///
    /// ```
    /// use rollout_core::{Step, Strategy, analysis::{Analysis, RunRole}};
    /// let analysis = Step::Analysis(Analysis::of("success-rate").into());
    /// let strategy = Strategy::builder().step(Step::SetWeight(20)).step(analysis).build()?;
    /// let roles: Vec<_> = strategy.analyses().map(|(role, _)| role).collect();
    /// assert_eq!(roles, [RunRole::Step(1)]);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn analyses(&self) -> impl Iterator<Item = (RunRole, &Arc<Analysis>)> {
        let steps = (0..).zip(&self.steps).filter_map(|(index, step)| {
            if let Step::Analysis(analysis) = step { Some((RunRole::Step(index), analysis)) } else { None }
        });
        steps.chain(self.background.as_ref().map(|beside| (RunRole::Background, &beside.analysis)))
    }

    /// Returns whether any analysis is part of the strategy.
    pub(crate) fn has_analysis(&self) -> bool {
        self.background.is_some() || self.steps.iter().any(|step| matches!(step, Step::Analysis(_)))
    }

    /// Returns how long an aborted canary keeps its pods; `None` means for good (an explicit 0 in the manifest).
    ///
    /// An absent value is not 0: the default is 30 s with traffic routing, and 0 s without it or where stable follows
    /// the weight.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::Strategy;
    /// let routed = Strategy::builder().traffic_routing(true);
    /// assert_eq!(routed.clone().build()?.abort_scale_down_delay(), Some(Duration::from_secs(30)));
    /// let kept = routed.abort_scale_down_delay(Some(Duration::ZERO)).build()?;
    /// assert_eq!(kept.abort_scale_down_delay(), None, "an explicit 0 keeps the pods");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    #[must_use]
    pub fn abort_scale_down_delay(&self) -> Option<Duration> {
        match self.abort_scale_down_delay {
            Some(Duration::ZERO) => None,
            Some(delay) => Some(delay),
            None if self.routing.is_none() || self.stable_follows_weight() => Some(Duration::ZERO),
            None => Some(Duration::from_secs(30)),
        }
    }
}

/// The traffic routing settings of a strategy.
///
/// ```
/// use rollout_core::Strategy;
/// let strategy = Strategy::builder().managed_route("beta").managed_route("mirror").build()?;
/// let routing = strategy.routing().expect("a managed route needs traffic routing");
/// assert_eq!(routing.managed_routes(), ["beta".into(), "mirror".into()], "`beta` takes precedence");
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Routing {
    pub(crate) managed_routes: Vec<Arc<str>>,
    pub(crate) max_weight: u32,
}

impl Routing {
    /// Returns the names of the managed routes, in order of precedence.
    #[must_use]
    pub fn managed_routes(&self) -> &[Arc<str>] {
        &self.managed_routes
    }
}

/// How many pods are enough to continue (`replicaProgressThreshold`).
///
/// ```
/// use rollout_core::Threshold;
/// assert_eq!(Threshold::Percent(70).of(5), 4, "rounded up");
/// assert_eq!(Threshold::Pods(8).of(5), 5, "never more than are asked for");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "manifests have exactly these two kinds")]
pub enum Threshold {
    /// A percentage of the pods asked for, rounded up.
    Percent(u32),
    /// A number of pods, capped at the number asked for.
    Pods(u32),
}

impl Threshold {
    /// Returns how many of `wanted` pods are enough: at least 1 if any are wanted.
    ///
    /// ```
    /// use rollout_core::Threshold;
    /// assert_eq!(Threshold::Percent(70).of(10), 7);
    /// assert_eq!(Threshold::Percent(1).of(10), 1);
    /// assert_eq!(Threshold::Pods(3).of(2), 2);
    /// assert_eq!(Threshold::Pods(0).of(2), 1);
    /// ```
    #[must_use]
    pub fn of(self, wanted: u32) -> u32 {
        let enough = match self {
            Self::Percent(percent) => Weight::new(percent, 100).of_count(wanted),
            Self::Pods(pods) => pods,
        };
        enough.max(1).min(wanted)
    }
}

pub(crate) fn managed(step: &Step) -> Option<(&Arc<str>, Option<&Arc<ManagedRoute>>)> {
    match step {
        Step::SetHeaderRoute { name, route } | Step::SetMirrorRoute { name, route } => {
            Some((name, route.as_ref()))
        }
        Step::SetWeight(_) | Step::Pause(_) | Step::SetCanaryScale(_) | Step::Analysis(_) => None,
    }
}
