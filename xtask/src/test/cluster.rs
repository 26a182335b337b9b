//! `cargo xtask test --cluster`: what needs a Kubernetes client, and what needs the test bed.

use super::step;
use crate::{
    built::{CLUSTER, test_of},
    run::{Failed, cannot_start, run, shown},
    testbed::TestBed,
    workspace::Workspace,
};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

/// Tests of this name print long tables: they have commands of their own.
const TABLES: &str = "table_";
/// So many tests on a cluster run at a time: each waits most of the time, for pods and proxies.
const AT_A_TIME: &str = "--test-threads=4";

pub(super) fn cluster() -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    let began = Instant::now();
    run(test_of(CLUSTER).arg("--all-features"))?;
    step("the adapter to a cluster, against API servers that are played", began);
    run(test_of("examples").args(["--features=histories", "--lib"]))?;
    run(test_of("examples").args(["--features=histories", "--doc"]))?;
    step("the controller's own command line", began);
    run(test_of("examples").args(["--features=histories", "--test=histories", "--", "--nocapture"]))?;
    step("the whole controller in random histories, in virtual time", began);
    run(test_of("examples").args(["--features=histories", "--test=argo_cd"]))?;
    step("what Argo CD makes of it", began);
    let bed = TestBed::built(&workspace)?;
    step("the test bed is built", began);
    bed.test()?;
    step("the test bed's own tests", began);
    let ran = on_a_cluster()?;
    step(&format!("{ran} tests on a cluster"), began);
    Ok(())
}

/// Runs the tests on a cluster, and sees to it that each has run.
fn on_a_cluster() -> Result<usize, Failed> {
    let mut list = tests();
    let listed = names(&crate::run::output(list.args(["--list", "--skip", TABLES]))?, ": test");
    let mut all = tests();
    let mut all = all.args(["--skip", TABLES, AT_A_TIME, "--show-output"]);
    println!("$ {}", shown(all));
    all = all.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = all.spawn().map_err(|why| cannot_start(all, &why))?;
    let mut said = String::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(|why| why.to_string())?;
        println!("{line}");
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().map_err(|why| why.to_string())?;
    let passed = names(&said, " ... ok");
    println!("\nof {} tests on a cluster, {} ran and passed", listed.len(), passed.len());
    compared(&listed, &passed)?;
    if status.success() { Ok(passed.len()) } else { Err(format!("`{}` failed ({status})", shown(all))) }
}

/// The test program, with arguments that are still to be said.
fn tests() -> Command {
    let mut cargo = test_of("examples");
    cargo.args(["--features=played", "--test=cluster", "--"]);
    cargo
}

/// Each test that is listed has to have passed; and there has to be one.
fn compared(listed: &BTreeSet<String>, passed: &BTreeSet<String>) -> Result<(), Failed> {
    if listed.is_empty() {
        return Err("there is no test on a cluster".into());
    }
    let missing: Vec<&str> = listed.difference(passed).map(String::as_str).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("did not pass: {}", missing.join(", "))) }
}

/// The tests that a test program speaks of in lines that end so.
fn names(said: &str, end: &str) -> BTreeSet<String> {
    let named = said.lines().filter_map(|line| line.strip_suffix(end));
    named.map(|name| name.trim_start_matches("test ").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{compared, names};

    #[test]
    fn a_test_that_did_not_run_is_named() {
        let listed = names("weight::one: test\nheader::two: test\n\n2 tests, 0 benchmarks\n", ": test");
        let passed =
            names("running 2 tests\ntest weight::one ... ok\ntest header::two ... FAILED\n", " ... ok");
        assert_eq!((listed.len(), passed.len()), (2, 1));
        assert_eq!(compared(&listed, &passed).unwrap_err(), "did not pass: header::two");
        assert!(compared(&listed, &listed).is_ok());
        assert!(compared(&names("", ": test"), &passed).is_err(), "an empty list says nothing");
    }
}
