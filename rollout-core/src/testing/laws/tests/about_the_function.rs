use super::{
    super::function::{
        Deterministic, EarlyIsHarmless, PromoteOnce, Quiescent, WakeMeansChange, WireRoundTrip,
    },
    scene::{Scene, r, route},
};
use crate::{
    Answer, Command, CommandKind, Time, Wake, command::Position, plan::WakeReason, reconcile, sim::What,
};

/// Creates a scene whose plan is the engine's own.
fn own(scene: &mut Scene) {
    scene.plan = reconcile(&scene.spec, &scene.stored, &scene.observed, scene.now);
}

#[test]
fn deterministic() {
    let mut scene = Scene::of(Deterministic);
    scene.decision = 4;
    own(&mut scene);
    let actions = scene.plan.actions.clone();
    scene.decides(actions).holds();
    scene.decision = 8;
    scene.decides([route(99)]).broken("another plan");
}

/// Decides on an empty plan although the engine would act here.
fn lie(scene: &mut Scene) {
    scene.weight(10);
}

#[test]
fn early_is_harmless() {
    let mut scene = Scene::of(EarlyIsHarmless);
    lie(&mut scene);
    scene.decides([]).broken("decided again");
}

#[test]
fn wake_means_change() {
    let mut scene = Scene::of(WakeMeansChange);
    scene.stored.step = 1;
    scene.ready("v2", 5);
    scene.revision("v2").wanted = 5;
    scene.stored.paused_at = Some(scene.now);
    scene.plan.status = scene.stored.clone();
    scene.plan.wake = Some(Wake::new(Time::from_secs(1_060), WakeReason::PauseEnds));
    scene.decides([]).holds();
    scene.plan.wake = Some(Wake::new(Time::from_secs(1_030), WakeReason::PauseEnds));
    scene.decides([]).broken("then nothing differs");
    let mut scene = Scene::of(WakeMeansChange);
    scene.plan.wake = Some(Wake::new(scene.now, WakeReason::LookAgain));
    scene.decides([]).broken("wakes at once");
}

#[test]
fn quiescent() {
    let mut scene = Scene::of(Quiescent::default());
    lie(&mut scene);
    scene.decides([]).sees(What::Rest).broken("at rest, decided again");
}

#[test]
fn promote_once() {
    let mut scene = Scene::of(PromoteOnce);
    let command = Command::new(CommandKind::Skip, Position::new(r("v2"), 0));
    let mut status = scene.stored.clone();
    status.step = 1;
    let answer = Answer::Accepted { status: status.clone(), edits: [].into(), events: [].into() };
    scene.sees(What::Commanded { command: &command, answer: &answer }).holds();
    // As if the first command had moved nothing.
    status.step = 0;
    let answer = Answer::Accepted { status, edits: [].into(), events: [].into() };
    scene.sees(What::Commanded { command: &command, answer: &answer }).broken("the same skip twice");
}

#[test]
fn wire_round_trip() {
    let mut scene = Scene::of(WireRoundTrip);
    let status = scene.stored.clone();
    scene.stores(status).holds();
}
