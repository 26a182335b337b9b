//! Commands in an annotation: carried out once, at the position that the user saw, and answered.

use super::*;

const TWO_PAUSES: &str = r#"[{"setWeight": 50}, {"pause": {}}, {"pause": {}}, {"pause": {}}]"#;

/// In the first pause of an update.
async fn paused() -> World {
    let mut world = World::new(serde_json::from_str(TWO_PAUSES).unwrap()).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.until_phase("Paused").await;
    world.settle().await;
    assert_eq!(world.status()["currentStepIndex"], 1);
    world
}

impl World {
    fn command(&mut self, text: &str) {
        self.edit(&json!({"metadata": {"annotations": {"rollout-core/command": text}}}));
    }

    /// Writes a command about the current position.
    pub(super) fn command_here(&mut self, kind: &str, id: Option<&str>) -> String {
        let status = self.status();
        let at = json!({"revision": status["currentPodHash"], "step": status["currentStepIndex"]});
        let mut command = json!({"kind": kind, "at": at});
        if let Some(id) = id {
            command["id"] = json!(id);
        }
        self.command(&command.to_string());
        command.to_string()
    }

    fn annotation(&self, name: &str) -> Value {
        let cluster = self.cluster();
        let text = &cluster.objects[ROLLOUT]["metadata"]["annotations"][name];
        text.as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    pub(super) fn receipt(&self) -> Value {
        self.annotation("rollout-core/receipt")
    }

    /// Ends the process and starts another.
    pub(super) fn crash(&mut self) {
        self.memory = RolloutMemory::new("p");
        self.memory.driver.read_live();
    }
}

#[tokio::test(start_paused = true)]
async fn a_promotion_moves_one_step_once_and_is_answered() {
    let mut world = paused().await;
    let text = world.command_here("promote", None);
    world.settle().await;
    assert_eq!(world.status()["currentStepIndex"], 2);
    let receipt = world.receipt();
    assert_eq!((&receipt["answer"], &receipt["kind"]), (&json!("accepted"), &json!("promote")));
    assert_eq!(receipt["at"]["step"], 1);
    // The user applies the manifest again, with the command in it.
    for _ in 0..3 {
        world.command(&text);
        world.memory.driver.read_live();
        assert_eq!(world.turn().await.0, []);
    }
    assert_eq!(world.status()["currentStepIndex"], 2);
    // At the next step it is a different command.
    world.command_here("promote", None);
    world.settle().await;
    assert_eq!(world.status()["currentStepIndex"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_write_neither_loses_a_command_nor_applies_it_twice() {
    for took_effect in [false, true] {
        for nth in 1..=6 {
            for (kind, is_done) in COMMANDS {
                let mut world = paused().await;
                world.command_here(kind, None);
                world.cluster().fail_in = Some((nth, 500, took_effect));
                world.turn().await;
                world.crash();
                world
                    .until(|rollout| rollout["metadata"]["annotations"].get("rollout-core/receipt").is_some())
                    .await;
                world.settle().await;
                assert_eq!(world.receipt()["answer"], "accepted", "{kind}, write {nth}: {}", world.receipt());
                let rollout = world.cluster().objects[ROLLOUT].clone();
                assert!(is_done(&rollout), "{kind}, write {nth}, {took_effect}: {rollout:#}");
            }
        }
    }
}

type IsDone = fn(&Value) -> bool;

const COMMANDS: [(&str, IsDone); 5] = [
    ("promote", |rollout| rollout["status"]["currentStepIndex"] == 2),
    ("skip", |rollout| rollout["status"]["currentStepIndex"] == 2),
    ("abort", |rollout| rollout["status"]["abort"] == true),
    ("pause", |rollout| rollout["spec"]["paused"] == true),
    ("undo", |rollout| rollout["spec"]["template"]["spec"]["containers"][0]["image"] == "web:v1"),
];

#[tokio::test(start_paused = true)]
async fn an_old_command_is_never_repeated_after_another_one() {
    let mut world = paused().await;
    let abort = world.command_here("abort", Some("mine-1"));
    world.settle().await;
    assert_eq!(world.status()["phase"], "Degraded");
    assert_eq!(world.status()["currentStepIndex"], 0);
    world.command_here("retry", Some("mine-2"));
    world.until_phase("Paused").await;
    world.command(&abort);
    world.crash();
    world.settle().await;
    assert_eq!(world.status()["phase"], "Paused");
    let receipt = world.receipt();
    assert_eq!((&receipt["id"], &receipt["answer"]), (&json!("mine-1"), &json!("rejected")));
    assert!(receipt["why"].as_str().unwrap().contains("answered before"), "{receipt}");
    // To repeat it on purpose, give it a new id.
    world.command_here("abort", Some("mine-3"));
    world.settle().await;
    assert_eq!(world.status()["phase"], "Degraded");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_why_and_changes_nothing() {
    let mut world = paused().await;
    let cases = [
        (r#"{"kind":"promote","at":{"revision":"other","step":1}}"#, "no longer where you saw it"),
        (r#"{"kind":"retry","at":{"revision":"HASH","step":1}}"#, "not aborted"),
        (r#"{"kind":"proceed","at":{"revision":"HASH","step":1}}"#, "nothing to override"),
        (r#"{"kind":"promot","at":{"revision":"HASH","step":1}}"#, "is not a command; write one of promote"),
        ("promote", "it is not JSON"),
    ];
    let hash = world.status()["currentPodHash"].as_str().unwrap().to_owned();
    for (text, why) in cases {
        world.command(&text.replace("HASH", &hash));
        world.settle().await;
        let receipt = world.receipt();
        assert_eq!(receipt["answer"], "rejected", "{text}");
        assert!(receipt["time"].is_string(), "{receipt}");
        assert!(receipt["why"].as_str().unwrap().contains(why), "{text}: {receipt}");
        assert_eq!(
            (&world.status()["currentStepIndex"], &world.status()["phase"]),
            (&json!(1), &json!("Paused"))
        );
        world.memory.driver.read_live();
        assert_eq!(world.turn().await.0, [], "{text}: it is answered once");
    }
}
