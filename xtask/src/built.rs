//! How everything is built that the test command runs: once.

use crate::{
    run::{Failed, cargo, run},
    workspace::Workspace,
};
use std::process::Command;

/// The engine is optimised also where it is tested: the laws take millions of decisions. Overflow checks and
/// debug assertions stay on.
const PROFILE: &str = "checked";
/// Everything that a user may turn on.
const FEATURES: &str = "--features=rollout-core/argo,rollout-core/yaml,rollout-core/testing";

/// `cargo test` for all packages.
pub(crate) fn test_everything() -> Command {
    test(["--workspace", FEATURES])
}

/// `cargo test` for one package, with features that are still to be said.
pub(crate) fn test_of(package: &str) -> Command {
    test(["--package", package])
}

fn test<const N: usize>(of: [&str; N]) -> Command {
    let mut cargo = cargo();
    cargo.args(["test", "--locked", "--profile", PROFILE]).args(of);
    cargo
}

/// Builds what [`test_everything`] runs, the programs of the examples too.
pub(crate) fn build() -> Result<(), Failed> {
    run(test_everything().arg("--no-run"))
}

/// One of the examples' programs. It was built with the tests, as cargo builds programs for the tests of their
/// package; `cargo run` would build it, and the engine, with other features once more.
pub(crate) fn program(workspace: &Workspace, name: &str) -> Command {
    Command::new(workspace.target.join(PROFILE).join(name))
}
