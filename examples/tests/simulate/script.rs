use crate::{V2, WEIGHT, events, of_kind, simulate, summary};
use serde_json::{Value, json};

/// Says one thing to the provider in the second pause, at 12 minutes: the answers, and how it ends.
fn say(what: &[&str]) -> (Vec<Value>, String) {
    let mut words = vec![WEIGHT, "--set", V2, "--promote-after", "never"];
    let said: Vec<String> = what.iter().map(|what| format!("dubbo3-provider:{what}")).collect();
    words.extend(said.iter().flat_map(|what| ["--at", what]));
    let events = events("dubbo3-provider", &words);
    let answers = of_kind(&events, "command").into_iter();
    let answers = answers.map(|event| json!([event["command"], event["accepted"], event["reason"]]));
    (answers.collect(), summary(&events)["ends"].as_str().unwrap().to_owned())
}

#[test]
fn every_command_is_answered() {
    for (what, answers, ends) in [
        (&["12m=promote"][..], json!([["promote", true, null]]), "healthy"),
        (&["12m=promote-full"], json!([["promote-full", true, null]]), "healthy"),
        (&["12m=skip"], json!([["skip", true, null]]), "healthy"),
        (&["12m=pause"], json!([["pause", true, null]]), "paused"),
        (&["12m=pause", "13m=resume"], json!([["pause", true, null], ["resume", true, null]]), "healthy"),
        (&["12m=abort"], json!([["abort", true, null]]), "aborted"),
        (&["12m=abort", "13m=retry"], json!([["abort", true, null], ["retry", true, null]]), "healthy"),
        (&["12m=undo"], json!([["undo", true, null]]), "healthy"),
        (&["12m=reapply"], json!([["reapply", true, null]]), "healthy"),
        (&["12m=retry"], json!([["retry", false, "the update is not aborted"]]), "healthy"),
        (
            &["12m=proceed"],
            json!([[
                "proceed",
                false,
                "nothing to override: the rollout is not waiting for proxies or stable capacity"
            ]]),
            "healthy",
        ),
        (&["40m=abort"], json!([["abort", false, "no update is under way"]]), "healthy"),
    ] {
        assert_eq!(say(what), (answers.as_array().unwrap().clone(), ends.to_owned()), "{what:?}");
    }
}

#[test]
fn an_abort_takes_all_traffic_back_and_keeps_the_pods_for_a_while() {
    let words = [WEIGHT, "--set", V2, "--at", "dubbo3-provider:12m=abort"];
    let events = events("dubbo3-provider", &words);
    let back = of_kind(&events, "routed").last().copied().unwrap().clone();
    assert_eq!((&back["ms"], &back["weight"]["canary"]), (&json!(720_000), &json!(0)));
    let aborted = of_kind(&events, "update")[0]["revision"].clone();
    let with_deadline = of_kind(&events, "scaled")
        .into_iter()
        .find(|event| !event["scale_down_deadline_ms"].is_null())
        .unwrap();
    assert_eq!(with_deadline["revision"], aborted);
    assert_eq!(summary(&events)["failed_per_thousand"], 0);
}

#[test]
fn undo_puts_the_stable_template_back_at_once() {
    let events = events("dubbo3-provider", &[WEIGHT, "--set", V2, "--at", "dubbo3-provider:12m=undo"]);
    assert_eq!(of_kind(&events, "rolled-back").len(), 1);
    let first = &of_kind(&events, "first-deploy")[0]["revision"];
    let rest = of_kind(&events, "rest")[0];
    assert_eq!(rest["state"]["traffic"]["behind_stable"], json!([first]));
}

#[test]
fn reapplied_manifests_are_repaired_without_a_failed_request() {
    let events =
        events("dubbo3-provider", &[WEIGHT, "--set", V2, "--at", "5m=reapply", "--at", "15m=reapply"]);
    // Weight 0 and the user's own labels are back; selectors first, then the weight again.
    let after: Vec<&str> = events
        .iter()
        .filter(|event| event["ms"].as_i64().is_some_and(|ms| (300_000..320_000).contains(&ms)))
        .filter_map(|event| event["kind"].as_str())
        .filter(|kind| ["command", "selected", "routed"].contains(kind))
        .collect();
    assert_eq!(after.first(), Some(&"command"));
    assert_eq!(after.last(), Some(&"routed"), "{after:?}");
    assert!(after.contains(&"selected"), "{after:?}");
    assert_eq!(summary(&events)["failed_per_thousand"], 0);
    assert_eq!(summary(&events)["ends"], "healthy");
}

/// A GitOps tool that ignores nothing, in every phase of both canaries.
#[test]
fn manifests_that_are_applied_every_20_seconds_fail_no_request() {
    let times: Vec<String> = (1..90).map(|number| format!("{}s=reapply", 20 * number)).collect();
    for folder in [WEIGHT, crate::HEADER] {
        let mut words = vec![folder, "--set", V2];
        words.extend(times.iter().flat_map(|time| ["--at", time]));
        let events = events("dubbo3-provider", &words);
        let commands = of_kind(&events, "command").into_iter();
        assert_eq!(commands.filter(|event| event["command"] == "reapply").count(), times.len());
        assert_eq!(
            (&summary(&events)["failed_per_thousand"], &summary(&events)["ends"]),
            (&json!(0), &json!("healthy"))
        );
    }
}

#[test]
fn another_update_starts_again_instead_of_the_first() {
    let again = "dubbo3-provider:12m=set spec.template.metadata.labels.version=v3";
    let events = events("dubbo3-provider", &[WEIGHT, "--set", V2, "--at", again]);
    let started = of_kind(&events, "started");
    assert_eq!(started.len(), 3, "first deploy, v2, v3");
    assert_eq!(started[2]["instead_of"], started[1]["revision"]);
    assert_eq!(summary(&events)["failed_per_thousand"], 0);
}

#[test]
fn a_change_that_cannot_be_made_is_rejected_with_the_reason() {
    let events = events("dubbo3-provider", &[WEIGHT, "--at", "dubbo3-provider:1m=set spec.replicas=many"]);
    let answer = of_kind(&events, "command")[0];
    assert_eq!(answer["accepted"], false);
    assert!(
        answer["reason"].as_str().unwrap().starts_with("spec.replicas: `replicas` must be a whole number"),
        "{answer}"
    );
}

#[test]
fn an_open_pause_is_ended_by_the_script_or_the_simulation_or_nobody() {
    let header = |more: &[&'static str]| {
        let mut words = vec![crate::HEADER, "--set", V2];
        words.extend(more);
        let events = events("dubbo3-provider", &words);
        let by: Vec<(Value, Value)> = of_kind(&events, "command")
            .iter()
            .map(|event| (event["by"].clone(), event["ms"].clone()))
            .collect();
        (by, summary(&events)["ends"].as_str().unwrap().to_owned())
    };
    let (by, ends) = header(&[]);
    assert_eq!((by.len(), by[0].0.as_str(), ends.as_str()), (1, Some("simulation"), "healthy"));
    let (by, ends) = header(&["--at", "30m=promote"]);
    assert_eq!((by, ends.as_str()), (vec![(json!("script"), json!(1_800_000))], "healthy"));
    let (by, ends) = header(&["--promote-after", "never"]);
    assert_eq!((by.len(), ends.as_str()), (0, "paused"));
}

#[test]
fn the_exit_code_says_whether_it_ended_as_expected() {
    let abort = "dubbo3-provider:12m=abort";
    for (words, code) in [
        (vec![WEIGHT], 0),
        (vec![WEIGHT, "--expect", "healthy"], 0),
        (vec![WEIGHT, "--expect", "aborted"], 1),
        (vec![WEIGHT, "--at", "12m=abort", "--expect", "aborted"], 0),
        (vec![WEIGHT, "--at", abort, "--expect", "aborted"], 1),
        (vec![WEIGHT, "--at", abort], 1),
        (vec![WEIGHT, "--at", "12m=pause", "--expect", "paused"], 0),
        (vec![WEIGHT, "--until", "15m"], 1),
        (vec![WEIGHT, "--never-ready", "canary"], 1),
        (vec![WEIGHT, "--expect", "good"], 2),
        (vec!["no/such/folder"], 2),
        (vec!["--help"], 0),
    ] {
        let run = simulate(&words);
        assert_eq!(run.code, code, "{words:?}\n{}\n{}", run.out, run.err);
    }
}
