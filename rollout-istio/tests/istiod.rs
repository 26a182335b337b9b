//! What is settled, and what only looks so, from what istiod says.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use rollout_core::{
    Revision, Time,
    backend::{DataPlane, Fetch, Fetched, NoAnswer, ready},
    traffic::{ObjectRef, ObjectVersion, Settled, Version},
};
use rollout_istio::Istiod;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const UUID: &str = "0d6f4f7e-55a2-4f80-9b0c-2a7ed1a8b9c1";

/// One replica of istiod, as it would answer.
#[derive(Debug, Clone)]
struct Replica {
    answers: Result<(), NoAnswer>,
    generation: u64,
    write: u64,
    other: u64,
    selects: &'static str,
    service: u64,
    endpoints: Vec<(&'static str, &'static str)>,
    /// Name, newest push sent, newest push acknowledged.
    proxies: Vec<(&'static str, u64, u64)>,
}

#[derive(Debug)]
struct World {
    at: Duration,
    /// How long an answer takes.
    takes: Duration,
    ready: Option<Vec<&'static str>>,
    replicas: BTreeMap<&'static str, Replica>,
}

#[derive(Debug, Clone)]
struct Mesh(Arc<Mutex<World>>);

#[async_trait::async_trait]
impl Fetch for Mesh {
    async fn fetch(&self, path: &str) -> Vec<Fetched> {
        let mut world = self.0.lock().unwrap();
        let takes = world.takes;
        world.at += takes;
        let answer =
            |replica: &Replica| replica.answers.map(|()| replica.body(path).to_string().into_bytes());
        let fetched = world
            .replicas
            .iter()
            .map(|(name, replica)| Fetched { replica: (*name).into(), answer: answer(replica) });
        fetched.collect()
    }

    async fn ready(&self, _revision: &Revision) -> Option<Vec<String>> {
        let world = self.0.lock().unwrap();
        world.ready.as_ref().map(|all| all.iter().map(|address| (*address).to_owned()).collect())
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().at
    }

    fn now(&self) -> Time {
        Time::from_millis(i64::try_from(self.elapsed().as_millis()).unwrap())
    }
}

impl Replica {
    fn new() -> Self {
        Self {
            answers: Ok(()),
            generation: 1,
            write: 10,
            other: 1,
            selects: "v1",
            service: 5,
            endpoints: vec![("10.0.0.1", "v1")],
            proxies: vec![("a.shop", 7, 7), ("b.shop", 7, 7)],
        }
    }

    fn body(&self, path: &str) -> Value {
        let nonce = |push: u64| format!("2026-11-24T09:38:58Z/{push}{UUID}");
        match path {
            "/debug/configz" => json!([
                {"kind": "VirtualService", "apiVersion": "networking.istio.io/v1", "spec": {"http": []}, "metadata": {
                    "name": "provider", "namespace": "shop", "generation": self.generation,
                    "resourceVersion": self.write.to_string(), "creationTimestamp": null}},
                {"kind": "Gateway", "apiVersion": "networking.istio.io/v1", "metadata": {
                    "name": "other", "namespace": "far", "resourceVersion": self.other.to_string()}},
            ]),
            "/debug/registryz" => json!([{
                "Attributes": {"Name": "provider", "Namespace": "shop", "ServiceRegistry": "Kubernetes",
                    "LabelSelectors": {"rollouts-pod-template-hash": self.selects}},
                "ResourceVersion": self.service.to_string(), "hostname": "provider.shop.svc.cluster.local",
            }, {"Attributes": {"Name": "none", "Namespace": "shop", "LabelSelectors": null}}]),
            "/debug/endpointShardz" => {
                let endpoint = |(address, revision): &(&str, &str)| json!({
                    "Labels": {"rollouts-pod-template-hash": revision}, "Addresses": [address], "HealthStatus": 1,
                    "Namespace": "shop"});
                let all: Vec<_> = self.endpoints.iter().map(endpoint).collect();
                json!({"provider.shop.svc.cluster.local": {"shop": {"Shards": {"Kubernetes/c": all}, "ServiceAccounts": {}}},
                    "empty.shop.svc.cluster.local": {"shop": {"Shards": {"Kubernetes/c": null}}}})
            }
            _ => self.proxies.iter().map(|(name, sent, acked)| json!({
                "proxy": name, "proxy_type": "sidecar", "route_sent": nonce(*sent), "route_acked": nonce(*acked),
                "cluster_sent": nonce(1), "cluster_acked": nonce(1)})).collect(),
        }
    }
}

impl Mesh {
    fn new() -> Self {
        let replicas = BTreeMap::from([("istiod-1", Replica::new())]);
        Self(Arc::new(Mutex::new(World {
            at: Duration::from_secs(100),
            takes: Duration::ZERO,
            ready: Some(vec!["10.0.0.1"]),
            replicas,
        })))
    }

    fn istiod(&self) -> Istiod<Self> {
        Istiod::new(self.clone(), "shop").debounce(Duration::from_millis(100))
    }

    /// Time passes, and then something has changed.
    fn after(&self, millis: u64, change: impl FnOnce(&mut Replica)) {
        let mut world = self.0.lock().unwrap();
        world.at += Duration::from_millis(millis);
        change(world.replicas.get_mut("istiod-1").unwrap());
    }
}

fn push(replica: &mut Replica) {
    for (_, sent, acked) in &mut replica.proxies {
        (*sent, *acked) = (*sent + 1, *acked + 1);
    }
}

fn version(content: u64, write: &str) -> Version {
    let name = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "provider");
    Version::from_iter([(name, ObjectVersion { write: write.into(), content })])
}

fn routes(istiod: &Istiod<Mesh>, generation: u64) -> Settled {
    ready(istiod.settled(&version(generation, "x"), &[])).unwrap()
}

fn endpoints(istiod: &Istiod<Mesh>) -> Settled {
    ready(istiod.settled(&Version::NONE, &["v1".into()])).unwrap()
}

fn behind(settled: &Settled) -> Vec<&str> {
    let Settled::NotYet { behind, .. } = settled else { return vec!["not NotYet"] };
    behind.iter().map(String::as_str).collect()
}

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
    for (takes, wait, settled) in [(1, 400, true), (50, 400, false), (50, 1_500, false), (50, 2_500, true)] {
        let mesh = Mesh::new();
        mesh.0.lock().unwrap().takes = Duration::from_millis(takes);
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
        push(istiod);
        push(istiod);
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
    let annotated = ready(istiod.settled(&version(1, "11"), &[])).unwrap();
    assert_eq!(annotated, Settled::Yes, "every proxy had this content; what comes later is another matter");
}

#[test]
fn an_istiod_that_once_answered_is_never_unknown() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    for why in [NoAnswer::Silent, NoAnswer::Closed, NoAnswer::Status(401), NoAnswer::Status(503)] {
        mesh.after(20_000, |istiod| istiod.answers = Err(why));
        assert_eq!(behind(&routes(&istiod, 1)), ["istiod-1 (does not answer)"], "{why}");
        assert_eq!(istiod.complaint(), None);
    }
    mesh.0.lock().unwrap().replicas.clear();
    mesh.0.lock().unwrap().at += Duration::from_secs(20);
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
        mesh.0.lock().unwrap().ready = Some(ready);
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
    mesh.0
        .lock()
        .unwrap()
        .replicas
        .insert("istiod-2", Replica { proxies: vec![("c.shop", 3, 3)], ..Replica::new() });
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    mesh.after(600, |istiod| istiod.answers = Err(NoAnswer::Silent));
    assert_eq!(routes(&istiod, 1), Settled::Yes);
    mesh.0.lock().unwrap().replicas.get_mut("istiod-2").unwrap().generation = 2;
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
        let complaint = istiod.complaint().unwrap();
        assert!(complaint.contains(open) && complaint.contains("istiod-1"), "{complaint}");
        mesh.after(600, |istiod| istiod.answers = Ok(()));
        assert!(matches!(routes(&istiod, 1), Settled::NotYet { .. }));
        assert_eq!(istiod.complaint(), None);
    }
    let none = Mesh::new();
    none.0.lock().unwrap().replicas.clear();
    let istiod = none.istiod();
    assert_eq!(routes(&istiod, 1), Settled::UNKNOWN);
    assert!(istiod.complaint().unwrap().contains("no istiod was found"));
}

#[test]
fn every_replica_must_have_pushed() {
    let mesh = Mesh::new();
    let mut second = Replica { proxies: vec![("c.shop", 3, 3)], ..Replica::new() };
    second.generation = 1;
    mesh.0.lock().unwrap().replicas.insert("istiod-2", second.clone());
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    for _ in 0..3 {
        assert_eq!(behind(&routes(&istiod, 2)), ["istiod-2 (has not seen VirtualService shop/provider)"]);
        mesh.after(5_000, |_| {});
    }
    second.generation = 2;
    mesh.0.lock().unwrap().replicas.insert("istiod-2", second);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes);
}

#[test]
fn a_replica_that_began_anew_proves_nothing_with_its_old_numbers() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    mesh.after(0, |istiod| istiod.generation = 2);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(600, |istiod| istiod.proxies = vec![("a.shop", 1, 1), ("b.shop", 1, 1)]);
    assert_ne!(routes(&istiod, 2), Settled::Yes);
    mesh.after(600, |istiod| istiod.proxies = vec![("a.shop", 2, 2), ("b.shop", 2, 2)]);
    assert_ne!(routes(&istiod, 2), Settled::Yes, "the first push since it was seen, no second");
    mesh.after(600, |_| {});
    assert_eq!(routes(&istiod, 2), Settled::Yes, "quiet for the debounce since");
}

#[test]
fn a_proxy_that_lost_its_istiod_still_has_what_it_had() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(routes(&istiod, 1), Settled::Yes);
    mesh.after(2_000, |istiod| istiod.proxies.truncate(1));
    assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    mesh.after(7_000, |_| {});
    assert_eq!(behind(&routes(&istiod, 1)), ["b.shop"]);
    mesh.after(2_000, |_| {});
    assert_eq!(routes(&istiod, 1), Settled::Yes, "it is gone");
}

#[test]
fn endpoints_are_settled_when_every_service_has_all_ready_pods_and_it_was_pushed() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    assert_ne!(endpoints(&istiod), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(endpoints(&istiod), Settled::Yes);
    mesh.0.lock().unwrap().ready = Some(vec!["10.0.0.1", "10.0.0.2"]);
    mesh.after(600, |_| {});
    assert_eq!(behind(&endpoints(&istiod)), ["istiod-1 (has not seen the endpoints of v1)"]);
    mesh.after(600, |istiod| istiod.endpoints.push(("10.0.0.2", "v1")));
    assert_ne!(endpoints(&istiod), Settled::Yes);
    mesh.after(1_200, |_| {});
    assert_eq!(endpoints(&istiod), Settled::Yes);
    mesh.0.lock().unwrap().ready = None;
    assert_eq!(endpoints(&istiod), Settled::UNKNOWN, "which pods are ready is not known");
}

#[test]
fn a_service_is_settled_when_its_endpoints_are_of_the_revision_that_it_selects() {
    let mesh = Mesh::new();
    let istiod = mesh.istiod();
    let name = ObjectRef::new("", "Service", "shop", "provider");
    let asked = Version::from_iter([(name, ObjectVersion { write: "6".into(), content: 6 })]);
    let service = |istiod: &Istiod<Mesh>| ready(istiod.settled(&asked, &[])).unwrap();
    assert_eq!(behind(&service(&istiod)), ["istiod-1 (has not seen Service shop/provider)"]);
    mesh.after(600, |istiod| (istiod.service, istiod.selects) = (6, "v2"));
    assert_eq!(behind(&service(&istiod)), ["istiod-1 (has not seen Service shop/provider)"], "old endpoints");
    mesh.after(600, |istiod| istiod.endpoints = vec![("10.0.0.9", "v2")]);
    assert_eq!(behind(&service(&istiod)), [""; 0]);
    mesh.after(1_200, |_| {});
    assert_eq!(service(&istiod), Settled::Yes);
    let name = ObjectRef::new("", "Service", "shop", "provider");
    let annotated = Version::from_iter([(name, ObjectVersion { write: "7".into(), content: 6 })]);
    assert_eq!(ready(istiod.settled(&annotated, &[])).unwrap(), Settled::Yes, "a fence's nonce is no change");
}

#[derive(Debug)]
struct Garbage(&'static str);

#[async_trait::async_trait]
impl Fetch for Garbage {
    async fn fetch(&self, _path: &str) -> Vec<Fetched> {
        vec![Fetched { replica: "istiod-1".into(), answer: Ok(self.0.into()) }]
    }

    async fn ready(&self, _revision: &Revision) -> Option<Vec<String>> {
        None
    }

    fn elapsed(&self) -> Duration {
        Duration::MAX
    }

    fn now(&self) -> Time {
        Time::from_millis(i64::MAX)
    }
}

#[test]
fn an_answer_that_makes_no_sense_is_none() {
    for garbage in ["", "[", "null", "[1]", "{}", "[{\"metadata\": 1}]", "<html>"] {
        let istiod = Istiod::new(Garbage(garbage), "shop");
        assert_eq!(
            ready(istiod.settled(&version(1, "1"), &["v1".into()])).unwrap(),
            Settled::UNKNOWN,
            "{garbage}"
        );
        assert!(istiod.complaint().is_some());
    }
}
