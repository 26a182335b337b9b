//! Nothing names the machine or the workplace that it was written on.

use crate::{run::Failed, sources, workspace::Workspace};

/// What must not stand in any file. In pieces, so that it does not stand here either.
const FORBIDDEN: [(&[&str], &str); 6] = [
    (&["/wo", "rk/"], "a folder of one machine"),
    (&["../sha", "red"], "a folder beside the project"),
    (&[".lib", "rary"], "a folder of one machine"),
    (&["static.cra", "tes.io"], "a registry's host"),
    (&["cra", "tes.io/api"], "a registry's host"),
    (&["proxy.gol", "ang.org"], "a registry's host"),
];

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.path.extension().is_none_or(|e| e != "lock")) {
        for (at, line) in source.text.lines().enumerate() {
            for (pieces, what) in FORBIDDEN {
                if line.contains(&pieces.concat()) {
                    wrong.push(format!("{}:{}: names {what}: {line}", source.path.display(), at + 1));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{} files", sources.len())) } else { Err(wrong.join("\n")) }
}
