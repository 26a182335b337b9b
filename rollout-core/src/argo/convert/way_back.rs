use super::strategy;
use crate::{Spec, Status, argo::wire::Rollout};

/// Returns the way back from an aborted update, as far as it can be read, for a Rollout whose spec is invalid or asks
/// for unsupported settings.
///
/// The way back needs no steps: the weight goes to 0, managed routes are removed, selectors lead to stable again, and
/// the canary's pods are removed after their delay. The revision being rolled out stays the same, whatever the template
/// is now. `pods` replaces `replicas` if that cannot be read: use stable's pod count.
///
/// Returns `None` if no update is in progress, or there is no canary strategy to name Services and routes. Only for an
/// aborted status: without its steps, the strategy would continue to the end.
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
    // This is not the list of steps that the status counts in, but it must not look like an edited one.
    let builder = strategy::around(canary).step_hash(status.step_hash.as_deref().unwrap_or_default());
    let builder = canary.traffic_routing.iter().fold(builder, |builder, routing| {
        let total = routing.max_traffic_weight.and_then(|total| u32::try_from(total).ok());
        builder.traffic_routing(true).max_weight(total.filter(|total| *total > 0).unwrap_or(100))
    });
    let mut spec = Spec::new(builder.build().ok()?, target);
    spec.replicas = wire.replicas.and_then(|replicas| u32::try_from(replicas).ok()).unwrap_or(pods);
    Some(spec)
}
