//! From the write of a state until every proxy has it.

use super::mesh::{Mesh, Replica, behind, endpoints, objects, push, routes, version};
use rollout_core::{
    backend::Fetch,
    traffic::{ObjectRef, ObjectVersion, Settled, Version},
};
use std::time::Duration;

#[test]
fn sent_and_acknowledged_is_a_false_yes_before_the_push() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_eq!(behind(&routes(&istiod, 2)), ["istiod-1 (has not seen VirtualService shop/provider)"]);
    let since = mesh.now();
    mesh.after(600, |istiod| istiod.generation = 2);
    assert_eq!(routes(&istiod, 2), Settled::NotYet { since, behind: vec![] }, "seen, and nothing pushed");
    mesh.after(600, push);
    assert_eq!(
        routes(&istiod, 2),
        Settled::NotYet { since, behind: vec![] },
        "that push may have begun before"
    );
    mesh.after(600, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes, "and now it has been quiet for the debounce");
}

#[test]
fn one_push_is_enough_when_no_other_comes_within_the_debounce() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(150, push);
    assert_ne!(routes(&istiod, 2), Settled::Yes, "it may have begun before");
    mesh.after(210, |_| {});
    assert_ne!(
        routes(&istiod, 2),
        Settled::Yes,
        "another may be under way: the debounce, 100 ms, and 10 for each"
    );
    mesh.after(110, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

#[test]
fn a_push_that_was_there_at_the_first_sight_counts_when_it_was_not_a_moment_before() {
    for (pause, settled) in [(90, true), (1_500, false)] {
        let mesh = Mesh::new();
        let istiod = mesh.istiod();
        assert_eq!(behind(&routes(&istiod, 2)), ["istiod-1 (has not seen VirtualService shop/provider)"]);
        mesh.after(pause, |istiod| {
            istiod.generation = 2;
            push(istiod);
        });
        assert_ne!(routes(&istiod, 2), Settled::Yes, "another may be under way");
        mesh.after(230, |_| {});
        assert_eq!(routes(&istiod, 2) == Settled::Yes, settled, "{pause} ms");
    }
}

#[test]
fn one_push_is_not_enough_while_something_else_changes_or_a_proxy_is_behind() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(150, push);
    for _ in 0..5 {
        mesh.after(150, |istiod| istiod.other += 1);
        assert_ne!(routes(&istiod, 2), Settled::Yes, "the next push is held back by it");
    }
    mesh.after(400, |istiod| istiod.proxies[1].1 += 1);
    assert_eq!(behind(&routes(&istiod, 2)), ["b.shop"]);
}

#[test]
fn one_that_answers_slowly_pushes_slowly() {
    for (takes, wait, settled) in [(1, 400, true), (50, 400, false), (50, 500, false), (50, 1_000, true)] {
        let mesh = Mesh::new();
        mesh.world().takes = Duration::from_millis(takes);
        let istiod = mesh.istiod();
        assert_ne!(routes(&istiod, 2), Settled::Yes);
        mesh.after(600, |istiod| istiod.generation = 2);
        assert_ne!(routes(&istiod, 2), Settled::Yes);
        mesh.after(200, push);
        assert_ne!(routes(&istiod, 2), Settled::Yes);
        mesh.after(wait, |_| {});
        assert_eq!(
            routes(&istiod, 2) == Settled::Yes,
            settled,
            "{takes} ms an answer, {wait} ms after the push"
        );
    }
}

#[test]
fn a_push_that_began_later_is_enough_while_other_changes_keep_coming() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    for _ in 0..8 {
        mesh.after(600, |istiod| istiod.other += 1);
        assert_eq!(behind(&routes(&istiod, 2)), [""; 0], "it is not quiet, so the push may be held back");
    }
    mesh.after(600, |istiod| {
        istiod.other += 1;
        istiod.proxies[0] = ("a.shop", 8, 8);
    });
    assert_ne!(routes(&istiod, 2), Settled::Yes, "it may have begun before");
    mesh.after(600, |istiod| {
        istiod.other += 1;
        istiod.proxies[0] = ("a.shop", 9, 9);
    });
    assert_ne!(routes(&istiod, 2), Settled::Yes, "others may still be about to be sent it");
    mesh.after(1100, |istiod| istiod.other += 1);
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

#[test]
fn the_longest_debounce_is_waited_for_when_there_is_no_push_at_all() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    for _ in 0..18 {
        assert_ne!(routes(&istiod, 1), Settled::Yes);
        mesh.after(600, |istiod| istiod.other += 1);
    }
    mesh.after(600, |istiod| istiod.other += 1);
    assert_eq!(routes(&istiod, 1), Settled::Yes);
}

#[test]
fn a_frozen_proxy_is_named_without_limit_and_an_annotation_is_no_change() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(200, |istiod| {
        push(istiod);
        istiod.proxies[1].2 = 7;
    });
    for _ in 0..100 {
        mesh.after(5_000, |_| {});
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    }
    mesh.after(600, |istiod| istiod.proxies[1].2 = 8);
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    mesh.after(600, |istiod| {
        istiod.write = 11;
        istiod.proxies[1].1 = 9;
    });
    let annotated = objects(&istiod, &version(1, "11"));
    assert_eq!(annotated, Settled::Yes, "every proxy had this content; what comes later is another matter");
}

#[test]
fn every_replica_must_have_pushed() {
    let mesh = Mesh::new();
    let mut second = Replica { proxies: vec![("c.shop", 3, 3)], ..Replica::new() };
    second.generation = 1;
    mesh.world().replicas.insert("istiod-2", second.clone());
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    for _ in 0..3 {
        assert_eq!(behind(&routes(&istiod, 2)), ["istiod-2 (has not seen VirtualService shop/provider)"]);
        mesh.after(5_000, |_| {});
    }
    second.generation = 2;
    mesh.world().replicas.insert("istiod-2", second);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

#[test]
fn endpoints_are_settled_when_every_service_has_all_ready_pods_and_it_was_pushed() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(endpoints(&istiod), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(endpoints(&istiod), Settled::Yes);
    mesh.world().ready = Some(vec!["10.0.0.1", "10.0.0.2"]);
    mesh.after(600, |_| {});
    assert_eq!(behind(&endpoints(&istiod)), ["istiod-1 (has not seen the endpoints of v1)"]);
    mesh.after(600, |istiod| istiod.endpoints.push(("10.0.0.2", "v1")));
    assert_ne!(endpoints(&istiod), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(endpoints(&istiod), Settled::Yes);
    mesh.world().ready = None;
    assert_eq!(endpoints(&istiod), Settled::UNKNOWN, "which pods are ready is not known");
}

#[test]
fn a_service_is_settled_when_its_endpoints_are_of_the_revision_that_it_selects() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let name = ObjectRef::new("", "Service", "shop", "provider");
    let asked = Version::from_iter([(name, ObjectVersion { write: "6".into(), content: 6 })]);
    let service = |istiod| objects(istiod, &asked);
    assert_eq!(behind(&service(&istiod)), ["istiod-1 (has not seen Service shop/provider)"]);
    mesh.after(600, |istiod| (istiod.service, istiod.selects) = (6, "v2"));
    assert_eq!(behind(&service(&istiod)), ["istiod-1 (has not seen Service shop/provider)"], "old endpoints");
    mesh.after(600, |istiod| istiod.endpoints = vec![("10.0.0.9", "v2")]);
    assert_eq!(behind(&service(&istiod)), [""; 0]);
    mesh.after(1_200, |_| {});
    assert_eq!(service(&istiod), Settled::Yes);
    let name = ObjectRef::new("", "Service", "shop", "provider");
    let annotated = Version::from_iter([(name, ObjectVersion { write: "7".into(), content: 6 })]);
    assert_eq!(objects(&istiod, &annotated), Settled::Yes, "a fence's nonce is no change");
}
