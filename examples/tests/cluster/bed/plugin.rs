//! What `kubectl argo rollouts get rollout` shows.

use super::{Namespace, run::Ran};
use std::fmt;

/// Its output, as a person sees it.
#[derive(Debug, Clone)]
pub(crate) struct Shown(Ran);

impl Shown {
    /// The value after a word of the head: `Status`, `Step`, `SetWeight`, `Ready`, …; empty when it is not there.
    pub(crate) fn head(&self, word: &str) -> &str {
        let line = self.0.out.lines().find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(':'));
        line.unwrap_or_default().trim()
    }

    /// The images with their roles, sorted: `…:v0.2 (stable)`.
    pub(crate) fn images(&self) -> Vec<String> {
        let lines = self.0.out.lines().skip_while(|line| !line.starts_with("Images:"));
        let lines = lines.take_while(|line| !line.starts_with("Replicas:"));
        let mut images: Vec<String> =
            lines.map(|line| line.trim_start_matches("Images:").trim().to_owned()).collect();
        images.sort();
        images
    }

    /// The line of the tree of the ReplicaSet of a revision: its state, and what is said about it.
    pub(crate) fn replica_set(&self, revision: u32) -> &str {
        let mut lines = self.0.out.lines();
        lines.find(|line| line.trim_end().ends_with(&format!("# revision:{revision}")));
        lines.next().filter(|line| line.contains("ReplicaSet")).unwrap_or_default()
    }

    /// The line of the tree of an AnalysisRun: its words from its kind on, without its age.
    pub(crate) fn run(&self, name: &str) -> Vec<&str> {
        let mut lines = self.0.out.lines();
        let line = lines.find(|line| line.contains(&format!("α {name} "))).unwrap_or_default();
        let words = line.split_whitespace().skip_while(|word| *word != "AnalysisRun").enumerate();
        words.filter(|(at, _)| *at != 3).map(|(_, word)| word).collect()
    }

    /// How many pods the tree has that run.
    pub(crate) fn pods(&self) -> usize {
        self.0.out.lines().filter(|line| line.contains("□") && line.contains("✔ Running")).count()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Namespace {
    /// `kubectl argo rollouts get rollout NAME`.
    pub(crate) fn get(&self, rollout: &str) -> Shown {
        Shown(self.plugin(&["get", "rollout", rollout, "--no-color"]).ok())
    }
}
