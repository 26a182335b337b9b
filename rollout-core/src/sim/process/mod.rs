//! The process that drives the rollout: a small loop over [`Turn`](crate::Turn), with its own clock and caches.

mod act;
mod history;
mod observe;
mod old;
mod roles;
mod state;
mod turn;

pub(super) use history::Histories;
pub(super) use observe::Versions;
pub(super) use old::OldProcess;
pub(super) use state::Process;
