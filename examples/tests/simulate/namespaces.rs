//! Objects of the right name in another namespace.

use crate::{
    folder::{changed, plays, refuses, rollout, services, virtual_service, web},
    simulate_with,
};

const DELEGATE: &str = "apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: web-delegate, namespace: routes}
spec:
  http:
  - route:
    - destination: {host: web.shop.svc.cluster.local}
      weight: 100
    - destination: {host: web-canary.shop.svc.cluster.local}
      weight: 0
";

fn with_delegate(named: &str) -> String {
    let rollout = changed(&rollout(), "{name: web, routes: [primary]}", named);
    [rollout, services(), DELEGATE.to_owned()].join("---\n")
}

#[test]
fn a_rollout_without_a_namespace() {
    let text = changed(
        &web(),
        "kind: Rollout\nmetadata: {name: web, namespace: shop}",
        "kind: Rollout\nmetadata: {name: web}",
    );
    let run = simulate_with(&["-"], &text);
    refuses(
        &run,
        &[
            "the Service \"web\" is wanted in namespace default (the Rollout names none)",
            "it is in shop: write `namespace: shop` in the Rollout's metadata",
            "the VirtualService \"web\" is wanted in namespace default",
        ],
    );
    assert!(!run.err.contains("did you mean"), "{}", run.err);
}

#[test]
fn a_virtual_service_in_another_namespace_is_named_with_it() {
    for named in
        ["{name: web-delegate}", "{name: routes/web-delegate}", "{name: web-delegate, namespace: routes}"]
    {
        refuses(&simulate_with(&["-"], &with_delegate(named)), &["name: web-delegate.routes", "<stdin>:14:"]);
    }
    let run = simulate_with(&["-"], &with_delegate("{name: web-delegate.routes}"));
    assert!(!run.err.contains("was not given") && !run.err.contains("is wanted in namespace"), "{}", run.err);
}

#[test]
fn a_service_in_another_namespace_has_to_move() {
    let text = changed(
        &web(),
        "kind: Service\nmetadata: {name: web, namespace: shop}",
        "kind: Service\nmetadata: {name: web, namespace: stop}",
    );
    refuses(
        &simulate_with(&["-"], &text),
        &["the Service \"web\" is wanted in namespace shop, the Rollout's own", "it is in stop"],
    );
    // One that is nowhere is named by its neighbour.
    let text = changed(&web(), "stableService: web", "stableService: wbe");
    refuses(&simulate_with(&["-"], &text), &["the Service \"wbe\" was not given", "did you mean \"web\"?"]);
    let _ = virtual_service();
    plays(&simulate_with(&["-"], &web()), "");
}
