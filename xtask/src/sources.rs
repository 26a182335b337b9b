//! The project's files, as git knows them.

use crate::{
    run::{Failed, output},
    workspace::Workspace,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One file of the project.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where, from the root.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

/// All text files of the project that are not ignored, whether committed or not.
pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Source>, Failed> {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = output(&mut git)?;
    Ok(listed
        .lines()
        .filter_map(|path| {
            let text = fs::read_to_string(workspace.root.join(path)).ok()?;
            Some(Source { path: path.into(), text })
        })
        .collect())
}

/// The Rust files below one folder of a package (`src`, `tests`, …).
pub(crate) fn rust_in<'a>(sources: &'a [Source], folder: &'a Path) -> impl Iterator<Item = &'a Source> {
    sources.iter().filter(move |source| {
        source.path.starts_with(folder) && source.path.extension().is_some_and(|e| e == "rs")
    })
}

impl Source {
    /// Whether all of it is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "tests")
            || self.path.file_name().is_some_and(|name| name == "tests.rs")
    }

    /// The lines that ship: what stands before the tests, without blank lines.
    pub(crate) fn production_lines(&self) -> usize {
        if self.is_test() {
            return 0;
        }
        self.text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .filter(|line| !line.trim().is_empty())
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_tests_do_not_ship() {
        let source = |path: &str| Source {
            path: path.into(),
            text: "//! A.\n\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n".into(),
        };
        assert_eq!(source("a/src/a.rs").production_lines(), 2);
        assert_eq!(source("a/tests/a.rs").production_lines(), 0);
        assert_eq!(source("a/src/a/tests.rs").production_lines(), 0);
    }
}
