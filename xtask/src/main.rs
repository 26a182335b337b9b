//! The project's own commands.
//!
//! ```text
//! cargo xtask test             every test of the engine, in the order of what fails fastest
//! cargo xtask test --cluster   the adapter to a cluster, and all on a real one: builds the test bed first
//! cargo xtask verify [CHECK…]  the gate: reads only, changes nothing
//! cargo xtask verify --list    what the gate checks
//! cargo xtask fix [PART…]      mends: what clippy can (lint), the format, what documents quote (quotes)
//! cargo xtask conform [N]      asks N random sequences of the played API server and of a real one, as a table;
//!                              with --mesh, N sequences happen to the played istiod and to a real one
//! cargo xtask crash            kills the controller at every API write of an update, as a table
//! cargo xtask testbed COMMAND  a private cluster and mesh on this machine: build, up, status, run, down, smoke
//! cargo xtask bench …          what N Rollouts cost, ours beside any other controller: a table
//! cargo xtask bench --instructions   machine instructions of a decision and an edit, against the recorded ones
//! cargo xtask mutants [ROOM…] changes the code in many small ways, one at a time: does a test notice each?
//! cargo xtask mesh             failed requests while istiod is quick, stopped or slow: a table, in half an hour
//! ```

mod bench;
mod built;
mod conform;
mod crash;
mod documents;
mod fix;
mod mesh;
mod mutants;
mod run;
mod sources;
mod test;
mod testbed;
mod verify;
mod workspace;

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        return usage("which command?");
    };
    let outcome = match command.as_str() {
        "test" => test::test(rest),
        "verify" => verify::verify(rest),
        "fix" => fix::fix(rest),
        "conform" => conform::conform(rest),
        "crash" => crash::crash(rest),
        "testbed" => testbed::testbed(rest),
        "bench" => bench::bench(rest),
        "mesh" => mesh::mesh(rest),
        "mutants" => mutants::mutants(rest),
        other => return usage(&format!("there is no command `{other}`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\n{command}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn usage(what: &str) -> ExitCode {
    eprintln!(
        "{what}\nusage: cargo xtask test [--cluster] | verify [CHECK…] | verify --list | fix [PART…] | testbed COMMAND | bench | mesh | crash | mutants [ROOM…] | conform"
    );
    ExitCode::from(2)
}
