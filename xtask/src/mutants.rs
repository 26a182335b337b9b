//! `cargo xtask mutants`: small changes to the code, one at a time; each must make a test fail.

mod accepted;
mod found;
mod rooms;

use crate::{
    run::{Failed, cannot_start, cargo, run, shown},
    workspace::Workspace,
};
use accepted::Accepted;
use clap::builder::PossibleValuesParser;
use found::Found;
use rooms::{ROOMS, Room, Suite};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Lists of survivors name mutants as this version does.
const VERSION: &str = "27.1.0";
/// Exit codes of cargo-mutants after a whole run: all caught, some survived, some took too long.
const RAN: [i32; 3] = [0, 2, 3];

/// What is mutated.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = areas())]
pub(crate) struct Arguments {
    /// The areas of the code to change, by the names below [default: all]
    #[arg(value_name = "AREA", value_parser = PossibleValuesParser::new(ROOMS.map(|room| room.name)),
        hide_possible_values = true)]
    areas: Vec<String>,
    /// Only part K of N; the first is 0/N
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only the mutants whose name matches
    #[arg(long, value_name = "REGEX")]
    matching: Option<String>,
}

/// Runs it; fails when a mutant survives that is not accepted, and when one is accepted that does not survive.
pub(crate) fn mutants(arguments: &Arguments) -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    install()?;
    let accepted = Accepted::read(&workspace.root.join("xtask/src/mutants/accepted.txt"))?;
    let mut wrong = Vec::new();
    for suite in Suite::ALL {
        let rooms: Vec<&Room> =
            ROOMS.iter().filter(|room| room.suite == suite && arguments.has(room)).collect();
        if rooms.is_empty() {
            continue;
        }
        let folder = workspace.target.join("mutants").join(suite.name());
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        try_all(suite, &rooms, arguments, &folder)?;
        let found = Found::read(&folder.join("mutants.out"))?;
        for room in &rooms {
            println!("{}", found.summary(room));
        }
        wrong.extend(accepted.judge(&found, arguments.some().is_empty()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

impl Arguments {
    fn has(&self, room: &Room) -> bool {
        self.areas.is_empty() || self.areas.iter().any(|area| area == room.name)
    }

    /// Only some of the mutants, as cargo-mutants is told.
    fn some(&self) -> Vec<&str> {
        let flags = [("--shard", &self.shard), ("--re", &self.matching)];
        flags.iter().filter_map(|(flag, value)| Some([*flag, value.as_deref()?])).flatten().collect()
    }
}

fn areas() -> String {
    let areas = ROOMS.iter().map(|room| format!("\n  {:<19} {}", room.name, room.files.join(", ")));
    format!("Areas:{}", areas.collect::<String>())
}

/// Installs cargo-mutants, unless this version is there already.
fn install() -> Result<(), Failed> {
    let asked = cargo().args(["mutants", "--version"]).stderr(Stdio::null()).output();
    let there = asked.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim_end().ends_with(VERSION));
    if there {
        return Ok(());
    }
    run(cargo().args(["install", "--locked", "cargo-mutants", "--version", VERSION]))
}

/// Tries every mutant of these rooms in a copy of the workspace.
fn try_all(suite: Suite, rooms: &[&Room], arguments: &Arguments, folder: &Path) -> Result<(), Failed> {
    let mut cargo = cargo();
    cargo.args(["mutants", "--no-shuffle", "--colors=never", "--profile=mutants", "--package"]);
    cargo.arg(suite.package()).arg("--output").arg(folder);
    // A baseline is soon over on an idle machine; this leaves room for a busy one.
    cargo.arg("--minimum-test-timeout=60");
    suite.tell(&mut cargo);
    for file in rooms.iter().flat_map(|room| room.files) {
        cargo.args(["--file", file]);
    }
    for switches in rooms::SWITCHES {
        cargo.args(["--exclude", switches]);
    }
    cargo.args(arguments.some());
    ran(&mut cargo)
}

fn ran(command: &mut Command) -> Result<(), Failed> {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status().map_err(|why| cannot_start(command, &why))?;
    if status.code().is_some_and(|code| RAN.contains(&code)) {
        return Ok(());
    }
    Err(format!("`{}` failed ({status})", shown(command)))
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{Args as _, Command, FromArgMatches as _};

    fn read(line: &str) -> Result<Arguments, clap::Error> {
        let command = Arguments::augment_args(Command::new("mutants").no_binary_name(true));
        Arguments::from_arg_matches(&command.try_get_matches_from(line.split_whitespace())?)
    }

    #[test]
    fn a_command_line_says_what_is_mutated() {
        assert!(read("").unwrap().some().is_empty());
        let arguments = read("driver --shard 1/8 goal").unwrap();
        assert_eq!(
            (arguments.areas.join(" "), arguments.some()),
            ("driver goal".into(), vec!["--shard", "1/8"])
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, words) in [("cellar", "invalid value 'cellar'"), ("--shard", "a value is required")] {
            let why = read(line).unwrap_err().to_string();
            assert!(why.contains(words), "{why}");
        }
        assert!(read("--help").unwrap_err().to_string().contains("  reconcile  "));
    }
}
