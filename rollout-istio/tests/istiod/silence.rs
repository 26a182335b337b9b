//! An istiod that does not answer, answers late, or began anew.

use super::mesh::{Mesh, Replica, behind, endpoints, objects, round, routes, version};
use rollout_core::{
    Revision, Time,
    backend::{Fetch, Fetched, NoAnswer, Rounds},
    traffic::Settled,
};
use rollout_istio::Istiod;
use std::{sync::Arc, time::Duration};

#[test]
fn an_istiod_that_once_answered_is_never_unknown() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    for why in [NoAnswer::Silent, NoAnswer::Closed, NoAnswer::Status(401), NoAnswer::Status(503)] {
        mesh.after(20_000, |istiod| istiod.answers = Err(why));
        assert_eq!(behind(&routes(&istiod, 1)), ["istiod-1 (does not answer)"], "{why}");
        assert_eq!(round(&istiod).complaint, None);
    }
    mesh.world().replicas.clear();
    mesh.world().at += Duration::from_secs(20);
    assert!(matches!(routes(&istiod, 1), Settled::NotYet { .. }), "nobody to ask, but somebody was there");
}

#[test]
fn what_every_proxy_had_it_still_has_while_istiod_does_not_answer() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1).and(endpoints(&istiod)), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 1).and(endpoints(&istiod)), Settled::Yes);
    for wait in [600, 5_000, 60_000] {
        mesh.after(wait, |istiod| istiod.answers = Err(NoAnswer::Silent));
        assert_eq!(routes(&istiod, 1).and(endpoints(&istiod)), Settled::Yes, "after {wait} ms");
    }
    let silent = ["istiod-1 (does not answer)"];
    assert_eq!(behind(&routes(&istiod, 2)), silent, "what is new is not there");
    assert_eq!(behind(&routes(&istiod, 1)), silent, "and what was before may no longer be");
    for ready in [vec!["10.0.0.2"], vec!["10.0.0.1"]] {
        mesh.world().ready = Some(ready);
        assert_eq!(
            behind(&endpoints(&istiod)),
            silent,
            "a pod that went and came back may have been taken out"
        );
    }
    mesh.after(600, |istiod| istiod.answers = Ok(()));
    assert_ne!(routes(&istiod, 1).and(endpoints(&istiod)), Settled::Yes, "it is judged anew");
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 1).and(endpoints(&istiod)), Settled::Yes);
}

#[test]
fn what_the_proxies_of_one_silent_replica_had_does_not_speak_for_those_of_another() {
    let mesh = Mesh::new();
    mesh.world().replicas.insert("istiod-2", Replica { proxies: vec![("c.shop", 3, 3)], ..Replica::new() });
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    mesh.after(600, |istiod| istiod.answers = Err(NoAnswer::Silent));
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    mesh.world().replicas.get_mut("istiod-2").unwrap().generation = 2;
    mesh.after(600, |_| {});
    assert_eq!(behind(&routes(&istiod, 2)), ["istiod-1 (does not answer)"]);
}

#[test]
fn an_istiod_that_never_answered_is_unknown_and_it_is_said_what_to_open() {
    for (why, open) in [
        (NoAnswer::Closed, "debug port"),
        (NoAnswer::Silent, "debug port"),
        (NoAnswer::Status(401), "token"),
        (NoAnswer::Status(403), "namespace"),
        (NoAnswer::Status(404), "debug interface"),
    ] {
        let mesh = Mesh::new();
        mesh.after(0, |istiod| istiod.answers = Err(why));
        let istiod = mesh.istiod();
        assert_eq!(routes(&istiod, 1), Settled::UNKNOWN, "{why}");
        let complaint = round(&istiod).complaint.unwrap();
        assert!(complaint.contains(open) && complaint.contains("istiod-1"), "{complaint}");
        mesh.after(600, |istiod| istiod.answers = Ok(()));
        assert!(matches!(routes(&istiod, 1), Settled::NotYet { .. }));
        assert_eq!(round(&istiod).complaint, None);
    }
    let none = Mesh::new();
    none.world().replicas.clear();
    let istiod = none.istiod();
    assert_eq!(routes(&istiod, 1), Settled::UNKNOWN);
    assert!(round(&istiod).complaint.unwrap().contains("no istiod was found"));
}

#[test]
fn a_replica_that_began_anew_proves_nothing_with_its_old_numbers() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(600, |istiod| {
        (istiod.second, istiod.proxies) = (11, vec![("a.shop", 1, 1), ("b.shop", 1, 1)]);
    });
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(600, |istiod| istiod.proxies = vec![("a.shop", 2, 2), ("b.shop", 2, 2)]);
    assert_ne!(routes(&istiod, 2), Settled::Yes, "the first push since it was seen, no second");
    mesh.after(600, |_| {});
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(600, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes, "quiet for the debounce since");
}

#[test]
fn an_answer_that_makes_no_sense_is_none() {
    for garbage in ["", "[", "null", "[1]", "{}", "[{\"metadata\": 1}]", "<html>"] {
        let istiod = Arc::new(Istiod::new(Garbage(garbage)));
        assert_eq!(objects(&istiod, &version(1, "1")), Settled::UNKNOWN, "{garbage}");
        assert_eq!(endpoints(&istiod), Settled::UNKNOWN, "{garbage}");
        assert!(round(&istiod).complaint.is_some());
    }
}

#[derive(Debug)]
struct Garbage(&'static str);

#[async_trait::async_trait]
impl Fetch for Garbage {
    async fn fetch(&self, paths: &[&str]) -> Vec<Fetched> {
        vec![Fetched { replica: "istiod-1".into(), answers: vec![Ok(self.0.into()); paths.len()] }]
    }

    async fn ready(&self, _namespace: &str, _revision: &Revision) -> Option<Vec<String>> {
        None
    }

    async fn pods(&self, pods: &[(&str, &str)], _live: bool) -> Vec<Option<bool>> {
        vec![None; pods.len()]
    }

    fn elapsed(&self) -> Duration {
        Duration::MAX
    }

    fn now(&self) -> Time {
        Time::from_millis(i64::MAX)
    }
}

/// One slow or failed answer costs nothing that was learned before.
#[test]
fn an_answer_that_does_not_come_does_not_undo_what_was_seen_before() {
    for why in [NoAnswer::Silent, NoAnswer::Status(503), NoAnswer::Closed] {
        let mesh = Mesh::new();
        let istiod = mesh.istiod();
        assert_ne!(routes(&istiod, 1), Settled::Yes);
        mesh.after(500, |istiod| istiod.answers = Err(why));
        assert_eq!(behind(&routes(&istiod, 1)), ["istiod-1 (does not answer)"]);
        mesh.after(700, |istiod| istiod.answers = Ok(()));
        assert_eq!(routes(&istiod, 1), Settled::Yes, "{why}: it was seen 1.2 s ago");
    }
}

#[test]
fn one_that_was_closed_and_began_anew_is_judged_anew() {
    for (began, settled) in
        [(Some(Duration::ZERO), true), (Some(Duration::from_secs(101)), false), (None, false)]
    {
        let mesh = Mesh::new();
        let istiod = mesh.istiod();
        assert_ne!(routes(&istiod, 1), Settled::Yes);
        mesh.after(900, |istiod| istiod.answers = Err(NoAnswer::Closed));
        assert_ne!(routes(&istiod, 1), Settled::Yes);
        mesh.after(300, |istiod| (istiod.answers, istiod.began) = (Ok(()), began));
        assert_eq!(routes(&istiod, 1) == Settled::Yes, settled, "began {began:?}");
    }
}

/// Numbers fall, too, when the one proxy goes that was sent the last push.
#[test]
fn a_smaller_number_of_the_same_process_is_no_new_beginning() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.proxies.push(("gone.far", 9, 9)));
    mesh.world().pods.insert("gone.far", true);
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.world().pods.insert("gone.far", false);
    mesh.after(1_200, |istiod| istiod.proxies.truncate(2));
    assert_eq!(routes(&istiod, 1), Settled::Yes, "nothing is forgotten");
}

#[test]
fn a_mesh_that_takes_long_to_tell_settles_all_the_same() {
    for takes in [3, 8] {
        let mesh = Mesh::new();
        mesh.world().takes = Duration::from_secs(takes);
        let istiod = mesh.istiod();
        let begun = mesh.elapsed();
        let mut settled = routes(&istiod, 1);
        while settled != Settled::Yes {
            let pause = istiod.next_round().unwrap();
            mesh.world().at += pause;
            settled = routes(&istiod, 1);
        }
        let took = mesh.elapsed().checked_sub(begun).unwrap();
        assert!(took <= Duration::from_secs(8 * takes + 20), "{takes} s an answer: {took:?}");
    }
}

#[test]
fn one_that_does_not_answer_is_asked_less_and_less_often() {
    let mesh = Mesh::new();
    mesh.after(0, |istiod| istiod.answers = Err(NoAnswer::Silent));
    let istiod = mesh.istiod();
    let pauses = [1, 2, 4, 8, 8].map(|_| {
        assert_eq!(routes(&istiod, 1), Settled::UNKNOWN);
        let pause = istiod.next_round().unwrap();
        mesh.world().at += pause;
        pause.as_secs()
    });
    assert_eq!(pauses, [1, 2, 4, 8, 8]);
}
