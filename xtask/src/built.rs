//! How everything is built that the test command runs: once.

use crate::{
    run::{Failed, cargo, run},
    workspace::Workspace,
};
use std::{path::PathBuf, process::Command};

/// The engine is optimised also where it is tested: the laws take millions of decisions. Overflow checks and
/// debug assertions stay on.
pub(crate) const PROFILE: &str = "checked";
/// Everything that a user may turn on.
const FEATURES: &str = "--features=rollout-core/argo,rollout-core/yaml,rollout-core/testing";

/// The adapter to a cluster: a Kubernetes client is twice as much to build as everything else.
pub(crate) const CLUSTER: &str = "rollout-kube";

/// `cargo test` for all packages but the adapter to a cluster.
pub(crate) fn test_engine() -> Command {
    test(["--workspace", "--exclude", CLUSTER, FEATURES])
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

/// Builds what [`test_engine`] runs, the programs of the examples too.
pub(crate) fn build() -> Result<(), Failed> {
    run(test_engine().arg("--no-run"))
}

/// One of the examples' programs. It was built with the tests, as cargo builds programs for the tests of their
/// package; `cargo run` would build it, and the engine, with other features once more.
pub(crate) fn program(workspace: &Workspace, name: &str) -> Command {
    Command::new(workspace.target.join(PROFILE).join(name))
}

/// The program `controller`, as users build it.
#[derive(Debug)]
pub(crate) struct Controller(pub(crate) PathBuf);

impl Controller {
    /// Builds it.
    pub(crate) fn as_it_ships(workspace: &Workspace) -> Result<Self, Failed> {
        run(cargo()
            .args(["build", "--locked", "--release", "--package=examples"])
            .args(["--features=cluster", "--bin=controller"]))?;
        Ok(Self(workspace.target.join("release/controller")))
    }
}
