//! `cargo xtask conform`: the API server and the istiod that are played in tests answer as real ones.

use crate::{
    built::test_of,
    run::{Failed, run},
    testbed,
};

/// Which of the two is compared: how its test is called, and how many sequences are usual.
const SERVER: (&str, u64) = ("conform::table_of_conformity", 5_000);
const MESH: (&str, u64) = ("conform_mesh::table_of_conformity", 100);

/// What is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many random sequences [default: 5000; with --mesh, 100]
    #[arg(value_name = "COUNT")]
    count: Option<u64>,
    /// Compare the simulated istiod instead of the API server
    #[arg(long)]
    mesh: bool,
}

/// Runs it; fails when an answer differs.
pub(crate) fn conform(arguments: &Arguments) -> Result<(), Failed> {
    let (test, usual) = if arguments.mesh { MESH } else { SERVER };
    let many = arguments.count.unwrap_or(usual);
    testbed::testbed(&testbed::Command::Build)?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg(test)
        .env("CONFORM", many.to_string()))
}
