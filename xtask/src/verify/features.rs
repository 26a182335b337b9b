//! Every set of features compiles, alone and together, without a warning.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::Workspace,
};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let (mut count, mut wrong) = (0, Vec::new());
    for package in workspace.members.iter().filter(|package| !package.public_features().is_empty()) {
        for set in package.feature_sets() {
            let set = set.into_iter().collect::<Vec<_>>().join(",");
            let tried = quietly(
                cargo()
                    .args(["clippy", "--no-deps", "--quiet", "--locked", "--lib", "--package", &package.name])
                    .args(["--no-default-features", "--features", &set])
                    .args(["--", "--deny", "warnings"]),
            );
            wrong.extend(tried.err());
            count += 1;
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n") + "\nput what needs a feature behind it, or turn the feature on with it");
    }
    Ok(format!("{count} sets of features that differ in what is on"))
}
