//! `cargo xtask crash`: `kill -9` at every API write of an update, in every way, as a table.

use crate::{
    built::test_of,
    run::{Failed, run},
    testbed,
};

/// Runs it; fails when something does not come to rest or breaks a law.
pub(crate) fn crash(arguments: &[String]) -> Result<(), Failed> {
    if !arguments.is_empty() {
        return Err("takes nothing".into());
    }
    testbed::testbed(&["build".to_owned()])?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("crash::table_of_crashes"))
}
