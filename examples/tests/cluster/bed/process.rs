use super::run::dies_with_the_test;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

/// Any program at work, whatever it is: its output goes into a file. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with one more variable in its environment; the log is appended.
    pub(crate) fn start(program: &Path, flags: &[String], variable: (&str, &str), log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = dies_with_the_test(program)
            .args(flags)
            .env(variable.0, variable.1)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log: log.to_owned() }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has logged so far; an error when it has ended.
    pub(crate) fn log(&mut self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap();
        let ended = self.child.try_wait().unwrap();
        let last: Vec<&str> = text.lines().rev().take(20).collect();
        assert!(ended.is_none(), "it has ended: {ended:?}\n{}", last.join("\n"));
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
