//! The program `own_crd`: a controller for a kind of object of its own.

use crate::bed::{Bed, Process, secs};
use std::path::Path;

const CRD: &str = include_str!("../../manifests/own-crd/crd.yaml");
const CANARY: &str = include_str!("../../manifests/own-crd/canary.yaml");

#[test]
fn a_kind_of_its_own_is_released_to_the_end() {
    let bed = Bed::own("own-crd", &[]);
    let space = bed.namespace("own-crd");
    space.apply(CRD);
    let established = ["wait", "--for=condition=Established", "crd/canaries.canaries.example.com"];
    space.kubectl(&established).ok();
    space.apply(CANARY);
    let kubeconfig = bed.file("kubeconfig");
    let variable = ("KUBECONFIG", kubeconfig.to_str().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_own_crd"));
    let log = bed.file("own-crd.log");
    let mut controller = Process::start(program, std::slice::from_ref(&space.name), variable, &log);
    let pods_of = |image: &'static str| {
        space.until("all pods have the image", secs(90), |seen| {
            let mut sets = seen.objects("ReplicaSet").filter(|set| set["spec"]["replicas"] != 0);
            let (first, other) = (sets.next(), sets.next());
            let is_it = first.is_some_and(|set| {
                set["spec"]["template"]["spec"]["containers"][0]["image"] == image
                    && set["status"]["readyReplicas"] == 2
            });
            is_it && other.is_none()
        });
    };
    pods_of("web:v1");
    space.until("the first deploy is complete", secs(30), |seen| {
        seen.events("web").iter().any(|(_, note)| note.contains("completed: "))
    });
    space.patch("canary/web", "", &serde_json::json!({"spec": {"image": "web:v2"}})).ok();
    pods_of("web:v2");
    let story = ["started", "paused until", "is stable instead of", ": 0 pods"];
    let tells = |said: &&str| {
        space.within(secs(10), |seen| seen.events("web").iter().any(|(_, note)| note.contains(said)))
    };
    let untold: Vec<_> = story.iter().filter(|said| !tells(said)).collect();
    space.seen(|seen| seen.events("web").iter().for_each(|(_, note)| println!("{note}")));
    assert!(untold.is_empty(), "its events do not tell {untold:?}");
    let log = controller.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn it_is_as_short_as_it_promises() {
    let lines = include_str!("../../src/bin/own_crd.rs").lines().count();
    assert!(lines <= 120, "{lines} lines");
}
