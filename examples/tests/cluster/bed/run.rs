//! Programs, run to their end.

use std::{
    fmt,
    io::Write as _,
    process::{Command, Stdio},
};

/// What a program said, and its exit code.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// What was run.
    pub(crate) command: String,
    /// Exit code; -1 when it was killed.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What it complained about.
    pub(crate) err: String,
}

impl Ran {
    /// Runs it.
    pub(super) fn run(command: &mut Command, stdin: &str) -> Self {
        let shown = std::iter::once(command.get_program()).chain(command.get_args());
        let shown: Vec<_> = shown.map(|word| word.to_string_lossy()).collect();
        let shown = shown.join(" ");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("{shown}: {why}"));
        // One that fails early does not read it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            command: shown,
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// It has to have succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\n{}{}(exit code {})", self.command, self.out, self.err, self.code)
    }
}

/// A program that does not outlive the test: the kernel kills it when the thread ends that started it.
pub(super) fn dies_with_the_test(program: &std::path::Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Sends a signal (`STOP`, `CONT`, `TERM`).
pub(super) fn signal(process: &str, name: &str) {
    Ran::run(Command::new("sh").args(["-c", &format!("kill -{name} {process}")]), "").ok();
}
