//! `cargo xtask mesh`: every story, or every set-up, with the real istiod and three real Envoys, as a table.

use crate::{
    built::{self, test_of},
    run::{Failed, cargo, run},
    testbed,
    workspace::Workspace,
};
use std::{fs, process::Command};

/// Which stories are run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these runs, separated by commas. A wrong name lists the right ones
    #[arg(long, value_name = "RUNS", default_value = "", hide_default_value = true)]
    only: String,
    /// One story for each set-up that people have, with istiod quick and stopped, instead of every story for one set-up
    #[arg(long)]
    set_ups: bool,
}

/// Runs it; fails when a request failed in any run but in the one without a guard, or when none failed in that one.
pub(crate) fn mesh(arguments: &Arguments) -> Result<(), Failed> {
    testbed::testbed(&testbed::Command::Build)?;
    if arguments.set_ups {
        return run(table("setups::table::table_of_the_set_ups").env("MESH_ONLY", &arguments.only));
    }
    let workspace = Workspace::read()?;
    // The test builds the controller once more, as it ships, in this one's place.
    run(cargo()
        .args(["build", "--locked", "--profile", built::PROFILE, "--package=examples"])
        .args(["--features=_mutants", "--bin=controller"]))?;
    let controller = workspace.target.join(built::PROFILE).join("controller");
    let unguarded = controller.with_file_name("controller-unguarded");
    fs::copy(&controller, &unguarded).map_err(|why| format!("{}: {why}", controller.display()))?;
    run(table("mesh::table::table_of_the_mesh")
        .env("MESH_ONLY", &arguments.only)
        .env("MESH_UNGUARDED", &unguarded))
}

/// The test that prints a table.
fn table(name: &str) -> Command {
    let mut test = test_of("examples");
    test.args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact", name]);
    test
}
