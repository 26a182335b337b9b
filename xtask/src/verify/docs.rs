//! The documentation builds without a warning.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::Workspace,
};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    quietly(
        cargo()
            .args(["doc", "--quiet", "--locked", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )?;
    Ok(format!("{} packages, all features", workspace.members.len()))
}
