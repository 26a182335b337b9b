//! What the program says about itself, and in which colours.

use crate::{WEIGHT, root, simulate};
use std::process::Command;

#[test]
fn completions_and_the_man_page_know_every_option() {
    let help = simulate(&["--help"]).out;
    let options: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
        .collect();
    assert!(options.len() > 20, "{options:?}");
    let completions = simulate(&["--completions", "bash"]);
    let man = simulate(&["--man"]);
    assert_eq!((completions.code, man.code), (0, 0));
    let man = man.out.replace("\\-", "-");
    for option in options {
        assert!(completions.out.contains(option) && man.contains(option), "{option}");
    }
    assert!(man.contains("\n.SH \"SIMULATED WORLD\"\n"), "{man}");
}

#[test]
fn without_a_path_it_says_what_it_is_for() {
    let run = simulate(&[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("Simulate the canary releases"), "{}", run.err);
    assert!(simulate(&["--version"]).out.starts_with("simulate "));
}

#[test]
fn a_wrong_command_line_is_said_to_machines_too() {
    let run = simulate(&[WEIGHT, "--json", "--repicas", "3"]);
    assert_eq!((run.code, run.err.as_str()), (2, ""));
    let said: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(said["what"], "unexpected argument '--repicas' found");
    assert_eq!(said["instead"], "a similar argument exists: '--replicas'");
}

/// What is said about a wrong word with these variables in the environment.
fn said(environment: &[(&str, &str)]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_simulate"));
    program
        .current_dir(root())
        .args([WEIGHT, "--at", "12m"])
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE");
    let output = program.envs(environment.iter().copied()).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn colours_are_for_terminals() {
    let plain = said(&[]);
    assert!(plain.starts_with("error: ") && !plain.contains('\u{1b}'), "{plain}");
    assert!(said(&[("CLICOLOR_FORCE", "1")]).starts_with("\u{1b}["));
    assert_eq!(said(&[("NO_COLOR", "1")]), plain);
}
