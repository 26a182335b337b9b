//! `cargo xtask test`: every test.

mod cluster;

use crate::{
    built::{program, test_engine, test_of},
    documents,
    run::{Failed, run},
    workspace::Workspace,
};
use std::time::Instant;

/// The tests over random histories, by how their names begin: they are run apart, to show what they print.
const LAWS: &str = "every_law";

/// What is tested.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Test the adapter to Kubernetes, and whole releases on a private cluster. Needs Go and pip
    #[arg(long)]
    cluster: bool,
}

/// All tests of the engine; or, with `--cluster`, of the adapter to a cluster, and those on one. What a test program
/// prints last is cargo's own: how many passed and how many failed.
pub(crate) fn test(arguments: &Arguments) -> Result<(), Failed> {
    if arguments.cluster { cluster::cluster() } else { engine() }
}

fn engine() -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    let began = Instant::now();
    run(test_engine().args(["--", "--skip", LAWS]))?;
    step("unit tests, integration tests, examples in the documentation", began);
    run(test_engine().args(["--test=laws", "--", "--nocapture", LAWS]))?;
    run(test_engine().args(["--test=fleet", "--", "--nocapture", LAWS]))?;
    step("the laws over random histories, of one cluster and of several", began);
    run(test_of("rollout-core").args(["--all-features", "--test=mutants", "--", "--nocapture"]))?;
    step("each guard switched off", began);
    for canary in ["weight", "header", "clusters"] {
        run(program(&workspace, "simulate").arg(format!("examples/manifests/{canary}")))?;
    }
    step("the canaries of the examples", began);
    let quoted = documents::quote(&workspace, documents::Mode::Check)?;
    step(&format!("{quoted} outputs that the documents quote"), began);
    Ok(())
}

fn step(what: &str, began: Instant) {
    println!("\n== done: {what} ({:.0} s so far)\n", began.elapsed().as_secs_f32());
}
