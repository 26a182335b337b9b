//! `simulate` from the command line to the exit code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, also in what several tests share"
)]

mod analysis;
mod analysis_lint;
mod bad_input;
mod clusters;
mod folder;
mod folders;
mod front;
mod json;
mod kustomize;
mod mistakes;
mod namespaces;
mod pods;
mod reach;
mod replay;
mod script;
mod timelines;
mod together;
mod traffic;
mod workload_ref;
mod world;

use serde_json::Value;
use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const WEIGHT: &str = "examples/manifests/weight";
const HEADER: &str = "examples/manifests/header";
/// The update of the guide.
const V2: &str = "dubbo3-provider:spec.template.metadata.labels.version=v2";

/// What a run printed, and its exit code.
#[derive(Debug)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

/// From the repository's root, as a user runs it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn simulate(words: &[&str]) -> Run {
    simulate_with(words, "")
}

fn simulate_with(words: &[&str], stdin: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(words)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that refuses its command line never reads it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The events of one Rollout.
fn events(rollout: &str, words: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    let run = simulate(&words);
    assert_ne!(run.code, 2, "{}", run.err);
    let all = run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|event| event["rollout"] == rollout).collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["kind"] == kind).collect()
}

fn summary(events: &[Value]) -> &Value {
    let summary = events.last().unwrap();
    assert_eq!(summary["kind"], "summary");
    summary
}

/// Compares with a file under `tests/golden`; `UPDATE_GOLDEN=1` writes it instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    if known != text {
        let diff = similar::TextDiff::from_lines(&known, text).unified_diff().header(name, "now").to_string();
        panic!("{diff}\nif this is meant: UPDATE_GOLDEN=1 cargo test -p examples --test simulate");
    }
}
