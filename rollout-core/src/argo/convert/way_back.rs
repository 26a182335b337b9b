use super::strategy;
use crate::{Spec, Status, argo::wire::Rollout};

/// The way back from an update that was aborted, as far as it can be read: for a Rollout whose spec is not valid,
/// or asks for more than is driven.
///
/// The way back needs no steps: the weight goes to 0, managed routes go, selectors lead to stable again, and the
/// canary's pods go after their delay. The revision under way stays what it is, whatever the template says by now.
/// `pods` are wanted where `replicas` cannot be read: as many as stable has.
///
/// `None` where nothing is under way, or there is no canary strategy to name Services and routes. Only for a
/// status that is aborted: without its steps, the strategy would go on to the end.
///
/// ```
/// use rollout_core::{Status, argo::{check, convert, way_back}};
/// use serde_json::json;
/// let broken = check(&json!({"spec": {"replicas": 3, "strategy": {"canary": {
///     "stableService": "web", "steps": [{"setWeight": 500}]
/// }}}}));
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// assert_eq!(convert(&broken.rollout, "v3".into()).spec, None);
/// let spec = way_back(&broken.rollout, &status, 4).unwrap();
/// assert_eq!((spec.replicas, spec.target, spec.strategy.steps().len()), (3, "v2".into(), 0));
/// ```
#[must_use]
pub fn way_back(rollout: &Rollout, status: &Status, pods: u32) -> Option<Spec> {
    let target = status.canary.clone().filter(|_| status.stable.is_some() && !status.is_done())?;
    let wire = rollout.spec.as_ref()?;
    let canary = wire.strategy.as_ref()?.canary.as_ref()?;
    // The list of steps is not the one that the status counts in, but it is not an edited one, either.
    let builder = strategy::around(canary).step_hash(status.step_hash.as_deref().unwrap_or_default());
    let builder = canary.traffic_routing.iter().fold(builder, |builder, routing| {
        let total = routing.max_traffic_weight.and_then(|total| u32::try_from(total).ok());
        builder.traffic_routing(true).max_weight(total.filter(|total| *total > 0).unwrap_or(100))
    });
    let mut spec = Spec::new(builder.build().ok()?, target);
    spec.replicas = wire.replicas.and_then(|replicas| u32::try_from(replicas).ok()).unwrap_or(pods);
    Some(spec)
}
