//! `cargo xtask test`: every test.

use crate::{
    documents,
    run::{Failed, cargo, run},
    workspace::Workspace,
};
use std::time::Instant;

/// The engine is optimised also where it is tested: the laws take millions of decisions. Overflow and debug
/// assertions stay on. One profile for everything, so that nothing is compiled twice.
const PROFILE: &str = "--profile=checked";

/// What is built: everything that a user may turn on.
const FEATURES: &str = "--features=rollout-core/argo,rollout-core/yaml,rollout-core/testing";
/// The tests over random histories, by how their names begin: they are run apart, to show what they print.
const LAWS: &str = "every_law";

/// All tests. What a test program prints last is cargo's own: how many passed and how many failed.
pub(crate) fn test(arguments: &[String]) -> Result<(), Failed> {
    if let Some(unknown) = arguments.first() {
        return Err(format!("takes no arguments, got `{unknown}`; for one test, use `cargo test`"));
    }
    let workspace = Workspace::read()?;
    let began = Instant::now();
    let test = || {
        let mut cargo = cargo();
        cargo.args(["test", "--locked", PROFILE]);
        cargo
    };
    let everything = ["--workspace", FEATURES];
    run(test().args(everything).args(["--", "--skip", LAWS]))?;
    step("unit tests, integration tests, examples in the documentation", began);
    run(test().args(everything).args(["--test=laws", "--", "--nocapture", LAWS]))?;
    step("the laws over random histories", began);
    run(test().args(["--package=rollout-core", "--all-features", "--test=mutants", "--", "--nocapture"]))?;
    step("each guard switched off", began);
    for canary in ["weight", "header"] {
        let manifests = format!("examples/manifests/{canary}");
        let play = ["--package=examples", "--bin=simulate", "--", &manifests];
        run(cargo().args(["run", "--quiet", "--locked", PROFILE, FEATURES]).args(play))?;
    }
    step("both canaries of the examples", began);
    let quoted = documents::quote(&workspace, documents::Mode::Check)?;
    step(&format!("{quoted} outputs that the documents quote"), began);
    Ok(())
}

fn step(what: &str, began: Instant) {
    println!("\n== done: {what} ({:.0} s so far)\n", began.elapsed().as_secs_f32());
}
