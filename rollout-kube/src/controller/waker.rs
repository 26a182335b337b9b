use crate::rollout::Key;
use tokio::sync::mpsc;

/// Wakes rollouts for a reason other than a changed object that they read. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Waker(mpsc::UnboundedSender<Key>);

impl Waker {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Key>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Makes a rollout due now.
    pub(crate) fn wake(&self, rollout: Key) {
        // The receiver is gone only when the program ends.
        let _ = self.0.send(rollout);
    }
}
