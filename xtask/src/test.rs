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

/// All tests; further arguments go to the test programs, as in `cargo xtask test -- weights`.
pub(crate) fn test(arguments: &[String]) -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    let began = Instant::now();
    run(cargo()
        .args(["test", "--locked", PROFILE, "--workspace", "--exclude=benches"])
        .args(["--features=rollout-core/argo,rollout-core/yaml,rollout-core/testing"])
        .args(arguments))?;
    step("all tests", began);
    run(cargo()
        .args(["test", "--locked", PROFILE, "--package=rollout-core", "--all-features"])
        .args(["--test=mutants"]))?;
    step("switched-off guards", began);
    for canary in ["weight", "header"] {
        let manifests = format!("examples/manifests/{canary}");
        run(cargo().args([
            "run",
            "--quiet",
            "--locked",
            PROFILE,
            "--package=examples",
            "--bin=simulate",
            "--",
            &manifests,
        ]))?;
    }
    step("both canaries", began);
    let quoted = documents::quote(&workspace, documents::Mode::Check)?;
    step(&format!("{quoted} outputs quoted in documents"), began);
    Ok(())
}

fn step(what: &str, began: Instant) {
    println!("\n== {what}: {:.0} s so far ==\n", began.elapsed().as_secs_f32());
}
