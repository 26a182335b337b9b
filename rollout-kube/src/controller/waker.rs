use crate::rollout::Key;
use tokio::sync::mpsc;

/// Gives rollouts a turn at once, for a reason that is no change of an object that they looked at. Cloning is
/// cheap.
#[derive(Debug, Clone)]
pub(crate) struct Waker(mpsc::UnboundedSender<Key>);

impl Waker {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Key>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// This rollout is due now.
    pub(crate) fn wake(&self, rollout: Key) {
        // Nobody listens any more only when the program ends.
        let _ = self.0.send(rollout);
    }
}
