//! Proxies of other namespaces than the Rollout's.

use super::mesh::{Mesh, Replica, behind, push, round, routes};
use rollout_core::{backend::Fetch, traffic::Settled};
use rollout_istio::Istiod;
use std::{sync::Arc, time::Duration};

/// A proxy of this namespace that does not acknowledge the last push.
fn stuck(mesh: &Mesh, id: &'static str) {
    mesh.after(0, |istiod| istiod.proxies.push((id, 7, 6)));
}

/// Whether the routes settle beside it.
fn settles(change: impl FnOnce(&mut Replica), id: &'static str) -> bool {
    let mesh = Mesh::new();
    stuck(&mesh, id);
    mesh.after(0, change);
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_200, |_| {});
    let settled = routes(&istiod, 1);
    assert!(settled == Settled::Yes || behind(&settled) == [id], "{settled:?}");
    settled == Settled::Yes
}

#[test]
fn only_proxies_that_can_see_the_host_count() {
    assert!(!settles(|_| {}, "x.far"));
    assert!(settles(|istiod| istiod.exports = vec!["."], "x.far"));
    assert!(!settles(|istiod| istiod.exports = vec![".", "far"], "x.far"));
    assert!(!settles(|istiod| istiod.exports = vec!["."], "x.shop"));
    assert!(settles(|istiod| istiod.sidecars = vec![("far", vec!["./*"])], "x.far"));
    assert!(!settles(|istiod| istiod.sidecars = vec![("far", vec!["shop/*"])], "x.far"));
    assert!(settles(|istiod| istiod.sidecars = vec![("istio-system", vec!["./*"])], "x.far"));
    assert!(!settles(|istiod| istiod.sidecars = vec![("shop", vec!["./*"])], "x.shop"));
    let gateway = |istiod: &mut Replica| {
        istiod.gateways = vec!["x.far"];
        istiod.sidecars = vec![("far", vec!["./*"])];
    };
    assert!(!settles(gateway, "x.far"), "no Sidecar applies to a gateway");
}

#[test]
fn one_that_does_not_keep_up_holds_its_own_namespace_without_limit_and_others_for_a_while() {
    for (id, held) in [("x.far", false), ("x.shop", true), ("x.istio-ingress", true)] {
        let mesh = Mesh::new();
        stuck(&mesh, id);
        let istiod = mesh.istiod();
        let mut notes = Vec::new();
        for _ in 0..120 {
            mesh.after(5_000, |_| {});
            assert_eq!(behind(&routes(&istiod, 1)), [id]);
        }
        mesh.after(5_000, |_| {});
        notes.extend(round(&istiod).notes);
        mesh.after(5_000, |_| {});
        assert_eq!(routes(&istiod, 1) != Settled::Yes, held, "{id}");
        assert!(notes.len() == 1 && notes[0].0.contains(id) && !notes[0].1.is_empty(), "{notes:?}");
        // Whoever keeps up again is waited for again.
        mesh.after(5_000, |istiod| {
            push(istiod);
            istiod.generation = 2;
        });
        assert_ne!(routes(&istiod, 2), Settled::Yes);
        mesh.after(0, |istiod| istiod.proxies[2] = (id, 8, 8));
        round(&istiod);
        mesh.after(0, |istiod| istiod.proxies[2] = (id, 9, 8));
        mesh.after(2_000, |_| {});
        assert_eq!(behind(&routes(&istiod, 2)), [id]);
    }
}

/// It goes on, only slowly: everything that it acknowledges is a new beginning.
#[test]
fn one_that_is_slow_is_waited_for() {
    let mesh = Mesh::new();
    stuck(&mesh, "x.far");
    let istiod = mesh.istiod();
    for number in 0..300 {
        mesh.after(5_000, |istiod| istiod.proxies[2] = ("x.far", 8 + number, 7 + number));
        let settled = routes(&istiod, 1);
        if number == 0 {
            assert_eq!(behind(&settled), ["x.far"]);
        }
        assert!(round(&istiod).notes.is_empty());
    }
}

#[test]
fn the_operator_can_wait_for_others_without_limit_too() {
    let mesh = Mesh::new();
    stuck(&mesh, "x.far");
    let istiod = Arc::new(Istiod::new(mesh.clone()).debounce(Duration::ZERO).patience(None));
    for _ in 0..500 {
        mesh.after(5_000, |_| {});
        assert_eq!(behind(&routes(&istiod, 1)), ["x.far"], "{:?}", mesh.elapsed());
    }
}
