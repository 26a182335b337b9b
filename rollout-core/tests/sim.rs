//! Whole rollouts in the virtual world. `cargo test --features sim --test sim -- --nocapture` prints them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod timeline;

use core::time::Duration;
use rollout_core::{
    Spec, Step, Strategy,
    sim::{CoreMesh, Health, Sim, World},
};
use timeline::Timeline;

const MINUTE: Duration = Duration::from_secs(60);

fn weight_canary() -> Spec {
    let strategy = Strategy::builder()
        .traffic_routing(true)
        .steps([5, 50, 100].map(Step::SetWeight).into_iter().flat_map(|weight| {
            let pause = (weight != Step::SetWeight(100)).then_some(Step::Pause(Some(10 * MINUTE)));
            [weight].into_iter().chain(pause)
        }))
        .build()
        .unwrap();
    Spec::new(strategy, "v1".into()).replicas(4)
}

fn play(spec: Spec) -> World<CoreMesh, Timeline> {
    let mut world = Sim::new(spec).build_with(CoreMesh::new(), Timeline::new());
    assert!(world.run_to_rest(30 * MINUTE).unwrap(), "the first deploy does not end");
    println!("{}", world.summary());
    world.restart_summary();
    let now = world.now();
    world.watcher_mut().restart(now);
    world.update_to("v2");
    assert!(world.run_to_rest(120 * MINUTE).unwrap(), "the update does not end");
    println!("{}", world.summary());
    for waiting in world.waiting() {
        println!("{waiting}");
    }
    world
}

#[test]
fn a_weight_canary() {
    let world = play(weight_canary());
    let summary = world.summary();
    assert!(
        summary.at_rest && summary.health == Health::Healthy && summary.requests.unserved == 0,
        "{summary}"
    );
    assert!(summary.took > 20 * MINUTE && summary.took < 22 * MINUTE, "{summary}");
    // One of each that was asked for, and no more: selectors twice and once at the first deploy.
    assert_eq!((summary.selects, summary.routes, summary.fences), (3, 4, 1), "{summary}");
}
