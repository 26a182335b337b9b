use crate::{Revision, Time};
use alloc::{boxed::Box, string::String, vec::Vec};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// What a [`DataPlane`](super::DataPlane) that asks a control plane needs from the program around it.
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Asks every replica of the control plane for these paths (`/debug/syncz`), all at the same time, and says
    /// what each answered: one entry for each replica that there is, also for those that do not answer, with an
    /// answer to each path, in the same order.
    ///
    /// It waits longer for one that has taken long before, and refuses a body that is too large.
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched>;

    /// The addresses of a revision's pods that are ready; `None` when that is not known.
    async fn ready(&self, namespace: &str, revision: &Revision) -> Option<Vec<String>>;

    /// Whether these pods (namespace and name) exist, in the same order; `None` where that is not known. Those that
    /// ended for good do not.
    ///
    /// With `live`, the cluster itself is asked, so that a pod that does not exist is known not to.
    async fn pods(&self, pods: &[(&str, &str)], live: bool) -> Vec<Option<bool>>;

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
    /// The body, or why there is none: for each path.
    pub answers: Vec<Result<Vec<u8>, NoAnswer>>,
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
    /// Its answer is larger than so many bytes.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
}
