//! An update, an abort at half of the requests, a second attempt that is superseded, and a way back.

use super::{
    NAME,
    kind::{Kind, SetUp},
};
use crate::{
    bed::{Answers, Bed, Controller, Load, Namespace, Seen, Target, pass, secs},
    faults::web::{apply, until, until_done},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long istiod is stopped at each command, if it is: far longer than old pods are kept.
const STOPPED: Duration = secs(15);

/// How a story is played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Whether istiod is stopped from before each command until some time after it.
    pub(super) istiod_stops: bool,
    /// Requests a second to each target.
    pub(super) rate: u32,
}

/// As the tests play it.
pub(super) const USUAL: Manner = Manner { istiod_stops: false, rate: 40 };

impl Manner {
    /// Does it, with istiod stopped if the story is played so.
    pub(super) fn give(self, bed: &Bed, command: impl FnOnce()) {
        let frozen = self.istiod_stops.then(|| bed.freeze("istiod"));
        command();
        if frozen.is_some() {
            // A length of time is what a stopped istiod is about.
            pass(STOPPED);
        }
    }
}

/// A Rollout at rest, to which requests flow (`L` is their load).
#[derive(Debug)]
pub(super) struct Story<'b, L = Load> {
    space: &'b Namespace,
    set_up: SetUp,
    manner: Manner,
    controller: Controller<'b>,
    load: L,
}

/// Plays the story in a namespace of its own; no request may fail.
pub(super) fn play(kind: Kind) {
    let bed = Bed::shared();
    let space = bed.namespace(kind.name());
    Story::begin(&bed, &space, kind).play().assert_none_failed();
}

impl<'b> Story<'b> {
    /// Sets it up as the tests do.
    pub(super) fn begin(bed: &Arc<Bed>, space: &'b Namespace, kind: Kind) -> Self {
        Self::begin_in(bed, space, kind.set_up(bed, space), USUAL)
    }

    /// Creates everything, waits for the first deploy, and begins to send requests. If a Deployment serves already,
    /// requests are sent from before the Rollout takes over, which is a command like others.
    pub(super) fn begin_in(bed: &Bed, space: &'b Namespace, set_up: SetUp, manner: Manner) -> Self {
        apply(space, &set_up.around);
        let flowing = || flowing(bed, space, &set_up.targets, manner);
        let takes_over = set_up.kind.template() == "deployment";
        let early = takes_over.then(flowing);
        let controller = space.controller().start();
        let create = || apply(space, std::slice::from_ref(&set_up.rollout));
        if takes_over {
            manner.give(bed, create);
        } else {
            create();
        }
        until_done(space, NAME, 90);
        if takes_over {
            until_taken_over(bed, space, &set_up.targets);
        }
        let load = early.unwrap_or_else(flowing);
        Self { space, set_up, manner, controller, load }
    }

    /// Plays the whole story; returns what came back.
    pub(super) fn play(self) -> Answers {
        let space = self.space;
        self.at_half("v2");
        self.give(|| drop(space.plugin(&["abort", NAME]).ok()));
        until(space, NAME, "aborted", 60, |rollout| rollout.is_aborted() && rollout.phase() == "Degraded");
        until(space, NAME, "stable has all pods", 120, |rollout| {
            let all = self.set_up.kind.pods();
            rollout.0["status"]["replicas"] == all && rollout.0["status"]["availableReplicas"] == all
        });
        space.plugin(&["retry", "rollout", NAME]).ok();
        until(space, NAME, "paused at half again", 120, |rollout| rollout.is_paused_at(1));
        self.at_half("v3");
        self.promote();
        self.give(|| drop(space.plugin(&["undo", NAME]).ok()));
        until(space, NAME, "back at half", 120, |rollout| rollout.is_paused_at(1));
        self.promote();
        self.end()
    }

    /// Updates to this version, up to the pause at half.
    pub(super) fn at_half(&self, version: &str) {
        let before = self.space.seen(|seen| seen.rollout(NAME).unwrap().newest().to_owned());
        let image = format!("c={NAME}:{version}");
        self.give(|| {
            if self.set_up.kind.template() == "rollout" {
                self.space.plugin(&["set", "image", NAME, &image]).ok();
            } else {
                self.space
                    .kubectl(&["set", "image", &format!("{}/{NAME}", self.set_up.kind.template()), &image])
                    .ok();
            }
        });
        until(self.space, NAME, &format!("{version} is at half"), 120, |rollout| {
            rollout.newest() != before && rollout.newest() != rollout.stable() && rollout.is_paused_at(1)
        });
    }

    pub(super) fn promote(&self) {
        self.give(|| drop(self.space.plugin(&["promote", NAME]).ok()));
        until_done(self.space, NAME, 120);
    }

    fn give(&self, command: impl FnOnce()) {
        if self.manner.istiod_stops && self.set_up.kind == Kind::DynamicStable {
            // Stable gives up pods when the pause is seen already: istiod must have told of them.
            let all = i64::from(self.set_up.kind.pods());
            let sets = |seen: &Seen| {
                seen.objects("ReplicaSet").filter_map(|set| set["spec"]["replicas"].as_i64()).sum::<i64>()
            };
            self.space.until("each has the pods for its share", secs(60), |seen| all == sets(seen));
            self.space.until_proxies_follow(secs(60));
        }
        self.manner.give(&self.space.bed, command);
    }

    /// Ends the requests, of which none may have failed.
    pub(super) fn without_requests(self) -> Story<'b, ()> {
        self.load.stop().assert_none_failed();
        let Self { space, set_up, manner, controller, .. } = self;
        Story { space, set_up, manner, controller, load: () }
    }

    /// Ends the requests; returns what came back.
    pub(super) fn end(self) -> Answers {
        let answers = self.load.stop();
        println!("{answers}");
        answers
    }
}

impl<'b> Story<'b, ()> {
    /// Begins to send requests again.
    pub(super) fn with_requests(self) -> Story<'b> {
        let Self { space, set_up, manner, controller, .. } = self;
        let load = flowing(&space.bed, space, &set_up.targets, manner);
        Story { space, set_up, manner, controller, load }
    }
}

/// Requests to these targets, from the first answer on.
fn flowing(bed: &Bed, space: &Namespace, targets: &[Target], manner: Manner) -> Load {
    for target in targets {
        space.until_answered(target, secs(60));
    }
    Load::start(bed, manner.rate, secs(900), targets)
}

/// Waits until no request meets a pod of the Deployment. If its template is changed earlier, the Deployment replaces pods
/// that proxies still use, and asks no proxy about it.
fn until_taken_over(bed: &Bed, space: &Namespace, targets: &[Target]) {
    let stable = space.seen(|seen| seen.rollout(NAME).unwrap().stable().to_owned());
    let end = Instant::now() + secs(60);
    loop {
        let answers = Load::start(bed, 100, secs(1), targets).finish();
        if (0..targets.len()).all(|at| answers.by_revision(at).into_keys().all(|met| met == stable)) {
            return;
        }
        assert!(Instant::now() < end, "the Deployment's pods are still in use: {answers}");
    }
}
