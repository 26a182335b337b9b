//! Conflicts, crashes, faults, floods.

use super::played::{World, metric, number, path};
use crate::testing::{Disturb, Trouble};
use serde_json::json;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_run_that_has_changed_does_not_count() {
    let world = World::new(|_| (5, number(1.0)));
    world.apply("check", &json!({"metrics": [metric("errors", &json!({"interval": "60s"}))]}));
    let _process = world.start(4);
    for second in [2, 4, 6] {
        world.until(second).await;
        let labels = json!({"changed": second.to_string()});
        world.server.patch(&path("shop", "check"), &json!({"metadata": {"labels": labels}}));
    }
    world.until(50).await;
    let status = world.status("check");
    assert_eq!(status["metricResults"][0]["count"], 1, "{status}");
    // At once after the first change, and then after pauses that grow.
    assert_eq!(world.seconds_asked(), [0, 2, 5, 8]);
}

#[tokio::test(start_paused = true)]
async fn two_processes_store_each_measurement_once() {
    let world = World::new(|_| (1, number(1.0)));
    let every = json!({"interval": "10s", "count": 5});
    world.apply("check", &json!({"metrics": [metric("errors", &every)]}));
    let _processes = [world.start(4), world.start(4)];
    world.until(200).await;
    let status = world.status("check");
    assert_eq!((&status["phase"], &status["metricResults"][0]["count"]), (&"Successful".into(), &json!(5)));
    let asked = world.seconds_asked().len();
    assert!(asked <= 10, "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_measuring_and_storing_only_measures_again() {
    let world = World::new(|_| (5, number(1.0)));
    let every = json!({"interval": "20s", "count": 2});
    world.apply("check", &json!({"metrics": [metric("errors", &every)]}));
    let process = world.start(4);
    world.until(3).await;
    drop(process);
    let process = world.start(4);
    world.until(13).await;
    assert_eq!(world.status("check")["metricResults"][0]["count"], 1);
    drop(process);
    let _process = world.start(4);
    world.until(60).await;
    let status = world.status("check");
    assert_eq!((&status["phase"], &status["metricResults"][0]["count"]), (&"Successful".into(), &json!(2)));
    assert_eq!(world.seconds_asked(), [0, 3, 23], "the interval counts from the stored measurement");
}

/// Refuses writes of runs, or answers none.
struct NoWrites(Trouble);

impl Disturb for NoWrites {
    fn request(&mut self, what: &str) -> Trouble {
        if what == "PUT analysisruns" { self.0 } else { Trouble::None }
    }

    fn watch_lag(&mut self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_retried_less_and_less_often() {
    for trouble in [Trouble::Refused(403), Trouble::Refused(500), Trouble::Refused(409)] {
        let world = World::new(|_| (0, number(1.0)));
        world.server.disturb(NoWrites(trouble));
        world.apply("check", &json!({"metrics": [metric("errors", &json!({}))]}));
        let _process = world.start(4);
        world.until(600).await;
        let asked = world.seconds_asked().len();
        assert!((10..=20).contains(&asked), "{trouble:?}: {asked}");
        world.server.disturb(NoWrites(Trouble::None));
        world.until(700).await;
        assert_eq!(world.status("check")["phase"], "Successful");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_took_effect_without_an_answer_is_not_repeated() {
    let world = World::new(|_| (0, number(1.0)));
    world.server.disturb(NoWrites(Trouble::Misreported(500)));
    let every = json!({"interval": "10s", "count": 3});
    world.apply("check", &json!({"metrics": [metric("errors", &every)]}));
    let _process = world.start(4);
    world.until(100).await;
    assert_eq!(world.status("check")["metricResults"][0]["count"], 3);
    assert_eq!(world.seconds_asked().len(), 3, "the watch has shown each");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_slow_runs_leaves_a_worker_for_another_namespace() {
    let world = World::new(|asked| (if asked.run.starts_with("flood") { 30 } else { 0 }, number(1.0)));
    let spec = json!({"metrics": [metric("errors", &json!({"interval": "1s", "count": 3}))]});
    for run in 0..100 {
        world.server.apply(&path("flood", &format!("run{run}")), json!({"spec": spec}));
    }
    let _process = world.start(4);
    world.until(40).await;
    world.apply("quiet", &spec);
    world.until(43).await;
    assert_eq!(world.status("quiet")["phase"], "Successful");
    let asked = world.provider.asked.lock().unwrap().clone();
    let of_the_flood = asked.iter().filter(|asked| asked.run.starts_with("flood")).count();
    assert!(of_the_flood <= 6, "three at a time: {of_the_flood}");
}

#[tokio::test(start_paused = true)]
async fn a_run_with_many_metrics_is_asked_a_few_at_a_time() {
    let world = World::new(|_| (10, number(1.0)));
    let metrics = |count: usize| {
        let metrics: Vec<_> = (0..count).map(|index| metric(&format!("m{index}"), &json!({}))).collect();
        json!({"metrics": metrics})
    };
    world.apply("many", &metrics(45));
    world.apply("too-many", &metrics(201));
    let _process = world.start(4);
    world.until(1_000).await;
    assert_eq!(world.status("many")["runSummary"], json!({"count": 45, "successful": 45}));
    let seconds = world.seconds_asked();
    let most = seconds.iter().map(|second| seconds.iter().filter(|other| *other == second).count()).max();
    assert_eq!(most, Some(4));
    let message = &world.status("too-many")["message"];
    assert_eq!(message, "Analysis spec invalid: 201 metrics specified; write 200 at most");
}

#[tokio::test(start_paused = true)]
async fn an_absurd_time_stops_nobody() {
    let world = World::new(|_| (0, number(1.0)));
    let ttl = json!({"secondsAfterCompletion": i64::MAX});
    world.apply("kept", &json!({"metrics": [metric("errors", &json!({}))], "ttlStrategy": ttl}));
    world.apply("slow", &json!({"metrics": [metric("errors", &json!({"interval": "2562047h"}))]}));
    let _process = world.start(4);
    world.until(10).await;
    world.apply("next", &json!({"metrics": [metric("errors", &json!({}))]}));
    world.until(20).await;
    assert_eq!(world.status("next")["phase"], "Successful");
}
