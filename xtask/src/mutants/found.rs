//! What cargo-mutants found.

use super::rooms::Room;
use crate::run::Failed;
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

/// A mutant without line numbers, so that a list of mutants outlives edits elsewhere in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mutant {
    /// Its file, from the workspace's root.
    pub(super) file: String,
    /// What was changed, in the words of cargo-mutants.
    pub(super) change: String,
    /// The line that was changed.
    pub(super) line: String,
}

impl Mutant {
    /// As it stands in the list.
    pub(super) fn shown(&self) -> String {
        format!("{}: {}, at: {}", self.file, self.change, self.line)
    }
}

/// Every mutant that was tried.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How it ended for each.
    mutants: Vec<(Mutant, Summary)>,
    /// Which files were mutated.
    files: BTreeSet<String>,
    seconds: f64,
}

/// How it ended for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Summary {
    #[serde(rename = "CaughtMutant")]
    Caught,
    #[serde(rename = "MissedMutant")]
    Survived,
    /// The tests went on for too long, which a person would notice, too.
    Timeout,
    /// It does not compile.
    Unviable,
    /// The unchanged code passed.
    Success,
    /// The unchanged code failed.
    Failure,
}

#[derive(Debug, Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: Summary,
    diff_path: Option<String>,
    phase_results: Vec<Phase>,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    Baseline,
    Mutant(Named),
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    file: String,
}

#[derive(Debug, Deserialize)]
struct Phase {
    duration: f64,
}

impl Found {
    /// Reads what cargo-mutants wrote into `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, Failed> {
        let path = folder.join("outcomes.json");
        let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        Self::of(&text, |diff| fs::read_to_string(folder.join(diff)).unwrap_or_default())
            .map_err(|why| format!("{}: {why}", path.display()))
    }

    fn of(outcomes: &str, diff: impl Fn(&str) -> String) -> Result<Self, Failed> {
        let outcomes: Outcomes = serde_json::from_str(outcomes).map_err(|why| why.to_string())?;
        let mut found = Self::default();
        for outcome in outcomes.outcomes {
            let Scenario::Mutant(Named { name, file }) = outcome.scenario else { continue };
            // The file itself may have been edited since.
            let diff = outcome.diff_path.map(|path| diff(&path)).unwrap_or_default();
            let line = changed(&diff).trim().to_owned();
            let change = name.split_once(": ").map_or(name.as_str(), |(_, change)| change).to_owned();
            found.seconds += outcome.phase_results.iter().map(|phase| phase.duration).sum::<f64>();
            found.files.insert(file.clone());
            found.mutants.push((Mutant { file, change, line }, outcome.summary));
        }
        Ok(found)
    }

    /// Those that no test noticed.
    pub(super) fn survivors(&self) -> BTreeSet<&Mutant> {
        let survived = self.mutants.iter().filter(|(_, summary)| *summary == Summary::Survived);
        survived.map(|(mutant, _)| mutant).collect()
    }

    /// Whether mutants of this file were tried.
    pub(super) fn has_file(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    /// How it ended in one room, in a line.
    pub(super) fn summary(&self, room: &Room) -> String {
        let here: Vec<_> = self.mutants.iter().filter(|(mutant, _)| room.has(&mutant.file)).collect();
        let count = |of| here.iter().filter(|(_, summary)| *summary == of).count();
        let mut text = format!("{:<10} {:>4} mutants", room.name, here.len());
        for (of, word) in [
            (Summary::Caught, "caught"),
            (Summary::Timeout, "took too long"),
            (Summary::Unviable, "do not compile"),
            (Summary::Survived, "survived"),
        ] {
            let _ = write!(text, ", {} {word}", count(of));
        }
        let each = self.seconds / f64::from(u32::try_from(self.mutants.len().max(1)).unwrap_or(u32::MAX));
        text + &format!(" ({each:.1} s each)")
    }
}

/// The first line that a diff takes away.
fn changed(diff: &str) -> &str {
    diff.lines().skip(1).find_map(|line| line.strip_prefix('-')).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Found, Mutant};
    use crate::mutants::rooms::ROOMS;
    use serde_json::{Value, json};

    /// In `turn.rs`, the `>` of each of these lines was tried.
    pub(in crate::mutants) fn found(lines: &[(&str, &str)]) -> Found {
        let file = "rollout-core/src/driver/turn.rs";
        let mutant = |(line, summary): &(&str, &str)| {
            json!({
                "scenario": { "Mutant": { "name": format!("{file}:9:7: replace > with < in f"), "file": file } },
                "summary": summary, "diff_path": line,
                "phase_results": [{ "duration": 1.5 }, { "duration": 0.5 }],
            })
        };
        let baseline = json!({ "scenario": "Baseline", "summary": "Success", "phase_results": [] });
        let outcomes: Vec<Value> = [baseline].into_iter().chain(lines.iter().map(mutant)).collect();
        let text = json!({ "outcomes": outcomes }).to_string();
        let diff =
            |line: &str| format!("--- {file}\n+++ replace\n@@ -1 +1 @@\n  fn f() {{\n-    {line}\n+    b");
        Found::of(&text, diff).unwrap()
    }

    pub(in crate::mutants) fn mutant(line: &str) -> Mutant {
        let (file, change) = ("rollout-core/src/driver/turn.rs".into(), "replace > with < in f".into());
        Mutant { file, change, line: line.into() }
    }

    #[test]
    fn a_survivor_is_known_by_its_line() {
        let found = found(&[("a > 1", "CaughtMutant"), ("a > 2", "MissedMutant"), ("a > 3", "Timeout")]);
        assert_eq!(found.survivors().into_iter().collect::<Vec<_>>(), [&mutant("a > 2")]);
        let driver = ROOMS.iter().find(|room| room.name == "driver").unwrap();
        assert_eq!(
            found.summary(driver),
            "driver        3 mutants, 1 caught, 1 took too long, 0 do not compile, 1 survived (2.0 s each)"
        );
    }
}
