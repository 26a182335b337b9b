//! Licences, sources and duplicates are as `deny.toml` says.
//!
//! Without advisories: they are fetched from outside, and would make this check fail without a change of ours.

use crate::{
    run::{Failed, cargo, quietly},
    workspace::Workspace,
};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    quietly(cargo().args(["deny", "--version"])).map_err(|_| {
        "cargo-deny is not installed: `.ci/run` installs it; by hand, `cargo install --locked cargo-deny`"
            .to_owned()
    })?;
    quietly(cargo().args(["deny", "--all-features", "--offline", "check", "bans", "licenses", "sources"]))?;
    Ok(format!("bans, licences and sources of {} dependencies", workspace.others.len()))
}
