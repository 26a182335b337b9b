//! What a person reads about a rollout, from its first deploy to zero.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::{mem, time::Duration};
use rollout_core::{
    AbortReason, Aborted, CommandKind, Progress, Range, Spec, Status, Step, Strategy, Time, Waiting,
    headline,
    sim::{CoreMesh, Moment, Sim, Watcher, What, World},
    waiting::{Ending, EndsBy, Settling, WaitReason},
};

fn spec(revision: &str) -> Spec {
    let minutes = |n: u64| Step::Pause(Some(Duration::from_secs(60 * n)));
    let steps = [Step::SetWeight(5), minutes(10), Step::SetWeight(50), Step::Pause(None)];
    let strategy = Strategy::builder().traffic_routing(true).steps(steps).build().unwrap();
    Spec::new(strategy, revision.into()).replicas(4)
}

/// The headlines of all decisions, each once.
#[derive(Debug, Default)]
struct Headlines(Vec<String>);

impl Watcher for Headlines {
    fn see(&mut self, moment: &Moment<'_>) {
        if let What::Decided { spec, plan, .. } = moment.what {
            let line = headline(spec, &plan.status, &plan.waiting);
            if self.0.last() != Some(&line) {
                self.0.push(line);
            }
        }
    }
}

fn said(world: &mut World<CoreMesh, Headlines>) -> Vec<String> {
    assert!(world.run_to_rest(Duration::from_secs(3_600)).unwrap());
    mem::take(&mut world.watcher_mut().0)
}

#[test]
fn from_the_first_deploy_to_zero() {
    let sim = Sim::new(spec("v1")).proxies(2).proxy_lag(Duration::from_secs(2));
    let mut world = sim.build_with(CoreMesh::new(), Headlines::default());
    let first = [
        "first deploy of v1 · waiting for 4 of 4 pods",
        "first deploy of v1 · waiting until 2 more proxies have the endpoints of v1",
        "healthy at v1",
    ];
    assert_eq!(said(&mut world), first);
    world.update_to("v2");
    let steps = [
        "step 1/4 · 5 % · waiting for 1 canary pod",
        "step 1/4 · 5 % · waiting until 2 more proxies have the endpoints of v2",
        "step 1/4 · 5 %",
        "step 1/4 · 5 % · waiting until 2 more proxies have the routes",
        "step 2/4 · 5 % · paused until 00:10:18 UTC",
        "step 3/4 · 50 % · waiting for 1 of 2 canary pods",
        "step 3/4 · 50 % · waiting until 2 more proxies have the endpoints of v2",
        "step 3/4 · 50 %",
        "step 3/4 · 50 % · waiting until 2 more proxies have the routes",
        "step 4/4 · 50 % · paused until somebody promotes",
    ];
    assert_eq!(said(&mut world), steps);
    let _ = world.command(CommandKind::Abort);
    let aborted = said(&mut world);
    assert_eq!(aborted.last().unwrap(), "aborted at step 4/4 · 0 % · retry, undo or promote-full");
    let _ = world.command(CommandKind::PromoteFull);
    let promoted = said(&mut world);
    assert_eq!(promoted.first().unwrap(), "promoted in full · 100 % · waiting for 4 of 4 canary pods");
    assert_eq!(promoted.last().unwrap(), "healthy at v2");
    world.set_spec(|spec| spec.replicas = 0);
    assert_eq!(said(&mut world).last().unwrap(), "scaled to zero");
}

fn under_way(step: u32) -> Status {
    let mut status = Status::default();
    (status.stable, status.canary, status.step) = (Some("v1".into()), Some("v2".into()), step);
    status
}

fn waits(reason: WaitReason, ends: EndsBy) -> [Waiting; 1] {
    [Waiting::new(reason, None, ends)]
}

fn time(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

/// Nobody has to know which day it is.
#[test]
fn a_pause_names_the_day_when_it_ends_on_another_one() {
    let mut status = under_way(1);
    let cases = [
        ("2026-01-31T12:30:00Z", "2026-01-31T12:40:00Z", "12:40 UTC"),
        ("2026-01-31T12:30:00Z", "2026-01-31T12:40:30Z", "12:40:30 UTC"),
        ("2026-01-31T12:30:00Z", "2026-01-31T12:39:59.001Z", "12:40 UTC"),
        ("2026-01-31T23:55:00Z", "2026-02-01T00:05:00Z", "2026-02-01 00:05 UTC"),
    ];
    for (from, to, shown) in cases {
        status.paused_at = Some(time(from));
        let pause = waits(WaitReason::Pause, EndsBy::Time(time(to)));
        assert_eq!(headline(&spec("v2"), &status, &pause), format!("step 2/4 · 5 % · paused until {shown}"));
    }
}

#[test]
fn what_stands_in_the_way() {
    let behind = |n: usize| (0..n).map(|n| format!("proxy-{n}")).collect();
    let settling = |n, long| WaitReason::Settling { what: Settling::Routes, behind: behind(n), long };
    let need = |revision: &str, seen| WaitReason::Pods { revision: revision.into(), need: 5, seen };
    let cases = [
        (need("v2", Range::exact(3)), "waiting for 2 of 5 canary pods"),
        (need("v1", Range::new(1, 4)), "waiting for 4 of 5 stable pods"),
        (need("v0", Range::UNKNOWN), "waiting for 5 of 5 old pods"),
        (
            WaitReason::StableCannotCarry { need: 2, seen: Range::exact(1) },
            "waiting for 1 of 2 stable pods before traffic can go back",
        ),
        (settling(0, false), "waiting until every proxy has the routes"),
        (settling(1, false), "waiting until one more proxy has the routes"),
        (
            settling(1, true),
            "waiting until every proxy has the routes; behind: proxy-0; this is taking long: check the proxies, or \
             override with `proceed`",
        ),
        (WaitReason::PausedByUser, "paused by the user (spec.paused)"),
        (WaitReason::StableUnavailable, "stable has no ready pod"),
    ];
    for (reason, shown) in cases {
        let waiting = waits(reason, EndsBy::Event(Ending::Observed));
        assert_eq!(headline(&spec("v2"), &under_way(2), &waiting), format!("step 3/4 · 50 % · {shown}"));
    }
}

#[test]
fn where_it_is() {
    let late = |status: &mut Status| {
        let mut progress = Progress::new(Time::from_secs(0), 0);
        progress.exceeded = true;
        status.progress = Some(progress);
    };
    let pods = WaitReason::Pods { revision: "v2".into(), need: 5, seen: Range::exact(3) };
    let pods = waits(pods, EndsBy::Event(Ending::PodsReady));
    let mut status = under_way(2);
    late(&mut status);
    let line = "step 3/4 · 50 % · waiting for 2 of 5 canary pods, which are late";
    assert_eq!(headline(&spec("v2"), &status, &pods), line);

    assert_eq!(headline(&spec("v1"), &Status::default(), &[]), "not started");
    assert_eq!(headline(&spec("v2"), &under_way(4), &[]), "the end of the steps · 100 %");
    status = under_way(4);
    status.aborted = Some(Aborted::new(Time::from_secs(0), AbortReason::ProgressDeadline).into());
    assert_eq!(headline(&spec("v2"), &status, &[]), "aborted at the end of the steps · 0 %");

    status = under_way(4);
    status.stable = Some("v2".into());
    let kept = WaitReason::ScaleDownDelay { revision: "v1".into() };
    let kept = waits(kept, EndsBy::Time(Time::from_secs(30)));
    assert_eq!(headline(&spec("v2"), &status, &kept), "healthy at v2", "the old pods are no news");
    assert_eq!(headline(&spec("v2"), &status, &pods), "at v2 · waiting for 2 of 5 stable pods");
    assert_eq!(headline(&spec("v3"), &status, &[]), "at v2", "another one is asked for");

    let mut thousand = spec("v2");
    let builder = Strategy::builder().traffic_routing(true).max_weight(1_000);
    thousand.strategy = builder.step(Step::SetWeight(25)).build().unwrap();
    assert_eq!(headline(&thousand, &under_way(0), &[]), "step 1/1 · 25 of 1000");
}
