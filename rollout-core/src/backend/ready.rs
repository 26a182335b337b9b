use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A future that was to be ready at once was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the future waits for something, but everything here must be ready at once")]
#[non_exhaustive]
pub struct NotReady;

/// Polls `future` once, without a runtime: for backends over stores whose futures are always ready, like
/// [`MemoryStore`](super::MemoryStore).
///
/// # Errors
/// [`NotReady`] when it waits for something. It is dropped then, wherever it got to.
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
