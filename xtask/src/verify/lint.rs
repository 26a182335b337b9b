//! Clippy has nothing to say about any package, taken alone, with its tests.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::{Package, Workspace},
};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let wrong: Vec<Failed> = workspace.members.iter().filter_map(|package| lint(package).err()).collect();
    if !wrong.is_empty() {
        return Err(wrong.join("\n") + "\n`cargo xtask fix` mends what clippy can mend by itself");
    }
    Ok(format!("{} packages, each alone, all targets", workspace.members.len()))
}

/// Twice where there are private features: without them the code that ships is linted, with them the rest.
fn lint(package: &Package) -> Result<(), Failed> {
    let public = package.public_features().join(",");
    let mut sets = vec![vec!["--features", &public]];
    if package.has_private_features() {
        sets.push(vec!["--all-features"]);
    }
    for set in sets {
        quietly(
            cargo()
                .args([
                    "clippy",
                    "--no-deps",
                    "--quiet",
                    "--locked",
                    "--all-targets",
                    "--package",
                    &package.name,
                ])
                .args(set)
                .args(["--", "--deny", "warnings"]),
        )?;
    }
    Ok(())
}
