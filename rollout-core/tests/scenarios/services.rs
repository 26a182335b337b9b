//! Every combination of traffic routing, Services and the weights at the edges comes to its end, and waits for
//! nothing that nobody brings.

use super::story::{Story, pause};
use rollout_core::{
    CommandKind, IntOrPercent, Step, Strategy,
    sim::{CoreMesh, Health},
    traffic::Destination,
};

/// Where the weights 0 and 100 stand: first, last, in the middle, alone, twice.
const WEIGHTS: [&[u32]; 12] = [
    &[0],
    &[100],
    &[0, 50],
    &[50, 100],
    &[100, 50],
    &[50, 0],
    &[0, 100],
    &[100, 0],
    &[20, 0, 80],
    &[20, 100, 80],
    &[0, 50, 100],
    &[1, 99],
];

#[derive(Debug, Clone, Copy)]
struct Row {
    routed: bool,
    stable: bool,
    canary: bool,
    replicas: u32,
    surge: i32,
    unavailable: i32,
}

impl Row {
    fn all() -> impl Iterator<Item = Self> {
        let both = [false, true];
        let mut rows = Vec::new();
        for (routed, stable) in both.into_iter().flat_map(|routed| both.map(|stable| (routed, stable))) {
            for (canary, replicas) in both.into_iter().flat_map(|canary| [1, 2, 5].map(|pods| (canary, pods)))
            {
                for (surge, unavailable) in [(1, 0), (0, 1), (2, 2)] {
                    rows.push(Self { routed, stable, canary, replicas, surge, unavailable });
                }
            }
        }
        rows.into_iter()
    }

    fn story(self, weights: &[u32]) -> Story {
        let strategy = Strategy::builder()
            .steps(weights.iter().flat_map(|weight| [Step::SetWeight(*weight), pause()]))
            .traffic_routing(self.routed)
            .stable_service(self.stable)
            .canary_service(self.canary)
            .max_surge(IntOrPercent::Int(self.surge))
            .max_unavailable(IntOrPercent::Int(self.unavailable))
            .build()
            .unwrap();
        let mut mesh = if self.routed { CoreMesh::new() } else { CoreMesh::none() };
        for (there, destination) in [(self.stable, Destination::Stable), (self.canary, Destination::Canary)] {
            mesh = if there { mesh.service(destination) } else { mesh };
        }
        let mut story = Story::over(mesh, strategy, self.replicas);
        story.rest();
        story
    }

    /// One pod cannot be replaced by another without a gap where there may be only one.
    fn has_a_gap(self) -> bool {
        !self.routed && self.replicas == 1 && self.surge == 0
    }
}

#[test]
fn every_combination_ends_healthy_and_waits_only_for_a_person() {
    every(|row, weights| {
        let mut story = row.story(weights);
        story.update("v2");
        for weight in weights {
            story.rest();
            waits_only_for(&story, "pause", *weight);
            story.say(CommandKind::Promote);
        }
        story.rest();
        story.is_done_with("v2");
        let end = story.world.summary();
        assert_eq!(end.health, Health::Healthy);
        assert!(story.world.waiting().is_empty(), "{:?}", story.world.waiting());
        assert_eq!((story.now().wanted("v1"), story.now().ready("v2")), (0, row.replicas));
        assert!(row.has_a_gap() || end.requests.unserved == 0, "{end}");
    });
}

#[test]
fn every_combination_can_be_given_up_at_every_step() {
    every(|row, weights| {
        for steps in 1..=weights.len() {
            let mut story = row.story(weights);
            story.update("v2");
            for step in 1..=steps {
                story.rest();
                story.say(if step < steps { CommandKind::Promote } else { CommandKind::Abort });
            }
            story.rest();
            waits_only_for(&story, "aborted", 0);
            assert_eq!(
                (story.now().ready("v1"), story.now().wanted("v2")),
                (row.replicas, 0),
                "after {steps}"
            );
            let end = story.world.summary();
            assert!(row.has_a_gap() || end.requests.unserved == 0, "{end}");
        }
    });
}

#[track_caller]
fn waits_only_for(story: &Story, guard: &str, weight: u32) {
    let waiting: Vec<_> = story.world.waiting().iter().map(|wait| wait.reason.guard()).collect();
    assert_eq!(waiting, [guard], "at {weight}: {:?}", story.world.waiting());
}

/// Every row over every list of weights; all that fail are named.
fn every(test: impl Fn(Row, &[u32]) + std::panic::RefUnwindSafe) {
    let mut failed = Vec::new();
    for row in Row::all() {
        for weights in WEIGHTS {
            if std::panic::catch_unwind(|| test(row, weights)).is_err() {
                failed.push(format!("{row:?} {weights:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
