//! No test is switched off, and none waits by sleeping.

use crate::{run::Failed, sources, workspace::Workspace};
use std::path::Path;

/// How Rust code waits in real time; in pieces, so that this line is not found.
const SLEEP: &str = concat!("thread::", "sleep");
/// The one place where real time passes: figures over a period, and answers that are late on purpose.
const PERIOD: &str = "examples/tests/cluster/bed/period.rs";

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let (mut count, mut wrong) = (0, Vec::new());
    for source in sources.iter().filter(|source| source.path.extension().is_some_and(|e| e == "rs")) {
        for (at, line) in source.text.lines().enumerate() {
            count += usize::from(line.trim_start().starts_with("#[test]"));
            if let Some(what) = fault(line).filter(|_| source.path != Path::new(PERIOD)) {
                wrong.push(format!("{}:{}: {what}", source.path.display(), at + 1));
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{count} tests")) } else { Err(wrong.join("\n")) }
}

fn fault(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    let fence = line.trim_start_matches(['/', '!', ' ']).strip_prefix("```");
    if line.starts_with("#[ignore") {
        Some("an ignored test: mend it or take it out")
    } else if line.starts_with("//")
        && fence.is_some_and(|info| info.split(',').any(|word| word.trim() == "ignore"))
    {
        Some("an ignored example: make it compile, or call it `text`")
    } else if !line.starts_with("//") && line.contains(SLEEP) {
        Some("waits by sleeping: wait for what is to happen, in virtual time")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{SLEEP, fault};

    #[test]
    fn what_is_switched_off_is_found() {
        let attribute = ["    #[", "ignore = \"slow\"]"].concat();
        assert!(fault(&attribute).is_some());
        assert!(fault("/// ```rust,ignore").is_some());
        assert!(fault("//! ```text").is_none());
        assert!(fault(&format!("    std::{SLEEP}(a_second);")).is_some());
    }
}
