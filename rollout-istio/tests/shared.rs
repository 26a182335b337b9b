//! Several Rollouts in the same objects: nobody reads or touches what is another's.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "a test may stop where it stands"
)]

mod support;

use rollout_core::{
    Range,
    backend::{
        Chain, MANAGED_BY_ANNOTATION, MemoryStore, NoDataPlane, ObjectBackend, RolloutRef, ServiceEditor,
        TrafficBackend, ready, release_service, rollouts_in,
    },
    traffic::{ManagedChange, ObjectRef, Routes, Seen, Selection, Selectors, Weight, WeightChange},
};
use rollout_istio::{
    DestinationRuleRef, IstioConfig, IstioEditor, SUBSETS_ANNOTATION, VirtualServiceRef, release_abandoned,
};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{dr, header, http, vs};

type Backend = Chain<
    ObjectBackend<ServiceEditor, Arc<MemoryStore>, NoDataPlane>,
    ObjectBackend<IstioEditor, Arc<MemoryStore>, NoDataPlane>,
>;

/// One Rollout of several, and what it last wrote.
#[derive(Debug)]
struct One {
    backend: Backend,
    seen: Seen,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn service(name: &str) -> ObjectRef {
    ObjectRef::new("", "Service", "shop", name)
}

/// The first two weigh Services, the others subsets; all in two VirtualServices and one DestinationRule.
fn world(count: usize) -> (Arc<MemoryStore>, Vec<One>) {
    let store = Arc::new(MemoryStore::new());
    let names = &NAMES[..count];
    let to = |name: &str, role: &str| match name {
        "a" | "b" => json!({"host": format!("{name}{role}")}),
        _ => json!({"host": "web", "subset": format!("{name}{role}")}),
    };
    let foreign = json!({"destination": {"host": "other"}, "weight": 51});
    let route = |name: &&str| {
        json!({"name": name, "route": [
            {"destination": to(name, ""), "weight": 49}, foreign, {"destination": to(name, "-canary"), "weight": 0},
        ]})
    };
    let routes: Value = names.iter().map(route).collect();
    for gateway in ["gw", "edge"] {
        store.apply(&vs(gateway), http(&routes));
    }
    let subset = |name: &&str| [json!({"name": name}), json!({"name": format!("{name}-canary")})];
    let subsets: Value = names.iter().flat_map(subset).collect();
    store.apply(&dr(), json!({"metadata": {"name": "rule"}, "spec": {"host": "web", "subsets": subsets}}));
    let one = |name: &&str| {
        let canary = format!("{name}-canary");
        let (config, services) = match *name {
            "a" | "b" => {
                for service_name in [*name, &canary] {
                    store.apply(
                        &service(service_name),
                        json!({"metadata": {}, "spec": {"selector": {"app": name}}}),
                    );
                }
                let services = ServiceEditor::new("shop", Some(name), Some(&canary));
                (IstioConfig::hosts("shop", name, &canary), services)
            }
            _ => {
                let rule = DestinationRuleRef::new("rule", name, &canary);
                (IstioConfig::subsets("shop", rule), ServiceEditor::new("shop", None, None))
            }
        };
        let routed = |config: IstioConfig, vs| config.virtual_service(VirtualServiceRef::new(vs).route(name));
        let config =
            ["gw", "edge"].into_iter().fold(config, routed).managed_route(&format!("{name}-testers"));
        let istio = ObjectBackend::new(IstioEditor::new(config), store.clone(), NoDataPlane);
        let backend = Chain::new(ObjectBackend::new(services, store.clone(), NoDataPlane), istio);
        let seen = observe(&backend);
        One { backend, seen }
    };
    let all = names.iter().map(one).collect();
    (store, all)
}

fn observe(backend: &Backend) -> Seen {
    ready(backend.observe(&[])).unwrap().unwrap()
}

/// What it says, without the versions, which change with every write of anybody.
fn said(mut seen: Seen) -> Seen {
    seen.version = rollout_core::traffic::Version::NONE;
    (seen.routes_content, seen.selectors_content) = (0, 0);
    seen
}

/// Random numbers of one seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[test]
fn each_reads_what_it_wrote_and_nobody_changes_what_another_reads() {
    for seed in 0..300_u64 {
        let mut random = Random(seed);
        let count = 2 + random.below(3);
        let (store, mut all) = world(count);
        let before = store.all();
        for step in 0..20 {
            let index = random.below(count);
            let revision = format!("{}{step}", NAMES[index]);
            let Seen { version, .. } = observe(&all[index].backend);
            let one = &mut all[index];
            let mut expected = one.seen.clone();
            match random.below(5) {
                0 => {
                    let _ = ready(one.backend.fence(&revision, &version)).unwrap().unwrap();
                    expected.nonces = version.objects().iter().map(|_| revision.as_str().into()).collect();
                }
                1 => {
                    let to = Selection::Revision(revision.as_str().into());
                    let to = Selectors { stable: None, canary: Some(to) };
                    let _ = ready(one.backend.select(&to, &version)).unwrap().unwrap();
                    expected.behind.canary = to.canary.into_iter().collect();
                }
                2 => {
                    let _ = ready(one.backend.release(&version)).unwrap().unwrap();
                    expected = said(world(count).1.swap_remove(index).seen);
                }
                kind => {
                    let weight = u32::try_from(random.below(101)).unwrap();
                    let name = format!("{}-testers", NAMES[index]);
                    let managed = if kind == 3 { vec![] } else { vec![header(&name, &revision)] };
                    let to = Routes {
                        weight: WeightChange::To(Weight::new(weight, 100)),
                        managed: ManagedChange::To(managed.clone()),
                        written_for: revision.as_str().into(),
                    };
                    let _ = ready(one.backend.route(&to, &version)).unwrap().unwrap();
                    for routes in &mut expected.routes {
                        let was = (routes.weight, routes.managed.clone());
                        routes.weight = Range::exact(weight);
                        routes.managed =
                            managed.iter().cloned().map(rollout_core::traffic::ManagedSeen::new).collect();
                        if (routes.weight, routes.managed.clone()) != was {
                            routes.written_for = routes.leads_to_canary().then(|| revision.as_str().into());
                        }
                    }
                }
            }
            one.seen = expected;
            for (of, one) in all.iter().enumerate() {
                let now = said(observe(&one.backend));
                assert_eq!(now, said(one.seen.clone()), "seed {seed}, step {step}: {of} after {index} wrote");
            }
        }
        for one in &all {
            let _ = ready(one.backend.release(&observe(&one.backend).version)).unwrap().unwrap();
        }
        let values =
            |all: rollout_core::backend::Objects| all.into_values().map(|one| one.value).collect::<Vec<_>>();
        assert_eq!(values(store.all()), values(before), "seed {seed}: given back as they were");
    }
}

#[test]
fn two_that_drive_the_same_are_told_of_each_other() {
    let weighing = |name: &str, one: VirtualServiceRef| {
        let config = IstioConfig::hosts("shop", name, &format!("{name}-canary")).of_rollout(name);
        let config = config.virtual_service(one).managed_route(&format!("{name}-testers"));
        ObjectBackend::new(IstioEditor::new(config), MemoryStore::new(), NoDataPlane).claims()
    };
    let said = |one: Vec<rollout_core::backend::Claim>, other: Vec<rollout_core::backend::Claim>| {
        let pairs = one.iter().flat_map(|one| other.iter().filter_map(|other| one.collision(other)));
        pairs.map(|error| error.to_string()).collect::<Vec<_>>()
    };
    let gw = || VirtualServiceRef::new("gw");
    assert_eq!(said(weighing("b", gw().route("b")), weighing("a", gw().route("a"))), [""; 0]);
    assert_eq!(
        said(weighing("b", gw().route("p")), weighing("a", gw().route("p"))),
        [
            "VirtualService shop/gw: spec.http: Rollout shop/b and Rollout shop/a both drive the http route \"p\"; \
          give each Rollout an http route of its own"
        ]
    );
    for (one, other) in
        [("a", gw()), ("b", gw().route("a-testers")), ("b", gw())].map(|(name, one)| (name, one))
    {
        let (of, with) =
            (weighing(one, other), weighing(if one == "a" { "b" } else { "a" }, gw().route("p")));
        assert!(!said(of, with).is_empty(), "{one}");
    }
    let managing = |name: &str| {
        let config = IstioConfig::hosts("shop", name, "canary").of_rollout(name).managed_route("testers");
        let editor = IstioEditor::new(config.virtual_service(gw().route(name)));
        ObjectBackend::new(editor, MemoryStore::new(), NoDataPlane).claims()
    };
    assert_eq!(said(managing("a"), managing("b")).len(), 1, "the managed route of one name");
    let subsets = |name: &str, rule| {
        let config = IstioConfig::subsets("shop", rule).of_rollout(name).virtual_service(gw().route(name));
        ObjectBackend::new(IstioEditor::new(config), MemoryStore::new(), NoDataPlane).claims()
    };
    let rule = |stable, canary| DestinationRuleRef::new("rule", stable, canary);
    assert!(said(subsets("a", rule("s", "c")), subsets("b", rule("t", "d"))).is_empty());
    let shared = said(subsets("a", rule("s", "c")), subsets("b", rule("s", "d")));
    assert!(shared[0].contains("both drive the subset \"s\""), "{shared:?}");
}

fn selector(value: &Value, subset: usize) -> &Value {
    &value["spec"]["subsets"][subset]["labels"]["rollouts-pod-template-hash"]
}

#[test]
fn e1_what_a_rollout_has_left_is_found_and_taken_out_and_nothing_of_another() {
    let (store, all) = world(4);
    for (index, one) in all.iter().enumerate() {
        let to = |text: &str| Some(Selection::Revision(format!("{}{text}", NAMES[index]).into()));
        let writes = store.writes();
        let to = Selectors { stable: to("1"), canary: to("2") };
        let written = ready(one.backend.select(&to, &observe(&one.backend).version)).unwrap().unwrap();
        assert_eq!(
            store.writes() - writes,
            u64::try_from(written.changed.len()).unwrap(),
            "no write of its own"
        );
    }
    let rollout = |name: &str| RolloutRef::new("shop", name);
    let (c, d) = (rollout("rule.c"), rollout("rule.d"));
    let mut value = (*store.peek(&dr()).unwrap().value).clone();
    assert_eq!(value["metadata"]["annotations"][MANAGED_BY_ANNOTATION], "rule.c", "the first stays named");
    assert_eq!(rollouts_in(&dr(), &value), [c.clone(), d.clone()]);
    assert!(!release_abandoned(&dr(), &mut value, &rollout("web")).unwrap(), "it has left nothing");
    assert!(release_abandoned(&dr(), &mut value, &c).unwrap());
    assert_eq!(
        [4, 5, 6, 7].map(|subset| selector(&value, subset).as_str()),
        [None, None, Some("d1"), Some("d2")]
    );
    assert_eq!(rollouts_in(&dr(), &value), std::slice::from_ref(&d));
    assert!(!release_abandoned(&dr(), &mut value, &c).unwrap(), "once");
    assert!(release_abandoned(&dr(), &mut value, &d).unwrap());
    assert_eq!(value["metadata"], json!({"name": "rule"}));

    let mut value = (*store.peek(&service("a-canary")).unwrap().value).clone();
    assert_eq!(rollouts_in(&service("a-canary"), &value), [rollout("a")]);
    assert!(!release_service(&service("a-canary"), &mut value, &RolloutRef::new("far", "a")).unwrap());
    assert!(release_service(&service("a-canary"), &mut value, &rollout("a")).unwrap());
    assert_eq!(value, json!({"metadata": {}, "spec": {"selector": {"app": "a"}}}));
}

/// As Argo Rollouts leaves a rule: it names the Rollout, but not its subsets.
#[test]
fn e1_a_rule_that_argo_rollouts_wrote_loses_the_labels_that_nobody_else_has_noted() {
    let subset = |name: &str| json!({"name": name, "labels": {"rollouts-pod-template-hash": "x"}});
    let mut value = json!({
        "metadata": {"annotations": {
            MANAGED_BY_ANNOTATION: "web", SUBSETS_ANNOTATION: "{\"other\":\"s,t\"}",
        }},
        "spec": {"subsets": [subset("stable"), subset("s"), subset("canary")]},
    });
    assert!(release_abandoned(&dr(), &mut value, &RolloutRef::new("shop", "web")).unwrap());
    assert_eq!([0, 1, 2].map(|index| selector(&value, index).as_str()), [None, Some("x"), None]);
}

#[test]
fn a_virtual_service_that_is_no_longer_named_keeps_its_routes() {
    let (store, all) = world(2);
    let to = Routes {
        weight: WeightChange::To(Weight::new(30, 100)),
        managed: ManagedChange::Keep,
        written_for: "a1".into(),
    };
    for one in &all {
        let _ = ready(one.backend.route(&to, &observe(&one.backend).version)).unwrap().unwrap();
    }
    let mut value = (*store.peek(&vs("gw")).unwrap().value).clone();
    let before = value["spec"].clone();
    assert!(release_abandoned(&vs("gw"), &mut value, &RolloutRef::new("shop", "a")).unwrap());
    assert_eq!(value["spec"], before);
    assert_eq!(rollouts_in(&vs("gw"), &value), [RolloutRef::new("shop", "b")]);
}
