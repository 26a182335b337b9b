//! What is read live is old by the time that it is read.

use super::web::{apply, half, routed, routes, service, until, until_done};
use crate::bed::{Bed, Held, secs};

/// The API server says that there is no VirtualService; before the controller hears that, there is one, and its watch
/// has told so.
#[test]
fn an_object_that_appears_while_its_absence_is_under_way_is_seen() {
    let space = Bed::shared().namespace("late");
    apply(&space, &[routed("web", &half()), service("web", "web")]);
    let held = Held::not_found(&space.bed, "virtualservices/web");
    let _controller = space.controller().kubeconfig(held.kubeconfig()).start();
    held.until_held(secs(30));
    apply(&space, &routes("web"));
    space.until("both are there", secs(10), |seen| {
        seen.object("VirtualService", "web").and(seen.object("DestinationRule", "web")).is_some()
    });
    // The controller's watches tell it within milliseconds; nothing shows from outside that they have.
    space.within(secs(2), |_| false);
    held.let_go();
    // At the latest when it looks again by itself.
    until_done(&space, "web", 45);
    until(&space, "web", "no complaint is left", 5, |rollout| rollout.condition("InvalidSpec").is_none());
}
