use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A future that was not ready at once.
///
/// ```
/// use rollout_core::backend::ready;
/// let error = ready(core::future::pending::<()>()).unwrap_err();
/// assert_eq!(error.to_string(), "the future is pending, but it must be ready at once");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the future is pending, but it must be ready at once")]
#[non_exhaustive]
pub struct NotReady;

/// Polls `future` once, without a runtime: for backends over stores whose futures are always ready, such as
/// [`MemoryStore`](super::MemoryStore).
///
/// # Errors
/// [`NotReady`] if the future is pending. It is then dropped in its current state.
///
/// ```
/// use rollout_core::backend::ready;
/// assert_eq!(ready(async { 1 + 1 }), Ok(2));
/// assert!(ready(core::future::pending::<()>()).is_err());
/// ```
pub fn ready<F: Future>(future: F) -> Result<F::Output, NotReady> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(NotReady),
    }
}
