//! The code is formatted.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::Workspace,
};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    quietly(cargo().args(["fmt", "--all", "--check"]))
        .map_err(|why| format!("{why}\nrun `cargo xtask fix`"))?;
    Ok(format!("{} packages", workspace.members.len()))
}
