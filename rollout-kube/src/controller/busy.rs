use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// A future that measures how long it kept a processor busy, without the time it waited.
pub(crate) struct Busy<F> {
    inner: Pin<Box<F>>,
    busy: Duration,
}

impl<F: Future> Busy<F> {
    pub(crate) fn new(inner: F) -> Self {
        Self { inner: Box::pin(inner), busy: Duration::ZERO }
    }
}

impl<F: Future> Future for Busy<F> {
    type Output = (F::Output, Duration);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let begun = Instant::now();
        let polled = self.inner.as_mut().poll(context);
        self.busy += begun.elapsed();
        let busy = self.busy;
        polled.map(|output| (output, busy))
    }
}
