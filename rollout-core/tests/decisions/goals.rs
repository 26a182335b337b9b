//! How many pods a position wants.

use crate::situation::Situation;
use rollout_core::{CanaryScale, Step, Strategy, conformance::goal};

#[test]
fn the_fewest_pods_bound_a_scale_only_where_stable_follows_the_weight() {
    for (dynamic, canary) in [(false, 1), (true, 3)] {
        let strategy = Strategy::builder()
            .traffic_routing(true)
            .min_pods_per_replica_set(Some(3))
            .dynamic_stable_scale(dynamic)
            .step(Step::SetCanaryScale(CanaryScale::Replicas(1)))
            .build()
            .unwrap();
        let situation = Situation::of(strategy);
        assert_eq!(goal(&situation.spec, &situation.status).canary, canary, "{dynamic}");
    }
}
