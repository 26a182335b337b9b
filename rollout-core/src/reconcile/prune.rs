use super::{draft::Draft, scale_up::in_use, view::View};
use crate::{Action, RevisionSeen, Status};
use alloc::vec::Vec;

/// Deletes old revisions without pods, only at rest. Up to the history limit, they are kept for rollbacks.
pub(super) fn prune_revisions(draft: &mut Draft, status: &Status, view: &View<'_>) {
    let limit = usize::try_from(view.spec.revision_history_limit).unwrap_or(usize::MAX);
    let revisions = view.revisions();
    if revisions.len() <= limit.saturating_add(1) || !draft.actions.is_empty() || !status.is_done() {
        return;
    }
    let is_old = |seen: &&RevisionSeen| {
        Some(&seen.revision) != status.stable.as_ref()
            && seen.revision != view.spec.target
            && seen.wanted == 0
            && seen.ready.hi() == 0
            && !in_use(view, &seen.revision)
    };
    let mut old: Vec<&RevisionSeen> = revisions.iter().filter(is_old).collect();
    old.sort_by(|a, b| b.number.cmp(&a.number).then_with(|| a.revision.cmp(&b.revision)));
    for seen in old.into_iter().skip(limit) {
        draft.act(Action::Prune { revision: seen.revision.clone() });
    }
}
