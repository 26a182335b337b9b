use crate::{HEADER, V2, WEIGHT, events, golden, of_kind, simulate, summary};
use serde_json::{Value, json};

/// Time of the write, canary's weight.
fn weights(events: &[Value]) -> Vec<(i64, u64)> {
    let routed = of_kind(events, "routed").into_iter().filter(|event| !event["weight"].is_null());
    routed.map(|event| (event["ms"].as_i64().unwrap(), event["weight"]["canary"].as_u64().unwrap())).collect()
}

#[test]
fn the_weight_canary_of_the_guide() {
    let run = simulate(&[WEIGHT, "--set", V2]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("weight.txt", &run.out);
}

#[test]
fn the_header_canary_of_the_guide() {
    let run = simulate(&[HEADER]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("header.txt", &run.out);
}

#[test]
fn the_really_edited_objects_of_the_header_canary() {
    let run = simulate(&[HEADER, "--set", V2, "--objects"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("header-objects.txt", &run.out);
}

#[test]
fn five_per_cent_ten_minutes_half_ten_minutes_all() {
    for rollout in ["dubbo3-provider", "dubbo3-consumer"] {
        let events = events(rollout, &[WEIGHT]);
        let weights = weights(&events);
        let values: Vec<u64> = weights.iter().map(|(_, weight)| *weight).collect();
        assert_eq!(values, [5, 50, 100, 0], "0 at the end: stable's own subset is the new revision by then");
        for pair in weights[..3].windows(2) {
            let between = pair[1].0 - pair[0].0;
            assert!((600_000..610_000).contains(&between), "{weights:?}");
        }
        // The end is stable's: full weight there only after its subset leads to the new revision.
        let last = events.iter().rev().nth(1).unwrap();
        assert_eq!(last["kind"], "rest");
        let v2 = &of_kind(&events, "update")[0]["revision"];
        assert_eq!(last["state"]["traffic"]["behind_stable"], json!([v2]));
        assert_eq!(last["state"]["pods"][0]["wanted"], 0);
        assert_eq!((&last["state"]["pods"][1]["ready"], &last["state"]["done"]), (&json!(1), &json!(true)));
        assert_eq!(summary(&events)["failed_per_thousand"], 0);
    }
}

#[test]
fn pods_go_after_the_mark_and_its_delay() {
    let events = events("dubbo3-provider", &[WEIGHT]);
    let scaled = of_kind(&events, "scaled");
    let with_deadline = scaled.iter().find(|event| !event["scale_down_deadline_ms"].is_null()).unwrap();
    let gone = scaled.iter().find(|event| event["pods"] == 0).unwrap();
    let at = |event: &Value| event["ms"].as_i64().unwrap();
    assert_eq!(with_deadline["revision"], gone["revision"]);
    assert_eq!(at(gone), with_deadline["scale_down_deadline_ms"].as_i64().unwrap());
    assert!(at(gone) - at(with_deadline) >= 30_000, "{with_deadline} {gone}");
    let settled = of_kind(&events, "settled");
    let selectors = settled.iter().rev().find(|event| event["layer"] == "selectors").unwrap();
    assert!(at(with_deadline) >= at(selectors), "nothing gets a deadline while a proxy may still lead to it");
}

#[test]
fn the_header_route_is_in_front_and_gone_in_the_end() {
    let events = events("dubbo3-provider", &[HEADER, "--set", V2]);
    let managed: Vec<&Value> =
        of_kind(&events, "routed").into_iter().map(|event| &event["managed"]).collect();
    assert_eq!(managed.first(), Some(&&json!(["test-v2"])));
    assert_eq!(managed.last(), Some(&&json!([])));
    let before: Vec<&Value> = events
        .iter()
        .filter(|event| event["state"]["traffic"]["managed"] == json!(["test-v2"]))
        .map(|event| &event["state"]["traffic"]["behind_canary"])
        .collect();
    let v2 = &of_kind(&events, "update")[0]["revision"];
    assert!(!before.is_empty() && before.iter().all(|behind| **behind == json!([v2])), "{before:?}");
    assert_eq!(summary(&events)["failed_per_thousand"], 0);
}

#[test]
fn without_traffic_routing_the_weight_is_a_ratio_of_pods() {
    let run = simulate(&["examples/tests/manifests/plain.yaml", "--replicas", "10"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("plain.txt", &run.out);
    let events = events("shop", &["examples/tests/manifests/plain.yaml", "--replicas", "10"]);
    assert!(
        events
            .iter()
            .filter(|event| event["kind"] != "summary")
            .all(|event| event["state"]["traffic"].is_null())
    );
    let paused = of_kind(&events, "paused");
    let ready = |event: &Value| [0, 1].map(|index| event["state"]["pods"][index]["ready"].as_u64().unwrap());
    assert_eq!(paused.iter().map(|event| ready(event)).collect::<Vec<_>>(), [[8, 2], [5, 5]]);
    assert_eq!(summary(&events)["failed_per_thousand"], 0);
}

#[test]
fn the_same_command_line_gives_the_same_bytes() {
    let words = [WEIGHT, "--at", "11m=abort", "--at", "12m=retry", "--freeze-mesh", "13m..14m", "--objects"];
    let (one, other) = (simulate(&words), simulate(&words));
    assert_eq!((one.out, one.code), (other.out, other.code));
}
