//! Which routes are ours, which are somebody else's, and where a destination really leads.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may stop where it stands")]

mod support;

use rollout_core::{
    Finding,
    argo::wire::Rollout,
    backend::{Object, ObjectEditor, Objects},
    traffic::{ManagedChange, ObjectRef, ObjectVersion},
};
use rollout_istio::{
    ALLOW_FROM_ANNOTATION, Foreign, IstioConfig, IstioEditor, TcpRouteRef, VirtualServiceRef,
};
use serde_json::{Value, json};
use support::{One, dr, header, hosts, http, route, subset_route, subsets, to, weight, weights};

fn naming(entry: VirtualServiceRef) -> IstioConfig {
    IstioConfig::hosts("shop", "a", "b").virtual_service(entry)
}

fn raw(ports: &[u32], host: &str) -> Value {
    let rule = |port: &u32| json!({"match": [{"port": port}], "route": [{"destination": {"host": host}}]});
    ports.iter().map(rule).collect()
}

fn own_raw(port: u32) -> Value {
    let mut own = route("", 100, 0);
    own["match"] = json!([{"port": port}]);
    own
}

#[test]
fn case_17_a_rule_of_somebody_else_is_left_alone_when_others_are_named() {
    let named = || naming(VirtualServiceRef::new("provider").route("primary"));
    for (key, theirs) in [
        ("tcp", raw(&[9000], "db.other.svc.cluster.local")),
        ("tcp", raw(&[9000, 9001], "db")),
        ("tcp", raw(&[9000], "a")),
        ("tls", raw(&[443], "db")),
    ] {
        let mut provider = http(&json!([route("primary", 100, 0)]));
        provider["spec"][key] = theirs.clone();
        let mut one = One::new(named(), provider);
        assert!(one.route(&weight(5)));
        assert_eq!(weights(&one.http()[0]), [95, 5]);
        assert_eq!(one.provider()["spec"][key], theirs);
    }
    // The other way round: what is named is tcp, and the http route is somebody's.
    let mut entry = VirtualServiceRef::new("provider");
    entry.tcp_routes = vec![TcpRouteRef { port: 9000 }];
    for theirs in
        [json!([{"route": [{"destination": {"host": "db"}}]}]), json!([{"name": "x"}, {"name": "y"}])]
    {
        let mut provider = http(&theirs);
        provider["spec"]["tcp"] = json!([own_raw(9000)]);
        let mut one = One::new(naming(entry.clone()).managed_route("testers"), provider);
        assert!(one.route(&to(5, ManagedChange::To(vec![header("testers", "x")]))));
        assert_eq!(one.provider()["spec"]["http"], theirs, "no managed route among what is somebody's");
        assert_eq!(weights(&one.provider()["spec"]["tcp"][0]), [95, 5]);
    }
}

#[test]
fn one_of_several_that_has_both_of_ours_must_be_named() {
    let mut provider = http(&json!([route("primary", 100, 0)]));
    provider["spec"]["tcp"] = json!([own_raw(1), own_raw(2)]);
    let one = One::new(naming(VirtualServiceRef::new("provider").route("primary")), provider);
    let text = one.try_route(&weight(5)).unwrap_err().to_string();
    assert!(
        text.contains("names no TCP route")
            && text.contains("`tcpRoutes`")
            && text.contains("port 1; port 2"),
        "{text}"
    );
}

#[test]
fn e5_routes_count_only_where_there_is_http() {
    let mut tls = route("", 100, 0);
    tls["match"] = json!([{"port": 443, "sniHosts": ["a.example"]}]);
    let mut one = One::new(
        naming(VirtualServiceRef::new("provider").route("primary")),
        json!({"spec": {"tls": [tls]}}),
    );
    assert!(one.route(&weight(20)));
    assert_eq!(weights(&one.provider()["spec"]["tls"][0]), [80, 20]);
    let mut one = One::new(
        naming(VirtualServiceRef::new("provider").route("primary")),
        json!({"spec": {"tcp": [own_raw(1)]}}),
    );
    assert!(one.route(&weight(20)), "tcp likewise");
}

#[test]
fn f10_without_http_the_routes_that_are_there_are_named() {
    let with =
        |provider: Value| One::new(naming(VirtualServiceRef::new("provider").route("primary")), provider);
    let text =
        with(json!({"spec": {"tcp": raw(&[9000], "db")}})).try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.contains("there is no http route") && text.contains("`tcpRoutes`: port 9000"), "{text}");
    let text = with(http(&json!([route("", 100, 0)]))).try_route(&weight(5)).unwrap_err().to_string();
    assert!(
        text.contains("HTTP Route 'primary' is not found") && text.contains("write `name: primary`"),
        "{text}"
    );
    assert!(!text.contains("none,") && !text.ends_with("none"), "{text}");
}

#[test]
fn case_13_a_route_that_delegates_says_where_to_split() {
    for (delegate, said) in [
        (
            json!({"name": "web-delegate", "namespace": "routes"}),
            ("routes/web-delegate", "web-delegate.routes"),
        ),
        (json!({"name": "web\n"}), ("shop/web\\n", "web\\n.shop")),
    ] {
        let one =
            One::new(hosts(), http(&json!([{"match": [{"uri": {"prefix": "/"}}], "delegate": delegate}])));
        let text = one.editor.read(&one.objects).unwrap_err().to_string();
        let (to, name) = said;
        assert!(
            text.contains(&format!("this route delegates to {to}; split that one: write `name: {name}`")),
            "{text}"
        );
        assert!(text.contains("spec.http[0].delegate") && one.try_route(&weight(5)).is_err());
    }
}

fn leading(config: IstioConfig, host: fn(&str) -> Value, rule_host: &str) -> One {
    let entry =
        |which| json!({"destination": host(which), "weight": if which == "stable" { 100 } else { 0 }});
    let mut one =
        One::new(config, http(&json!([{"name": "primary", "route": [entry("stable"), entry("canary")]}])));
    if let Some(rule) = one.objects.get_mut(&dr()) {
        std::sync::Arc::make_mut(&mut rule.value)["spec"]["host"] = rule_host.into();
    }
    one
}

#[test]
fn case_04_a_destination_that_istio_sends_elsewhere_is_an_error_with_what_to_write() {
    type Config = fn() -> IstioConfig;
    type Host = fn(&str) -> Value;
    type Case = (Config, Host, &'static str, &'static str);
    let wrong: [Case; 5] = [
        (
            subsets,
            |which| json!({"host": format!("web-{which}"), "subset": which}),
            "provider",
            "subset 'stable' belongs to provider.shop.svc.cluster.local, but this host is \
             web-stable.shop.svc.cluster.local; write `host: provider.shop.svc.cluster.local`",
        ),
        (
            subsets,
            |which| json!({"host": "provider.other.svc.cluster.local", "subset": which}),
            "provider",
            "but this host is provider.other.svc.cluster.local",
        ),
        (
            subsets,
            |which| json!({"host": "provider", "subset": which}),
            "provider.other.svc.cluster.local",
            "belongs to provider.other.svc.cluster.local, but this host is provider.shop.svc.cluster.local",
        ),
        (
            hosts,
            |which| json!({"host": if which == "stable" { "a.other.svc.cluster.local" } else { "b" }}),
            "",
            "the stable Service is a.shop.svc.cluster.local, but this host is a.other.svc.cluster.local; \
          write `host: a.shop.svc.cluster.local`",
        ),
        (
            hosts,
            |which| json!({"host": if which == "stable" { "a" } else { "b.shop" }}),
            "",
            "spec.http[0].route[1].destination.host: the canary Service is b.shop.svc.cluster.local, but this host is b.shop;",
        ),
    ];
    for (config, host, rule_host, said) in wrong {
        let one = leading(config(), host, rule_host);
        let text = one.editor.read(&one.objects).unwrap_err().to_string();
        assert!(text.contains(said), "{text}");
        assert!(one.try_route(&weight(5)).is_err(), "and nothing is written");
    }
    let right: [(Config, Host, &str); 4] = [
        (subsets, |which| json!({"host": "provider", "subset": which}), "provider.shop.svc.cluster.local"),
        (subsets, |which| json!({"host": "provider.shop.svc.my.domain", "subset": which}), "provider"),
        (subsets, |which| json!({"host": "api.example.com", "subset": which}), "api.example.com"),
        (
            hosts,
            |which| json!({"host": if which == "stable" { "a" } else { "b.shop.svc.cluster.local" }}),
            "",
        ),
    ];
    for (config, host, rule_host) in right {
        let mut one = leading(config(), host, rule_host);
        assert!(one.route(&weight(5)));
    }
}

fn from(rollout: &Value) -> Result<Option<IstioConfig>, Vec<Finding>> {
    IstioConfig::from_wire(&Rollout::from_value(rollout))
}

fn said(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A Rollout as a tenant writes it, and the gateway of another team.
fn tenant(foreign: Option<Foreign>) -> (IstioEditor, ObjectRef) {
    let rollout = json!({"metadata": {"namespace": "ta", "name": "web"}, "spec": {"strategy": {"canary": {
        "stableService": "a", "canaryService": "b",
        "trafficRouting": {"istio": {"virtualService": {"name": "gw.tb", "routes": ["secret-guess"]}}},
    }}}});
    let config = from(&rollout).unwrap().unwrap();
    let config = match foreign {
        Some(foreign) => config.foreign(foreign),
        None => config,
    };
    (IstioEditor::new(config), ObjectRef::new("networking.istio.io", "VirtualService", "tb", "gw"))
}

#[test]
fn s2_an_object_of_another_namespace_says_and_changes_nothing_without_its_consent() {
    let (editor, name) = tenant(None);
    let objects = |value: Value| -> Objects {
        let version = ObjectVersion { write: "1".into(), content: 1 };
        [(name.clone(), Object { value: value.into(), version })].into()
    };
    let rule = |route: &str| {
        json!({"name": route, "route": [
            {"destination": {"host": "a.ta.svc.cluster.local"}, "weight": 100},
            {"destination": {"host": "b.ta.svc.cluster.local"}, "weight": 0},
        ]})
    };
    let with = |note: Option<&str>, route: &str| {
        let mut value = http(&json!([rule(route), {"name": "internal-db", "delegate": {"name": "hidden"}}]));
        if let Some(note) = note {
            value["metadata"]["annotations"] = json!({ALLOW_FROM_ANNOTATION: note});
        }
        value
    };
    for note in [None, Some(""), Some("tc"), Some("ta-2, xta"), Some("shop,t*")] {
        let value = with(note, "secret-guess");
        let objects = objects(value.clone());
        let mut edited = value.clone();
        let errors = [
            editor.read(&objects).unwrap_err(),
            editor.read_one(&objects, &name).unwrap_err(),
            editor.route(&objects, &weight(50)).unwrap_err(),
            editor.release(&objects).unwrap_err(),
            editor.edit_virtual_service(&name, &mut edited, None, &weight(50)).unwrap_err(),
        ];
        assert_eq!(edited, value);
        for error in errors {
            assert!(error.lacks_consent, "{error}");
            let text = error.to_string();
            assert!(text.contains("does not allow Rollouts of namespace ta"), "{text}");
            assert!(text.contains("rollout-core/allow-from: ta"), "{text}");
            for found in ["secret", "internal-db", "hidden", "svc.cluster"] {
                assert!(!text.contains(found), "{text}");
            }
        }
    }
    for note in ["ta", "tc, ta", "*"] {
        assert_eq!(
            editor.route(&objects(with(Some(note), "secret-guess")), &weight(50)).unwrap().len(),
            1,
            "{note}"
        );
    }
    let error = editor.read(&objects(with(Some("ta"), "other"))).unwrap_err();
    assert!(!error.lacks_consent && error.to_string().contains("'other', 'internal-db'"), "{error}");
    for (foreign, allowed) in [
        (Foreign::Of(["tb".into()].into()), true),
        (Foreign::Of(["tc".into()].into()), false),
        (Foreign::All, true),
    ] {
        let edits = tenant(Some(foreign)).0.route(&objects(with(None, "secret-guess")), &weight(50));
        assert_eq!(edits.is_ok(), allowed);
    }
}

#[test]
fn a_short_host_in_another_namespace_is_not_the_rollouts() {
    let config = naming(VirtualServiceRef::new("edge.gateways"));
    let edge = ObjectRef::new("networking.istio.io", "VirtualService", "gateways", "edge");
    let objects = support::objects([(edge, http(&json!([route("primary", 100, 0)])))]);
    let text = IstioEditor::new(config).read(&objects).unwrap_err().to_string();
    assert!(
        text.contains(
            "but this host is a.gateways.svc.cluster.local; write `host: a.shop.svc.cluster.local`"
        ),
        "{text}"
    );
}

fn rollout(canary: &Value) -> Value {
    json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {"strategy": {"canary": canary}}})
}

#[test]
fn s1_a_name_that_could_leave_its_place_in_a_path_is_no_name() {
    let bad = "ow?dryRun=All&a=";
    let canary = json!({
        "stableService": bad, "canaryService": "ow/status",
        "trafficRouting": {"istio": {
            "virtualServices": [{"name": "../../tb/x"}, {"name": "ok.other"}],
            "destinationRule": {"name": "a\nb", "canarySubsetName": "c", "stableSubsetName": "s"},
        }},
    });
    let invalid = from(&rollout(&canary)).unwrap_err();
    let paths: Vec<_> = invalid.iter().map(|error| error.path.rsplit('.').next().unwrap()).collect();
    assert_eq!(paths, ["name", "name", "canaryService", "stableService"]);
    assert!(said(&invalid).contains(r#""ow?dryRun=All&a=" is not a DNS name"#), "{invalid:?}");
    assert!(!said(&invalid).contains('\n'));
    let mut nowhere = rollout(&json!({"trafficRouting": {"istio": {"virtualService": {"name": "x"}}}}));
    nowhere["metadata"]["namespace"] = "a/b".into();
    assert!(from(&nowhere).unwrap_err()[0].path.contains("metadata.namespace"));
}

#[test]
fn s3_lists_and_errors_are_bounded_before_any_work_is_done() {
    let istio = |one: Value| {
        rollout(&json!({"stableService": "a", "canaryService": "b", "trafficRouting": {"istio": one}}))
    };
    let many: Vec<_> = (0..130_000).map(|number| format!("r{number}")).collect();
    for (key, list) in [
        ("routes", json!(many)),
        ("tcpRoutes", json!(vec![json!({"port": 1}); 1001])),
        ("tlsRoutes", json!([{"port": 1, "sniHosts": many}])),
    ] {
        let invalid = from(&istio(json!({"virtualService": {"name": "v", key: list}}))).unwrap_err();
        assert!(said(&invalid).contains("write at most 1000"), "{invalid:?}");
        assert_eq!(invalid.len(), 1);
    }
    let services: Vec<_> = many.iter().map(|name| json!({"name": name})).collect();
    let invalid = from(&istio(json!({"virtualServices": services}))).unwrap_err();
    assert!(said(&invalid).contains("it has 130000 entries; write at most 100"), "{invalid:?}");
    assert_eq!(invalid.len(), 1);
    let wrong = json!({"virtualService": {"name": "v", "routes": vec![7; 1000]}});
    let invalid = from(&istio(wrong)).unwrap_err();
    assert_eq!(invalid.len(), 21);
    assert!(said(&invalid).contains("980 more errors"), "{invalid:?}");
}

/// Each of these was quadratic, or grew with the object, in the messages.
#[test]
fn s3_a_hostile_object_costs_one_look_at_it_and_a_short_message() {
    let wide: Vec<_> = (0..10_000).map(|number| route(&format!("r{number}\n\u{1b}"), 100, 0)).collect();
    let one = One::new(hosts(), http(&wide.into()));
    let text = one.editor.read(&one.objects).unwrap_err().to_string();
    assert!(
        text.len() < 5000 && !text.contains(['\n', '\u{1b}']) && text.contains("and 9990 more"),
        "{text}"
    );
    let same: Vec<_> = (0..10_000).map(|_| route("primary", 100, 0)).collect();
    let mut one = One::new(naming(VirtualServiceRef::new("provider").route("primary")), http(&same.into()));
    assert!(one.route(&weight(5)) && weights(&one.http()[9_999]) == [95, 5]);
    let rules = json!({"spec": {"tcp": (0..10_000).map(own_raw).collect::<Vec<_>>()}});
    let text = One::new(hosts(), rules).try_route(&weight(5)).unwrap_err().to_string();
    assert!(text.len() < 5000 && text.contains("and 9990 more"), "{text}");
    let subset = |number: u32| json!({"name": format!("s{number}"), "labels": {}});
    let mut rule = support::rule();
    rule["spec"]["subsets"] = (0..10_000).map(subset).collect();
    let one = One::new(subsets(), http(&json!([subset_route("p", 100, 0)]))).also(dr(), rule);
    let text = one.editor.read(&one.objects).unwrap_err().to_string();
    assert!(text.len() < 5000 && text.contains("and 9990 more"), "{text}");
    for note in ["x".repeat(1_000_000), format!("{{\"a\":\"{}\"}}", "9".repeat(40_000)), "[".repeat(40_000)] {
        let mut provider = http(&json!([route("primary", 80, 20)]));
        provider["metadata"]["annotations"] = json!({
            "rollout-core/written-for": note, "rollout-core/weight": note, "rollout-core/managed": note,
        });
        let mut one = One::new(hosts(), provider);
        assert_eq!(one.seen().weight().lo(), 20);
        assert!(one.route(&weight(5)));
    }
}

#[test]
fn s4_numbers_at_the_edges_are_no_panic() {
    for number in
        [json!(u64::MAX), json!(u64::MAX - 1), json!(i64::MAX), json!(i64::MIN), json!(1e300), json!(-1)]
    {
        for place in 0..3 {
            let mut own = route("primary", 1, 1);
            own["route"].as_array_mut().unwrap().push(json!({"destination": {"host": "x"}, "weight": 1}));
            own["route"][place]["weight"] = number.clone();
            own["route"][(place + 1) % 3]["weight"] = number.clone();
            let one = One::new(hosts(), http(&json!([own])));
            let _ =
                (one.editor.read(&one.objects), one.try_route(&weight(50)), one.editor.release(&one.objects));
        }
    }
    let mut own = route("primary", 1, 0);
    own["route"].as_array_mut().unwrap().push(json!({"destination": {"host": "x"}, "weight": u64::MAX}));
    let text = One::new(hosts(), http(&json!([own]))).try_route(&weight(50)).unwrap_err().to_string();
    assert!(text.contains(&format!("leave only 1 of {} to share", u64::MAX)), "{text}");
    let ports = json!({"virtualService": {"name": "v", "tcpRoutes": [{"port": u64::MAX}, {"port": -1}, {"port": 1e300}]}});
    let invalid = from(&rollout(
        &json!({"stableService": "a", "canaryService": "b", "trafficRouting": {"istio": ports}}),
    ));
    assert_eq!(invalid.unwrap_err().len(), 3);
}
