use crate::{HEADER, V2, WEIGHT, events, golden, of_kind, simulate, simulate_with, summary};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_mesh_frozen_across_a_supersede_holds_selectors_and_the_mark() {
    let again = "dubbo3-provider:6m=set spec.template.metadata.labels.version=v3";
    let words = [WEIGHT, "--set", V2, "--freeze-mesh", "5m..20m", "--at", again];
    golden("frozen.txt", &simulate(&words).out);
    let events = events("dubbo3-provider", &words);
    let frozen: Vec<&Value> = events
        .iter()
        .filter(|event| event["ms"].as_i64().is_some_and(|ms| (360_000..1_200_000).contains(&ms)))
        .collect();
    let kinds: Vec<&str> = frozen.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert!(!kinds.contains(&"selected") && !kinds.contains(&"settled"), "{kinds:?}");
    assert!(
        frozen
            .iter()
            .filter(|event| event["kind"] == "scaled")
            .all(|event| event["scale_down_deadline_ms"].is_null())
    );
    assert!(kinds.contains(&"routed"), "the weight is taken back at once");
    let waits: Vec<&str> = frozen.iter().filter_map(|event| event["reason"].as_str()).collect();
    let all = waits.iter().find(|reason| reason.contains("proxy-1, proxy-2, proxy-3"));
    assert!(all.is_some(), "{waits:?}");
    assert!(
        waits.iter().any(|reason| reason.contains("proceed")),
        "after ten minutes a person is asked: {waits:?}"
    );
    let after = events.iter().skip_while(|event| event["ms"].as_i64().unwrap() < 1_200_000);
    let after: Vec<&str> = after.filter_map(|event| event["kind"].as_str()).collect();
    assert!(after.contains(&"selected") && after.contains(&"settled"));
    assert_eq!(
        (&summary(&events)["ends"], &summary(&events)["failed_per_thousand"]),
        (&json!("healthy"), &json!(0))
    );
}

#[test]
fn a_canary_that_never_gets_ready_gets_no_request() {
    let events = events("dubbo3-provider", &[WEIGHT, "--set", V2, "--never-ready", "dubbo3-provider:canary"]);
    let weights = events.iter().map(|event| event["state"]["traffic"]["canary"].clone());
    assert!(weights.filter(|weight| !weight.is_null()).all(|weight| weight == json!([0, 0])));
    assert_eq!(of_kind(&events, "progress-deadline-exceeded").len(), 1);
    assert_eq!(
        (&summary(&events)["ends"], &summary(&events)["failed_per_thousand"]),
        (&json!("degraded"), &json!(0))
    );
}

#[test]
fn a_lost_canary_pod_sends_all_requests_to_stable_until_it_is_back() {
    let lose = "dubbo3-provider:canary=1@5m";
    let events = events("dubbo3-provider", &[WEIGHT, "--set", V2, "--lose-pods", lose]);
    let weights: Vec<(&Value, &Value)> =
        of_kind(&events, "routed").iter().map(|event| (&event["ms"], &event["weight"]["canary"])).collect();
    assert_eq!(weights[1], (&json!(300_000), &json!(0)));
    assert_eq!(weights[2].1, 5);
    assert_eq!(summary(&events)["ends"], "healthy");
}

#[test]
fn pods_take_as_long_as_the_readiness_probe_says_or_the_command_line() {
    let ready = |words: &[&str]| {
        let events = events("dubbo3-provider", words);
        let after =
            of_kind(&events, "pods").into_iter().find(|event| event["ms"].as_i64() > Some(0)).unwrap();
        after["ms"].as_i64().unwrap()
    };
    assert_eq!(ready(&[WEIGHT]), 15_000);
    assert_eq!(ready(&[WEIGHT, "--ready-after", "90s"]), 90_000);
    let slower = "spec.template.spec.containers[0].readinessProbe.initialDelaySeconds=40";
    assert_eq!(ready(&[WEIGHT, "--set", slower]), 40_000);
}

#[test]
fn a_lag_of_the_proxies_is_waited_for() {
    for (lag, millis) in [("1s", 1_000), ("20s", 20_000)] {
        let events = events("dubbo3-provider", &[WEIGHT, "--proxies", "5", "--proxy-lag", lag]);
        let settled = of_kind(&events, "settled");
        assert!(settled.len() >= 6);
        assert!(
            settled.iter().all(|event| event["after_ms"] == millis && event["proxies"] == 5),
            "{settled:?}"
        );
        assert_eq!(summary(&events)["failed_per_thousand"], 0);
    }
}

#[test]
fn replicas_of_the_command_line_hold_for_the_whole_run() {
    let events = events("dubbo3-provider", &[WEIGHT, "--replicas", "20"]);
    let rest = of_kind(&events, "rest")[0];
    assert_eq!(rest["state"]["pods"][1]["wanted"], 20);
    let paused = of_kind(&events, "paused")[0];
    assert_eq!(paused["state"]["pods"][1]["wanted"], 1, "5 % of 20");
}

#[test]
fn standard_input_and_json_say_the_same_as_files() {
    let text: String = ["consumer", "gateway", "provider"]
        .map(|name| {
            fs::read_to_string(crate::root().join(format!("{HEADER}/{name}.yaml"))).unwrap() + "\n---\n"
        })
        .concat();
    let piped = simulate_with(&["-"], &text);
    assert_eq!((piped.code, piped.err.as_str()), (0, ""));
    assert_eq!(piped.out, simulate(&[HEADER]).out);
    let as_json: String = text
        .split("\n---\n")
        .filter(|document| document.lines().any(|line| line.starts_with("kind:")))
        .map(|document| serde_yaml::from_str::<Value>(document).unwrap().to_string() + "\n---\n")
        .collect();
    assert_eq!(simulate_with(&["-"], &as_json).out, piped.out);
}

#[test]
fn a_list_as_kubectl_prints_it_and_spans_drawn_by_the_seed() {
    let text = fs::read_to_string(crate::root().join(format!("{WEIGHT}/provider.yaml"))).unwrap();
    let items = text.split("\n---\n").map(|document| serde_yaml::from_str::<Value>(document).unwrap());
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()}).to_string();
    let path = format!("{WEIGHT}/provider.yaml");
    assert_eq!(simulate_with(&["-"], &list).out, simulate(&[&path]).out);
    let run =
        |seed| simulate(&[&path, "--proxy-lag", "1s..4s", "--ready-after", "5s..50s", "--seed", seed]).out;
    assert_eq!(run("1"), run("1"));
    assert_ne!(run("1"), run("2"));
}

/// Writes the provider's manifests, changed, into a folder of their own for `--update`.
fn update(name: &str, change: impl Fn(&str) -> String) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("simulate-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(crate::root().join(format!("{WEIGHT}/provider.yaml"))).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    fs::write(folder.join("provider.yaml"), changed).unwrap();
    folder
}

#[test]
fn broken_objects_of_an_update_are_refused_where_they_stand() {
    let folder = update("broken", |text| text.replace("    - name: test-v1\n", "    - name: test-v9\n"));
    let run = simulate(&[WEIGHT, "--update", folder.to_str().unwrap()]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    assert!(run.err.contains("test-v1") && run.err.contains("provider.yaml:"), "{}", run.err);
}

#[test]
fn an_update_of_a_rollout_in_another_namespace_is_refused() {
    let folder = update("namespace", |text| {
        text.replace(
            "metadata:\n  name: dubbo3-provider\n",
            "metadata:\n  name: dubbo3-provider\n  namespace: shop\n",
        )
    });
    let run = simulate(&[WEIGHT, "--update", folder.to_str().unwrap()]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("there is no Rollout \"dubbo3-provider\" in namespace shop to update"),
        "{}",
        run.err
    );
}

#[test]
fn rollouts_of_the_same_name_are_told_apart_by_their_namespaces() {
    let text = fs::read_to_string(crate::root().join("examples/tests/manifests/plain.yaml")).unwrap();
    let within =
        |namespace: &str| text.replacen("metadata:\n", &format!("metadata:\n  namespace: {namespace}\n"), 1);
    let both = format!("{}\n---\n{}", within("east"), within("west"));
    let name = serde_yaml::from_str::<Value>(&within("east")).unwrap()["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let run = simulate_with(&["-", "--set", &format!("east/{name}:spec.replicas=3")], &both);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let summary = run.out.split("SUMMARY").nth(1).unwrap();
    assert!(
        summary.contains(&format!("\neast/{name} ")) && summary.contains(&format!("\nwest/{name} ")),
        "{summary}"
    );
    assert!(
        run.out.contains("CHANGE: set spec.replicas=3") && run.out.contains("NO UPDATE of this one"),
        "{}",
        run.out
    );
    let run = simulate_with(&["-", "--set", &format!("{name}:spec.replicas=3")], &both);
    assert_eq!(run.code, 2);
    assert!(run.err.contains(&format!("east/{name}")), "{}", run.err);
}

#[test]
fn scaled_to_zero_after_a_release_is_a_healthy_end() {
    let run = simulate(&[WEIGHT, "--set", V2, "--at", "1h=set spec.replicas=0"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(run.out.matches("AT REST: healthy, scaled to zero").count(), 2);
    let run = simulate(&[WEIGHT, "--set", V2, "--at", "5m=set dubbo3-provider:spec.replicas=0"]);
    assert_eq!(run.code, 1, "a release under way is not done: {}", run.out);
}

#[test]
fn scaled_to_zero_in_the_middle_of_a_release_is_a_rest_that_says_what_ends_it() {
    for at in ["2s", "30s", "11m"] {
        let change = format!("{at}=set spec.replicas=0");
        let run = simulate(&[WEIGHT, "--set", V2, "--at", &change, "--expect", "dubbo3-provider:paused"]);
        assert_eq!(run.code, 0, "{at}: {}", run.out);
        let end = "AT REST: scaled to zero, the update goes on when replicas are above 0 again";
        assert_eq!(run.out.matches(end).count(), 1, "{at}: {}", run.out);
    }
}

#[test]
fn aborted_is_no_rest_while_requests_are_led_to_the_aborted_revision() {
    // Stable never gets its pods back: the weight stays where pods are.
    let words = [
        WEIGHT,
        "--set",
        V2,
        "--never-ready",
        "stable",
        "--lose-pods",
        "stable=1@5m",
        "--at",
        "6m=abort",
        "--expect",
        "aborted",
    ];
    let run = simulate(&words);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(
        run.out.contains("END: unfinished, it is aborted, and traffic is still led to the aborted revision"),
        "{}",
        run.out
    );
}

#[test]
fn an_update_from_another_manifest() {
    let folder = std::env::temp_dir().join(format!("simulate-update-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(crate::root().join(format!("{WEIGHT}/provider.yaml"))).unwrap();
    let text =
        text.replace("version: v1", "version: v2").replace("http2MaxRequests: 10000", "http2MaxRequests: 1");
    fs::write(folder.join("provider.yaml"), text).unwrap();
    let words = [WEIGHT, "--update", folder.to_str().unwrap(), "--objects"];
    let (events, other) = (events("dubbo3-provider", &words), events("dubbo3-consumer", &words));
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(summary(&events)["ends"], "healthy");
    assert_eq!(of_kind(&events, "completed").len(), 2);
    assert_eq!(of_kind(&other, "completed").len(), 1, "the consumer has no new template");
    let edited = of_kind(&events, "object").into_iter().filter(|event| event["ms"] == 0);
    let diffs: String = edited.map(|event| event["diff"].as_str().unwrap()).collect();
    assert!(diffs.contains("-        http2MaxRequests: 10000\n+        http2MaxRequests: 1\n"), "{diffs}");
}

#[test]
fn freezes_that_overlap_thaw_once_in_the_end() {
    let spans = ["--freeze-mesh", "5m30s..8m", "--freeze-mesh", "5m..6m", "--freeze-mesh", "9m..9m30s"];
    let words: Vec<&str> = [WEIGHT].into_iter().chain(spans).collect();
    let events = events("dubbo3-provider", &words);
    let faults: Vec<(i64, bool)> = of_kind(&events, "fault")
        .iter()
        .map(|event| (event["ms"].as_i64().unwrap(), event["what"].as_str().unwrap().contains("freezes")))
        .collect();
    assert_eq!(faults, [(300_000, true), (480_000, false), (540_000, true), (570_000, false)]);
}
