//! `cargo xtask conform`: the API server that is played in tests answers as a real one.

use crate::{
    built::test_of,
    run::{Failed, run},
    testbed,
};

const USAGE: &str = "usage: cargo xtask conform [N]   N random sequences; 5000 unless said otherwise";
const USUAL: u64 = 5_000;

/// Runs it; fails when an answer differs.
pub(crate) fn conform(arguments: &[String]) -> Result<(), Failed> {
    let many = match arguments {
        [] => USUAL,
        [many] => many.parse().map_err(|_| USAGE)?,
        _ => return Err(USAGE.into()),
    };
    testbed::testbed(&["build".to_owned()])?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("conform::table_of_conformity")
        .env("CONFORM", many.to_string()))
}
