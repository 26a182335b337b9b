//! Situations that users of other tools ran into, and what we do better on purpose.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may stop where it stands")]

mod support;

use rollout_core::{
    Range,
    argo::wire::Rollout,
    backend::{MemoryStore, NoDataPlane, ObjectBackend, ObjectEditor, TrafficBackend, ready},
    traffic::{ManagedChange, ManagedSeen, ObjectRef, Routes, Selection, Weight, WeightChange},
};
use rollout_istio::{
    DestinationRuleRef, IstioConfig, IstioEditor, TcpRouteRef, TlsRouteRef, VirtualServiceRef,
    WEIGHT_ANNOTATION, WRITTEN_FOR_ANNOTATION,
    conformance::{InForce, apply_steps},
};
use serde_json::{Value, json};
use support::{
    One, both_to, dr, header, hosts, http, mirror, objects, route, rule, subset_route, subsets, to, vs,
    weight, weights,
};

/// What the Rollout of these tests has noted.
fn note(object: &Value, key: &str) -> Value {
    let notes = object["metadata"]["annotations"][key].as_str().unwrap_or("{}");
    serde_json::from_str::<Value>(notes).unwrap()["a"].clone()
}

#[test]
fn s52_routes_omitted_with_several_is_an_error_that_names_them() {
    let one = One::new(hosts(), http(&json!([route("api", 100, 0), route("web", 100, 0)])));
    let error = one.try_route(&weight(5)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("'api', 'web'") && text.contains("`routes`"), "{text}");
    assert!(one.editor.read(&one.objects).is_err(), "the rollout holds before anything is tried");
}

#[test]
fn s53_one_named_route_is_meant_when_routes_are_omitted() {
    let mut one = One::new(hosts(), http(&json!([route("primary", 100, 0)])));
    assert!(one.route(&weight(5)));
    assert_eq!(weights(&one.http()[0]), [95, 5]);
}

#[test]
fn the_users_route_is_meant_while_managed_ones_stand_in_front_of_it() {
    let config = hosts().managed_route("testers").managed_route("others");
    let mut one = One::new(config, http(&json!([route("primary", 100, 0)])));
    one.route(&to(5, ManagedChange::To(vec![header("testers", "x"), mirror("others", 50)])));
    assert_eq!(one.names(), ["testers", "others", "primary"]);
    assert!(one.route(&weight(20)));
    assert_eq!(weights(&one.http()[2]), [80, 20]);
    assert_eq!(weights(&one.http()[1]), [80, 20], "a mirror route's requests are split like all others");
    assert_eq!(one.seen().weight(), Range::exact(20));
}

#[test]
fn s54_unknown_fields_survive_every_edit() {
    let mut before = route("primary", 100, 0);
    before["retries"] = json!({"attempts": 3, "retryOn": "5xx"});
    before["xNext"] = json!({"deep": [1, null, {"x": 0.1}]});
    before["route"][0]["headers"] = json!({"request": {"set": {"a": "b"}}});
    let mut one = One::new(hosts().managed_route("testers"), http(&json!([before.clone()])));
    one.route(&to(30, ManagedChange::To(vec![header("testers", "x")])));
    one.route(&to(100, ManagedChange::To(vec![])));
    one.route(&weight(0));
    assert_eq!(one.http()[0].to_string(), before.to_string(), "the same, byte for byte");
}

#[test]
fn s56_only_the_hash_label_of_the_two_subsets_changes() {
    let mut expected = rule();
    expected["spec"]["trafficPolicy"] = json!({"connectionPool": {"http": {"http2MaxRequests": 10000}}});
    expected["spec"]["subsets"]
        .as_array_mut()
        .unwrap()
        .insert(1, json!({"name": "other", "labels": {"v": "9"}}));
    let mut one = One::new(subsets(), http(&json!([subset_route("primary", 100, 0)])));
    one.objects.extend(objects([(dr(), expected.clone())]));
    one.select(&both_to("v1", "v2"));
    expected["spec"]["subsets"][0]["labels"]["rollouts-pod-template-hash"] = "v1".into();
    expected["spec"]["subsets"][2]["labels"]["rollouts-pod-template-hash"] = "v2".into();
    assert_eq!(one.objects[&dr()].value["spec"], expected["spec"]);
    let seen = one.seen();
    assert_eq!(seen.behind.stable, [Selection::Revision("v1".into())]);
    assert_eq!(seen.behind.canary, [Selection::Revision("v2".into())]);
}

#[test]
fn s57_a_foreign_destination_keeps_its_share_and_the_total_stays() {
    let mut primary = route("primary", 95, 0);
    primary["route"]
        .as_array_mut()
        .unwrap()
        .insert(1, json!({"destination": {"host": "other"}, "weight": 5}));
    let config = hosts().managed_route("testers");
    let mut one = One::new(config, http(&json!([primary])));
    for (asked, expected) in [
        (10, [86, 5, 9]),
        (50, [48, 5, 47]),
        (1, [94, 5, 1]),
        (99, [1, 5, 94]),
        (100, [0, 5, 95]),
        (0, [95, 5, 0]),
    ] {
        one.route(&to(asked, ManagedChange::To(vec![header("testers", "x")])));
        assert_eq!(weights(&one.http()[1]), expected, "{asked}");
        assert_eq!(
            one.seen().weight(),
            Range::exact(asked),
            "what was written is read, whatever was rounded"
        );
        assert!(!one.route(&to(asked, ManagedChange::To(vec![header("testers", "x")]))));
    }
    assert_eq!(weights(&one.http()[0]), [100], "a managed route is never out of what is left");
}

/// `maxTrafficWeight: 1000`: Istio takes any total.
#[test]
fn one_request_of_a_thousand_goes_to_the_canary() {
    let mut config = hosts();
    config.max_weight = 1_000;
    let mut one = One::new(config, http(&json!([route("primary", 100, 0)])));
    assert_eq!(one.seen().weight(), Range::exact(0), "out of 100, as the user wrote it");
    for (asked, expected) in [(1, [999, 1]), (500, [500, 500]), (1_000, [0, 1_000]), (0, [1_000, 0])] {
        one.route(&Routes { weight: WeightChange::To(Weight::new(asked, 1_000)), ..weight(0) });
        assert_eq!(weights(&one.http()[0]), expected);
        assert_eq!(one.seen().weight(), Range::exact(asked));
    }
}

#[test]
fn a_weight_that_rounding_hid_is_recorded_and_an_edit_by_hand_is_seen_nevertheless() {
    let mut primary = route("primary", 49, 0);
    primary["route"].as_array_mut().unwrap().push(json!({"destination": {"host": "other"}, "weight": 51}));
    let mut one = One::new(hosts(), http(&json!([primary])));
    one.route(&weight(3));
    assert_eq!(weights(&one.http()[0]), [48, 1, 51]);
    assert_eq!(note(one.provider(), WEIGHT_ANNOTATION), "3");
    let mut stripped = one.provider().clone();
    stripped["metadata"].as_object_mut().unwrap().shift_remove("annotations");
    one.objects.extend(objects([(vs("provider"), stripped)]));
    assert_eq!(one.seen().weight(), Range::exact(2), "without the record, the nearest");
    assert!(one.route(&weight(3)), "and the record is written again, or it would never be 3");
    assert_eq!(one.seen().weight(), Range::exact(3));
    let mut edited = one.provider().clone();
    edited["spec"]["http"][0]["route"][0]["weight"] = 29.into();
    edited["spec"]["http"][0]["route"][1]["weight"] = 20.into();
    one.objects.extend(objects([(vs("provider"), edited)]));
    assert_eq!(one.seen().weight(), Range::exact(41));
}

#[test]
fn foreign_destinations_that_leave_nothing_are_an_error() {
    let mut primary = route("primary", 0, 0);
    primary["route"].as_array_mut().unwrap().push(json!({"destination": {"host": "other"}, "weight": 100}));
    let one = One::new(hosts(), http(&json!([primary])));
    assert_eq!(one.seen().weight(), Range::exact(0));
    let text = one.try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("spec.http[0].route") && text.contains("leave only 0 of 100"), "{text}");
}

#[test]
fn s59_a_lost_managed_route_is_seen_and_restored() {
    let mut one = One::new(hosts().managed_route("testers"), http(&json!([route("primary", 100, 0)])));
    let wanted = to(0, ManagedChange::To(vec![header("testers", "x")]));
    one.route(&wanted);
    assert_eq!(one.seen().routes[0].managed, [ManagedSeen::new(header("testers", "x"))]);
    let users = http(&json!([route("primary", 100, 0)]));
    one.objects.extend(objects([(vs("provider"), users)]));
    assert!(one.seen().routes[0].managed.is_empty());
    assert!(one.route(&wanted));
    assert_eq!(one.names(), ["testers", "primary"]);
}

#[test]
fn a_managed_route_that_drifted_is_seen_and_repaired() {
    let config = subsets().managed_route("testers").managed_route("copies");
    let mut one = One::new(config, http(&json!([subset_route("primary", 100, 0)])));
    let wanted = to(20, ManagedChange::To(vec![header("testers", "x"), mirror("copies", 50)]));
    one.route(&wanted);
    let good = one.provider().clone();
    for (path, value) in [
        ("/spec/http/0/route/0/destination/subset", json!("stable")),
        ("/spec/http/0/match/0/headers/lane", json!({"exact": "y", "prefix": "z"})),
        ("/spec/http/0/timeout", json!("1s")),
        ("/spec/http/1/mirror/host", json!("other")),
        ("/spec/http/1/mirrorPercentage/value", json!(49.5)),
        ("/spec/http/1/route/0/headers", json!({"request": {}})),
    ] {
        let mut drifted = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        drifted.pointer_mut(parent).unwrap()[key] = value;
        one.objects.extend(objects([(vs("provider"), drifted)]));
        let seen = one.seen();
        assert_eq!(seen.routes[0].managed.iter().filter(|seen| seen.route.is_none()).count(), 1, "{path}");
        assert!(one.route(&wanted), "{path}");
        assert_eq!(one.provider(), &good, "{path}");
    }
}

#[test]
fn a_reordered_list_is_seen_and_repaired() {
    let config = hosts().managed_route("one").managed_route("two");
    let mut one = One::new(config, http(&json!([route("primary", 100, 0)])));
    let wanted = to(0, ManagedChange::To(vec![header("one", "1"), header("two", "2")]));
    one.route(&wanted);
    assert!(one.seen().routes[0].in_order);
    let good = one.provider().clone();
    for order in [[1, 0, 2], [2, 0, 1], [0, 2, 1]] {
        let mut moved = good.clone();
        for (to, from) in order.into_iter().enumerate() {
            moved["spec"]["http"][to] = good["spec"]["http"][from].clone();
        }
        one.objects.extend(objects([(vs("provider"), moved)]));
        let seen = one.seen();
        assert!(!seen.routes[0].in_order);
        assert!(seen.routes[0].managed.iter().all(|seen| seen.route.is_some()), "moved, not edited");
        assert!(one.route(&wanted));
        assert_eq!(one.provider(), &good);
    }
}

#[test]
fn s60_retain_takes_away_and_leaves_the_rest_as_it_is() {
    let config = hosts().managed_route("one").managed_route("two").managed_route("three");
    let mut one = One::new(config, http(&json!([route("primary", 60, 40)])));
    let all = vec![header("one", "1"), header("two", "2"), mirror("three", 100)];
    one.route(&to(40, ManagedChange::To(all)));
    let mut drifted = one.provider().clone();
    drifted["spec"]["http"][1]["timeout"] = "9s".into();
    one.objects.extend(objects([(vs("provider"), drifted.clone())]));
    let change = Routes {
        weight: WeightChange::Keep,
        managed: ManagedChange::Retain(vec!["two".into(), "never-there".into()]),
        written_for: "v3".into(),
    };
    assert!(one.route(&change));
    assert_eq!(one.names(), ["two", "primary"]);
    assert_eq!(one.http()[0], drifted["spec"]["http"][1], "also where somebody edited it");
    assert_eq!(note(one.provider(), WRITTEN_FOR_ANNOTATION), "v2", "a kept weight keeps its name");
    assert!(!one.route(&change));
}

#[test]
fn s62_a_managed_route_goes_and_nothing_of_it_is_left() {
    let before = http(&json!([route("primary", 100, 0)]));
    let mut one = One::new(hosts().managed_route("testers"), before.clone());
    one.route(&to(0, ManagedChange::To(vec![header("testers", "x")])));
    assert_eq!(note(one.provider(), WRITTEN_FOR_ANNOTATION), "v2");
    one.route(&to(0, ManagedChange::To(vec![])));
    assert_eq!(one.provider(), &before);
}

#[test]
fn s64_a_weight_leaves_a_header_route_at_full_weight() {
    let mut one = One::new(hosts().managed_route("testers"), http(&json!([route("primary", 100, 0)])));
    one.route(&to(0, ManagedChange::To(vec![header("testers", "x")])));
    assert_eq!(one.seen().weight(), Range::exact(0));
    assert!(one.seen().routes[0].leads_to_canary());
    for asked in [5, 50, 0] {
        one.route(&weight(asked));
        assert_eq!(weights(&one.http()[0]), [100]);
        assert_eq!(one.http()[0]["route"][0]["destination"]["host"], "b");
    }
}

#[test]
fn s67_a_name_with_a_period_is_not_another_namespace() {
    let config = IstioConfig::hosts("shop", "a", "b").virtual_service(VirtualServiceRef::new("shop.example"));
    let editor = IstioEditor::new(config);
    let (far, here) =
        (ObjectRef::new("networking.istio.io", "VirtualService", "example", "shop"), vs("shop.example"));
    assert_eq!(editor.objects(), std::slice::from_ref(&far));
    let store = MemoryStore::new();
    store.apply(&here, http(&json!([route("primary", 100, 0)])));
    let backend = ObjectBackend::new(editor, store, NoDataPlane);
    let seen = ready(backend.observe(&[])).unwrap().unwrap();
    let written = ready(backend.route(&weight(5), &seen.version)).unwrap().unwrap();
    assert_eq!(written.changed, std::slice::from_ref(&here));
    // When both exist, the last dot splits, as Argo Rollouts has it.
    let host = |name: &str| json!({"host": format!("{name}.shop.svc.cluster.local")});
    let entries = json!([{"destination": host("a"), "weight": 100}, {"destination": host("b"), "weight": 0}]);
    backend.store().apply(&far, http(&json!([{"route": entries}])));
    let seen = ready(backend.observe(&[])).unwrap().unwrap();
    let written = ready(backend.route(&weight(7), &seen.version)).unwrap().unwrap();
    assert_eq!(written.changed, [far]);
    let error = {
        backend.store().delete(&here);
        backend.store().delete(&written.changed[0]);
        ready(backend.observe(&[])).unwrap().unwrap_err()
    };
    assert_eq!(error.to_string(), "VirtualService example/shop not found");
}

#[test]
fn s68_virtual_service_and_virtual_services_are_refused_together() {
    let rollout = json!({"spec": {"strategy": {"canary": {"canaryService": "b", "stableService": "a", "trafficRouting": {
        "istio": {"virtualService": {"name": "one"}, "virtualServices": [{"name": "two"}]},
    }}}}});
    let errors = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap_err();
    assert_eq!(errors[0].path, "spec.strategy.canary.trafficRouting.istio");
    let text = errors[0].to_string();
    assert!(
        text.contains("either VirtualService or VirtualServices must be configured: both are given"),
        "{text}"
    );
}

#[test]
fn s70_lists_that_are_not_there_are_not_written() {
    let mut one = One::new(hosts(), http(&json!([route("primary", 100, 0)])));
    one.route(&weight(5));
    let keys: Vec<_> = one.provider()["spec"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["hosts", "http"]);
}

#[test]
fn s71_weights_edited_by_hand_are_corrected() {
    let mut one = One::new(hosts(), http(&json!([route("primary", 100, 0)])));
    one.route(&weight(5));
    let mut edited = one.provider().clone();
    edited["spec"]["http"][0]["route"][0]["weight"] = 20.into();
    edited["spec"]["http"][0]["route"][1]["weight"] = 80.into();
    one.objects.extend(objects([(vs("provider"), edited)]));
    assert_eq!(one.seen().weight(), Range::exact(80));
    assert!(one.route(&weight(5)));
    assert_eq!(weights(&one.http()[0]), [95, 5]);
}

#[test]
fn s73_the_destinations_of_a_finished_experiment_are_not_ours_to_take() {
    let mut primary = route("primary", 90, 0);
    primary["route"]
        .as_array_mut()
        .unwrap()
        .push(json!({"destination": {"host": "experiment"}, "weight": 10}));
    let mut one = One::new(hosts(), http(&json!([primary])));
    one.route(&weight(100));
    assert_eq!(
        weights(&one.http()[0]),
        [0, 90, 10],
        "experiments are not driven yet: whoever put it there takes it away"
    );
}

#[test]
fn s74_a_mirror_of_destinations_with_different_ports_is_refused() {
    let mut primary = route("primary", 100, 0);
    primary["route"][0]["destination"]["port"] = json!({"number": 80});
    primary["route"][1]["destination"]["port"] = json!({"number": 8080});
    let one = One::new(hosts().managed_route("copies"), http(&json!([primary])));
    let text = one.try_route(&to(5, ManagedChange::To(vec![mirror("copies", 50)]))).unwrap_err().to_string();
    assert!(text.contains("'copies'") && text.contains("different ports"), "{text}");
}

#[test]
fn several_unnamed_routes_and_managed_ones_do_not_multiply() {
    let unnamed =
        |path: &str| json!({"match": [{"uri": {"prefix": path}}], "route": [{"destination": {"host": "a"}}]});
    let before = json!([unnamed("/x"), route("primary", 100, 0), unnamed("/y"), unnamed("/z")]);
    let config = IstioConfig::hosts("shop", "a", "b")
        .virtual_service(VirtualServiceRef::new("provider").route("primary"))
        .managed_route("testers")
        .managed_route("copies");
    let mut one = One::new(config, http(&before));
    for _ in 0..2 {
        one.route(&to(0, ManagedChange::To(vec![header("testers", "x"), mirror("copies", 5)])));
        assert_eq!(one.names(), ["", "testers", "copies", "primary", "", ""]);
    }
    one.route(&to(0, ManagedChange::To(vec![])));
    assert_eq!(Value::Array(one.http().clone()), before);
}

#[test]
fn a_mirror_copies_destinations_whole() {
    let mut primary = route("primary", 95, 0);
    primary["route"][0]["headers"] = json!({"response": {"remove": ["x"]}});
    primary["route"]
        .as_array_mut()
        .unwrap()
        .push(json!({"destination": {"host": "other"}, "weight": 5, "xNext": 1}));
    let mut one = One::new(hosts().managed_route("copies"), http(&json!([primary])));
    one.route(&to(20, ManagedChange::To(vec![mirror("copies", 0)])));
    assert_eq!(one.http()[0]["route"], one.http()[1]["route"]);
    assert_eq!(one.http()[0]["mirrorPercentage"], json!({"value": 0}));
    assert_eq!(one.http()[0]["mirror"], json!({"host": "b"}));
}

#[test]
fn case_07_each_managed_route_has_the_port_of_its_own_route() {
    let mut api = subset_route("api", 100, 0);
    for entry in api["route"].as_array_mut().unwrap() {
        entry["destination"]["port"] = json!({"number": 20880});
    }
    let rule = DestinationRuleRef::new("rule", "stable", "canary");
    let config = IstioConfig::subsets("shop", rule)
        .virtual_service(VirtualServiceRef::new("provider").route("api").route("web"))
        .managed_route("testers");
    let mut one = One::new(config, http(&json!([subset_route("web", 100, 0), api])));
    one.route(&to(0, ManagedChange::To(vec![header("testers", "x")])));
    assert_eq!(one.names(), ["testers", "web", "testers", "api"]);
    let plain = json!({"host": "provider", "subset": "canary"});
    assert_eq!(one.http()[0]["route"], json!([{"destination": plain, "weight": 100}]));
    let expected = json!({"host": "provider", "subset": "canary", "port": {"number": 20880}});
    assert_eq!(one.http()[2]["route"], json!([{"destination": expected, "weight": 100}]));
}

#[test]
fn a_route_that_is_not_there_is_an_error_that_names_the_candidates() {
    let with = |one: VirtualServiceRef| IstioConfig::hosts("shop", "a", "b").virtual_service(one);
    let two = || http(&json!([route("api", 100, 0), route("web", 100, 0)]));
    let missing = One::new(with(VirtualServiceRef::new("provider").route("wbe")), two());
    let text = missing.try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("HTTP Route 'wbe' is not found in the defined Virtual Service."), "{text}");
    assert!(text.contains("'api', 'web'"), "{text}");

    let mut tls = route("", 100, 0);
    tls["match"] = json!([{"port": 443, "sniHosts": ["b.example", "a.example"]}]);
    let provider = json!({"spec": {"tls": [tls]}});
    let mut entry = VirtualServiceRef::new("provider");
    entry.tls_routes = vec![TlsRouteRef { port: 443, sni_hosts: vec!["a.example".into()] }];
    let text = One::new(with(entry.clone()), provider.clone()).try_route(&weight(5)).unwrap_err().to_string();
    assert!(
        text.contains("No matching TLS routes found") && text.contains("'a.example', 'b.example'"),
        "{text}"
    );
    entry.tls_routes[0].sni_hosts.push("b.example".into());
    assert!(One::new(with(entry), provider).route(&weight(5)), "the hosts are a set");

    let empty = One::new(hosts(), json!({"spec": {"http": []}}));
    let text = empty.try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("no http, tls or tcp route"), "{text}");
}

#[test]
fn a_destination_that_is_not_in_the_route_is_named() {
    let only = json!([{"name": "primary", "route": [{"destination": {"host": "a.shop.svc.cluster.local"}}]}]);
    let text = One::new(hosts(), http(&only)).try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("Canary Service 'b' not found in route"), "{text}");
    let text =
        One::new(subsets(), http(&json!([route("x", 1, 0)]))).try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("Stable DestinationRule subset 'stable' not found in route"), "{text}");
    assert!(text.contains("'a', 'b'"), "{text}");
}

#[test]
fn tls_and_tcp_routes_are_split_like_http_ones() {
    let tcp = |port: u32| {
        let mut rule = route("", 100, 0);
        rule["match"] = json!([{"port": port}, {"port": port, "gateways": ["mesh"]}]);
        rule
    };
    let provider =
        json!({"spec": {"http": [route("", 100, 0)], "tls": [route("", 100, 0)], "tcp": [tcp(1), tcp(2)]}});
    let mut entry = VirtualServiceRef::new("provider");
    entry.tcp_routes = vec![TcpRouteRef { port: 2 }];
    let config = IstioConfig::hosts("shop", "a", "b").virtual_service(entry);
    let mut one = One::new(config, provider);
    one.route(&weight(30));
    let spec = &one.provider()["spec"];
    assert_eq!(weights(&spec["http"][0]), [70, 30]);
    assert_eq!(weights(&spec["tls"][0]), [70, 30]);
    assert_eq!(weights(&spec["tcp"][0]), [100, 0]);
    assert_eq!(weights(&spec["tcp"][1]), [70, 30]);
}

#[test]
fn managed_routes_go_only_where_http_is() {
    let config = IstioConfig::hosts("shop", "a", "b")
        .virtual_service(VirtualServiceRef::new("provider"))
        .virtual_service(VirtualServiceRef::new("raw"))
        .managed_route("testers");
    let raw = json!({"spec": {"tcp": [route("", 100, 0)]}});
    let mut one =
        One::new(config.clone(), http(&json!([route("primary", 100, 0)]))).also(vs("raw"), raw.clone());
    one.route(&to(5, ManagedChange::To(vec![header("testers", "x")])));
    assert_eq!(one.names(), ["testers", "primary"]);
    let seen = one.seen();
    assert_eq!(seen.routes.iter().map(|routes| routes.takes_managed).collect::<Vec<_>>(), [true, false]);
    let none = One::new(config, raw.clone()).also(vs("raw"), raw);
    let text = none.editor.read(&none.objects).unwrap_err().to_string();
    assert!(text.contains("none of its VirtualServices has http routes"), "never a silent success: {text}");
}

#[test]
fn objects_and_routes_that_disagree_are_a_range() {
    let config = IstioConfig::hosts("shop", "a", "b")
        .virtual_service(VirtualServiceRef::new("provider").route("x").route("y"))
        .virtual_service(VirtualServiceRef::new("edge.gateways"));
    let provider = http(&json!([route("x", 90, 10), route("y", 70, 30), route("z", 0, 100)]));
    let edge = ObjectRef::new("networking.istio.io", "VirtualService", "gateways", "edge");
    let far = json!([{"route": [
        {"destination": {"host": "a.shop.svc.cluster.local"}, "weight": 1},
        {"destination": {"host": "b.shop.svc.cluster.local"}, "weight": 1},
    ]}]);
    let mut one = One::new(config, provider).also(edge.clone(), http(&far));
    let seen = one.seen();
    assert_eq!(
        seen.routes.iter().map(|routes| routes.weight).collect::<Vec<_>>(),
        [Range::new(10, 30), Range::exact(50)]
    );
    assert!(seen.used_elsewhere.canary, "z leads there, and nobody weighs it");
    let keep = Routes { weight: WeightChange::Keep, ..weight(0) };
    assert!(!one.route(&keep), "what is held is not raised to another's value");
    assert!(one.route(&weight(20)));
    assert_eq!(one.seen().weight(), Range::exact(20));
    assert_eq!(weights(&one.objects[&edge].value["spec"]["http"][0]), [80, 20]);
}

#[test]
fn what_leads_there_without_being_weighed_is_seen() {
    let lead = |to: Value| http(&json!([{"route": [{"destination": to}]}]));
    let canary_elsewhere = |config: fn() -> IstioConfig, name: &ObjectRef, other: Value| {
        let own =
            if config().destination_rule.is_some() { subset_route("p", 100, 0) } else { route("p", 100, 0) };
        One::new(config(), http(&json!([own]))).also(name.clone(), other).seen().used_elsewhere.canary
    };
    let (other, far) = (vs("other"), ObjectRef::new("networking.istio.io", "VirtualService", "far", "other"));
    assert!(canary_elsewhere(hosts, &other, lead(json!({"host": "b"}))));
    assert!(canary_elsewhere(hosts, &other, lead(json!({"host": "b.shop.svc.cluster.local"}))));
    assert!(canary_elsewhere(hosts, &far, lead(json!({"host": "b.shop.svc.cluster.local"}))));
    assert!(!canary_elsewhere(hosts, &far, lead(json!({"host": "b"}))), "a host of that namespace");
    assert!(!canary_elsewhere(hosts, &other, lead(json!({"host": "b.far.svc.cluster.local"}))));
    assert!(!canary_elsewhere(hosts, &other, lead(json!({"host": "a"}))));
    assert!(!canary_elsewhere(hosts, &other, json!({"spec": {"http": "nonsense"}})), "broken, and not ours");
    assert!(canary_elsewhere(subsets, &other, lead(json!({"host": "provider", "subset": "canary"}))));
    assert!(
        !canary_elsewhere(subsets, &other, lead(json!({"host": "consumer", "subset": "canary"}))),
        "another rollout's"
    );
    assert!(!canary_elsewhere(subsets, &other, lead(json!({"host": "provider"}))), "names neither subset");
    let mirrored = json!([{"route": [{"destination": {"host": "a"}}], "mirror": {"host": "b"}}]);
    assert!(canary_elsewhere(hosts, &other, http(&mirrored)));
    let mut own = route("p", 100, 0);
    own["mirrors"] = json!([{"destination": {"host": "b"}, "percentage": {"value": 5.0}}]);
    assert!(One::new(hosts(), http(&json!([own]))).seen().used_elsewhere.canary, "the user's own mirror");
    let managed = to(0, ManagedChange::To(vec![header("testers", "x")]));
    let mut one = One::new(hosts().managed_route("testers"), http(&json!([route("p", 100, 0)])));
    one.route(&managed);
    assert!(!one.seen().used_elsewhere.canary, "a managed route is counted as such");
}

#[test]
fn the_objects_name_the_revision_for_which_they_were_written() {
    let mut one = One::new(hosts(), http(&json!([route("primary", 100, 0)])));
    assert_eq!(one.seen().routes[0].written_for, None);
    one.route(&weight(5));
    assert_eq!(one.seen().routes[0].written_for, Some("v2".into()));
    let for_v3 = Routes { written_for: "v3".into(), ..weight(5) };
    assert!(!one.route(&for_v3), "what is not changed is not renamed");
    one.route(&Routes { written_for: "v3".into(), ..weight(6) });
    assert_eq!(one.seen().routes[0].written_for, Some("v3".into()));
    one.route(&weight(0));
    assert_eq!(note(one.provider(), WRITTEN_FOR_ANNOTATION), Value::Null, "at 0 it names nobody");
}

#[test]
fn release_gives_the_objects_back() {
    let provider = http(&json!([subset_route("primary", 100, 0)]));
    let mut one = One::new(subsets().managed_route("testers"), provider.clone());
    let before = one.objects.clone();
    one.select(&both_to("v1", "v2"));
    one.route(&to(30, ManagedChange::To(vec![header("testers", "x")])));
    assert_ne!(one.objects, before);
    one.release();
    assert_eq!(one.objects, before);
}

#[test]
fn the_rollouts_istio_part_is_read_whole_and_its_errors_are_told_at_once() {
    let mut rollout = json!({"metadata": {"namespace": "shop"}, "spec": {"strategy": {"canary": {"trafficRouting": {
        "managedRoutes": [{"name": "testers"}],
        "istio": {
            "virtualServices": [{"name": "one.far", "routes": ["a"], "tlsRoutes": [{"port": 443, "sniHosts": ["x"]}], "tcpRoutes": [{}]}],
            "destinationRule": {"name": "rule", "canarySubsetName": "canary", "stableSubsetName": "stable"},
        },
    }}}}});
    let config = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap().unwrap();
    assert_eq!(config.virtual_services[0].object("shop").to_string(), "VirtualService far/one");
    assert_eq!(
        config.virtual_services[0].tls_routes,
        [TlsRouteRef { port: 443, sni_hosts: vec!["x".into()] }]
    );
    assert_eq!(config.virtual_services[0].tcp_routes, [TcpRouteRef { port: 0 }]);
    assert_eq!(config.managed_routes, ["testers".into()]);
    let istio = &mut rollout["spec"]["strategy"]["canary"]["trafficRouting"]["istio"];
    istio["destinationRule"]["canarySubsetName"] = "stable".into();
    istio["virtualServices"][0]["name"] = "".into();
    istio["virtualServices"][0]["routes"][0] = "testers".into();
    let errors = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(IstioConfig::from_wire(&Rollout::from_value(&json!({"spec": {}}))).unwrap(), None);
}

#[test]
fn a_destination_of_the_same_name_elsewhere_is_foreign() {
    let far = json!({"destination": {"host": "a.far.svc.cluster.local"}, "weight": 10});
    let mut primary = route("primary", 90, 0);
    primary["route"].as_array_mut().unwrap().insert(0, far);
    let mut one = One::new(hosts(), http(&json!([primary])));
    one.route(&weight(50));
    assert_eq!(weights(&one.http()[0]), [10, 45, 45]);
    let other = json!({"destination": {"host": "consumer", "subset": "canary"}, "weight": 10});
    let mut primary = subset_route("primary", 90, 0);
    primary["route"].as_array_mut().unwrap().insert(0, other);
    let mut one = One::new(subsets(), http(&json!([primary])));
    one.route(&weight(50));
    assert_eq!(weights(&one.http()[0]), [10, 45, 45]);
}

#[test]
fn of_several_steps_for_one_managed_route_the_last_counts() {
    let rollout = json!({"metadata": {"namespace": "shop"}, "spec": {"strategy": {"canary": {
        "stableService": "a", "canaryService": "b",
        "trafficRouting": {"managedRoutes": [{"name": "m"}], "istio": {"virtualService": {"name": "provider"}}},
    }}}});
    let provider = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "provider"}, "spec": {"http": [route("primary", 100, 0)]}});
    let step = |value: &str| json!({"setHeaderRoute": {"name": "m", "match": [{"headerName": "lane", "headerValue": {"exact": value}}]}});
    let gone = json!({"setHeaderRoute": {"name": "m"}});
    let after = |steps: &[Value]| {
        let to = InForce { canary: "v2".into(), stable: "v1".into(), weight: 0, managed: steps };
        apply_steps(&Rollout::from_value(&rollout), vec![provider.clone()], &to).unwrap()[0]["spec"]["http"]
            .clone()
    };
    assert_eq!(after(&[step("x"), step("y")])[0]["match"][0]["headers"]["lane"]["exact"], "y");
    assert_eq!(after(&[step("x"), gone.clone()]).as_array().unwrap().len(), 1);
    assert_eq!(after(&[gone, step("x")]).as_array().unwrap().len(), 2);
}

#[test]
fn a_managed_route_in_another_namespace_leads_to_the_rollouts_own() {
    let config = IstioConfig::hosts("shop", "a", "b")
        .virtual_service(VirtualServiceRef::new("edge.gateways"))
        .managed_route("testers");
    let edge = ObjectRef::new("networking.istio.io", "VirtualService", "gateways", "edge");
    let far = json!([{"route": [
        {"destination": {"host": "a.shop.svc.cluster.local"}, "weight": 100},
        {"destination": {"host": "b.shop.svc.cluster.local"}, "weight": 0},
    ]}]);
    let editor = IstioEditor::new(config);
    let before = objects([(edge, http(&far))]);
    let edits = editor.route(&before, &to(0, ManagedChange::To(vec![header("testers", "x")]))).unwrap();
    let host = &edits[0].1["spec"]["http"][0]["route"][0]["destination"]["host"];
    assert_eq!(host, "b.shop.svc.cluster.local", "a short host would be one of that namespace");
}
