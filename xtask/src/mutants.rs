//! `cargo xtask mutants`: small changes to the code, one at a time; each must make a test fail.

mod accepted;
mod found;
mod rooms;

use crate::{
    run::{Failed, cannot_start, cargo, run, shown},
    workspace::Workspace,
};
use accepted::Accepted;
use found::Found;
use rooms::{ROOMS, Room, Suite};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Lists of survivors name mutants as this version does.
const VERSION: &str = "27.1.0";
/// Exit codes of cargo-mutants after a whole run: all caught, some survived, some took too long.
const RAN: [i32; 3] = [0, 2, 3];

const USAGE: &str = "\
usage: cargo xtask mutants [ROOM…] [--shard K/N] [--matching REGEX]

  ROOM                one of those below; all unless any is named
  --shard K/N         only part K of N; the first is 0/N
  --matching REGEX    only mutants whose name matches";

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    /// By name.
    rooms: BTreeSet<String>,
    /// Only some of the mutants, as cargo-mutants is told.
    some: Vec<String>,
}

/// Runs it; fails when a mutant survives that is not accepted, and when one is accepted that does not survive.
pub(crate) fn mutants(arguments: &[String]) -> Result<(), Failed> {
    let plan = plan(arguments)?;
    let workspace = Workspace::read()?;
    install()?;
    let accepted = Accepted::read(&workspace.root.join("xtask/src/mutants/accepted.txt"))?;
    let mut wrong = Vec::new();
    for suite in Suite::ALL {
        let rooms: Vec<&Room> = ROOMS.iter().filter(|room| room.suite == suite && plan.has(room)).collect();
        if rooms.is_empty() {
            continue;
        }
        let folder = workspace.target.join("mutants").join(suite.name());
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        try_all(suite, &rooms, &plan, &folder)?;
        let found = Found::read(&folder.join("mutants.out"))?;
        for room in &rooms {
            println!("{}", found.summary(room));
        }
        wrong.extend(accepted.judge(&found, plan.some.is_empty()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

impl Plan {
    fn has(&self, room: &Room) -> bool {
        self.rooms.is_empty() || self.rooms.contains(room.name)
    }
}

fn plan(arguments: &[String]) -> Result<Plan, Failed> {
    let mut plan = Plan::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let flag = match word.as_str() {
            "--shard" => "--shard",
            "--matching" => "--re",
            name if ROOMS.iter().any(|room| room.name == name) => {
                plan.rooms.insert(word.clone());
                continue;
            }
            other => return Err(format!("there is no room `{other}`\n{}", usage())),
        };
        let value = words.next().ok_or_else(|| format!("{word} takes a value\n{}", usage()))?;
        plan.some.extend([flag.to_owned(), value.clone()]);
    }
    Ok(plan)
}

fn usage() -> String {
    let rooms = ROOMS.iter().map(|room| format!("\n  {:<19} {}", room.name, room.files.join(", ")));
    format!("{USAGE}\n{}", rooms.collect::<String>())
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
fn try_all(suite: Suite, rooms: &[&Room], plan: &Plan, folder: &Path) -> Result<(), Failed> {
    let mut cargo = cargo();
    cargo.args(["mutants", "--no-shuffle", "--colors=never", "--profile=mutants", "--package"]);
    cargo.arg(suite.package()).arg("--output").arg(folder);
    // A baseline is soon over on an idle machine; this leaves room for a busy one.
    cargo.arg("--minimum-test-timeout=60");
    suite.tell(&mut cargo);
    for file in rooms.iter().flat_map(|room| room.files) {
        cargo.args(["--file", file]);
    }
    cargo.args(["--exclude", rooms::SWITCH]).args(&plan.some);
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
    use super::{Plan, plan};

    fn read(line: &str) -> Result<Plan, String> {
        plan(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_is_a_plan() {
        assert_eq!(read(""), Ok(Plan::default()));
        let plan = read("driver --shard 1/8 goal").unwrap();
        assert_eq!(plan.rooms.iter().collect::<Vec<_>>(), ["driver", "goal"]);
        assert_eq!(plan.some, ["--shard", "1/8"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, words) in [("cellar", "no room `cellar`"), ("--shard", "takes a value")] {
            let why = read(line).unwrap_err();
            assert!(why.contains(words) && why.contains("reconcile"), "{why}");
        }
    }
}
