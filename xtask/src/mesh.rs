//! `cargo xtask mesh`: every story with the real istiod and three real Envoys, as a table.

use crate::{
    built::{self, test_of},
    run::{Failed, cargo, run},
    testbed,
    workspace::Workspace,
};
use std::fs;

const USAGE: &str = "usage: cargo xtask mesh [--only RUN[,RUN…]]   a wrong name lists the right ones";

/// Runs it; fails when a request failed in any run but in the one without a guard, or when none failed in that one.
pub(crate) fn mesh(arguments: &[String]) -> Result<(), Failed> {
    let only = match arguments {
        [] => "",
        [flag, names] if flag == "--only" => names.as_str(),
        _ => return Err(USAGE.into()),
    };
    testbed::testbed(&["build".to_owned()])?;
    let workspace = Workspace::read()?;
    // The test builds the controller once more, as it ships, in this one's place.
    run(cargo()
        .args(["build", "--locked", "--profile", built::PROFILE, "--package=examples"])
        .args(["--features=_mutants", "--bin=controller"]))?;
    let controller = workspace.target.join(built::PROFILE).join("controller");
    let unguarded = controller.with_file_name("controller-unguarded");
    fs::copy(&controller, &unguarded).map_err(|why| format!("{}: {why}", controller.display()))?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("mesh::table::table_of_the_mesh")
        .env("MESH_ONLY", only)
        .env("MESH_UNGUARDED", &unguarded))
}
