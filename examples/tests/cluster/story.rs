//! What the stories have in common.

use crate::bed::{Controller, IMAGE, Namespace, Ran, Rollout, secs};

/// The Rollout that most stories are about.
pub(crate) const PROVIDER: &str = "dubbo3-provider";

/// The other of the guide's Rollouts.
pub(crate) const CONSUMER: &str = "dubbo3-consumer";

/// One Rollout and who drives it.
#[derive(Debug)]
pub(crate) struct Story<'n> {
    space: &'n Namespace,
    rollout: &'static str,
    /// The process.
    pub(crate) controller: Controller<'n>,
}

impl<'n> Story<'n> {
    /// Starts a controller in a namespace whose manifests have been applied, and waits for the first deploy.
    pub(crate) fn begin(space: &'n Namespace, rollout: &'static str) -> Self {
        let story = Self { space, rollout, controller: space.controller().start() };
        story.until("the first deploy is healthy", |rollout| rollout.is_healthy());
        story
    }

    /// Waits until this can be said of the Rollout.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(Rollout<'_>) -> bool) {
        self.space.until(what, secs(60), |seen| seen.rollout(self.rollout).is_some_and(&holds));
    }

    /// The same about another Rollout of the namespace.
    pub(crate) fn other_is(&self, rollout: &str, holds: impl Fn(Rollout<'_>) -> bool) {
        let what = format!("{rollout} is as it should be");
        self.space.until(&what, secs(60), |seen| seen.rollout(rollout).is_some_and(&holds));
    }

    /// What is there now.
    pub(crate) fn now<T>(&self, look: impl FnOnce(Rollout<'_>) -> T) -> T {
        self.space.seen(|seen| look(seen.rollout(self.rollout).unwrap()))
    }

    /// `kubectl argo rollouts set image`.
    pub(crate) fn set_image(&self, version: &str) {
        let image = format!("container-1={IMAGE}:{version}");
        self.space.plugin(&["set", "image", self.rollout, &image]).ok();
        let asked = |rollout: Rollout<'_>| rollout.0.to_string().contains(&format!("{IMAGE}:{version}"));
        self.until("the new image is asked for", asked);
    }

    /// The weight canary with pauses that only a person ends, updated to `v0.3`, in its second pause.
    pub(crate) fn at_50_percent(&self) {
        self.set_image("v0.3");
        self.until("paused at 5 %", |rollout| rollout.is_paused_at(1));
        self.space.plugin(&["promote", self.rollout]).ok();
        self.until("paused at 50 %", |rollout| rollout.is_paused_at(3));
    }

    /// What `get rollout` has in its head.
    pub(crate) fn shows(&self, status: &str, message: &str, step: &str, set: &str, actual: &str) {
        self.until("its status has this weight", |rollout| {
            actual == "100" || rollout.weight().unwrap_or(0).to_string() == actual
        });
        let shown = self.space.get(self.rollout);
        let head = ["Status", "Message", "Step", "SetWeight", "ActualWeight"].map(|word| shown.head(word));
        assert_eq!(head, [status, message, step, set, actual], "{shown}");
    }

    /// `kubectl argo rollouts status`, as it is now.
    pub(crate) fn status(&self) -> Ran {
        self.space.plugin(&["status", self.rollout, "--watch=false"])
    }

    /// Status, reason and message of a condition.
    pub(crate) fn condition(&self, kind: &str) -> (String, String, String) {
        self.now(|rollout| {
            let (status, reason, message) = rollout.condition(kind).unwrap();
            (status.to_owned(), reason.to_owned(), message.to_owned())
        })
    }
}
