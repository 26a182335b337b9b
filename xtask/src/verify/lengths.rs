//! No file is long: a room that a newcomer can see from its door.

use crate::{
    run::Failed,
    sources::{self, Source},
    workspace::Workspace,
};

/// No file of a library has more lines that ship.
const LONGEST: usize = 400;
/// Half of the core's files have fewer.
const CORE_MEDIAN: usize = 150;

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let mut wrong = Vec::new();
    let mut count = 0;
    for source in sources.iter().filter(|source| source.path.extension().is_some_and(|e| e == "rs")) {
        let lines = source.production_lines();
        count += 1;
        if lines > LONGEST {
            wrong.push(format!(
                "{}: {lines} lines that ship, {LONGEST} at most: which concept is missing? give it its own file",
                source.path.display()
            ));
        }
    }
    let median = median(sources::rust_in(&sources, "rollout-core/src".as_ref()));
    if median >= CORE_MEDIAN {
        wrong.push(format!(
            "half of the core's files have {median} lines or more, under {CORE_MEDIAN} is agreed"
        ));
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    Ok(format!("{count} files, none above {LONGEST} lines; the core's median is {median}"))
}

fn median<'a>(sources: impl Iterator<Item = &'a Source>) -> usize {
    let mut lines: Vec<_> = sources.map(Source::production_lines).filter(|lines| *lines > 0).collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or_default()
}
