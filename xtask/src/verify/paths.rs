//! Every path of the project that a document names exists.

use crate::{run::Failed, sources, workspace::Workspace};

/// How a path ends that is looked for.
const ENDINGS: [&str; 7] = [".rs", ".md", ".toml", ".yaml", ".jsonl", ".ci/run", "/"];

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let (mut count, mut wrong) = (0, Vec::new());
    for source in sources.iter().filter(|source| source.path.extension().is_some_and(|e| e == "md")) {
        for (at, line) in source.text.lines().enumerate() {
            for path in named(line) {
                count += 1;
                if !workspace.root.join(path).exists() {
                    wrong.push(format!("{}:{}: there is no `{path}`", source.path.display(), at + 1));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{count} mentions of a path")) } else { Err(wrong.join("\n")) }
}

/// The paths from the root that a line names between backquotes.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        word.contains('/') && word.chars().all(plain) && ENDINGS.iter().any(|ending| word.ends_with(ending))
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn only_paths_of_the_project_are_looked_for() {
        let line = "See `rollout-core/src/lib.rs`, `tests/`, `Status`, `a/{b,c}.rs` and `cargo xtask test`.";
        assert_eq!(named(line).collect::<Vec<_>>(), ["rollout-core/src/lib.rs", "tests/"]);
    }
}
