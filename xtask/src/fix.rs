//! `cargo xtask fix`: what a program can mend by itself.

use crate::{
    built, documents,
    run::{Failed, cargo, run},
    workspace::Workspace,
};
use clap::builder::PossibleValuesParser;

type Mend = fn(&Workspace) -> Result<(), Failed>;

/// What is mended: what it is called on the command line, and how it is done.
const PARTS: [(&str, Mend); 3] = [("lint", lint), ("format", format), ("quotes", quotes)];

/// What is mended.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The parts to mend [default: all]
    #[arg(value_name = "PART", value_parser = PossibleValuesParser::new(PARTS.map(|(part, _)| part)))]
    parts: Vec<String>,
}

/// Mends the parts that are named, or all. Writes.
pub(crate) fn fix(arguments: &Arguments) -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    for (part, mend) in PARTS {
        if arguments.parts.is_empty() || arguments.parts.iter().any(|name| name == part) {
            mend(&workspace)?;
        }
    }
    println!("\nmended what a program can mend; `cargo xtask verify` says what is left");
    Ok(())
}

/// What clippy can mend by itself.
fn lint(_: &Workspace) -> Result<(), Failed> {
    run(cargo()
        .args(["clippy", "--fix", "--workspace", "--all-targets", "--all-features"])
        .args(["--allow-dirty", "--allow-staged"]))
}

fn format(_: &Workspace) -> Result<(), Failed> {
    run(cargo().args(["fmt", "--all"]))
}

/// The outputs that the documents quote.
fn quotes(workspace: &Workspace) -> Result<(), Failed> {
    built::build()?;
    documents::quote(workspace, documents::Mode::Write).map(|_| ())
}
