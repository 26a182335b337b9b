//! An independent interpretation of a spec: what a position asks for. Written separately from the deciding code, so
//! that the laws do not repeat its mistakes.

use crate::{CanaryScale, Spec, Status, Step, traffic::ManagedRoute};
use alloc::{sync::Arc, vec::Vec};

/// What the steps up to and including the current one ask for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The canary's weight, out of the strategy's total.
    pub(super) weight: u32,
    /// The canary's own scale, if a step set one.
    scale: Option<CanaryScale>,
    /// The managed routes.
    pub(super) managed: Vec<Arc<ManagedRoute>>,
    /// Whether all steps are done, so that no step limits the canary any more.
    pub(super) all: bool,
}

impl Asked {
    /// Reads the steps in order, as a person would.
    pub(super) fn at(spec: &Spec, status: &Status) -> Self {
        let mut asked = Self::default();
        if status.aborted.is_some() || status.stable.is_none() || status.stable == status.canary {
            return asked;
        }
        let steps = spec.strategy.steps();
        asked.all = status.promote_full || status.step as usize >= steps.len();
        for (index, step) in steps.iter().enumerate() {
            if !asked.all && index > status.step as usize {
                break;
            }
            match step {
                Step::SetWeight(weight) => asked.weight = *weight,
                Step::SetCanaryScale(scale) => asked.scale = Some(*scale),
                Step::SetHeaderRoute { name, route } | Step::SetMirrorRoute { name, route } => {
                    asked.managed.retain(|other| other.name != *name);
                    asked.managed.extend(route.clone());
                }
                Step::Pause(_) | Step::Analysis(_) => {}
            }
        }
        if asked.all {
            asked.weight = spec.strategy.max_weight();
            asked.scale = None;
        }
        asked
    }

    /// What the routes are to follow: in a fleet, an earlier step until the other clusters have the pods for the current
    /// one.
    pub(super) fn routed(spec: &Spec, status: &Status) -> Self {
        let held = status.fleet.as_ref().and_then(|member| member.may_route);
        match held.filter(|step| *step != status.step) {
            Some(step) => Self::at(spec, &Status { step, ..status.clone() }),
            None => Self::at(spec, status),
        }
    }

    /// Returns the number of canary pods wanted here.
    pub(super) fn pods(&self, spec: &Spec) -> u32 {
        let by_scale = match self.scale {
            Some(CanaryScale::Replicas(pods)) => pods,
            Some(CanaryScale::Weight(share)) => part(spec.replicas, share, 100),
            Some(CanaryScale::MatchTrafficWeight) | None => {
                part(spec.replicas, self.weight, spec.strategy.max_weight())
            }
        };
        if self.managed.is_empty() { by_scale } else { by_scale.max(1) }
    }

    /// Returns how many ready canary pods are enough for `weight`: the smaller of what it needs and what the strategy
    /// asks for by its threshold, and at least one.
    pub(super) fn enough(&self, spec: &Spec, weight: u32) -> u32 {
        let needs = part(spec.replicas, weight, spec.strategy.max_weight());
        let pods = if self.all { spec.replicas } else { needs.min(self.pods(spec)) };
        spec.strategy.progress_threshold.map_or(pods, |threshold| threshold.of(pods)).max(1)
    }
}

/// Returns how many ready pods stable needs to carry all traffic, regardless of the canary's pods.
pub(super) fn carrying(spec: &Spec) -> u32 {
    let some = match spec.strategy.progress_threshold {
        Some(threshold) => threshold.of(spec.replicas),
        None => part(spec.replicas, 70, 100),
    };
    some.max(1)
}

/// Returns a share of `n`, rounded up.
pub(super) fn part(n: u32, share: u32, of: u32) -> u32 {
    let exact = u64::from(n) * u64::from(share);
    let of = u64::from(of.max(1));
    u32::try_from(exact / of + u64::from(exact % of != 0)).unwrap_or(u32::MAX)
}
