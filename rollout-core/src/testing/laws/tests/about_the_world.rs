use super::{
    super::{
        abort_wins::AbortWins, eventually_stable::EventuallyStable, header_stays_right::HeaderStaysRight,
        no_unserved_write::NoUnservedWrite, pause_not_shortened::PauseNotShortened, prefix_safe::PrefixSafe,
        reads_its_writes::ReadsItsWrites, stale_writer::StaleWriterIsHarmless, status_first::StatusFirst,
        weights_sum::WeightsSum,
    },
    scene::{Scene, header, pods, r, route, select},
};
use crate::{
    AbortReason, Aborted, Range, Store, Time, Waiting,
    sim::{Content, What},
    traffic::{ManagedSeen, RoutesSeen},
    waiting::{Ending, EndsBy, WaitReason},
};
use core::time::Duration;

/// Changes the content of an object and of the proxy's copy of it.
fn delivered(scene: &mut Scene, object: usize, content: Content) {
    scene.truth.traffic[object].generation += 1;
    scene.truth.traffic[object].content = content.clone();
    let generation = scene.truth.traffic[object].generation;
    let action = route(100);
    scene.acts(&action, false);
    scene.truth.proxies[0].objects[object] = (generation, content);
    scene.sees(What::DeliveredObject { proxy: 0, object, from: generation - 1 });
}

fn routes(weight: u32) -> Content {
    let mut routes = RoutesSeen::new(Range::exact(weight));
    routes.written_for = Some(r("v2"));
    Content::Routes { routes, stable_elsewhere: false, canary_elsewhere: false }
}

#[test]
fn no_dark_write_when_a_weight_arrives() {
    let before = |weight: u32| {
        let mut scene = Scene::of(NoUnservedWrite::default());
        scene.truth.proxies[0].objects[0].1 = routes(weight);
        scene.decides([route(100)]);
        scene
    };
    let mut bright = before(50);
    delivered(&mut bright, 0, routes(100));
    bright.holds();
    let mut unavailable = before(50);
    unavailable.truth.proxies[0].endpoints[1].pods.clear();
    delivered(&mut unavailable, 0, routes(100));
    unavailable.broken("at proxy-1, requests for canary (share 100, header route: false) meet no ready pod");
}

#[test]
fn what_was_lost_since_is_not_ours() {
    let mut scene = Scene::of(NoUnservedWrite::default());
    scene.decides([route(100)]);
    scene.truth.workloads[1].pods.clear();
    scene.sees(What::PodLost(&r("v2")));
    delivered(&mut scene, 0, routes(100));
    scene.holds();
}

#[test]
fn no_dark_write_when_pods_end() {
    let mut scene = Scene::of(NoUnservedWrite::default());
    let action = pods("v2", 0, None);
    scene.decides([action.clone()]).acts(&action, false);
    scene.truth.workloads[1].pods.clear();
    scene.sees(What::PodEnded(&r("v2"))).broken("requests for canary");
}

#[test]
fn a_header_route_leads_nowhere_else() {
    let mut scene = Scene::of(HeaderStaysRight::default());
    scene.truth.status.canary = Some(r("v3"));
    let mut with = RoutesSeen::new(Range::exact(0));
    (with.managed, with.written_for) = ([ManagedSeen::new(header())].into(), Some(r("v2")));
    let with = Content::Routes { routes: with, stable_elsewhere: false, canary_elsewhere: false };
    scene.truth.proxies[0].objects[0].1 = with;
    scene.decides([select(None, Some("v3"))]);
    let v3 = Content::Selectors { stable: Some(r("v1").into()), canary: Some(r("v3").into()) };
    delivered(&mut scene, 1, v3);
    scene.broken("the header route of v2 leads to v3");
}

#[test]
fn a_late_write_fails_once_another_process_acts() {
    let mut scene = Scene::of(StaleWriterIsHarmless::default());
    let action = route(80);
    scene.decides([action.clone()]).acts(&action, false);
    scene.process = 2;
    scene.decides([route(20)]).acts(&route(20), false);
    scene.process = 1;
    scene.acts(&action, true).broken("a late write of process 1 took effect");
}

#[test]
fn an_old_process_acts_only_on_what_is_stored() {
    let mut scene = Scene::of(StaleWriterIsHarmless::default());
    scene.process = 2;
    scene.decides([]);
    scene.process = 1;
    scene.decides([route(80)]).acts(&route(80), false).holds();
    scene.decides([route(80)]);
    scene.truth.status.step = 1;
    scene.acts(&route(80), false).broken("is no longer in charge");
}

#[test]
fn abort_wins() {
    let mut scene = Scene::of(AbortWins::default());
    scene.stored.aborted = Some(Aborted::new(Time::from_secs(1), AbortReason::Command).into());
    scene.plan.status = scene.stored.clone();
    scene.truth.status = scene.stored.clone();
    for _ in 0..12 {
        scene.decides([]);
    }
    scene.holds();
    scene.decides([]).broken("v2 is aborted and still has traffic");
}

#[test]
fn pause_not_shortened() {
    let paused = || {
        let mut scene = Scene::of(PauseNotShortened::default());
        scene.decides([]);
        let mut status = scene.stored.clone();
        (status.step, status.paused_at) = (1, Some(scene.now));
        scene.stores(status);
        scene
    };
    for (waits, shortened) in [(59, true), (60, false)] {
        let mut scene = paused();
        scene.now = scene.now + Duration::from_secs(waits);
        scene.truth.now = scene.now;
        let mut status = scene.stored.clone();
        status.step = 2;
        scene.decides([]).stores(status);
        if shortened { scene.broken("lasts 60s and ended after 59s") } else { scene.holds() }
    }
}

#[test]
fn prefix_safe() {
    let crashed = || {
        let mut scene = Scene::of(PrefixSafe::default());
        let action = pods("v2", 12, None);
        scene.decides([action.clone(), route(60)]).acts(&action, false).sees(What::Crashed);
        scene
    };
    crashed().ends(true).holds();
    crashed().ends(false).broken("does not come to rest");
}

#[test]
fn eventually_stable() {
    let healed = || {
        let mut scene = Scene::of(EventuallyStable::default());
        scene.sees(What::FaultsEnd);
        scene
    };
    healed().ends(false).broken("does not come to rest");
    healed().ends(true).broken("neither done nor waiting for a person");
    let mut waits = healed();
    let ends = EndsBy::Event(Ending::PodsReady);
    waits.plan.waiting.push(Waiting::new(WaitReason::StableUnavailable, None, ends));
    waits.decides([]).ends(true).holds();
    let mut done = healed();
    done.truth.status.stable = Some(r("v2"));
    done.ends(true).broken("still sends requests to canary");
}

#[test]
fn weights_sum() {
    let mut scene = Scene::of(WeightsSum);
    scene.decides([route(50)]).acts(&route(50), false).holds();
    scene.spec.strategy.routing.as_mut().unwrap().max_weight = 1000;
    scene.truth.spec = scene.spec.clone();
    scene.acts(&route(50), false).broken("a weight of 50 % is written, and the total is 1000");
}

#[test]
fn reads_its_writes() {
    let mut scene = Scene::of(ReadsItsWrites);
    scene.seen_at = Time::from_secs(0);
    scene.decides([]).holds();
    scene.misses_own_write = true;
    scene.decides([]).broken("older than its own last write");
}

#[test]
fn nothing_is_carried_out_before_the_status_is_stored() {
    let before = |store| {
        let mut scene = Scene::of(StatusFirst::default());
        scene.plan.store = store;
        scene.decides([route(100)]);
        scene
    };
    let mut stored = before(Store::Now);
    let status = stored.stored.clone();
    stored.stores(status).acts(&route(100), false).holds();
    before(Store::Now).acts(&route(100), false).broken("acted before its status was stored");
    assert_eq!(before(Store::No).acts(&route(100), false).premises(), 0);
}
