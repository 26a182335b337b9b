//! Not one request fails, whatever a person does, and whatever istiod does meanwhile.
//!
//! A [`Run`] is one [`Story`], of both rollouts of a guide's folder at once, while requests go through two sidecars and
//! the gateway: from before the command is given until all is done, and the old pods are gone. Meanwhile istiod is
//! quick, or stopped (`SIGSTOP`) for 60 s from before the command is given, or waits 5 s before it pushes, or seldom
//! finds the quiet in which it would push. It is judged by what came back, never by what the controller says:
//!
//! - every request was answered by a pod, within 5 s; requests are sent at their rate whatever the answers are;
//! - the story has really happened: each revision that should have had requests was met, and the right one is stable.
//!
//! [`split`] counts the shares; [`header`] who meets the header's route. One run has no guard against proxies that are
//! behind, and must lose requests: else the others prove nothing.
//!
//! A failure that the machine made looks otherwise than one of the mesh: `load` says `no answer in time` or `not sent`,
//! and the column `late` counts these; Envoy's own answers (`503 …`) and closed connections are the mesh's.

mod header;
mod outcome;
mod rest;
mod run;
mod split;
mod story;
mod table;

use crate::bed::Bed;
pub(crate) use outcome::Outcome;
use run::{Istiod, Run};
use std::sync::Arc;
use story::Story;

/// Requests a second to each of three Envoys, beside other tests.
const BESIDE_OTHERS: u32 = 34;

/// One run of the table, in a test of its own.
fn test(bed: &Arc<Bed>, story: Story, istiod: Istiod) {
    let run = Run::new(story, istiod);
    run.play(bed, BESIDE_OTHERS).assert_good(&run.name());
}

#[test]
fn abort_at_half_with_istiod_stopped() {
    test(&Bed::own("mesh-stopped", Istiod::Stopped.flags()), Story::Abort, Istiod::Stopped);
}

#[test]
fn another_image_at_half_with_a_slow_istiod() {
    test(&Bed::own("mesh-slow", Istiod::Slow.flags()), Story::Supersede, Istiod::Slow);
}

#[test]
fn answers_are_shared_as_the_weights_say() {
    test(&Bed::shared(), Story::Split, Istiod::Quick);
}

#[test]
fn the_header_meets_the_canary_and_nothing_else_does() {
    test(&Bed::shared(), Story::Header, Istiod::Quick);
}
