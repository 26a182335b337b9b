//! The program `custom_backend`: its backend does what every backend must, and its controller comes to the end.

use custom_backend::Balancer;
use examples::pool::{Pool, run};
use rollout_core::testing::{Try, try_backend};
use std::{fs, process::Command, time::Duration};

#[expect(dead_code, reason = "only its backend is tried here")]
#[path = "../src/bin/custom_backend.rs"]
mod custom_backend;

#[test]
fn its_backend_does_what_every_backend_must() {
    let balancer = Balancer(Pool::new(Duration::ZERO, &[]));
    assert_eq!(run(try_backend(&balancer, &Try::new())), []);
}

#[test]
fn it_releases_by_weight_although_an_answer_gets_lost() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom_backend")).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}");
    let mut lines = out.lines();
    for said in [
        "completed: v1",
        "routed canary 20, stable 80",
        "paused until",
        "routed canary 50, stable 50",
        "no answer (it may have taken effect)",
        "completed: v2 is stable instead of v1",
        "routed canary 0, stable 100",
        "v1: 0 pods",
    ] {
        assert!(lines.any(|line| line.contains(said)), "{said}, in this order:\n{out}");
    }
}

#[test]
fn it_says_what_it_is() {
    let said = |word| Command::new(env!("CARGO_BIN_EXE_custom_backend")).arg(word).output().unwrap();
    assert!(said("--version").stdout.starts_with(b"custom_backend "));
    assert!(said("--help").status.success() && said("--hlep").status.code() == Some(2));
}

#[test]
fn it_is_as_short_as_it_promises() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/custom_backend.rs");
    let lines = fs::read_to_string(path).unwrap().lines().count();
    assert!(lines <= 150, "{lines} lines");
}
