//! An update, an abort at half of the requests, a second attempt that is superseded, and a way back.

use super::NAME;
use crate::{
    bed::{Answers, Bed, Controller, Load, Namespace, Rollout},
    faults::web::{apply, load, set_image, until, until_done},
};
use serde_json::Value;

/// A Rollout at rest, to which requests flow.
pub(super) struct Story<'b> {
    pub(super) space: &'b Namespace,
    controller: Controller<'b>,
    load: Load,
}

/// Plays the story in a namespace of its own.
pub(super) fn play(name: &str, objects: &[Value], hosts: &[&str]) {
    let bed = Bed::shared();
    let space = bed.namespace(name);
    super::play_in(&bed, &space, objects, hosts);
}

impl<'b> Story<'b> {
    /// Creates these objects, waits for the first deploy, and begins to send requests to these hosts.
    pub(super) fn begin(bed: &Bed, space: &'b Namespace, objects: &[Value], hosts: &[&str]) -> Self {
        apply(space, objects);
        let controller = space.controller().start();
        until_done(space, NAME, 90);
        Self { space, controller, load: load(bed, space, hosts) }
    }

    /// Plays the whole story; returns what came back.
    pub(super) fn play(self) -> Answers {
        let space = self.space;
        self.at_half("v2");
        space.plugin(&["abort", NAME]).ok();
        until(space, NAME, "aborted", 60, |rollout| rollout.is_aborted() && rollout.phase() == "Degraded");
        until(space, NAME, "stable has all pods", 90, |rollout| {
            rollout.0["status"]["replicas"] == 3 && rollout.0["status"]["availableReplicas"] == 3
        });
        space.plugin(&["retry", "rollout", NAME]).ok();
        until(space, NAME, "paused at half again", 90, |rollout| rollout.is_paused_at(1));
        self.at_half("v3");
        self.promote();
        space.plugin(&["undo", NAME]).ok();
        until(space, NAME, "back at half", 90, |rollout| rollout.is_paused_at(1));
        self.promote();
        self.end()
    }

    /// Updates to this version, up to the pause at half.
    pub(super) fn at_half(&self, version: &str) {
        set_image(self.space, NAME, version);
        let image = format!("{NAME}:{version}");
        until(self.space, NAME, &format!("{version} is at half"), 90, |rollout| {
            rollout.0["spec"]["template"].to_string().contains(&image)
                && rollout.is_paused_at(1)
                && rollout.newest() != rollout.stable()
                && rollout.0["status"]["observedGeneration"].as_str() == Some(&*generation(rollout))
        });
    }

    pub(super) fn promote(&self) {
        self.space.plugin(&["promote", NAME]).ok();
        until_done(self.space, NAME, 120);
    }

    /// Ends the requests, of which none may have failed; returns the controller, which goes on.
    pub(super) fn end_requests(self) -> Controller<'b> {
        self.load.stop().assert_none_failed();
        self.controller
    }

    /// Ends the requests; returns what came back.
    pub(super) fn end(self) -> Answers {
        let answers = self.load.stop();
        println!("{answers}");
        answers
    }
}

fn generation(rollout: Rollout<'_>) -> String {
    rollout.0["metadata"]["generation"].to_string()
}
