//! The project's own commands: `cargo xtask --help` lists them.

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

use clap::Parser;
use std::process::ExitCode;

/// The project's own commands
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Run every test of the engine; with --cluster, those of the Kubernetes adapter, also on a private cluster
    Test(test::Arguments),
    /// Check what tests do not show: format, lints, documentation, dependencies. Changes nothing
    Verify(verify::Arguments),
    /// Mend what a program can mend: what clippy can, the format, what documents quote
    Fix(fix::Arguments),
    /// Compare the simulated API server (with --mesh, istiod) of the tests with a real one, on random input
    Conform(conform::Arguments),
    /// Kill the controller at every API write of an update, and print a table
    Crash,
    /// Run a private cluster and mesh on this machine
    #[command(subcommand)]
    Testbed(testbed::Command),
    /// Measure what many Rollouts cost our controller, or another beside it
    Bench(bench::Arguments),
    /// Count failed requests while istiod is quick, slow or stopped: a table, in half an hour
    Mesh(mesh::Arguments),
    /// Change the code in many small ways, one at a time: does a test notice each? Takes hours
    Mutants(mutants::Arguments),
}

fn main() -> ExitCode {
    let (name, outcome) = match Command::parse() {
        Command::Test(arguments) => ("test", test::test(&arguments)),
        Command::Verify(arguments) => ("verify", verify::verify(&arguments)),
        Command::Fix(arguments) => ("fix", fix::fix(&arguments)),
        Command::Conform(arguments) => ("conform", conform::conform(&arguments)),
        Command::Crash => ("crash", crash::crash()),
        Command::Testbed(command) => ("testbed", testbed::testbed(&command)),
        Command::Bench(arguments) => ("bench", bench::bench(&arguments)),
        Command::Mesh(arguments) => ("mesh", mesh::mesh(&arguments)),
        Command::Mutants(arguments) => ("mutants", mutants::mutants(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\n{name}: {why}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_declaration_is_sound() {
        super::Command::command().debug_assert();
    }
}
