//! `cargo xtask crash`: `kill -9` at every API write of an update, in every way, as a table.

use crate::{
    built::test_of,
    run::{Failed, run},
    testbed,
};

/// Runs it; fails when something does not come to rest or breaks a law.
pub(crate) fn crash() -> Result<(), Failed> {
    testbed::testbed(&testbed::Command::Build)?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg("crash::table_of_crashes"))
}
