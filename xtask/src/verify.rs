//! `cargo xtask verify`: what tests do not show. It reads only.

mod arrows;
mod deny;
mod docs;
mod features;
mod format;
mod lengths;
mod lint;
mod mentions;
mod msrv;
mod package;
mod paths;
mod scenarios;
mod switched_off;
mod unused;
mod wasm;

use crate::{run::Failed, workspace::Workspace};
use clap::builder::PossibleValuesParser;
use std::time::Instant;

/// One check.
struct Check {
    /// What it is called on the command line.
    name: &'static str,
    /// What holds when it passes.
    holds: &'static str,
    /// Says what was checked, or what is wrong and what to do.
    run: fn(&Workspace) -> Result<String, Failed>,
}

/// All of them: the cheapest first.
const CHECKS: [Check; 15] = [
    Check { name: "format", holds: "the code is formatted", run: format::check },
    Check { name: "lengths", holds: "no file is long", run: lengths::check },
    Check { name: "switched-off", holds: "no test is switched off or sleeps", run: switched_off::check },
    Check { name: "mentions", holds: "nothing names one machine or workplace", run: mentions::check },
    Check { name: "paths", holds: "every path that a document names exists", run: paths::check },
    Check { name: "scenarios", holds: "every scenario is listed", run: scenarios::check },
    Check { name: "arrows", holds: "packages depend only along the allowed arrows", run: arrows::check },
    Check { name: "unused", holds: "every dependency is used", run: unused::check },
    Check { name: "msrv", holds: "no dependency needs a newer compiler than we declare", run: msrv::check },
    Check { name: "deny", holds: "licences, sources and duplicates are as agreed", run: deny::check },
    Check { name: "package", holds: "the crates can be packaged", run: package::check },
    Check {
        name: "features",
        holds: "every set of features compiles without a warning",
        run: features::check,
    },
    Check { name: "lint", holds: "clippy has nothing to say about any package", run: lint::check },
    Check { name: "docs", holds: "the documentation builds without a warning", run: docs::check },
    Check { name: "wasm", holds: "the core builds for wasm without a standard library", run: wasm::check },
];

/// What is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The checks to run [default: all]
    #[arg(value_name = "CHECK", value_parser = PossibleValuesParser::new(CHECKS.map(|check| check.name)),
        hide_possible_values = true)]
    checks: Vec<String>,
    /// List the checks
    #[arg(long)]
    list: bool,
}

/// Runs the checks that are named, or all. All are run, also when one fails.
pub(crate) fn verify(arguments: &Arguments) -> Result<(), Failed> {
    if arguments.list {
        for check in &CHECKS {
            println!("{:<13} {}", check.name, check.holds);
        }
        return Ok(());
    }
    let workspace = Workspace::read()?;
    let mut failed = Vec::new();
    let named = &arguments.checks;
    for check in CHECKS.iter().filter(|check| named.is_empty() || named.iter().any(|name| name == check.name))
    {
        let began = Instant::now();
        let outcome = (check.run)(&workspace);
        let took = began.elapsed().as_secs_f32();
        match outcome {
            Ok(what) => println!("ok      {:<13} {what} ({took:.1} s)", check.name),
            Err(why) => {
                println!("FAILED  {:<13} not so: {} ({took:.1} s)\n{why}\n", check.name, check.holds);
                failed.push(check.name);
            }
        }
    }
    if failed.is_empty() {
        println!("\nverify: everything holds");
        return Ok(());
    }
    Err(format!("failed: {0}\nagain only these: cargo xtask verify {0}", failed.join(" ")))
}
