//! What leads past the pods is said before anything is played: no request to it is counted as answered.

use crate::{
    folder::{Folder, changed, plays, refuses, rollout, services, virtual_service, web},
    simulate_with,
};

/// A Rollout split by the subsets of a DestinationRule.
fn subsets() -> String {
    let rollout = changed(
        &rollout(),
        "      canaryService: web-canary\n      stableService: web\n      trafficRouting: {istio: {virtualService: {name: web, routes: [primary]}}}\n",
        "      trafficRouting:\n        istio:\n          virtualService: {name: web, routes: [primary]}\n          destinationRule: {name: web, canarySubsetName: canary, stableSubsetName: stable}\n",
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    let routes = changed(&virtual_service(), "{host: web}", "{host: web, subset: stable}");
    let routes = changed(&routes, "{host: web-canary}", "{host: web, subset: canary}");
    let rule = "apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec:
  host: web
  subsets:
  - {name: stable, labels: {app: web}}
  - {name: canary, labels: {app: web}}
";
    [&rollout, service, &routes, rule].join("---\n")
}

fn refused(text: &str, said: &[&str]) {
    refuses(&simulate_with(&["-"], text), said);
}

#[test]
fn a_selector_must_match_the_template() {
    let wrong = changed(
        &services(),
        "name: web-canary, namespace: shop}\nspec: {selector: {app: web}",
        "name: web-canary, namespace: shop}\nspec: {selector: {app: other}",
    );
    refused(
        &[rollout(), wrong, virtual_service()].join("---\n"),
        &[
            "error: the Service \"web-canary\" selects app=other, but the pods have app=web",
            "--> <stdin>:20:24",
            "Argo Rollouts says: Service \"web-canary\" has unmatch label \"app\" in rollout",
        ],
    );
    let external = changed(
        &services(),
        "{selector: {app: web}, ports: [{port: 80}]}",
        "{type: ExternalName, externalName: x.example.com}",
    );
    refused(
        &[rollout(), external, virtual_service()].join("---\n"),
        &["error: the Service \"web\" leads to \"x.example.com\"", "ExternalName"],
    );
    let rule = changed(
        &subsets(),
        "{name: stable, labels: {app: web}}",
        "{name: stable, labels: {app: web, tier: front}}",
    );
    refused(&rule, &["error: the subset \"stable\" selects tier=front, but the pods have no such label"]);
    // The hash is ours to write.
    let hash =
        changed(&web(), "{selector: {app: web}", "{selector: {app: web, rollouts-pod-template-hash: abc}");
    plays(&simulate_with(&["-"], &hash), "");
    plays(&simulate_with(&["-"], &subsets()), "");
}

#[test]
fn a_selector_must_match_after_the_update_too() {
    let versions = changed(&web(), "labels: {app: web}", "labels: {app: web, version: v1}");
    let versions =
        changed(&versions, "spec: {selector: {app: web}", "spec: {selector: {app: web, version: v1}");
    plays(&simulate_with(&["-"], &versions), "");
    for words in [
        ["--set", "spec.template.metadata.labels.version=v2"],
        ["--at", "5m=set spec.template.metadata.labels.version=v2"],
    ] {
        let run = simulate_with(&["-", words[0], words[1]], &versions);
        refuses(
            &run,
            &["the Service \"web\" selects version=v1, but the pods have version=v2 after the update"],
        );
    }
}

/// The pods that serve until the release is over are those of the old template.
#[test]
fn a_selector_that_changes_with_the_pods_leads_past_those_that_still_serve() {
    let version = |version: &str| {
        let label = format!("app: web, version: {version}}}");
        let all = changed(&web(), "labels: {app: web}", &format!("labels: {{{label}"));
        changed(&all, "spec: {selector: {app: web}", &format!("spec: {{selector: {{{label}"))
    };
    let folder = Folder::new().with("v1.yaml", version("v1")).with("v2.yaml", version("v2"));
    refuses(
        &folder.simulate(&["v1.yaml", "--update", "v2.yaml"]),
        &[
            "the Service \"web\" selects version=v2, but the pods have version=v1 until the release is over",
            "take `version` out of it: old and new pods must both match it",
        ],
    );
}

#[test]
fn a_host_a_subset_and_a_port_are_resolved_as_istio_does() {
    let hosts = |stable: &str, canary: &str| {
        let routes = changed(&virtual_service(), "{host: web}", stable);
        [rollout(), services(), changed(&routes, "{host: web-canary}", canary)].join("---\n")
    };
    refused(
        &hosts("{host: web.other.svc.cluster.local}", "{host: web-canary.other.svc.cluster.local}"),
        &[
            "error: the host \"web.other.svc.cluster.local\" is in namespace other",
            "write `host: web`",
            "--> <stdin>:35:27",
        ],
    );
    refused(
        &hosts("{host: web, port: {number: 9999}}", "{host: web-canary, port: {number: 80}}"),
        &["error: the Service \"web\" has no port 9999", "write a port that it has: 80"],
    );
    plays(
        &simulate_with(
            &["-"],
            &hosts("{host: web.shop.svc.cluster.local}", "{host: web-canary, port: {number: 80}}"),
        ),
        "",
    );
    let short = simulate_with(&["-"], &hosts("{host: web.shop}", "{host: web-canary}"));
    assert!(
        short.err.contains("warning: \"web.shop\" is neither a short name nor a full one"),
        "{}",
        short.err
    );
    assert!(short.err.contains("write `host: web.shop.svc.cluster.local`"), "{}", short.err);
    // The short name in a VirtualService of another namespace is one of that namespace.
    let elsewhere = hosts("{host: web}", "{host: web-canary}");
    let elsewhere = changed(
        &elsewhere,
        "kind: VirtualService\nmetadata: {name: web, namespace: shop}",
        "kind: VirtualService\nmetadata: {name: web, namespace: routes}",
    );
    let elsewhere =
        changed(&elsewhere, "{name: web, routes: [primary]}", "{name: web.routes, routes: [primary]}");
    let run = simulate_with(&["-"], &elsewhere);
    refuses(&run, &["the host \"web\" is in namespace routes", "write `host: web.shop.svc.cluster.local`"]);

    let other = changed(&subsets(), "{host: web, subset: stable}", "{host: web-stable, subset: stable}");
    refused(
        &other,
        &[
            "error: the host \"web-stable\" has no subset \"stable\": the DestinationRule \"web\" is of the host \"web\"",
            "write `host: web`",
        ],
    );
    let other = changed(
        &subsets(),
        "{host: web, subset: canary}",
        "{host: web.other.svc.cluster.local, subset: canary}",
    );
    refused(&other, &["has no subset \"canary\"", "write `host: web`"]);
}
