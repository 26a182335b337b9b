//! The workspace, as cargo describes it.

use crate::run::{Failed, cargo, output};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
};

/// The workspace's packages, in the order of cargo.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Where it is.
    pub(crate) root: PathBuf,
    /// Where it is built.
    pub(crate) target: PathBuf,
    /// Its own packages.
    pub(crate) members: Vec<Package>,
    /// The packages that they depend on, directly or not, with every feature on.
    pub(crate) others: Vec<Package>,
}

/// What `cargo metadata` prints, as far as we read it.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    manifest_path: PathBuf,
    /// The oldest compiler that it says it works with (`1.89`).
    pub(crate) rust_version: Option<String>,
    /// What each feature turns on.
    features: BTreeMap<String, Vec<String>>,
    /// What its manifest depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line under `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package.
    pub(crate) name: String,
    rename: Option<String>,
    kind: Option<String>,
    /// Only built when a feature asks for it.
    pub(crate) optional: bool,
}

impl Workspace {
    /// Asks cargo, and goes to the workspace's root: every path is from there.
    pub(crate) fn read() -> Result<Self, Failed> {
        let text = output(cargo().args(["metadata", "--format-version=1", "--locked", "--all-features"]))?;
        let metadata: Metadata =
            serde_json::from_str(&text).map_err(|why| format!("cargo metadata: {why}"))?;
        let root = metadata.workspace_root;
        env::set_current_dir(&root).map_err(|why| format!("{}: {why}", root.display()))?;
        let ours = metadata.workspace_members;
        let (members, others) = metadata.packages.into_iter().partition(|package| ours.contains(&package.id));
        Ok(Self { root, target: metadata.target_directory, members, others })
    }
}

impl Package {
    /// The folder of its manifest.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The features that users may turn on: neither `default`, nor private (`_…`), nor made by cargo for an
    /// optional dependency.
    pub(crate) fn public_features(&self) -> Vec<&str> {
        self.features
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "default" && !name.starts_with('_'))
            .collect()
    }

    /// Whether it has features that are not for users.
    pub(crate) fn has_private_features(&self) -> bool {
        self.features.keys().any(|name| name.starts_with('_'))
    }

    /// Every set of public features that differs in what is on, smallest first.
    pub(crate) fn feature_sets(&self) -> Vec<BTreeSet<String>> {
        let mut sets = BTreeSet::from([BTreeSet::new()]);
        for feature in self.public_features() {
            let with: Vec<_> = sets
                .iter()
                .map(|set: &BTreeSet<String>| set.union(&self.turned_on(feature)).cloned().collect())
                .collect();
            sets.extend(with);
        }
        let mut sets: Vec<_> = sets.into_iter().collect();
        sets.sort_by_key(BTreeSet::len);
        sets
    }

    /// A feature and all that it turns on in its own package.
    fn turned_on(&self, feature: &str) -> BTreeSet<String> {
        let mut on = BTreeSet::new();
        let mut open = vec![feature];
        while let Some(feature) = open.pop() {
            if let Some(more) = self.features.get(feature)
                && on.insert(feature.to_owned())
            {
                open.extend(more.iter().map(String::as_str));
            }
        }
        on
    }
}

impl Dependency {
    /// What the code calls it.
    pub(crate) fn identifier(&self) -> String {
        self.rename.as_ref().unwrap_or(&self.name).replace('-', "_")
    }

    /// Whether only tests, examples and benches have it.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sets_that_turn_on_the_same_count_once() {
        let core: Package = serde_json::from_value(json!({
            "id": "p", "name": "p", "version": "1.0.0", "manifest_path": "/p/Cargo.toml",
            "dependencies": [],
            "features": {
                "default": [], "_private": [], "wire": ["dep:json"], "located": ["wire"], "world": []
            },
        }))
        .unwrap();
        let sets: Vec<_> =
            core.feature_sets().iter().map(|set| set.iter().cloned().collect::<Vec<_>>().join("+")).collect();
        assert_eq!(sets, ["", "wire", "world", "located+wire", "wire+world", "located+wire+world"]);
        assert!(core.has_private_features());
    }

    #[test]
    fn the_code_calls_a_renamed_dependency_by_its_new_name() {
        let read = |dependency| serde_json::from_value::<Dependency>(dependency).unwrap();
        let renamed =
            read(json!({ "name": "yaml_serde", "rename": "serde_yaml", "kind": null, "optional": false }));
        assert_eq!((renamed.identifier().as_str(), renamed.is_for_tests()), ("serde_yaml", false));
        let plain = read(json!({ "name": "rollout-core", "rename": null, "kind": "dev", "optional": false }));
        assert_eq!((plain.identifier().as_str(), plain.is_for_tests()), ("rollout_core", true));
    }
}
