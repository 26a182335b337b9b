//! An istiod whose debug paths take their time.

use super::web::{apply, at_half, half, set_image, until, until_done, whole};
use crate::bed::{Bed, secs};

/// A large mesh's dumps take seconds.
#[test]
fn a_dump_that_takes_three_seconds_delays_a_release_and_no_more() {
    let bed = Bed::shared();
    let space = bed.namespace("slow");
    let slow = bed.slow_istiod();
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().istiod(Some(&slow.url())).start();
    // It is known to be there, so that its silence would be no answer either.
    until_done(&space, "web", 60);
    slow.takes(secs(3));
    set_image(&space, "web", "v2");
    // Each of three writes is seen in a round of 6 s, and then given ten times as long as the proxies' answer takes.
    until(&space, "web", "paused at half", 180, |rollout| rollout.is_paused_at(1));
}

/// While it waits for proxies, a person sees so where people look.
#[test]
fn a_release_that_waits_for_proxies_says_so_in_its_status() {
    let bed = Bed::own("waits", &["--mesh"]);
    let space = bed.namespace("waits");
    apply(&space, &whole("web", &half()));
    let _controller = space.controller().start();
    at_half(&space, "web");
    let frozen = bed.freeze("sidecar-1");
    space.plugin(&["promote", "web"]).ok();
    until(&space, "web", "the proxy is in its message", 60, |rollout| {
        rollout.message().contains("sidecar-1")
    });
    drop(frozen);
    until_done(&space, "web", 60);
}
