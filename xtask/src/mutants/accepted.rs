//! The list of mutants that may survive, each with a reason.

use super::found::{Found, Mutant};
use crate::run::Failed;
use std::{collections::BTreeSet, fs, path::Path};

/// The list. A line that is not indented names a mutant; the indented lines after it, or after several, say why no
/// test can notice it. Empty lines and those that begin with `#` mean nothing.
#[derive(Debug, Default)]
pub(super) struct Accepted(BTreeSet<Mutant>);

impl Accepted {
    /// Reads the list.
    pub(super) fn read(path: &Path) -> Result<Self, Failed> {
        let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        Self::of(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    fn of(text: &str) -> Result<Self, Failed> {
        let mut list = Self::default();
        let mut unexplained = None;
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            if line.starts_with(' ') {
                unexplained = None;
                continue;
            }
            let mutant = read(line).ok_or_else(|| format!("write `FILE: CHANGE, at: LINE`, not\n{line}"))?;
            if !list.0.insert(mutant) {
                return Err(format!("named twice:\n{line}"));
            }
            unexplained = Some(line);
        }
        match unexplained {
            Some(line) => Err(format!("without a reason:\n{line}")),
            None => Ok(list),
        }
    }

    /// What is wrong: survivors that are not in the list; after a run of all mutants also what is in the list and did
    /// not survive.
    pub(super) fn judge(&self, found: &Found, all: bool) -> Vec<String> {
        let survivors = found.survivors();
        let unexplained = survivors.iter().filter(|mutant| !self.0.contains(**mutant));
        let mut wrong: Vec<String> =
            unexplained.map(|mutant| format!("survived: {}", mutant.shown())).collect();
        let stale = self.0.iter().filter(|mutant| all && found.has_file(&mutant.file));
        let stale = stale.filter(|mutant| !survivors.contains(mutant));
        wrong.extend(stale.map(|mutant| format!("accepted, but did not survive: {}", mutant.shown())));
        wrong
    }
}

fn read(line: &str) -> Option<Mutant> {
    let (file, rest) = line.split_once(": ")?;
    let (change, line) = rest.split_once(", at: ")?;
    Some(Mutant { file: file.into(), change: change.into(), line: line.into() })
}

#[cfg(test)]
mod tests {
    use super::{
        super::found::tests::{found, mutant},
        Accepted,
    };

    #[test]
    fn a_survivor_needs_a_reason_and_a_reason_a_survivor() {
        let list = format!("# why\n\n{}\n    A reason.\n", mutant("a > 1").shown());
        let list = Accepted::of(&list).unwrap();
        let (caught, survived) = ("CaughtMutant", "MissedMutant");
        assert!(list.judge(&found(&[("a > 1", survived), ("a > 2", caught)]), true).is_empty());
        let wrong = list.judge(&found(&[("a > 1", caught), ("a > 2", survived)]), true);
        let [unexplained, stale] = wrong.as_slice() else { panic!("{wrong:?}") };
        assert!(unexplained.starts_with("survived: ") && unexplained.ends_with("at: a > 2"), "{unexplained}");
        assert!(stale.starts_with("accepted, but") && stale.ends_with("at: a > 1"), "{stale}");
        assert!(list.judge(&found(&[("a > 2", caught)]), false).is_empty(), "only some were tried");
        assert!(list.judge(&found(&[]), true).is_empty(), "another room was tried");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error() {
        let line = mutant("a > 1").shown();
        for (text, words) in [
            (line.clone(), "without a reason"),
            (format!("{line}\n  Why.\n{line}\n  Why."), "named twice"),
            ("turn.rs: replace\n  Why.".to_owned(), "write `FILE"),
        ] {
            let why = Accepted::of(&text).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
    }
}
