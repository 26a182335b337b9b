//! No dependency needs a newer compiler than the one that we declare.
//!
//! What our own code uses of the standard library is checked by clippy (`incompatible_msrv`) against the same
//! declaration.

use crate::{run::Failed, workspace::Workspace};

pub(super) fn check(workspace: &Workspace) -> Result<String, Failed> {
    let declared: Vec<_> =
        workspace.members.iter().filter_map(|member| member.rust_version.as_deref()).collect();
    let Some(oldest) = declared.iter().copied().min_by_key(|version| number(version)) else {
        return Err(
            "no package declares a `rust-version`; inherit it: `rust-version.workspace = true`".into()
        );
    };
    if declared.len() < workspace.members.len() {
        return Err(
            "a package declares no `rust-version`; inherit it: `rust-version.workspace = true`".into()
        );
    }
    let newer: Vec<_> = workspace
        .others
        .iter()
        .filter(|other| other.rust_version.as_deref().is_some_and(|version| number(version) > number(oldest)))
        .map(|other| {
            format!("{} {} needs {}", other.name, other.version, other.rust_version.as_deref().unwrap_or("?"))
        })
        .collect();
    if !newer.is_empty() {
        return Err(format!(
            "we declare {oldest}, but\n{}\ntake an older version of it, or declare more",
            newer.join("\n")
        ));
    }
    let most =
        workspace.others.iter().filter_map(|other| other.rust_version.as_deref()).max_by_key(|v| number(v));
    Ok(format!(
        "{} dependencies need at most {}, we declare {oldest}",
        workspace.others.len(),
        most.unwrap_or("nothing")
    ))
}

/// `1.89` and `1.89.0` as something that can be compared.
fn number(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect();
    parts.resize(3, 0);
    parts
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(number("1.89"), number("1.89.0"));
        assert!(number("1.100") > number("1.89.1"));
    }
}
