use crate::{Revision, Time};
use alloc::{boxed::Box, string::String, vec::Vec};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// What a [`DataPlane`](super::DataPlane) that asks a control plane needs from the program around it.
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Asks every replica of the control plane for `path` (`/debug/syncz`), and says what each answered: one
    /// entry for each replica that there is, also for those that do not answer.
    async fn fetch(&self, path: &str) -> Vec<Fetched>;

    /// The addresses of a revision's pods that are ready; `None` when that is not known.
    async fn ready(&self, revision: &Revision) -> Option<Vec<String>>;

    /// How long this process has run, by a clock that is never set.
    fn elapsed(&self) -> Duration;

    /// What the clock says.
    fn now(&self) -> Time;
}

/// What one replica of the control plane answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by implementations of `Fetch`")]
pub struct Fetched {
    /// Which replica: a name for people, the same each time.
    pub replica: String,
    /// The body, or why there is none.
    pub answer: Result<Vec<u8>, NoAnswer>,
}

/// Why a replica gave no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nobody listens there.
    #[error("the port is closed")]
    Closed,
    /// It answered with a status other than success.
    #[error("it answered {0}")]
    Status(u16),
    /// It did not answer in time.
    #[error("it did not answer")]
    Silent,
}
