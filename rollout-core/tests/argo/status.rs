//! The status as Argo Rollouts' fields, and back.

use proptest::{option, prelude::*};
use rollout_core::{
    AbortReason, Aborted, CommandKind, Progress, Status, Time,
    argo::{read_status, write_status},
    traffic::StablePingPong,
};
use serde_json::{Value, json};

fn time() -> impl Strategy<Value = Time> {
    let edge =
        prop_oneof![Just(i64::MIN / 1000), Just(i64::MAX / 1000), -62_167_219_200_i64..253_402_300_800];
    edge.prop_map(Time::from_secs)
}

prop_compose! {
    fn statuses()(
        stable in option::of("[a-f0-9]{1,10}"),
        canary in option::of("\\PC{1,4}"),
        step: u32,
        step_hash in option::of("[a-f]{0,3}"),
        paused_at in option::of(time()),
        aborted in option::of((time(), prop::bool::ANY)),
        (promote_full, scaled_to_zero) in (prop::bool::ANY, prop::bool::ANY),
        stable_ping_pong in option::of(prop_oneof![Just(StablePingPong::Ping), Just(StablePingPong::Pong)]),
        progress in option::of((time(), any::<u32>(), prop::bool::ANY)),
    ) -> Status {
        let mut status = Status::default();
        status.stable = stable.map(Into::into);
        status.canary = canary.map(Into::into);
        status.step = step;
        status.step_hash = step_hash.map(Into::into);
        status.paused_at = paused_at;
        status.aborted = aborted.map(|(at, command)| {
            Aborted::new(at, if command { AbortReason::Command } else { AbortReason::ProgressDeadline }).into()
        });
        // An abort ends a full promotion.
        status.promote_full = promote_full && status.aborted.is_none();
        status.scaled_to_zero = scaled_to_zero;
        status.stable_ping_pong = stable_ping_pong;
        status.progress = progress.map(|(at, ready, exceeded)| {
            let mut progress = Progress::new(at, ready);
            progress.exceeded = exceeded;
            progress
        });
        status
    }
}

proptest! {
    #[test]
    fn there_and_back(first in statuses(), second in statuses(), now in time()) {
        let weights = || json!({"weights": {"canary": {"weight": 5}}});
        let mut wire =
            json!({"readyReplicas": 3, "conditions": [{"type": "Available"}], "canary": weights()});
        for status in [first, second] {
            write_status(&status, &mut wire, now);
            let read = read_status(&wire).unwrap();
            prop_assert_eq!(&read.status, &status);
            prop_assert_eq!(&read.requests, &[]);
            let before = wire.clone();
            write_status(&status, &mut wire, Time::from_secs(7));
            prop_assert_eq!(&wire, &before, "the same status again is no change");
        }
        prop_assert_eq!(&wire["readyReplicas"], 3);
        prop_assert_eq!(&wire["conditions"][0]["type"], "Available");
        write_status(&Status::default(), &mut wire, now);
        let left = json!({
            "readyReplicas": 3, "conditions": [{"type": "Available"}], "canary": weights(), "currentStepIndex": 0
        });
        prop_assert_eq!(wire, left);
    }
}

fn requests(status: &Value) -> Vec<CommandKind> {
    read_status(status).unwrap().requests
}

#[test]
fn what_clients_write_is_a_command() {
    let mut status = Status::default();
    status.paused_at = Some(Time::from_secs(60));
    let mut wire = Value::Null;
    write_status(&status, &mut wire, Time::from_secs(0));
    assert_eq!(
        wire["pauseConditions"],
        json!([{"reason": "CanaryPauseStep", "startTime": "1970-01-01T00:01:00Z"}])
    );
    assert_eq!(requests(&wire), []);
    wire["pauseConditions"] = Value::Null;
    assert_eq!(requests(&wire), [CommandKind::Promote]);
    wire["abort"] = json!(true);
    assert_eq!(requests(&wire), [CommandKind::Promote, CommandKind::Abort]);
    status.paused_at = None;
    status.aborted = Some(Aborted::new(Time::from_secs(60), AbortReason::ProgressDeadline).into());
    write_status(&status, &mut wire, Time::from_secs(0));
    assert_eq!(requests(&wire), []);
    // Argo CD and the plugin promote an aborted update in full by this field alone.
    wire["promoteFull"] = json!(true);
    let read = read_status(&wire).unwrap();
    assert_eq!((read.requests, read.status), (vec![CommandKind::PromoteFull], status.clone()));
    wire["promoteFull"] = Value::Null;
    for not_aborted in [json!(false), Value::Null] {
        wire["abort"] = not_aborted;
        let read = read_status(&wire).unwrap();
        assert_eq!((read.requests, read.status), (vec![CommandKind::Retry], status.clone()));
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_fresh_start() {
    let wrong = json!({
        "stableRS": 5, "currentStepIndex": -1, "abort": "yes", "abortedAt": "yesterday",
        "pauseConditions": [{"reason": "CanaryPauseStep"}],
        "conditions": [{"type": "EngineState", "message": "{\"v\":2}"}], "canary": {"stablePingPong": 7}
    });
    let errors = read_status(&wrong).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
    let want = [
        "conditions",
        "pauseConditions",
        "abort",
        "abortedAt",
        "stableRS",
        "currentStepIndex",
        "canary.stablePingPong",
    ];
    assert_eq!(paths, want.map(|path| format!("status.{path}")));
    assert!(errors[0].what.contains("another version of the engine (v2"), "{}", errors[0].what);
    for unreadable in [json!("x"), json!([]), json!(1)] {
        assert_eq!(read_status(&unreadable).unwrap_err()[0].path, "status");
    }
    let torn = json!({"conditions": [{"type": "EngineState", "message": "{\"v\":1,\"new\":1}"}]});
    assert!(read_status(&torn).is_err());
    assert_eq!(read_status(&Value::Null).unwrap().status, Status::default());
}
