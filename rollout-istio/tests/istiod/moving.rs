//! A mesh in which something is pushed all the time.

use super::mesh::{Mesh, behind, routes};
use rollout_core::traffic::Settled;

/// No proxy is ever in step, and each has what was asked for: the pushes that it has acknowledged began after.
#[test]
fn a_proxy_has_a_state_when_it_has_acknowledged_a_push_that_began_after_it_was_seen() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| {
        (istiod.generation, istiod.proxies) = (2, vec![("a.shop", 8, 7), ("b.shop", 8, 7)]);
    });
    assert_eq!(behind(&routes(&istiod, 2)), ["a.shop", "b.shop"]);
    for (number, behind_then) in [(9, vec!["a.shop", "b.shop"]), (10, vec!["a.shop", "b.shop"])] {
        mesh.after(200, |istiod| {
            istiod.other += 1;
            istiod.proxies = vec![("a.shop", number, number - 1), ("b.shop", number, number - 1)];
        });
        assert_eq!(behind(&routes(&istiod, 2)), behind_then, "push {number}");
    }
    mesh.after(200, |istiod| istiod.proxies = vec![("a.shop", 11, 10), ("b.shop", 11, 9)]);
    assert_eq!(behind(&routes(&istiod, 2)), ["b.shop"]);
    mesh.after(200, |istiod| istiod.proxies = vec![("a.shop", 12, 11), ("b.shop", 12, 11)]);
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

/// Two pushes have come, and the routes of the second are acknowledged by all: no time needs to pass.
#[test]
fn what_all_have_acknowledged_needs_no_time_to_reach_them() {
    for (acked, settled) in [((9, 9), true), ((9, 8), false)] {
        let mesh = Mesh::new();
        let istiod = mesh.istiod();
        mesh.after(0, |istiod| istiod.generation = 2);
        assert_ne!(routes(&istiod, 2), Settled::Yes);
        mesh.after(10, |istiod| istiod.proxies = vec![("a.shop", 8, 8), ("b.shop", 8, 8)]);
        assert_ne!(routes(&istiod, 2), Settled::Yes, "the first may have begun before");
        mesh.after(10, |istiod| {
            istiod.proxies = vec![("a.shop", acked.0, acked.0), ("b.shop", acked.1, acked.1)];
        });
        assert_eq!(routes(&istiod, 2) == Settled::Yes, settled, "{acked:?}");
    }
}

/// A push has a number, too, when nobody is sent it, because no proxy may see what has changed: how far the number has
/// risen does not say how many have begun since.
#[test]
fn numbers_of_pushes_that_nobody_was_sent_prove_nothing() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    // The pushes 8 to 10 were sent to nobody. The next had begun when the state was written.
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(10, |istiod| istiod.proxies = vec![("a.shop", 11, 11), ("b.shop", 11, 11)]);
    assert_ne!(routes(&istiod, 2), Settled::Yes, "it may have begun before");
    mesh.after(10, |istiod| istiod.proxies = vec![("a.shop", 12, 12), ("b.shop", 12, 12)]);
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}
