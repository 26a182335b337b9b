//! The program that answers conformance questions: its protocol. That the answers are right is tested where
//! the rules are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

fn answers(questions: &[u8]) -> Vec<Value> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, questions) = (program.stdin.take().unwrap(), questions.to_vec());
    let writer = thread::spawn(move || input.write_all(&questions).unwrap());
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn it_says_how_it_is_asked() {
    let said = |word| Command::new(env!("CARGO_BIN_EXE_conformance")).arg(word).output().unwrap();
    let help = String::from_utf8(said("--help").stdout).unwrap();
    assert!(help.contains("lines of JSON from standard input"), "{help}");
    assert_eq!(said("--hlep").status.code(), Some(2));
}

#[test]
fn every_line_gets_an_answer() {
    let questions = b"not JSON\n\n[1]\n{}\n{\"id\":1,\"kind\":\"fly\"}\n\xff\xfe\n{\"id\":\"a\",\"kind\":\"pause\",\"input\":{\"duration\":\"10m\"}}";
    let answers = answers(questions);
    let errors = answers.iter().filter(|answer| answer["error"].is_string()).count();
    assert_eq!((answers.len(), errors), (6, 5), "{answers:?}");
    assert_eq!(answers[3]["id"], 1);
    assert!(answers[3]["error"].as_str().unwrap().contains("known are pause, fenceposts"));
    assert_eq!(answers[5], json!({"id": "a", "output": {"seconds": 600}}));
}

#[test]
fn every_kind_refuses_what_it_cannot_read() {
    let kinds = [
        "pause",
        "fenceposts",
        "replicas",
        "stepHash",
        "phase",
        "validate",
        "istio",
        "condition",
        "assess",
        "interval",
        "run",
        "compose",
    ];
    for kind in kinds {
        for input in [json!(null), json!(5), json!([]), json!({"rollout": 5, "duration": {}, "maxSurge": []})]
        {
            let line = json!({"id": kind, "kind": kind, "input": input}).to_string();
            let answer = &answers(line.as_bytes())[0];
            assert_eq!(answer["id"], kind);
            assert_ne!(answer.get("output").is_some(), answer.get("error").is_some(), "{answer}");
        }
    }
}

#[test]
fn the_answers_of_every_kind() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../rollout-core/tests/conformance");
    for kind in ["pause", "fenceposts", "replicas", "stepHash", "phase", "validate", "istio"] {
        let questions = std::fs::read_to_string(format!("{folder}/{kind}.jsonl")).unwrap();
        let answers = answers(questions.as_bytes());
        assert_eq!(answers.len(), questions.lines().count());
        for (line, answer) in questions.lines().zip(&answers) {
            let line: Value = serde_json::from_str(line).unwrap();
            let (want, got) = (&line["want"], &answer["output"]);
            assert_eq!(line["id"], answer["id"]);
            match kind {
                "pause" if want["error"] == true => assert!(answer["error"].is_string(), "{answer}"),
                "validate" => assert_eq!(want["valid"], got["valid"], "{line}"),
                "istio" => assert_eq!(
                    want["objects"].as_array().unwrap().len(),
                    got["objects"].as_array().unwrap().len()
                ),
                _ => assert_eq!(want, got, "{line}"),
            }
        }
    }
}
