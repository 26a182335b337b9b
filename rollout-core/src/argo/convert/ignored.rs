//! Settings that the engine does not support and a release does not need.

use crate::{Finding, Time, argo::wire::Rollout};
use alloc::vec::Vec;

pub(super) fn find(rollout: &Rollout) -> Vec<Finding> {
    let Some(spec) = &rollout.spec else { return Vec::new() };
    let parts = [(
        "spec.restartAt",
        spec.restart_at.as_deref().is_some_and(|at| Time::parse_rfc3339(at).is_none()),
        "it is not a time such as 2026-01-31T12:00:00Z, so no pod is restarted; the release continues",
    )];
    parts
        .into_iter()
        .filter(|(_, there, _)| *there)
        .map(|(path, _, what)| Finding::ignored(path, what))
        .collect()
}
