use super::{
    super::{
        aborted_never_rises::AbortedNeverRises, capacity::Capacity,
        deadline_excludes_traffic::DeadlineExcludesTraffic, down_gate::DownGate,
        failover_only_when_unavailable::FailoverOnlyWhenUnavailable, header_stays_right::HeaderStaysRight,
        live_select::LiveSelectNeedsCapacity, monotone_steps::MonotoneSteps,
        no_unserved_weight_kept::NoUnservedWeightKept, no_wedge::NoWedge, one_layer::OneLayer,
        pods_go_alone::PodsGoAlone, stable_follows_weight::StableFollowsWeight, unknown_holds::UnknownHolds,
        up_gate::UpGate,
    },
    scene::{NOT_YET, Scene, add_header, header, pods, r, route, select},
};
use crate::{
    AbortReason, Aborted, Spec, Step, Strategy, Time, Waiting,
    traffic::Settled,
    waiting::{EndsBy, WaitReason},
};
use core::time::Duration;

#[test]
fn one_layer() {
    Scene::of(OneLayer).decides([route(50), route(20)]).holds();
    Scene::of(OneLayer).decides([route(50), select(None, Some("v2"))]).broken("selectors and routes");
}

#[test]
fn pods_go_alone() {
    Scene::of(PodsGoAlone).decides([pods("v1", 5, None)]).holds();
    Scene::of(PodsGoAlone).decides([route(50), pods("v1", 5, None)]).broken("v1 goes from 10 to 5");
}

#[test]
fn no_mark_for_what_has_traffic() {
    let scale_down_deadline = Some(Time::from_secs(2_000));
    Scene::of(DeadlineExcludesTraffic)
        .decides([pods("v2", 10, scale_down_deadline)])
        .broken("v2 has a scale-down deadline while");
    let mut idle = Scene::of(DeadlineExcludesTraffic);
    idle.weight(0);
    idle.decides([pods("v2", 10, scale_down_deadline)]).holds();
}

#[test]
fn no_traffic_for_what_is_marked() {
    let mut scene = Scene::of(DeadlineExcludesTraffic);
    scene.revision("v2").scale_down_deadline = Some(Time::from_secs(1));
    scene.decides([route(80)]).broken("v2 is given traffic");
    let mut scene = Scene::of(DeadlineExcludesTraffic);
    scene.revision("v2").scale_down_deadline = Some(Time::from_secs(1));
    scene.decides([select(None, Some("v2"))]).broken("pointed at v2");
}

#[test]
fn to_zero_only_with_a_mark_that_is_due() {
    Scene::of(DeadlineExcludesTraffic).decides([pods("v2", 0, None)]).broken("without a scale-down deadline");
    for (due, before) in [(2_000, true), (900, false)] {
        let mut scene = Scene::of(DeadlineExcludesTraffic);
        scene.revision("v2").scale_down_deadline = Some(Time::from_secs(due));
        scene.decides([pods("v2", 0, Some(Time::from_secs(due)))]);
        if before { scene.broken("before its scale-down deadline") } else { scene.holds() }
    }
}

#[test]
fn up_gate() {
    let raised = || {
        let mut scene = Scene::of(UpGate);
        scene.weight(0);
        scene
    };
    raised().decides([route(50)]).holds();
    let mut few = raised();
    few.ready("v2", 4);
    few.decides([route(50)]).broken("4 ready pods of v2; 5 are enough");
    let mut behind = raised();
    behind.seen().selectors_settled = NOT_YET;
    behind.decides([route(50)]).broken("selectors are not settled");
    let mut behind = raised();
    behind.seen().endpoints.retain(|(of, _)| *of != r("v2"));
    behind.decides([add_header()]).broken("the endpoints of v2 are not settled");
    let mut young = raised();
    young.seen().selectors_settled = Settled::UNKNOWN;
    young.decides([route(50)]).broken("selectors are not settled");
}

#[test]
fn stable_gains_only_what_it_can_carry() {
    let with = |stable: u32, canary: u32| {
        let mut scene = Scene::of(UpGate);
        scene.ready("v1", stable);
        scene.ready("v2", canary);
        scene
    };
    with(7, 10).decides([route(0)]).holds();
    with(3, 3).decides([route(0)]).holds();
    with(6, 10).decides([route(0)]).broken("stable, which has 6 ready pods");
    with(0, 0).decides([route(0)]).broken("stable, which has 0 ready pods");
}

#[test]
fn weight_returns_after_a_commit_only_to_the_new_stable() {
    let mut scene = Scene::of(UpGate);
    scene.weight(100);
    scene.plan.status.stable = Some(r("v2"));
    scene.decides([route(0)]).broken("does not lead to the stable revision yet");
    let mut scene = Scene::of(UpGate);
    scene.weight(100);
    scene.plan.status.stable = Some(r("v2"));
    scene.seen().behind.stable = [r("v2").into()].into();
    scene.seen().selectors_settled = NOT_YET;
    scene.decides([route(0)]).broken("while its selector is not settled");
}

#[test]
fn down_gate() {
    let behind = || {
        let mut scene = Scene::of(DownGate);
        scene.seen().routes_settled = NOT_YET;
        scene
    };
    Scene::of(DownGate).decides([pods("v1", 5, None)]).holds();
    behind().decides([pods("v1", 5, None)]).broken("while the routes are not settled");
    behind().decides([select(None, Some("v1"))]).broken("canary's selector leaves pods");
    let mut unknown = Scene::of(DownGate);
    unknown.seen().proxies_known_in = Duration::from_secs(1);
    unknown.decides([pods("v1", 5, None)]).broken("while a proxy may come back");
}

#[test]
fn a_stable_that_follows_the_weight_has_the_pods_for_its_share() {
    let scene = || {
        let mut scene = Scene::of(StableFollowsWeight);
        scene.spec.strategy.dynamic_stable_scale = true;
        scene.weight(50);
        scene
    };
    let mut it = scene();
    it.decides([pods("v1", 5, None)]).holds();
    let mut it = scene();
    it.decides([pods("v1", 4, None)]).broken("its share needs 5");
    for (ready, weight, held) in [(10, 0, true), (7, 30, true), (7, 20, false), (0, 40, false)] {
        let mut it = scene();
        it.ready("v1", ready);
        it.decides([route(weight)]);
        if held {
            it.holds();
        } else {
            it.broken("they need");
        }
    }
}

#[test]
fn live_select_needs_capacity() {
    Scene::of(LiveSelectNeedsCapacity).decides([select(None, Some("v1"))]).holds();
    let mut few = Scene::of(LiveSelectNeedsCapacity);
    few.seen().behind.canary = [crate::traffic::Selection::Unpinned].into();
    few.ready("v2", 4);
    few.decides([select(None, Some("v2"))]).broken("canary is in use and is pointed at v2 with 4 ready pods");
    let mut unsettled = Scene::of(LiveSelectNeedsCapacity);
    unsettled.seen().endpoints = [(r("v2"), NOT_YET)].into();
    unsettled.decides([select(Some("v2"), None)]).broken("whose endpoints are not settled");
    let mut routes = Scene::of(LiveSelectNeedsCapacity);
    routes.seen().routes_settled = NOT_YET;
    routes.decides([select(None, Some("v1"))]).broken("while the routes are not settled");
}

#[test]
fn monotone_steps() {
    let goes = |from: u32, to: u32, weight: u32, waited: u64| {
        let mut scene = Scene::of(MonotoneSteps);
        scene.weight(weight);
        scene.stored.step = from;
        scene.stored.paused_at = Some(scene.now);
        scene.now = scene.now + Duration::from_secs(waited);
        scene.plan.status = scene.stored.clone();
        scene.plan.status.step = to;
        scene.decides([]);
        scene
    };
    goes(0, 1, 50, 0).holds();
    goes(0, 1, 40, 0).broken("step 0 asks for weight 50, and is passed at 40");
    goes(1, 2, 50, 60).holds();
    goes(1, 2, 50, 59).broken("the pause of step 1 lasts 60s and ends after 59s");
    goes(0, 2, 50, 60).broken("the pause of step 1 lasts 60s and ends after 0ns");
    goes(1, 0, 50, 60).broken("it goes back from step 1 to step 0");
}

#[test]
fn aborted_never_rises() {
    let aborted = || {
        let mut scene = Scene::of(AbortedNeverRises);
        scene.plan.status.aborted = Some(Aborted::new(Time::from_secs(1), AbortReason::Command).into());
        scene
    };
    aborted().decides([route(0)]).holds();
    aborted().decides([route(60)]).broken("v2 was given up, and gains");
    aborted().decides([add_header()]).broken("v2 was given up, and gains");
    let mut superseded = Scene::of(AbortedNeverRises);
    superseded.plan.status.canary = Some(r("v3"));
    superseded.decides([route(60)]).broken("v2 was given up, and gains");
}

#[test]
fn failover_only_when_unavailable() {
    let unavailable = |seconds: u64| {
        let mut scene = Scene::of(FailoverOnlyWhenUnavailable);
        scene.ready("v1", 0);
        scene.revision("v1").unavailable = Some(Duration::from_secs(seconds));
        scene
    };
    unavailable(10).decides([route(100)]).holds();
    unavailable(9).decides([route(100)]).broken("stable unavailable for ten seconds: false");
    let mut without = unavailable(10);
    without.weight(0);
    without.decides([route(100)]).broken("has weight: false");
    let mut gone = unavailable(10);
    gone.ready("v2", 0);
    gone.decides([route(100)]).broken("has pods: false");
}

#[test]
fn header_stays_right() {
    let mut asked = Scene::of(HeaderStaysRight::default());
    let step = Step::SetHeaderRoute { name: "testers".into(), route: Some(header()) };
    let strategy = Strategy::builder().managed_route("testers").step(step).build().unwrap();
    asked.spec = Spec::new(strategy, r("v2")).replicas(10);
    asked.decides([add_header()]).holds();
    Scene::of(HeaderStaysRight::default()).decides([add_header()]).broken("no step asks for it");
    let mut superseded = Scene::of(HeaderStaysRight::default());
    superseded.has_header("v2");
    superseded.plan.status.canary = Some(r("v3"));
    superseded.decides([select(None, Some("v3"))]).broken("under the managed routes of another revision");
}

#[test]
fn no_weight_is_kept_on_a_vanished_canary() {
    let vanished = || {
        let mut scene = Scene::of(NoUnservedWeightKept::default());
        scene.ready("v2", 0);
        scene
    };
    vanished().decides([]).decides([]).decides([route(0)]).holds();
    vanished().decides([]).decides([]).decides([]).broken("a canary without a ready pod");
}

#[test]
fn no_wedge() {
    let waits = |ends: EndsBy| {
        let mut scene = Scene::of(NoWedge);
        scene.plan.waiting.push(Waiting::new(WaitReason::Pause, None, ends));
        scene
    };
    waits(EndsBy::Command([crate::CommandKind::Promote].into())).decides([]).holds();
    Scene::of(NoWedge).decides([]).broken("nothing is waited for");
    waits(EndsBy::Command([].into())).decides([]).broken("no command ends this wait");
    waits(EndsBy::Time(Time::from_secs(999))).decides([]).broken("this wait has ended");
    waits(EndsBy::Time(Time::from_secs(1_001))).decides([]).broken("no wake-up for the end");
}

#[test]
fn unknown_holds() {
    let unknown = || {
        let mut scene = Scene::of(UnknownHolds);
        scene.observed.traffic = None;
        scene
    };
    unknown().decides([pods("v2", 12, None)]).holds();
    unknown().decides([route(50)]).broken("traffic is written");
    unknown().decides([pods("v2", 3, None)]).broken("pods are removed");
    let mut passed = unknown();
    passed.plan.status.step = 1;
    passed.decides([]).broken("a step is passed");
}

#[test]
fn capacity_without_routing() {
    let unrouted = || {
        let mut scene = Scene::of(Capacity);
        let strategy = Strategy::builder().step(Step::SetWeight(50)).build().unwrap();
        scene.spec = Spec::new(strategy, r("v2")).replicas(20);
        scene
    };
    unrouted().decides([pods("v2", 15, None)]).holds();
    unrouted().decides([pods("v2", 16, None)]).broken("added up to 26; at most 25");
    unrouted().decides([pods("v1", 4, None)]).broken("removed down to 14; at least 15");
    let mut scaling_down = Scene::of(Capacity);
    scaling_down.revision("v2").scale_down_deadline = Some(Time::from_secs(1));
    scaling_down
        .decides([pods("v2", 11, Some(Time::from_secs(1)))])
        .broken("has a scale-down deadline and grows");
}
