//! What a person does with analyses by the real plugin.

use super::{WEB, analysing, asks, asks_a_person, step, template};
use crate::{
    bed::{Answering, Bed, Namespace, secs},
    faults::web::{plain, set_image, until, until_done},
};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// The name of the run of the only step that has one, in this attempt.
fn run_of_step(space: &Namespace, index: u32, revision: u32, attempt: u32) -> String {
    let hash = space.seen(|seen| seen.rollout(WEB).unwrap().newest().to_owned());
    let more = if attempt == 0 { String::new() } else { format!(".{attempt}") };
    format!("{WEB}-{hash}-{revision}-{index}{more}")
}

fn until_phase(space: &Namespace, run: &str, phase: &str) {
    space.until(&format!("{run} is {phase}"), secs(30), |seen| {
        seen.object("AnalysisRun", run).is_some_and(|run| run["status"]["phase"] == *phase)
    });
}

/// Good above 10, bad below 0.
fn unsure(server: &Answering) -> Value {
    let conditions = json!({"successCondition": "result.n > 10", "failureCondition": "result.n < 0"});
    template("number", &[], &asks("number", server, "/n", &conditions))
}

#[test]
fn the_runs_are_shown_and_a_retry_makes_one_of_another_name() {
    let space = Bed::shared().namespace("shown");
    let server = Answering::start(json!({"ok": false, "alive": true}));
    let twice = json!({"interval": "1s", "count": 2, "successCondition": "result.ok"});
    let always = json!({"interval": "1s", "successCondition": "result.alive"});
    let beside = json!({"templates": [{"templateName": "alive"}], "startingStep": 1});
    let steps = json!([{"setWeight": 50}, {"pause": {}}, step("ok")]);
    let objects = [
        plain(WEB, 2, &json!({"steps": steps, "analysis": beside})),
        template("ok", &[], &asks("ok", &server, "/ok", &twice)),
        template("alive", &[], &asks("alive", &server, "/alive", &always)),
    ];
    let _controller = analysing(&space, &objects);
    until_done(&space, WEB, 60);
    set_image(&space, WEB, "v2");
    until(&space, WEB, "paused", 60, |rollout| rollout.is_paused_at(1));
    space.until("something is measured beside the steps", secs(30), |seen| {
        let metric = seen.run("Background").and_then(|run| run.metric("alive"));
        metric.is_some_and(|metric| metric["count"].as_i64() >= Some(2))
    });
    let beside = run_of_step(&space, 0, 2, 0).trim_end_matches("-0").to_owned();
    let shown = space.get(WEB);
    assert_eq!(shown.run(&beside)[..4], ["AnalysisRun", "◌", "Running", "✔"], "{shown}");

    space.plugin(&["promote", WEB]).ok();
    until(&space, WEB, "stopped by itself", 60, |rollout| rollout.is_aborted());
    let failed = run_of_step(&space, 2, 2, 0);
    until_phase(&space, &failed, "Failed");
    until_phase(&space, &beside, "Successful");
    let shown = space.get(WEB);
    assert_eq!(shown.run(&failed), ["AnalysisRun", "✖", "Failed", "✖", "1"], "{shown}");
    assert_eq!(shown.run(&beside)[..4], ["AnalysisRun", "✔", "Successful", "✔"], "{shown}");
    assert_eq!(shown.head("Status"), "✖ Degraded", "{shown}");

    server.answers(json!({"ok": true, "alive": true}));
    space.plugin(&["retry", "rollout", WEB]).ok();
    until(&space, WEB, "paused again", 60, |rollout| rollout.is_paused_at(1));
    space.plugin(&["promote", WEB]).ok();
    // The run that failed still has its verdict, and it stops nothing.
    until_done(&space, WEB, 60);
    let passed = run_of_step(&space, 2, 2, 1);
    until_phase(&space, &passed, "Successful");
    let shown = space.get(WEB);
    assert_eq!(shown.run(&passed), ["AnalysisRun", "✔", "Successful", "✔", "2"], "{shown}");
    assert_eq!(shown.run(&failed), ["AnalysisRun", "✖", "Failed", "✖", "1"], "{shown}");
    space.seen(|seen| {
        let aborts = seen.changes().iter().filter(|change| change.kind == "Event" && change.is_there);
        let aborts = aborts.filter(|change| change.object["reason"] == "RolloutAborted");
        assert_eq!(aborts.count(), 1, "once, and not again after the retry");
    });
}

#[test]
fn an_inconclusive_run_is_repeated_by_resume_and_passed_by_promote() {
    let space = Bed::shared().namespace("unsure");
    let server = Answering::start(json!({"n": 5}));
    let steps = json!([{"setWeight": 50}, step("number"), {"setWeight": 75}, {"pause": {}}]);
    let _controller = analysing(&space, &[plain(WEB, 2, &json!({"steps": steps})), unsure(&server)]);
    until_done(&space, WEB, 60);
    set_image(&space, WEB, "v2");
    until(&space, WEB, "a person is asked", 60, asks_a_person);
    let first = run_of_step(&space, 1, 2, 0);
    until_phase(&space, &first, "Inconclusive");
    let shown = space.get(WEB);
    assert_eq!(shown.run(&first), ["AnalysisRun", "?", "Inconclusive", "?", "1"], "{shown}");
    assert_eq!(shown.head("Message"), "InconclusiveAnalysisRun", "{shown}");
    assert_eq!(server.asked().len(), 1);
    let paused = ("RolloutPaused", "Rollout is paused (InconclusiveAnalysisRun)");
    space.until("it is said", secs(20), |seen| seen.events(WEB).contains(&paused));

    // As Argo CD's button does; the plugin has no command for it.
    let resume = json!({"status": {"pauseConditions": null}});
    space.patch(&format!("rollout/{WEB}"), "status", &resume).ok();
    let second = run_of_step(&space, 1, 2, 1);
    until_phase(&space, &second, "Inconclusive");
    until(&space, WEB, "a person is asked again", 60, asks_a_person);
    assert_eq!(server.asked().len(), 2, "one run, one question");

    space.plugin(&["promote", WEB]).ok();
    until(&space, WEB, "at the pause after it", 60, |rollout| rollout.is_paused_at(3));
    assert_eq!(server.asked().len(), 2);
    space.plugin(&["promote", WEB]).ok();
    until_done(&space, WEB, 60);
    assert_eq!(space.seen(|seen| seen.runs().len()), 2, "{}", space.report());
}

#[test]
fn a_run_that_a_person_terminates_is_no_verdict() {
    let space = Bed::shared().namespace("terminated");
    let server = Answering::start(json!({"ok": true}));
    let long = json!({"interval": "1s", "count": 1000, "successCondition": "result.ok"});
    let steps = json!([{"setWeight": 50}, step("ok")]);
    let objects =
        [plain(WEB, 2, &json!({"steps": steps})), template("ok", &[], &asks("ok", &server, "/ok", &long))];
    let _controller = analysing(&space, &objects);
    until_done(&space, WEB, 60);
    set_image(&space, WEB, "v2");
    space.until("it is measured", secs(60), |seen| {
        seen.run("Step").is_some_and(|run| run.metric("ok").is_some())
    });
    let run = run_of_step(&space, 1, 2, 0);
    let said = space.plugin(&["terminate", "analysisrun", &run]).ok();
    assert!(said.out.contains("terminated"), "{said}");
    until_phase(&space, &run, "Successful");
    until(&space, WEB, "a person is asked", 60, asks_a_person);
    let message = space.seen(|seen| seen.run("Step").unwrap().message().to_owned());
    assert_eq!(message, "Run Terminated");
    space.plugin(&["promote", WEB]).ok();
    until_done(&space, WEB, 60);
}

#[test]
fn a_run_that_is_made_by_hand_is_run_to_its_end() {
    let space = Bed::shared().namespace("alone");
    let server = Answering::start(json!({"ok": true, "n": 5}));
    let ok =
        json!({"interval": "1s", "count": 3, "successCondition": "result.ok", "consecutiveErrorLimit": 0});
    let mut metric = asks("ok", &server, "", &ok);
    metric["provider"]["web"]["url"] = json!("{{args.url}}");
    let known = template("known", &["url"], &metric);
    let mut of_all = known.clone();
    of_all["kind"] = json!("ClusterAnalysisTemplate");
    of_all["metadata"]["name"] = json!(space.name);
    let file = space.bed.file(&format!("{}.json", space.name));
    fs::write(&file, unsure(&server).to_string()).unwrap();
    let controller = analysing(&space, &[known, of_all]);
    let create = |name: &str, words: &[&str]| {
        let words = [&["create", "analysisrun", "--name", name], words].concat();
        let said = space.plugin(&words).ok();
        assert!(said.out.contains("created"), "{said}");
    };
    let url = format!("url={}", server.url("/ok"));
    create("of-template", &["--from", "known", "--argument", &url]);
    create("of-cluster-template", &["--global", "--from", &space.name, "--argument", &url]);
    create("of-file", &["--from-file", file.to_str().unwrap()]);
    create("of-nonsense", &["--from", "known", "--argument", "url=ftp://nowhere.test"]);
    for (name, phase, health) in [
        ("of-template", "Successful", "Healthy"),
        ("of-cluster-template", "Successful", "Healthy"),
        ("of-file", "Inconclusive", "Unknown"),
        ("of-nonsense", "Error", "Degraded"),
    ] {
        until_phase(&space, name, phase);
        let (reason, text) = (format!("AnalysisRun{phase}"), format!("Analysis Completed. Result: {phase}"));
        space.until("it is said", secs(20), |seen| seen.events(name).contains(&(&*reason, &*text)));
        assert_eq!(space.seen(|seen| seen.healths(name)), ["Progressing", health], "{name}");
    }
    let status = space.seen(|seen| seen.object("AnalysisRun", "of-template").unwrap()["status"].clone());
    assert_eq!(status["metricResults"][0]["count"], 3, "{status}");
    drop(controller);
    space.kubectl(&["delete", "clusteranalysistemplate", &space.name]).ok();
}

/// The plugin's own check accepts what this controller releases.
#[test]
fn rollouts_with_analyses_pass_the_plugins_lint() {
    let space = Bed::shared().namespace("lint");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/analysis");
    for file in ["web.yaml", "templates.yaml"] {
        space.plugin(&["lint", "--filename", folder.join(file).to_str().unwrap()]).ok();
    }
    let mut rollout = plain(WEB, 1, &json!({"steps": [step("ok")]}));
    rollout["spec"]["strategy"]["canary"]["steps"][0]["analysis"]["template"] = json!("ok");
    let file = space.bed.file("misspelt.json");
    fs::write(&file, rollout.to_string()).unwrap();
    let said = space.plugin(&["lint", "--filename", file.to_str().unwrap()]);
    assert_ne!(said.code, 0, "{said}");
}
