//! Rollouts that share objects.

use crate::{
    WEIGHT,
    folder::{changed, refuses, rollout, services, virtual_service, web},
    simulate, simulate_with,
};

/// A Rollout with Services of its own, whose route is one of several in a VirtualService.
fn one(name: &str, steps: &str) -> String {
    let rename = |text: &str| {
        text.replace("name: web-canary", &format!("name: {name}-canary"))
            .replace("canaryService: web-canary", &format!("canaryService: {name}-canary"))
            .replace("stableService: web", &format!("stableService: {name}"))
            .replace("{name: web, routes: [primary]}", &format!("{{name: gw, routes: [{name}]}}"))
            .replace("name: web,", &format!("name: {name},"))
            .replace("app: web", &format!("app: {name}"))
            .replace("[{setWeight: 50}, {pause: {duration: 1m}}]", steps)
    };
    [rename(&rollout()), rename(&services())].join("---\n")
}

/// A VirtualService with a route for each.
fn gateway(names: &[&str]) -> String {
    let route = |name: &&str| {
        format!(
            "  - name: {name}\n    match: [{{uri: {{prefix: /{name}}}}}]\n    route:\n    - {{destination: {{host: {name}}}, weight: 100}}\n    \
             - {{destination: {{host: {name}-canary}}, weight: 0}}\n"
        )
    };
    let routes: String = names.iter().map(route).collect();
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: gw, namespace: shop}}\nspec:\n  hosts: [shop.example.com]\n  http:\n{routes}"
    )
}

#[test]
fn two_routes_of_one_virtual_service_are_played_in_one_world() {
    let steps = "[{setWeight: 50}, {pause: {duration: 1m}}]";
    let text = [one("a", steps), one("b", steps), gateway(&["a", "b"])].join("---\n");
    let run = simulate_with(&["-"], &text);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert_eq!(run.out.matches("AT REST: healthy").count(), 2, "{}", run.out);
    assert_eq!(run.out.matches("0 of 1000 requests").count(), 2, "{}", run.out);
    // Each weight is written once: 50, 100, and back to 0.
    for line in run.out.lines().filter(|line| line.starts_with("a  ") || line.starts_with("b  ")) {
        let routes = line.split_whitespace().rev().nth(1);
        assert_eq!(routes, Some("3"), "{line}");
    }
    // It is one object: what is written for one is there for the other.
    let run = simulate_with(&["-", "--objects", "--at", "a:30s=abort", "--expect", "a:aborted"], &text);
    assert_eq!(run.code, 0, "{}\n{}", run.err, run.out);
    let of_b = run.out.split("\nb: ").nth(1).unwrap();
    assert!(of_b.contains("\"a\":"), "a's notes are in the object that b sees: {of_b}");
}

#[test]
fn a_person_is_waited_for_apart() {
    let text = [
        one("a", "[{setWeight: 50}, {pause: {}}]"),
        one("b", "[{setWeight: 20}, {pause: {duration: 1m}}]"),
        gateway(&["a", "b"]),
    ];
    let run = simulate_with(&["-", "--promote-after", "never", "--expect", "a:paused"], &text.join("---\n"));
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    let run = simulate_with(&["-", "--promote-after", "never"], &text.join("---\n"));
    assert!(run.code == 1 && run.out.contains("\na: was to end healthy, ended paused\n"), "{}", run.out);
}

#[test]
fn who_gets_no_update_is_not_judged() {
    let words = [WEIGHT, "--set", crate::V2, "--at", "dubbo3-provider:5m=abort", "--expect", "aborted"];
    assert_eq!(simulate(&words).code, 0);
    let named = [WEIGHT, "--set", crate::V2, "--expect", "dubbo3-consumer:paused"];
    assert_eq!(simulate(&named).code, 1, "one that is named is judged");
    let unknown = simulate(&[WEIGHT, "--expect", "nobody:paused"]);
    assert!(unknown.code == 2 && unknown.err.contains("there is no Rollout \"nobody\""), "{}", unknown.err);
}

#[test]
fn two_that_drive_the_same_are_an_error_that_names_both() {
    let second = changed(
        &rollout(),
        "metadata: {name: web, namespace: shop}",
        "metadata: {name: web2, namespace: shop}",
    );
    refuses(
        &simulate_with(&["-"], &[web(), second].join("---\n")),
        &[
            "Rollout shop/web2 and Rollout shop/web both drive the selector (Service \"web\" is managed by another Rollout)",
            "both drive the http route \"primary\"",
            "give each Rollout a Service of its own",
        ],
    );
    // The same names in two namespaces are two.
    let other = web().replace("namespace: shop", "namespace: other");
    assert_eq!(simulate_with(&["-"], &[web(), other].join("---\n")).code, 0);
    let _ = virtual_service();
}
