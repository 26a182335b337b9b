//! Packages depend on each other only along the allowed arrows, and what must stay light is light.

use crate::{
    run::{Failed, cargo, output},
    workspace::Workspace,
};
use std::collections::BTreeSet;

/// Who may depend on whom. `rollout-kube` and `rollout-istio` never meet: a program wires them together.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("rollout-core", &[]),
    ("rollout-istio", &["rollout-core"]),
    ("rollout-kube", &["rollout-core"]),
    ("examples", &["rollout-core", "rollout-istio", "rollout-kube"]),
    ("benches", &["rollout-core", "rollout-istio", "rollout-kube"]),
    ("xtask", &[]),
];

/// The core without features: what an embedder pays at least, in packages to compile.
const BARE_CORE: usize = 20;

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for package in &workspace.members {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("{0} is new: say in {1} what it may depend on", package.name, file!()));
            continue;
        };
        let ours = workspace.members.iter().map(|member| member.name.as_str()).collect::<BTreeSet<_>>();
        for dependency in package.dependencies.iter().filter(|d| ours.contains(d.name.as_str())) {
            arrows += 1;
            // A package may name itself, to turn features on for its own tests.
            if dependency.name != package.name && !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!(
                    "{0} must not depend on {1}: put what both need into rollout-core, or wire them together \
                     in examples",
                    package.name, dependency.name
                ));
            }
        }
    }
    let core = packages_built("rollout-core")?;
    if core.len() > BARE_CORE {
        wrong.push(format!("the bare core builds {} packages, {BARE_CORE} are agreed: {core:?}", core.len()));
    }
    for package in ["rollout-core", "rollout-istio", "examples"] {
        let built = packages_built(package)?;
        if let Some(kube) = built.iter().find(|name| name.starts_with("kube") || name.starts_with("k8s")) {
            wrong.push(format!("{package} builds {kube}: rollout-kube must stay an optional dependency"));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    Ok(format!(
        "{arrows} arrows; the bare core builds {} packages; no Kubernetes client in examples",
        core.len()
    ))
}

/// The names of all packages that a plain build of `package` compiles, itself among them.
fn packages_built(package: &str) -> Result<BTreeSet<String>, Failed> {
    let tree = output(cargo().args(["tree", "--locked", "--package", package]).args([
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
    ]))?;
    Ok(tree.lines().filter_map(|line| line.split(' ').next()).map(Into::into).collect())
}
