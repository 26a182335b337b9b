//! Every dependency is used: the code names it.

use crate::{
    run::Failed,
    sources::{self, Source},
    workspace::{Dependency, Package, Workspace},
};

/// Where a dependency must be named; one for tests may be named anywhere.
const SHIPPED: [&str; 2] = ["src", "build.rs"];
const TESTED: [&str; 5] = ["src", "build.rs", "tests", "benches", "examples"];

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let sources = sources::all(workspace)?;
    let (mut count, mut wrong) = (0, Vec::new());
    for package in &workspace.members {
        for dependency in &package.dependencies {
            count += 1;
            if !is_named(workspace, &sources, package, dependency) {
                let table = if dependency.is_for_tests() { "dev-dependencies" } else { "dependencies" };
                wrong.push(format!(
                    "{}: nothing names `{}`; take it out of [{table}]",
                    package.name,
                    dependency.identifier()
                ));
            }
        }
    }
    if wrong.is_empty() { Ok(format!("{count} dependencies")) } else { Err(wrong.join("\n")) }
}

fn is_named(workspace: &Workspace, sources: &[Source], package: &Package, dependency: &Dependency) -> bool {
    let folder = package.folder().strip_prefix(&workspace.root).unwrap_or(package.folder());
    // In a package of benchmarks the benchmarks are what ships; and what only some tests need can be optional only
    // among the ordinary dependencies.
    let whole = dependency.is_for_tests() || dependency.optional || package.name == "benches";
    let places = if whole { TESTED.as_slice() } else { SHIPPED.as_slice() };
    places.iter().map(|place| folder.join(place)).any(|place| {
        sources::rust_in(sources, &place).any(|source| names(&source.text, &dependency.identifier()))
    })
}

/// Whether code names a crate: `crate_name::…` or `use crate_name …`, not as a part of another word.
fn names(text: &str, identifier: &str) -> bool {
    text.match_indices(identifier).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + identifier.len()..).unwrap_or_default();
        let apart = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        apart && (after.starts_with("::") || before.ends_with("use ") && after.starts_with([';', ' ']))
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_crate_is_named_by_its_path() {
        assert!(names("use serde_json::Value;", "serde_json"));
        assert!(names("use spin;", "spin"));
        assert!(names("#[derive(thiserror::Error)]", "thiserror"));
        assert!(!names("use serde_json::Value;", "serde"));
        assert!(!names("mod spin; // spin it", "spin"));
        assert!(!names("crate::spin::Lock", "spin"));
    }
}
