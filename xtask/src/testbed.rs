//! `cargo xtask testbed`: a private Kubernetes cluster, if asked for with a mesh, on this machine alone.
//!
//! What runs in it, and how, is in `rollout-kube/testbed/`; here it is built, and its program `cluster` called.

mod build;
mod parts;

use crate::{run::Failed, workspace::Workspace};
use std::{
    env,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process,
};

/// Where the test bed is in the target folder.
#[derive(Debug)]
struct Places {
    /// Our sources.
    sources: PathBuf,
    /// Everything that is built.
    built: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace) -> Self {
        Self { sources: workspace.root.join("rollout-kube/testbed"), built: workspace.target.join("testbed") }
    }

    /// The folder of programs.
    fn bin(&self) -> PathBuf {
        self.built.join("bin")
    }
}

/// The test bed, built.
#[derive(Debug)]
pub(crate) struct TestBed(Places);

impl TestBed {
    /// Builds what is missing.
    pub(crate) fn built(workspace: &Workspace) -> Result<Self, Failed> {
        let places = Places::of(workspace);
        build::build(&places)?;
        Ok(Self(places))
    }

    /// The unit tests of its own Go code.
    pub(crate) fn test(&self) -> Result<(), Failed> {
        build::test(&self.0)
    }
}

/// What is done with the test bed.
#[derive(Debug, clap::Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Command {
    /// Build what is missing; minutes when cold
    Build,
    /// Start a cluster, and print what to export; with --mesh, also istiod and Envoys. `up --help` lists more options
    Up(Passed),
    /// Say what runs
    Status(Passed),
    /// Run a command inside the network of the cluster: run -- COMMAND…
    Run(Passed),
    /// Stop the cluster
    Down(Passed),
    /// Try everything once, in a cluster of its own
    Smoke,
}

/// What the program `cluster` is told, as it stands.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Passed {
    /// Options for the program that runs the cluster; --help lists them
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Builds what is missing, then does what is asked for.
pub(crate) fn testbed(command: &Command) -> Result<(), Failed> {
    let places = Places::of(&Workspace::read()?);
    match command {
        Command::Build => build::build(&places),
        Command::Up(passed) => {
            build::build(&places)?;
            call(&places, "up", &passed.words)
        }
        Command::Smoke => {
            build::build(&places)?;
            call(&places, "smoke", &[])
        }
        Command::Status(passed) => call(&places, "status", &passed.words),
        Command::Run(passed) => call(&places, "run", &marked(&passed.words)),
        Command::Down(passed) => call(&places, "down", &passed.words),
    }
}

/// The words with the `--` in front of the command, which is gone if nothing was in front of it.
fn marked(words: &[String]) -> Vec<String> {
    let is_bare = words.first().is_some_and(|word| !word.starts_with('-'));
    is_bare.then(|| "--".to_owned()).into_iter().chain(words.iter().cloned()).collect()
}

/// Becomes the program `cluster`; the folder is the target folder's unless another is named.
fn call(places: &Places, command: &str, arguments: &[String]) -> Result<(), Failed> {
    let program = places.bin().join("cluster");
    if !program.exists() {
        return Err("the test bed is not built: cargo xtask testbed build".into());
    }
    let mut cluster = process::Command::new(&program);
    cluster.arg(command);
    if command != "smoke" && env::var_os("TESTBED_DIR").is_none() && !names_a_folder(arguments) {
        cluster.arg("--dir").arg(places.built.join("cluster"));
    }
    let why = cluster.args(arguments).exec();
    Err(format!("{}: {why}", program.display()))
}

/// Whether `--dir` is among the arguments, before a command to run.
fn names_a_folder(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| argument.trim_start_matches('-').split('=').next() == Some("dir"))
}

/// A program on this machine, or how to get it.
fn tool(program: &str, how_to_get_it: &str) -> Result<PathBuf, Failed> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("the test bed needs `{program}`, and this machine has none: {how_to_get_it}"))
}

/// The path in words.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{FromArgMatches as _, Subcommand as _};

    #[test]
    fn a_folder_is_named_before_the_command_only() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<String>>();
        assert!(names_a_folder(&words("--mesh --dir /tmp/a")));
        assert!(names_a_folder(&words("-dir=/tmp/a --mesh")));
        assert!(!names_a_folder(&words("--in gateway -- ls --dir /tmp")));
    }

    #[test]
    fn the_command_to_run_is_passed_as_it_stands() {
        for (line, passed) in [
            ("run -- ls --dir /tmp", "-- ls --dir /tmp"),
            ("run ls -l", "-- ls -l"),
            ("run --in gateway -- ls --dir /tmp", "--in gateway -- ls --dir /tmp"),
            ("run --help", "--help"),
        ] {
            let command = Command::augment_subcommands(clap::Command::new("testbed").no_binary_name(true));
            let read = command.try_get_matches_from(line.split(' ')).unwrap();
            let Ok(Command::Run(words)) = Command::from_arg_matches(&read) else { panic!("{line}") };
            assert_eq!(marked(&words.words).join(" "), passed, "{line}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let why = tool("no-such-program", "apt-get install it").unwrap_err();
        assert!(why.contains("`no-such-program`") && why.contains("apt-get install it"), "{why}");
        assert!(tool("sh", "").is_ok());
    }
}
