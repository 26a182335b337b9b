//! `cargo xtask conform`: the API server and the istiod that are played in tests answer as real ones.

use crate::{
    built::test_of,
    run::{Failed, run},
    testbed,
};

const USAGE: &str =
    "usage: cargo xtask conform [N]          the API server: N random sequences; 5000 unless said otherwise
       cargo xtask conform --mesh [N]   istiod: 100 unless said otherwise";

/// Which of the two is compared: how its test is called, and how many sequences are usual.
const SERVER: (&str, u64) = ("conform::table_of_conformity", 5_000);
const MESH: (&str, u64) = ("conform_mesh::table_of_conformity", 100);

/// Runs it; fails when an answer differs.
pub(crate) fn conform(arguments: &[String]) -> Result<(), Failed> {
    let ((test, usual), rest) = match arguments {
        [mesh, rest @ ..] if mesh == "--mesh" => (MESH, rest),
        all => (SERVER, all),
    };
    let many = match rest {
        [] => usual,
        [many] => many.parse().map_err(|_| USAGE)?,
        _ => return Err(USAGE.into()),
    };
    testbed::testbed(&["build".to_owned()])?;
    run(test_of("examples")
        .args(["--features=played", "--test=cluster", "--", "--nocapture", "--exact"])
        .arg(test)
        .env("CONFORM", many.to_string()))
}
