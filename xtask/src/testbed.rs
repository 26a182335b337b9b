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
    process::Command,
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

const USAGE: &str = "usage: cargo xtask testbed build             what is missing; minutes when cold
       cargo xtask testbed up [--mesh] …     starts a cluster, prints what to export
       cargo xtask testbed status            what runs
       cargo xtask testbed run -- COMMAND…   runs a command inside its network
       cargo xtask testbed down              stops it
       cargo xtask testbed smoke             tries it all once, in a cluster of its own
Every flag: cargo xtask testbed up --help";

/// Builds what is missing, then does what is asked for.
pub(crate) fn testbed(arguments: &[String]) -> Result<(), Failed> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(format!("which command?\n{USAGE}"));
    };
    let places = Places::of(&Workspace::read()?);
    match command.as_str() {
        "build" if rest.is_empty() => build::build(&places),
        "up" => {
            build::build(&places)?;
            call(&places, command, rest)
        }
        "smoke" if rest.is_empty() => {
            build::build(&places)?;
            call(&places, command, rest)
        }
        "down" | "status" | "run" => call(&places, command, rest),
        other => Err(format!("there is no command `{other}`\n{USAGE}")),
    }
}

/// Becomes the program `cluster`; the folder is the target folder's unless another is named.
fn call(places: &Places, command: &str, arguments: &[String]) -> Result<(), Failed> {
    let program = places.bin().join("cluster");
    if !program.exists() {
        return Err("the test bed is not built: cargo xtask testbed build".into());
    }
    let mut cluster = Command::new(&program);
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

    #[test]
    fn a_folder_is_named_before_the_command_only() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<String>>();
        assert!(names_a_folder(&words("--mesh --dir /tmp/a")));
        assert!(names_a_folder(&words("-dir=/tmp/a --mesh")));
        assert!(!names_a_folder(&words("--in gateway -- ls --dir /tmp")));
    }

    #[test]
    fn what_is_missing_is_named() {
        let why = tool("no-such-program", "apt-get install it").unwrap_err();
        assert!(why.contains("`no-such-program`") && why.contains("apt-get install it"), "{why}");
        assert!(tool("sh", "").is_ok());
    }
}
