//! Hostile text in a Rollout: it costs the tenant who wrote it, and nobody else.

use super::*;

/// Puts a text into a canary strategy.
type Field = fn(&str) -> Value;

/// Texts that are not names: in a path, they would change the request.
fn attacks() -> Vec<String> {
    let texts = [
        "ow?dryRun=All&a=",
        "ow/status",
        "ow/proxy/secret?x=1",
        "ow?watch=true",
        "../../tb/services/web",
        "..",
        ".",
        "%2e%2e",
        "ow%2fstatus",
        "ow#x",
        "OW",
        "ow_",
        "ö",
        "ow\n",
        "ow\r\nX: y",
        "ow ",
        " ",
        "\u{202e}wo",
        "ow\u{0}",
        "-ow",
    ];
    texts.map(str::to_owned).into_iter().chain(["a".repeat(300), "a.".repeat(1_000)]).collect()
}

fn is_hidden(found: char) -> bool {
    found.is_control()
        || matches!(found, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[tokio::test(start_paused = true)]
async fn an_invalid_name_is_never_sent_and_is_reported_once() {
    let routing = |istio: Value| json!({"stableService": "a", "canaryService": "b", "trafficRouting": {"istio": istio}});
    let fields: [(&str, Field); 5] = [
        ("spec.strategy.canary.stableService", |text| json!({"stableService": text})),
        ("spec.strategy.canary.canaryService", |text| json!({"canaryService": text})),
        ("istio.virtualService.name", |text| json!({"virtualService": {"name": text}})),
        (
            "istio.virtualServices[1].name",
            |text| json!({"virtualServices": [{"name": "ok"}, {"name": text}]}),
        ),
        ("istio.destinationRule.name", |text| {
            let rule = json!({"name": text, "canarySubsetName": "c", "stableSubsetName": "s"});
            json!({"virtualService": {"name": "ok"}, "destinationRule": rule})
        }),
    ];
    for text in attacks() {
        for (path, field) in fields {
            let mut canary = field(&text);
            if path.starts_with("istio") {
                canary = routing(canary);
            }
            let mut world = World::new(json!([])).await;
            world.edit(&json!({"spec": {"strategy": {"canary": canary}}}));
            world.asked.lock().unwrap().clear();
            let (writes, next) = world.turn().await;
            assert_eq!((verbs(&writes), next), (vec!["PUT status".to_owned()], None), "{path}: {text:?}");
            assert_eq!(world.turn().await, (vec![], None), "{path}: {text:?} is reported once");
            let message = world.status()["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains(path) && message.contains("is not a DNS name"),
                "{path}: {text:?}: {message}"
            );
            assert!(message.contains("; write "), "what to write instead: {message}");
            assert!(!message.contains(is_hidden) && message.len() < 9_000, "{message:?}");
            for asked in &*world.asked.lock().unwrap() {
                let path = asked.uri.split('?').next().unwrap_or_default();
                let known = ["/rollouts/web", "/rollouts/web/status", "/replicasets", "/shop/events"];
                assert!(known.iter().any(|end| path.ends_with(end)), "{text:?}: {}", asked.uri);
            }
        }
    }
}

/// A name or a message with a line break and ESC never starts a line of its own.
#[tokio::test(start_paused = true)]
async fn control_characters_are_escaped_in_conditions_and_events() {
    let text = "x\nINFO done rollout=\"tb/web\"\u{1b}[2J\u{202e}\u{9b}\u{2028}y";
    let mut world = World::new(json!([{text: {}}, {"setHeaderRoute": {"name": text}}])).await;
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": text, "maxSurge": text}}}}));
    world.turn().await;
    world.turn().await;
    let status = world.status().to_string();
    assert!(!status.contains(is_hidden), "{status}");
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    let (path, mut set) = {
        let cluster = world.cluster();
        let found = cluster.objects.iter().find(|(path, _)| path.contains("/replicasets/")).unwrap();
        (found.0.clone(), found.1.clone())
    };
    set["status"]["conditions"] =
        json!([{"type": "ReplicaFailure", "status": "True", "reason": "No", "message": text.repeat(1_000)}]);
    world.cluster().put(&path, set);
    world.image("web:v2");
    for _ in 0..5 {
        world.memory.driver.read_live();
        world.turn().await;
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    let status = world.status().to_string();
    assert!(!status.contains(is_hidden) && status.len() < 10_000, "{status}");
    assert!(world.event_notes().await.iter().all(|note| !note.contains(is_hidden)));
}

/// An oversized Rollout is reported once and then left alone; its other objects are not read.
#[tokio::test(start_paused = true)]
async fn a_rollout_that_is_too_large_is_measured_once_and_left_alone() {
    let mut world = World::new(json!([])).await;
    let routes: Vec<_> = (0..130_000).map(|index| format!("r{index}")).collect();
    let istio = json!({"virtualService": {"name": "web", "routes": routes}});
    let canary = json!({"stableService": "a", "canaryService": "b", "trafficRouting": {"istio": istio}});
    world.edit(&json!({"spec": {"strategy": {"canary": canary}}}));
    let (writes, next) = world.turn().await;
    assert_eq!((verbs(&writes), next), (vec!["PUT status".to_owned()], None));
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("spec.strategy: larger than the limit of 128 KiB"), "{message}");
    world.memory.driver.read_live();
    assert_eq!(world.turn().await, (vec![], None));
    let measured = world.memory.size.clone();
    world.asked.lock().unwrap().clear();
    for _ in 0..3 {
        assert_eq!(world.turn().await, (vec![], None));
    }
    assert!(world.asked.lock().unwrap().is_empty());
    assert_eq!(world.memory.size, measured);
    world.edit(&json!({"spec": {"strategy": {"canary": {"stableService": null, "canaryService": null, "trafficRouting": null}}}}));
    world.until_phase("Healthy").await;
}

/// An absurd number counts as none, and causes no repeated writes.
#[tokio::test(start_paused = true)]
async fn absurd_numbers_of_revisions_make_no_hot_loop() {
    for number in
        ["18446744073709551615", "9223372036854775807", "4294967295", "4294967296", "-1", "1e9", "x"]
    {
        let mut world = World::new(json!([])).await;
        world.until_phase("Healthy").await;
        world.settle().await;
        let (path, mut set) = {
            let cluster = world.cluster();
            let found = cluster.objects.iter().find(|(path, _)| path.contains("/replicasets/")).unwrap();
            (found.0.clone(), found.1.clone())
        };
        set["metadata"]["annotations"]["rollout.argoproj.io/revision"] = json!(number);
        world.cluster().put(&path, set);
        world.image("web:v2");
        world.until(|rollout| rollout["status"]["stableRS"] == rollout["status"]["currentPodHash"]).await;
        world.settle().await;
        world.memory.driver.read_live();
        assert_eq!(world.turn().await.0, [], "{number}");
        for set in world.replica_sets() {
            let history = set["metadata"]["annotations"]["rollout.argoproj.io/revision-history"].as_str();
            assert!(history.unwrap_or_default().len() < 30, "{number}: {set}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_huge_command_gets_a_short_rejection() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    for text in [
        "x".repeat(200_000),
        format!(r#"{{"kind":"abort","at":{{"revision":"{}","step":0}}}}"#, "\u{202e}".repeat(60_000)),
    ] {
        world.edit(&json!({"metadata": {"annotations": {"rollout-core/command": text}}}));
        world.settle().await;
        let receipt = world.receipt().to_string();
        assert!(receipt.len() < 1_000 && receipt.contains("4096 bytes"), "{receipt}");
        assert!(!receipt.contains(is_hidden), "{receipt}");
        world.memory.driver.read_live();
        assert_eq!(world.turn().await.0, [], "it is answered once");
    }
}

/// An admission webhook reverts the pod count of a ReplicaSet: that is reported, and retried less and less often.
#[tokio::test(start_paused = true)]
async fn a_write_without_effect_makes_no_hot_loop() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    world.cluster().pods_stay = true;
    world.edit(&json!({"spec": {"replicas": 5}}));
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(world.turn().await.1.unwrap().as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16]);
    let notes = world.event_notes().await;
    let reported = notes.iter().filter(|note| note.contains("wrote spec.replicas: 5, but the answer says 2"));
    assert_eq!(reported.count(), 1, "{notes:#?}");
}

/// Thousands of ReplicaSets that claim to be the Rollout's are not read one by one forever.
#[tokio::test(start_paused = true)]
async fn thousands_of_replica_sets_hold_the_rollout_and_cost_nothing_more() {
    let mut world = World::new(json!([])).await;
    world.until_phase("Healthy").await;
    world.settle().await;
    let set = world.replica_sets().remove(0);
    for index in 0..3_000 {
        let (mut set, name) = (set.clone(), format!("web-x{index}"));
        set["metadata"]["name"] = json!(name);
        set["metadata"]["uid"] = json!(name);
        set["metadata"]["labels"]["rollouts-pod-template-hash"] = json!(format!("x{index}"));
        let path = format!("/apis/apps/v1/namespaces/shop/replicasets/{name}");
        world.cluster().put(&path, set);
    }
    world.image("web:v2");
    world.turn().await;
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("3001 ReplicaSets, more than the limit of 1000"), "{message}");
    world.memory.driver.read_live();
    assert_eq!(world.turn().await, (vec![], None));
}

/// A status of more than a mebibyte is kept unchanged, with a condition that reports it.
#[tokio::test(start_paused = true)]
async fn a_status_of_a_mebibyte_is_not_processed() {
    let mut world = World::new(json!([])).await;
    let padding: Vec<_> =
        (0..20_000).map(|index| json!({"type": format!("T{index}"), "message": "x".repeat(60)})).collect();
    world.edit(&json!({"status": {"conditions": padding}}));
    world.turn().await;
    world.turn().await;
    let message = world.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("the Rollout: larger than the limit of 1024 KiB"), "{message}");
    world.asked.lock().unwrap().clear();
    assert_eq!(world.turn().await, (vec![], None));
}
