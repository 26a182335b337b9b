//! Without a traffic manager, `replicas` + `maxSurge` bounds the pods, also when `replicas` is lowered.

use super::story::{MINUTE, Story, r};
use rollout_core::IntOrPercent;

#[test]
fn lowered_replicas_take_away_what_is_above_the_bound_unavailable_pods_first() {
    let mut story = Story::with(4, [], |strategy| {
        strategy.max_surge(IntOrPercent::Int(2)).max_unavailable(IntOrPercent::Int(0))
    });
    story.world.pods_never_ready(&r("v2"));
    story.update("v2");
    let mut seen = Vec::new();
    for replicas in [4, 8, 4, 1] {
        story.replicas(replicas);
        story.pass(MINUTE);
        seen.push((story.now().wanted("v2"), story.now().wanted("v1")));
    }
    assert_eq!(seen, [(2, 4), (6, 4), (2, 4), (1, 1)]);
}
