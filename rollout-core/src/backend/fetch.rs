use crate::{Revision, Time};
use alloc::{boxed::Box, string::String, vec::Vec};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// The services that a [`DataPlane`](super::DataPlane) which queries a control plane needs from the surrounding
/// program.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::async_trait::async_trait;
/// use rollout_core::backend::{Fetch, Fetched, NoAnswer, ready};
/// use rollout_core::{Revision, Time};
///
/// /// One replica of a control plane, which has not pushed anything to any proxy.
/// #[derive(Debug)]
/// struct Idle;
///
/// #[async_trait]
/// impl Fetch for Idle {
///     async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
///         let answer = |path: &&str| match *path {
///             "/debug/syncz" => Ok(b"[]".to_vec()),
///             _ => Err(NoAnswer::Status(404)),
///         };
///         vec![Fetched { replica: "istiod-0".into(), answers: paths.iter().map(answer).collect() }]
///     }
///     async fn ready(&self, _namespace: &str, _revision: &Revision) -> Option<Vec<String>> {
///         None
///     }
///     async fn pods(&self, pods: &[(&str, &str)], _live: bool) -> Vec<Option<bool>> {
///         vec![None; pods.len()]
///     }
///     fn elapsed(&self) -> Duration {
///         Duration::ZERO
///     }
///     fn now(&self) -> Time {
///         Time::from_secs(0)
///     }
/// }
///
/// let fetched = ready(Idle.fetch(&["/debug/syncz", "/debug/none"]))?;
/// assert_eq!(fetched[0].answers, [Ok(b"[]".to_vec()), Err(NoAnswer::Status(404))], "one for each path");
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Requests these paths (`/debug/syncz`) from every replica of the control plane, all at the same time. Returns one
    /// entry for each existing replica, even if it does not answer, with one answer for each path, in the same order.
    ///
    /// The timeout grows for a replica that has been slow before. A body that is too large is refused.
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched>;

    /// Returns the addresses of a revision's ready pods; `None` if they are unknown.
    async fn ready(&self, namespace: &str, revision: &Revision) -> Option<Vec<String>>;

    /// Returns whether these pods (namespace and name) exist, in the same order; `None` if that is unknown. Pods that
    /// have terminated for good count as missing.
    ///
    /// With `live`, asks the cluster itself, so that a missing pod is known to be missing.
    async fn pods(&self, pods: &[(&str, &str)], live: bool) -> Vec<Option<bool>>;

    /// Returns how long this process has run, by a clock that is never set.
    fn elapsed(&self) -> Duration;

    /// Returns the current time.
    fn now(&self) -> Time;
}

/// The answers of one replica of the control plane.
///
/// See [`Fetch`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by implementations of `Fetch`")]
pub struct Fetched {
    /// The replica: a stable name for people.
    pub replica: String,
    /// For each path, the body or the reason why there is none.
    pub answers: Vec<Result<Vec<u8>, NoAnswer>>,
}

/// The reason why a replica returned no body.
///
/// ```
/// use rollout_core::backend::NoAnswer;
/// assert_eq!(NoAnswer::Status(403).to_string(), "it answered 403");
/// assert_eq!(NoAnswer::Closed.to_string(), "the port is closed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nothing listens on the port.
    #[error("the port is closed")]
    Closed,
    /// The status was not success.
    #[error("it answered {0}")]
    Status(u16),
    /// The answer did not come in time.
    #[error("it did not answer")]
    Silent,
    /// The answer is larger than this many bytes.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
}
