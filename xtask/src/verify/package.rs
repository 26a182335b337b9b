//! The crates can be packaged: their manifests say all that a registry asks for.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::Workspace,
};

/// The crates that others depend on.
const CRATES: [&str; 3] = ["rollout-core", "rollout-istio", "rollout-kube"];

pub(super) fn check(_: &Workspace) -> Result<String, Failed> {
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    quietly(
        cargo()
            .args(["package", "--quiet", "--locked", "--offline", "--allow-dirty", "--no-verify"])
            .args(packages),
    )?;
    Ok(format!("{} crates", CRATES.len()))
}
