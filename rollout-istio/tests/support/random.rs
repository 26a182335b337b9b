//! Random VirtualServices, and what of them is ours.

use proptest::{collection::vec, prelude::*, sample::select};
use rollout_core::traffic::{ManagedRoute, Selection, Selectors};
use rollout_istio::{DestinationRuleRef, IstioConfig, VirtualServiceRef};
use serde_json::{Value, json};
use std::sync::Arc;

/// A rollout's configuration, its one VirtualService, and the routes in it that are weighed.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) config: IstioConfig,
    pub(crate) provider: Value,
    pub(crate) weighed: Vec<Weighed>,
}

/// One weighed route: where it is, and which of its destinations are ours.
#[derive(Debug, Clone)]
pub(crate) struct Weighed {
    pub(crate) path: String,
    pub(crate) stable: usize,
    pub(crate) canary: usize,
    pub(crate) foreign: u64,
    /// What all weights sum to after an edit.
    pub(crate) total: u64,
}

pub(crate) const MANAGED: [&str; 3] = ["first", "second", "third"];

#[derive(Debug, Clone)]
struct Shape {
    ours: (u32, u32),
    others: Vec<u32>,
    stable_at: usize,
    canary_at: usize,
    extra: usize,
    is_ours: bool,
    fqdn: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let ours = prop_oneof![
        Just((100, 0)),
        (0..=100_u32).prop_map(|canary| (100 - canary, canary)),
        (0..50_u32, 0..50_u32)
    ];
    let others = prop_oneof![3 => Just(vec![]), 1 => vec(0..60_u32, 1..3)];
    (ours, others, 0..4_usize, 0..4_usize, 0..6_usize, any::<bool>(), any::<bool>()).prop_map(
        |(ours, others, stable_at, canary_at, extra, is_ours, fqdn)| Shape {
            ours,
            others,
            stable_at,
            canary_at,
            extra,
            is_ours,
            fqdn,
        },
    )
}

/// Something of the user's own that an edit must not lose.
fn extra(which: usize) -> (&'static str, Value) {
    match which {
        0 => ("retries", json!({"attempts": 3, "perTryTimeout": "2s"})),
        1 => ("corsPolicy", json!({"allowOrigins": [{"exact": "https://é.example"}], "maxAge": "24h"})),
        2 => ("fault", json!({"delay": {"percentage": {"value": 0.1}, "fixedDelay": "5s"}})),
        3 => ("xFuture", json!([null, {"weight": 7, "route": []}, -1.5e-7])),
        4 => ("headers", json!({"request": {"set": {"weight": "1"}}})),
        _ => ("timeout", json!("1.50s")),
    }
}

fn destination(subsets: bool, which: &str, fqdn: bool) -> Value {
    let suffix = if fqdn { ".shop.svc.cluster.local" } else { "" };
    match (subsets, which) {
        (_, "other") => json!({"host": format!("other{suffix}"), "subset": "any"}),
        (true, which) => {
            json!({"host": format!("provider{suffix}"), "subset": which, "port": {"number": 80}})
        }
        (false, "stable") => json!({"host": format!("a{suffix}"), "port": {"number": 80}}),
        (false, _) => json!({"host": format!("b{suffix}"), "port": {"number": 80}}),
    }
}

/// A rule of this shape; where our two stand in it.
fn rule(shape: &Shape, subsets: bool, ours: bool) -> (Value, usize, usize) {
    let to = |which| destination(subsets, which, shape.fqdn);
    let other = |weight: &u32| json!({"destination": {"host": "other", "port": {"number": 80}}, "weight": weight, "headers": {}});
    let mut route: Vec<(u8, Value)> = shape.others.iter().map(|weight| (0, other(weight))).collect();
    if ours {
        let stable = json!({"weight": shape.ours.0, "destination": to("stable"), "xNext": [1]});
        let canary = if shape.ours.1 == 0 {
            json!({"destination": to("canary")})
        } else {
            json!({"destination": to("canary"), "weight": shape.ours.1})
        };
        route.insert(shape.stable_at.min(route.len()), (1, stable));
        route.insert(shape.canary_at.min(route.len()), (2, canary));
    } else {
        route.push((0, json!({"destination": to("other")})));
    }
    let at = |kind| route.iter().position(|(other, _)| *other == kind).unwrap_or(0);
    let (stable, canary) = (at(1), at(2));
    let route: Vec<_> = route.into_iter().map(|(_, entry)| entry).collect();
    let (key, value) = extra(shape.extra);
    (json!({"match": [{"uri": {"prefix": "/"}}], key: value, "route": route}), stable, canary)
}

fn weighed(path: String, shape: &Shape, stable: usize, canary: usize) -> Weighed {
    let foreign: u64 = shape.others.iter().map(|weight| u64::from(*weight)).sum();
    let ours = u64::from(shape.ours.0 + shape.ours.1);
    let total = if foreign == 0 || ours == 0 { 100 } else { ours + foreign };
    Weighed { path, stable, canary, foreign, total }
}

/// Leaves enough for both of ours in every weighed route.
fn has_room(case: &Case) -> bool {
    case.weighed.iter().all(|route| route.total >= route.foreign + 2)
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let parts = (
        any::<bool>(),
        vec(shape(), 1..5),
        proptest::option::of(shape()),
        proptest::option::of(shape()),
        any::<bool>(),
    );
    parts.prop_map(|(subsets, shapes, tls, tcp, named)| {
        let mut entry = VirtualServiceRef::new("provider");
        let mut all = Vec::new();
        let mut http = Vec::new();
        let single = shapes.len() == 1 && !named;
        for (index, shape) in shapes.iter().enumerate() {
            // The first is always ours, so that there is something to weigh.
            let is_ours = index == 0 || shape.is_ours;
            let (mut rule, stable, canary) = rule(shape, subsets, is_ours);
            if is_ours && !single {
                rule["name"] = format!("own-{index}").into();
                entry = entry.route(&format!("own-{index}"));
            }
            if is_ours {
                all.push(weighed(format!("/spec/http/{index}"), shape, stable, canary));
            }
            http.push(rule);
        }
        let mut spec = json!({"hosts": ["provider"], "http": http, "exportTo": ["."]});
        for (key, shape) in [("tls", tls), ("tcp", tcp)] {
            let Some(shape) = shape else { continue };
            let (rule, stable, canary) = rule(&shape, subsets, true);
            spec[key] = json!([rule]);
            all.push(weighed(format!("/spec/{key}/0"), &shape, stable, canary));
        }
        let config = if subsets {
            IstioConfig::subsets("shop", DestinationRuleRef::new("rule", "stable", "canary"))
        } else {
            IstioConfig::hosts("shop", "a", "b")
        };
        let config = MANAGED.iter().fold(config.virtual_service(entry), |config, name| config.managed_route(name));
        let provider = json!({"apiVersion": "networking.istio.io/v1", "metadata": {"name": "provider", "labels": {"x": "y"}}, "spec": spec});
        Case { config, provider, weighed: all }
    })
    .prop_filter("no room for two", has_room)
}

/// Managed routes in the order of the Rollout.
pub(crate) fn managed() -> impl Strategy<Value = Vec<Arc<ManagedRoute>>> {
    let one = |name: &'static str| {
        prop_oneof![
            2 => Just(None),
            1 => (select(vec!["x", "y", "z"]), any::<[bool; 3]>())
                .prop_map(move |(value, conditions)| Some(super::narrow_header(name, value, conditions))),
            1 => (0..=100).prop_map(move |percentage| Some(super::mirror(name, percentage))),
        ]
    };
    (one("first"), one("second"), one("third"))
        .prop_map(|(one, two, three)| [one, two, three].into_iter().flatten().collect())
}

pub(crate) fn selectors() -> impl Strategy<Value = Selectors> {
    let one = || {
        proptest::option::of(prop_oneof![
            Just(Selection::Unpinned),
            select(vec!["v1", "v2"]).prop_map(|hash| Selection::Revision(hash.into())),
        ])
    };
    (one(), one()).prop_map(|(stable, canary)| Selectors { stable, canary })
}
