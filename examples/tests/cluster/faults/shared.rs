//! Two Rollouts in one VirtualService, each with a route of its own.

use super::web::{apply, half, plain, until, until_done};
use crate::bed::{Bed, Namespace, Seen, now, secs};
use serde_json::{Value, json};

const BOTH: [&str; 2] = ["one", "two"];

fn objects() -> Vec<Value> {
    let routed = BOTH.map(|name| {
        let (stable, canary) = (format!("{name}-stable"), format!("{name}-canary"));
        plain(
            name,
            2,
            &json!({"steps": half(), "trafficRouting": {"istio": {
                "virtualService": {"name": "both", "routes": [name]},
                "destinationRule": {"name": name, "stableSubsetName": stable, "canarySubsetName": canary}
            }}}),
        )
    });
    let services = BOTH.map(|name| super::web::service(name, name));
    let rules = BOTH.map(|name| {
        let subset = |role: &str| json!({"name": format!("{name}-{role}"), "labels": {"app": name}});
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": name},
            "spec": {"host": name, "subsets": [subset("stable"), subset("canary")]}
        })
    });
    let route = |name: &str| {
        let to = |role: &str, weight| json!({"weight": weight, "destination": {"host": name, "subset": format!("{name}-{role}")}});
        json!({
            "name": name, "match": [{"uri": {"prefix": format!("/{name}")}}],
            "route": [to("stable", 100), to("canary", 0)]
        })
    };
    let both = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "both"},
        "spec": {"hosts": ["both.test"], "http": BOTH.map(route)}
    });
    routed.into_iter().chain(services).chain(rules).chain([both]).collect()
}

fn canary(seen: &Seen, route: &str) -> Option<i64> {
    Some(crate::bed::weights_of(seen.object("VirtualService", "both")?, route)?.1)
}

fn written(space: &Namespace) -> usize {
    space.seen(|seen| seen.changes().iter().filter(|change| change.kind == "VirtualService").count())
}

#[test]
fn two_rollouts_on_two_routes_of_one_virtual_service_do_not_fight() {
    let space = Bed::shared().namespace("both");
    apply(&space, &objects());
    let _controller = space.controller().start();
    for name in BOTH {
        until_done(&space, name, 60);
    }
    let (before, begin) = (written(&space), now());
    // Both at once.
    let mut rollouts = objects();
    rollouts.retain(|object| object["kind"] == "Rollout");
    for (rollout, name) in rollouts.iter_mut().zip(BOTH) {
        rollout["spec"]["template"]["spec"]["containers"][0]["image"] = json!(format!("{name}:v2"));
    }
    apply(&space, &rollouts);
    for name in BOTH {
        until(&space, name, "paused at half", 60, |rollout| rollout.is_paused_at(1));
    }
    space.until("both weights are half", secs(5), |seen| {
        BOTH.iter().all(|name| canary(seen, name) == Some(50))
    });
    for name in BOTH {
        space.plugin(&["promote", name]).ok();
    }
    for name in BOTH {
        until_done(&space, name, 60);
    }
    // Three weights each, and nothing that is put back; annotations may go on their own.
    let writes = written(&space) - before;
    assert!(
        writes <= 16,
        "{writes} writes of the VirtualService\n{}",
        space.requests().between(begin, now())
    );
}
