//! The virtual world itself: what it shows, what it counts, and that its faults do what they say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recorder;

use core::time::Duration;
use recorder::Recorder;
use rollout_core::{
    Answer, CommandKind, Failure, Outcome, Range, Spec, Step, Strategy,
    sim::{
        CoreMesh, Delay, Fault, Health, Mesh, MeshResult, MeshWrite, ReadKind, Sim, SimulatedWorkload,
        TrafficObject, World,
    },
    traffic::{Seen, Selection, Version},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Watched = World<CoreMesh, Recorder>;

fn spec() -> Spec {
    let strategy = Strategy::builder()
        .traffic_routing(true)
        .step(Step::SetWeight(20))
        .step(Step::Pause(Some(MINUTE)))
        .step(Step::SetWeight(100))
        .build()
        .unwrap();
    Spec::new(strategy, "v1".into()).replicas(4)
}

fn sim() -> Sim {
    Sim::new(spec())
}

fn deployed(sim: Sim) -> Watched {
    let mut world = sim.build_with(CoreMesh::new(), Recorder::default());
    let rests = world.run_to_rest(10 * MINUTE);
    assert_eq!(rests, Ok(true), "{:#?}", world.watcher().lines);
    assert_eq!(world.summary().health, Health::Healthy);
    world.restart_summary();
    world.watcher_mut().lines.clear();
    world
}

/// Plays on to the end, which is healthy and without a request that met no ready pod.
fn ends_well(world: &mut Watched) {
    let rests = world.run_to_rest(60 * MINUTE);
    let summary = world.summary();
    assert_eq!(rests, Ok(true), "{summary}\n{:#?}", world.watcher().lines);
    assert_eq!(summary.health, Health::Healthy, "{summary}\n{:#?}", world.watcher().lines);
    assert_eq!(summary.requests.unserved, 0, "{summary}\n{:#?}", world.watcher().lines);
    assert_eq!(world.truth().status.stable, Some("v2".into()));
}

#[test]
fn the_same_calls_make_the_same_history() {
    let history = |seed| {
        let lag = Delay::between(Duration::from_millis(50), 3 * SECOND);
        let mut world = deployed(sim().seed(seed).proxy_lag(lag).pods_ready_after(lag).proxies(3));
        world.fault(3, Fault::Crash { before: true, late: Some(5 * SECOND) });
        world.update_to("v2");
        ends_well(&mut world);
        world.into_watcher().lines
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn kinds_overtake_each_other_and_nothing_goes_back() {
    let mut overtaken = false;
    for seed in 0..20 {
        let lag = Delay::between(Duration::ZERO, 20 * SECOND);
        let mut world = deployed(sim().seed(seed).proxy_lag(lag).proxies(3));
        world.update_to("v2");
        ends_well(&mut world);
        overtaken |= world.watcher().overtaken;
        assert!(!world.watcher().went_back);
    }
    assert!(overtaken, "no endpoint ever arrived after a selector that was written later");
}

#[test]
fn a_frozen_mesh_delivers_nothing_and_says_who_is_behind() {
    let mut world = deployed(sim());
    world.update_to("v2");
    world.run_for(30 * SECOND).unwrap();
    world.freeze();
    let delivered = world.summary().deliveries;
    world.run_for(10 * MINUTE).unwrap();
    assert_eq!(world.summary().deliveries, delivered);
    let waits = format!("{:?}", world.waiting());
    assert!(waits.contains("proxy-1") && waits.contains("proxy-2"), "{waits}");
    world.thaw();
    ends_well(&mut world);
}

#[test]
fn one_frozen_proxy_is_named_alone() {
    let mut world = deployed(sim());
    world.freeze_proxy(1);
    world.update_to("v2");
    world.run_for(10 * MINUTE).unwrap();
    let waits = format!("{:?}", world.waiting());
    assert!(!waits.contains("proxy-1") && waits.contains("proxy-2"), "{waits}");
}

#[test]
fn requests_that_meet_no_pod_are_counted_exactly() {
    let mut world = deployed(sim());
    world.run_for(50 * SECOND).unwrap();
    // All four are gone at once, and new ones are ready 5 s later; proxies find them 200 ms after that.
    world.lose_pods(&"v1".into(), 4);
    world.run_for(50 * SECOND).unwrap();
    let requests = world.summary().requests;
    assert_eq!(requests.unserved * 100_000, requests.of * 5_200, "{requests:?}");
    assert_eq!(requests.per_thousand(), 52);
}

#[test]
fn a_request_without_an_answer_takes_effect_or_not() {
    for took_effect in [false, true] {
        for write in 0..12 {
            let mut world = deployed(sim());
            world.fault(write, Fault::Ambiguous { took_effect });
            world.update_to("v2");
            ends_well(&mut world);
            assert_eq!(world.summary().fences, 2, "write {write}: a fence once, and once more after it");
        }
    }
}

#[test]
fn a_refused_write_is_tried_again_later() {
    let mut world = deployed(sim());
    world.fault(1, Fault::Refused);
    world.update_to("v2");
    ends_well(&mut world);
    let refused = world.watcher().at("Refused");
    let again = world.watcher().at("Scale { revision: v2, pods: 1, scale_down_deadline: None } true");
    assert_eq!(again.since(refused), 2 * SECOND);
}

#[test]
fn a_conflict_is_a_new_turn_at_once() {
    let mut world = deployed(sim());
    world.fault(0, Fault::Conflict);
    world.fault(2, Fault::Conflict);
    world.update_to("v2");
    ends_well(&mut world);
    assert!(world.summary().took < 3 * MINUTE);
}

#[test]
fn a_dead_process_leaves_writes_that_land_late() {
    let mut late = 0;
    for write in 0..14 {
        for before in [false, true] {
            let mut world = deployed(sim());
            world.fault(write, Fault::Crash { before, late: Some(90 * SECOND) });
            world.update_to("v2");
            ends_well(&mut world);
            assert_eq!(world.summary().crashes, 1);
            late += world.watcher().late;
        }
    }
    assert!(late > 10, "{late}");
}

#[test]
fn half_of_a_write_over_several_objects() {
    let mut world = sim().build_with(CoreMesh::new().routes(3), Recorder::default());
    assert!(world.run_to_rest(10 * MINUTE).unwrap());
    let deployed = world.watcher().lines.len();
    world.update_to("v2");
    while !world.watcher().lines.iter().skip(deployed).any(|line| line.contains("Select")) {
        assert!(world.step().unwrap());
    }
    world.fault(1, Fault::HalfWay { objects: 2 });
    while !world.watcher().lines.last().is_some_and(|line| line.contains("half-way")) {
        assert!(world.step().unwrap());
    }
    let writes: Vec<_> = world.truth().traffic.iter().map(|object| object.generation).collect();
    assert_eq!(writes, [2, 2, 1, 3]);
    assert!(world.run_to_rest(60 * MINUTE).unwrap());
    assert_eq!(world.summary().health, Health::Healthy);
}

#[test]
fn caches_lag_but_never_behind_the_process_itself() {
    for (kind, other) in [
        (ReadKind::Rollout, ReadKind::Workloads),
        (ReadKind::Workloads, ReadKind::Routes),
        (ReadKind::Routes, ReadKind::Selectors),
        (ReadKind::Selectors, ReadKind::Rollout),
    ] {
        for lag in [Duration::from_millis(300), 10 * SECOND] {
            let sim = sim().read_lag(kind, lag).read_lag(other, lag / 2).counts_lag(SECOND);
            let mut world = deployed(sim);
            world.update_to("v2");
            ends_well(&mut world);
            assert!(world.watcher().stale > 0, "{kind:?} was never seen as it had been");
        }
    }
}

#[test]
fn an_old_process_decides_again() {
    let (mut tried, mut took_effect) = (0, 0);
    for fresh in [&[][..], &[ReadKind::Rollout], &[ReadKind::Rollout, ReadKind::Workloads], &ReadKind::ALL] {
        for after in [1, 8, 70, 90] {
            let mut world = deployed(sim());
            world.update_to("v2");
            world.run_for(after * SECOND).unwrap();
            world.crash();
            world.watcher_mut().lines.clear();
            world.old_process_decides(15 * SECOND, fresh);
            ends_well(&mut world);
            let old = |line: &&String| line.contains("Z 1 ") || line.contains("process: 1");
            let acted: Vec<_> = world.watcher().lines.iter().filter(old).collect();
            tried += acted.len();
            took_effect += acted.iter().filter(|line| line.contains("true Some(Ok(Changed))")).count();
        }
    }
    assert!(tried > 0, "it never came to anything");
    println!("tried {tried}, of which took effect: {took_effect}");
}

#[test]
fn a_data_plane_that_cannot_be_asked_is_waited_for() {
    let mut world = deployed(sim().data_plane_answers(false));
    world.update_to("v2");
    ends_well(&mut world);
    assert!(world.watcher().lines.iter().all(|line| !line.contains("NotYet")));
}

#[test]
fn a_clock_that_is_wrong_moves_no_pause() {
    let took = |offset| {
        let mut world = deployed(sim());
        world.clock_offset(offset);
        world.run_for(SECOND).unwrap();
        world.update_to("v2");
        ends_well(&mut world);
        world.summary().took
    };
    assert_eq!(took(0), took(-3_600_000));
    assert_eq!(took(0), took(86_400_000));
}

#[test]
fn a_person_gets_an_answer_at_every_moment() {
    let mut answers = Vec::new();
    for kind in CommandKind::ALL {
        let mut world = deployed(sim().writes_take(Duration::from_millis(100)));
        world.update_to("v2");
        world.run_for(30 * SECOND).unwrap();
        let answer = world.command(kind);
        answers.push(matches!(answer, Answer::Accepted { .. }));
        if kind == CommandKind::Pause {
            assert_eq!(world.run_to_rest(60 * MINUTE), Ok(true));
            assert_eq!(world.summary().health, Health::Paused);
            assert!(matches!(world.command(CommandKind::Resume), Answer::Accepted { .. }));
        }
        assert_eq!(world.run_to_rest(60 * MINUTE), Ok(true), "{kind}");
        let health = if kind == CommandKind::Abort { Health::Aborted } else { Health::Healthy };
        assert_eq!(world.summary().health, health, "{kind}");
        assert_eq!(world.summary().requests.unserved, 0, "{kind}");
    }
    assert_eq!(answers, [true, true, true, true, false, true, false, true, false]);
}

#[test]
fn manifests_that_come_back_are_repaired() {
    for after in [3, 6, 20, 40, 70, 80] {
        let mut world = deployed(sim().proxy_lag(SECOND));
        world.update_to("v2");
        world.run_for(after * SECOND).unwrap();
        world.reapply();
        ends_well(&mut world);
        world.reapply_object(1);
        world.strip_annotations(0);
        ends_well(&mut world);
    }
}

#[test]
fn down_to_zero_and_back() {
    let mut world = deployed(sim());
    world.update_to("v2");
    world.run_for(30 * SECOND).unwrap();
    world.set_spec(|spec| spec.replicas = 0);
    world.run_for(5 * MINUTE).unwrap();
    assert!(world.truth().workloads.iter().all(|workload| workload.pods.is_empty()));
    world.pods_ready_after(&"v1".into(), MINUTE);
    world.set_spec(|spec| spec.replicas = 4);
    assert_eq!(world.run_to_rest(60 * MINUTE), Ok(true));
    assert_eq!(world.summary().health, Health::Healthy);
}

#[test]
fn pods_that_never_come_or_break() {
    let mut world = deployed(sim());
    world.pods_never_ready(&"v2".into());
    world.update_to("v2");
    world.run_for(20 * MINUTE).unwrap();
    assert_eq!(world.summary().health, Health::Degraded);
    world.heal_pods(&"v2".into());
    ends_well(&mut world);
    world.break_pods(&"v2".into());
    world.run_for(MINUTE).unwrap();
    assert_eq!(world.summary().requests.per_thousand(), {
        let requests = world.summary().requests;
        u32::try_from((requests.unserved * 1_000).div_ceil(requests.of)).unwrap()
    });
    assert!(world.summary().requests.unserved > 0);
    world.end_faults();
    assert_eq!(world.run_to_rest(10 * MINUTE), Ok(true));
    assert_eq!(world.truth().workloads.iter().map(SimulatedWorkload::ready).max(), Some(4));
}

#[test]
fn what_cannot_be_read_is_unknown() {
    for kind in ReadKind::ALL {
        let mut world = deployed(sim());
        world.reads_fail(kind, true);
        world.update_to("v2");
        world.run_for(MINUTE).unwrap();
        let actions = world.watcher().lines.iter().filter(|line| line.contains(" true Some(Ok"));
        assert_eq!(actions.filter(|line| !line.contains("Scale { revision: v2")).count(), 0, "{kind:?}");
        world.reads_fail(kind, false);
        ends_well(&mut world);
    }
}

/// A traffic manager that shows something else at every reading, and writes nothing.
#[derive(Debug)]
struct Fickle(CoreMesh, u32);

impl Mesh for Fickle {
    fn objects(&mut self) -> Vec<TrafficObject> {
        self.0.objects()
    }

    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String> {
        let mut seen = self.0.read(objects)?;
        self.1 += 1;
        if self.1.is_multiple_of(2) {
            seen.behind.stable = vec![Selection::Revision("v1".into())];
            seen.behind.canary = seen.behind.stable.clone();
            seen.routes.iter_mut().for_each(|routes| routes.weight = Range::exact(30));
        }
        Ok(seen)
    }

    fn read_again(&mut self, objects: &[TrafficObject], seen: &mut Seen) -> Result<(), String> {
        *seen = self.read(objects)?;
        Ok(())
    }

    fn write(&mut self, _: &mut [TrafficObject], _: MeshWrite<'_>, seen: &Version, _: usize) -> MeshResult {
        MeshResult { took_effect: false, answer: Ok(Outcome::Changed), version: seen.clone() }
    }

    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize) {
        self.0.reapply(objects, object);
    }

    fn strip(&mut self, objects: &mut [TrafficObject], object: usize) {
        self.0.strip(objects, object);
    }
}

/// A traffic manager that writes nothing, and answers this.
#[derive(Debug)]
struct Broken(CoreMesh, Result<Outcome, Failure>);

impl Mesh for Broken {
    fn objects(&mut self) -> Vec<TrafficObject> {
        self.0.objects()
    }

    fn read(&mut self, objects: &[TrafficObject]) -> Result<Seen, String> {
        self.0.read(objects)
    }

    fn write(&mut self, _: &mut [TrafficObject], _: MeshWrite<'_>, seen: &Version, _: usize) -> MeshResult {
        MeshResult { took_effect: false, answer: self.1.clone(), version: seen.clone() }
    }

    fn reapply(&mut self, objects: &mut [TrafficObject], object: usize) {
        self.0.reapply(objects, object);
    }

    fn strip(&mut self, objects: &mut [TrafficObject], object: usize) {
        self.0.strip(objects, object);
    }
}

#[test]
fn a_controller_that_turns_in_circles_is_an_error_and_no_endless_loop() {
    let mut world = sim().build_with(Fickle(CoreMesh::new(), 0), ());
    let stuck = world.run_to_rest(MINUTE).unwrap_err();
    assert!(stuck.decisions > 100 && stuck.at == world.now(), "{stuck}");
}

#[test]
fn what_is_done_again_and_again_is_done_less_and_less_often() {
    let mut world = sim().build_with(Broken(CoreMesh::new(), Ok(Outcome::Changed)), ());
    assert_eq!(world.run_to_rest(MINUTE), Ok(false), "it does not rest");
    let decisions = world.summary().decisions;
    assert!((5..15).contains(&decisions), "{decisions}");
}

#[test]
fn where_every_write_loses_it_tries_less_and_less_often() {
    let mut world = sim().build_with(Broken(CoreMesh::new(), Err(Failure::Conflict)), ());
    assert_eq!(world.run_to_rest(MINUTE), Ok(false), "it does not rest");
    let decisions = world.summary().decisions;
    assert!((5..12).contains(&decisions), "{decisions}");
}

#[test]
fn replicas_without_a_traffic_manager() {
    let strategy = Strategy::builder().step(Step::SetWeight(50)).step(Step::Pause(Some(MINUTE))).build();
    let spec = Spec::new(strategy.unwrap(), "v1".into()).replicas(4);
    let mut world = Sim::new(spec).build_with(CoreMesh::none(), Recorder::default());
    assert!(world.run_to_rest(10 * MINUTE).unwrap());
    world.update_to("v2");
    world.run_for(MINUTE).unwrap();
    let pods: Vec<_> = world.truth().workloads.iter().map(SimulatedWorkload::counted).collect();
    assert_eq!(pods, [2, 2]);
    ends_well(&mut world);
    assert_eq!(world.truth().traffic, []);
}
