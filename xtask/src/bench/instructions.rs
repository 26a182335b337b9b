//! `cargo xtask bench --instructions`: how many machine instructions one decision and one edit take.
//!
//! Instructions do not depend on what else the machine does, so a change of a few per cent shows. Each piece of work is
//! done N times and then 2 N times under callgrind: what the second run has more, divided by N, is one piece of work,
//! without the start of the program.

use crate::{
    run::{Failed, cargo, output, run, shown},
    workspace::Workspace,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How much more than the recorded number is accepted, in per cent.
const TOLERANCE: u64 = 5;
/// How often a piece of work is done in the first of the two runs.
const TIMES: u64 = 50;

pub(super) fn instructions(record: bool) -> Result<(), Failed> {
    let workspace = Workspace::read()?;
    let file = workspace.root.join("benches/instructions.txt");
    let recorded = if record { BTreeMap::new() } else { read(&file)? };
    let program = program(&workspace)?;
    let mut text = String::new();
    let mut slower = Vec::new();
    println!("{:>12} {:>12} {:>7}", "now", "recorded", "");
    for name in output(&mut Command::new(&program))?.lines() {
        let now = each(&program, name)?;
        text.extend([now.to_string().as_str(), "\t", name, "\n"]);
        let before = recorded.get(name).copied();
        println!(
            "{now:>12} {:>12} {:>7}  {name}",
            before.map_or("-".to_owned(), |n| n.to_string()),
            percent(now, before)
        );
        if before.is_some_and(|before| now * 100 > before * (100 + TOLERANCE)) {
            slower.push(name.to_owned());
        }
    }
    if record {
        return fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()));
    }
    if slower.is_empty() {
        return Ok(());
    }
    Err(format!("more than {TOLERANCE} % above what is recorded: {}", slower.join(", ")))
}

/// The program of the benchmarks, as fast as it ships.
fn program(workspace: &Workspace) -> Result<PathBuf, Failed> {
    run(cargo().args(["build", "--locked", "--release", "--package=benches", "--bin=instructions"]))?;
    Ok(workspace.target.join("release/instructions"))
}

/// Instructions of doing it once.
fn each(program: &Path, name: &str) -> Result<u64, Failed> {
    let (few, many) = (counted(program, name, TIMES)?, counted(program, name, 2 * TIMES)?);
    Ok(many.saturating_sub(few) / TIMES)
}

fn counted(program: &Path, name: &str, times: u64) -> Result<u64, Failed> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(name)
        .arg(times.to_string());
    let done = valgrind.stdin(Stdio::null()).output().map_err(|why| {
        format!("`{}` cannot be started: {why}; install the package valgrind", shown(&valgrind))
    })?;
    let text = String::from_utf8_lossy(&done.stderr);
    let collected = |line: &str| line.split_once("Collected : ")?.1.trim().parse().ok();
    let count = text.lines().find_map(collected).filter(|_| done.status.success());
    count.ok_or_else(|| format!("`{}` counted nothing:\n{text}", shown(&valgrind)))
}

fn read(file: &Path) -> Result<BTreeMap<String, u64>, Failed> {
    let text = fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let line = |line: &str| {
        let (count, name) = line.split_once('\t')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.lines()
        .map(|text| {
            line(text)
                .ok_or_else(|| format!("{}: `{text}`: write a number, a tab and a name", file.display()))
        })
        .collect()
}

fn percent(now: u64, before: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let change = |before: u64| format!("{:+.1} %", (now as f64 / before as f64 - 1.0) * 100.0);
    before.filter(|before| *before > 0).map_or(String::new(), change)
}
