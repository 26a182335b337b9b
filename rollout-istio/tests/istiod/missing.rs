//! Proxies that were connected, and are not.

use super::mesh::{Mesh, behind, plane, push, round, routes};
use rollout_core::{
    backend::{Fetch, NoAnswer, ready},
    traffic::Settled,
};
use rollout_istio::Istiod;
use std::{sync::Arc, time::Duration};

#[test]
fn a_proxy_that_lost_its_istiod_is_waited_for_until_it_is_back() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(2_000, |istiod| istiod.proxies.truncate(1));
    for _ in 0..11 {
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
        mesh.after(5_000, |_| {});
    }
    mesh.after(1_000, |istiod| istiod.proxies.push(("b.shop", 7, 7)));
    assert_eq!(routes(&istiod, 1), Settled::Yes);
}

/// Istiod does not name it, and a process that begins now has never heard of it.
#[test]
fn one_that_is_away_from_the_beginning_would_be_back_after_a_minute() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let known_in = || ready(plane(&istiod).proxies_known_in()).unwrap().as_millis();
    assert_eq!(known_in(), 60_000);
    mesh.after(59_999, |_| {});
    assert_eq!(known_in(), 1);
    mesh.after(1, |_| {});
    assert_eq!(known_in(), 0);
    let longer = Duration::from_secs(90);
    let other = Arc::new(Istiod::new(mesh.clone()).reconnects_within(longer));
    assert_eq!(ready(plane(&other).proxies_known_in()).unwrap(), longer, "who knows better may say so");
}

/// The critical one: an outage after which nobody is connected for a while.
#[test]
fn nobody_is_not_everybody_when_istiod_comes_back() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    for _ in 0..48 {
        mesh.after(1_000, |istiod| istiod.answers = Err(NoAnswer::Closed));
        assert_eq!(behind(&routes(&istiod, 2)), ["istiod-1 (does not answer)"]);
    }
    let began = mesh.elapsed();
    mesh.after(500, |istiod| {
        (istiod.answers, istiod.generation, istiod.began) = (Ok(()), 2, Some(began));
        istiod.proxies.clear();
    });
    for _ in 0..30 {
        assert_eq!(behind(&routes(&istiod, 2)), ["a.shop", "b.shop"]);
        mesh.after(1_000, |_| {});
    }
    mesh.after(0, |istiod| (istiod.second, istiod.proxies) = (11, vec![("a.shop", 1, 1)]));
    assert_eq!(behind(&routes(&istiod, 2)), ["b.shop"]);
    mesh.after(1_000, |istiod| istiod.proxies.push(("b.shop", 1, 0)));
    assert_eq!(behind(&routes(&istiod, 2)), ["b.shop"], "it is connected, and has nothing");
    mesh.after(1_000, |istiod| istiod.proxies[1].2 = 1);
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

/// Envoy asks for clusters first, and for routes when it has those.
#[test]
fn one_that_has_just_connected_again_has_its_old_routes_until_it_was_sent_others() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(500, |istiod| istiod.proxies.truncate(1));
    assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    mesh.after(2_000, |istiod| {
        istiod.proxies.push(("b.shop", 7, 7));
        istiod.without_routes = vec!["b.shop"];
    });
    for _ in 0..5 {
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
        mesh.after(1_000, |_| {});
    }
    for (wait, settled) in [(4_000, false), (2_000, true)] {
        mesh.after(wait, |_| {});
        assert_eq!(routes(&istiod, 1) == Settled::Yes, settled, "it may have none any more");
    }
}

#[test]
fn one_without_a_pod_is_given_up_long_after_istiod_answers_again_and_that_is_told() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_000, |istiod| istiod.proxies.truncate(1));
    for second in 0..40 {
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
        let answers = if second == 30 { Err(NoAnswer::Silent) } else { Ok(()) };
        mesh.after(1_000, |istiod| istiod.answers = answers);
        round(&istiod);
        mesh.after(0, |istiod| istiod.answers = Ok(()));
    }
    // It has answered without a gap since second 31.
    for _ in 0..50 {
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
        mesh.after(1_000, |_| {});
    }
    mesh.after(2_000, |_| {});
    let round = round(&istiod);
    let (note, whom) = &round.notes[0];
    assert!(note.contains("b.shop") && note.contains("no pod"), "{note}");
    assert_eq!((whom.as_slice(), &round.changed), ([super::mesh::asker()].as_slice(), whom));
    assert_eq!(routes(&istiod, 1), Settled::Yes);
}

#[test]
fn one_whose_pod_exists_is_waited_for_without_limit_and_no_longer_when_it_is_gone() {
    let mesh = Mesh::new();
    mesh.world().pods.insert("b.shop", true);
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_000, |istiod| istiod.proxies.truncate(1));
    for _ in 0..800 {
        mesh.after(5_000, |_| {});
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    }
    mesh.world().pods.insert("b.shop", false);
    mesh.after(5_000, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes);
}

/// Only the pods of revisions are watched; those of other proxies are asked for while they are connected.
#[test]
fn one_whose_pod_goes_at_once_is_not_waited_for() {
    let mesh = Mesh::new();
    mesh.world().pods_are_watched = false;
    mesh.world().pods.insert("b.shop", true);
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.world().pods.insert("b.shop", false);
    mesh.after(1_000, |istiod| istiod.proxies.truncate(1));
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(5_000, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes);
}

#[test]
fn that_there_is_no_pod_is_no_evidence_where_there_never_was_one() {
    let mesh = Mesh::new();
    mesh.world().pods.insert("b.shop", false);
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_000, |istiod| istiod.proxies.truncate(1));
    for _ in 0..11 {
        mesh.after(5_000, |_| {});
        assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    }
}

/// A controller that has just begun knows no proxy; an istiod that has just begun has none yet.
#[test]
fn an_istiod_that_has_just_begun_does_not_know_all_proxies_yet() {
    for (began, connected, waits) in [
        (Some(97), 0, 57),
        (Some(97), 1, 57),
        (Some(30), 2, 0),
        (Some(30), 0, 0),
        (None, 0, 60),
        (None, 2, 0),
    ] {
        let mesh = Mesh::new();
        mesh.after(0, |istiod| {
            istiod.began = began.map(Duration::from_secs);
            istiod.proxies.truncate(connected);
        });
        let istiod = mesh.istiod();
        assert_ne!(routes(&istiod, 1), Settled::Yes);
        mesh.after(1_200, push);
        let mut waited = 1;
        while routes(&istiod, 1) != Settled::Yes {
            assert!(behind(&routes(&istiod, 1))[0].contains("still be connecting"));
            mesh.after(1_000, |_| {});
            waited += 1;
            assert!(waited < 100, "{began:?}");
        }
        assert!((waits..=waits + 1).contains(&waited), "{began:?} {connected}: {waited}");
    }
}
