//! When istiod is asked, and for what.

use super::mesh::{Mesh, asker, endpoints, plane, push, round, routes, version};
use rollout_core::{
    backend::{RolloutRef, Rounds, ready},
    traffic::Settled,
};
use std::{sync::Arc, time::Duration};

#[test]
fn nobody_is_asked_while_nobody_waits() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_eq!(istiod.next_round(), None);
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    assert_eq!(istiod.next_round(), Some(Duration::from_millis(80)));
    mesh.after(9_900, |_| {});
    assert!(istiod.next_round().is_some());
    mesh.after(200, |_| {});
    assert_eq!(istiod.next_round(), None, "whoever waits asks again");
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    assert_eq!(istiod.next_round(), None);
    assert_ne!(endpoints(&istiod), Settled::Yes);
    assert!(istiod.next_round().is_some());
    istiod.forget(&asker());
    assert_eq!(istiod.next_round(), None, "it is gone");
}

#[test]
fn a_question_asks_nobody_and_whoever_asked_hears_of_the_answer() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let other = RolloutRef::new("shop", "other");
    let plane = plane(&istiod);
    assert!(matches!(ready(plane.objects(&version(1, "x"))).unwrap(), Settled::NotYet { .. }));
    ready(Arc::clone(&istiod).of(&other).objects(&version(1, "x"))).unwrap();
    assert_eq!(mesh.world().asked, [""; 0]);
    assert_eq!(round(&istiod).changed, [], "it is not yet, as before");
    mesh.after(1_200, |_| {});
    assert_eq!(round(&istiod).changed, [other, asker()]);
    assert_eq!(ready(plane.objects(&version(1, "x"))).unwrap(), Settled::Yes);
}

#[test]
fn only_what_shows_something_that_is_waited_for_is_asked_for() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let asked = || std::mem::take(&mut mesh.world().asked);
    routes(&istiod, 1);
    assert_eq!(asked().len(), 5, "everything, and how long it has run");
    mesh.after(100, |_| {});
    routes(&istiod, 1);
    assert_eq!(asked(), ["/debug/syncz"], "it was seen");
    mesh.after(100, |_| {});
    routes(&istiod, 2);
    assert_eq!(asked(), ["/debug/configz", "/debug/syncz"]);
    mesh.after(100, |_| {});
    endpoints(&istiod);
    assert_eq!(asked(), ["/debug/configz", "/debug/endpointShardz", "/debug/syncz"]);
    mesh.after(1_200, |istiod| {
        istiod.generation = 2;
        push(istiod);
    });
    routes(&istiod, 2);
    assert_eq!(asked().len(), 4, "whether it is quiet");
}

#[test]
fn what_has_been_waited_for_longer_is_asked_for_less_often() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let mut pauses = Vec::new();
    for after in [0, 1_600, 50_000, 20_000] {
        mesh.after(after, |istiod| istiod.proxies[0] = ("a.shop", 8, 7));
        routes(&istiod, 1);
        pauses.push(istiod.next_round().unwrap().as_millis());
    }
    assert_eq!(pauses, [80, 500, 500, 2_000]);
    mesh.world().takes = Duration::from_millis(300);
    routes(&istiod, 2);
    assert_eq!(istiod.next_round(), Some(Duration::from_millis(600)), "one with much to tell is spared");
}

/// Endpoints that every proxy had can go again, and nobody writes anything.
#[test]
fn settled_endpoints_are_looked_at_again_when_somebody_asks() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(endpoints(&istiod), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(endpoints(&istiod), Settled::Yes);
    let plane = plane(&istiod);
    mesh.after(6_000, |istiod| istiod.endpoints.clear());
    assert_eq!(istiod.next_round(), None);
    assert_eq!(ready(plane.endpoints(&"v1".into())).unwrap(), Settled::Yes, "as far as is known");
    assert_eq!(istiod.next_round(), Some(Duration::ZERO));
    assert_eq!(round(&istiod).changed, [asker()]);
    assert_ne!(ready(plane.endpoints(&"v1".into())).unwrap(), Settled::Yes);
}
