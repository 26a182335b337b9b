//! Rollouts whose pod template is in another object.

use crate::{
    folder::{Folder, changed, plays, refuses, rollout, services, virtual_service, web},
    simulate_with,
};

const TEMPLATE: &str = "  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
";

/// The Rollout with a reference to this in the place of its template.
fn refers(version: &str, kind: &str) -> String {
    let reference = format!("  workloadRef: {{apiVersion: {version}, kind: {kind}, name: web}}\n");
    changed(&rollout(), TEMPLATE, &reference)
}

/// The Rollout and what is around it, but not its Deployment.
fn without_deployment() -> String {
    [refers("apps/v1", "Deployment"), services(), virtual_service()].join("---\n")
}

fn deployment() -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\n\
         spec:\n  replicas: 9\n  selector: {{matchLabels: {{app: web}}}}\n{TEMPLATE}"
    )
}

/// The Deployment with a new image.
fn next() -> String {
    changed(&deployment(), "image: web,", "image: web:2,")
}

fn folder() -> Folder {
    Folder::new().with("web.yaml", without_deployment()).with("deployment.yaml", deployment())
}

/// What the Rollout does with its template in a Deployment is what it does with the same template of its own.
#[test]
fn the_template_of_a_deployment_is_played_as_if_it_were_the_rollouts_own() {
    let own = simulate_with(&["-", "--image", "web=web:2"], &web());
    // In either order, in a list, and without a selector of the Rollout's own.
    let listed = |text: &str| {
        let items: Vec<String> =
            text.split("---\n").map(|item| item.trim_end().replace('\n', "\n  ")).collect();
        format!("apiVersion: v1\nkind: List\nitems:\n- {}\n", items.join("\n- "))
    };
    let last = [without_deployment(), deployment()].join("---\n");
    let first = [deployment(), without_deployment()].join("---\n");
    let no_selector = changed(&last, "  selector: {matchLabels: {app: web}}\n  workloadRef", "  workloadRef");
    for text in [&last, &first, &no_selector, &listed(&last), &listed(&first)] {
        let run = simulate_with(&["-", "--image", "web=web:2"], text);
        assert_eq!((run.code, &*run.err, &run.out), (0, "", &own.out), "{text}");
    }
}

#[test]
fn the_other_kinds_hold_a_template_too() {
    let set = changed(&deployment(), "kind: Deployment", "kind: ReplicaSet");
    let text = [refers("apps/v1", "ReplicaSet"), set, services(), virtual_service()].join("---\n");
    let run = simulate_with(&["-", "--image", "web=web:2"], &text);
    assert_eq!((run.code, &*run.err), (0, ""), "{}", run.out);
    // The template of a PodTemplate is not in a spec, and findings about it say so.
    let template = "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: web, namespace: shop}\n\
                    template:\n  metadata: {labels: {app: web}}\n  spec: {containers: [{name: web, image: web}]}\n";
    let text = |template: &str| {
        [template, &refers("v1", "PodTemplate"), &services(), &virtual_service()].join("---\n")
    };
    let run = simulate_with(&["-", "--set", "spec.template.metadata.labels.version=v2"], &text(template));
    assert_eq!((run.code, &*run.err), (0, ""), "{}", run.out);
    let nameless = changed(template, "{name: web, image: web}", "{image: web}");
    refuses(
        &simulate_with(&["-"], &text(&nameless)),
        &[
            "error: `name`: give the container its name",
            "--> <stdin>:6:24",
            "at template.spec.containers[0].name",
        ],
    );
}

#[test]
fn an_update_is_a_changed_deployment_with_or_without_the_rollout() {
    let larger = changed(&refers("apps/v1", "Deployment"), "replicas: 4", "replicas: 5");
    let folder =
        folder().with("next/deployment.yaml", next()).with("both/all.yaml", [next(), larger].join("---\n"));
    let given = ["web.yaml", "deployment.yaml", "--update"];
    let run = folder.simulate(&[&given[..], &["next"]].concat());
    plays(&run, "");
    assert!(
        run.out.contains("UPDATE to v2: the Deployment shop/web in next/deployment.yaml\n"),
        "{}",
        run.out
    );
    let run = folder.simulate(&[&given[..], &["both"]].concat());
    plays(&run, "");
    let both = "UPDATE to v2: the manifest in both/all.yaml, the Deployment shop/web in both/all.yaml\n";
    assert!(run.out.contains(both) && run.out.contains("5/5"), "{}", run.out);
    // A Rollout that changes alone keeps the template of its Deployment.
    let folder = folder
        .with("rollout.yaml", changed(&refers("apps/v1", "Deployment"), "setWeight: 50", "setWeight: 20"));
    let run = folder.simulate(&[&given[..], &["rollout.yaml"]].concat());
    assert!(run.code == 0 && !run.out.contains("v2"), "{}\n{}", run.err, run.out);
}

#[test]
fn commands_and_changes_in_the_script_are_about_the_template_of_the_deployment() {
    let folder = folder();
    let words = ["web.yaml", "deployment.yaml", "--image", "web=web:2", "--expect", "healthy"];
    let run = folder.simulate(&[&words[..], &["--at", "30s=undo"]].concat());
    plays(&run, "");
    assert!(run.out.contains("rolled back to stable v1"), "{}", run.out);
    let run = folder.simulate(&[&words[..], &["--at", "30s=image web=web:3"]].concat());
    plays(&run, "");
    assert!(run.out.contains("v3 is stable now, in place of v1"), "{}", run.out);
    let run = folder.simulate(&[&words[..], &["--at", "30s=image wbe=web:3"]].concat());
    assert!(run.out.contains("did you mean \"web\"?"), "{}", run.out);
    refuses(
        &folder.simulate(&["web.yaml", "deployment.yaml", "--set", "spec.workloadRef.name=other"]),
        &["spec.workloadRef says where the pod template is", "simulate … --update FILE"],
    );
}

#[test]
fn a_mistake_in_the_template_stands_in_the_deployment() {
    let check = |deployment: String, said: &[&str]| {
        let folder = folder().with("wrong.yaml", deployment);
        refuses(&folder.simulate(&["web.yaml", "wrong.yaml"]), said);
        refuses(&folder.simulate(&["web.yaml", "deployment.yaml", "--update", "wrong.yaml"]), said);
    };
    check(
        changed(&deployment(), "{name: web, image: web,", "{image: web,"),
        &["error: `name`: give the container its name\n --> wrong.yaml:9:", "\n1 error\n"],
    );
    check(
        changed(&deployment(), "labels: {app: web}", "labels: {app: other}"),
        &[
            "error: `labels`: the template's labels must have everything that the selector asks for\n --> wrong.yaml:8:",
        ],
    );
    check(
        changed(&deployment(), TEMPLATE, ""),
        &[
            "error: the Deployment has no pod template\n --> wrong.yaml:4:",
            "help: write the one that the Rollout \"web\" takes from here",
            "\n1 error\n",
        ],
    );
    // Requests must reach the pods, wherever these are described.
    let version = changed(&services(), "selector: {app: web}", "selector: {app: web, version: v1}");
    let text = [refers("apps/v1", "Deployment"), deployment(), version, virtual_service()].join("---\n");
    refuses(
        &simulate_with(&["-"], &text),
        &["the Service \"web\" selects version=v1, but the pods have no such label"],
    );
    // The selector of the Deployment is the Rollout's, where that has none.
    let text = changed(
        &without_deployment(),
        "  selector: {matchLabels: {app: web}}\n  workloadRef",
        "  workloadRef",
    );
    let empty = changed(&deployment(), "{matchLabels: {app: web}}", "{matchLabels: {}}");
    let folder = Folder::new().with("web.yaml", text).with("wrong.yaml", empty);
    refuses(&folder.simulate(&["."]), &["--> ./wrong.yaml:6:", "at spec.selector"]);
}

#[test]
fn without_its_deployment_a_rollout_is_played_and_a_warning_says_what_is_missing() {
    let missing = "warning: the Deployment \"web\" was not given, so its pod template is not checked, and a placeholder \
                   is simulated\n --> <stdin>:7:";
    let help = "help: add its manifest to what is given";
    let run = simulate_with(&["-"], &without_deployment());
    plays(&run, missing);
    assert!(run.err.contains(help) && run.err.ends_with("\n1 warning\n"), "{}", run.err);
    // Nobody knows the labels of its pods: they are not compared with what a Service selects.
    let more = changed(&without_deployment(), "selector: {app: web}", "selector: {app: web, version: v1}");
    for text in [
        &more,
        &changed(&more, "  selector: {matchLabels: {app: web}}\n", ""),
        &changed(
            &more,
            "{matchLabels: {app: web}}",
            "{matchExpressions: [{key: a, operator: In, values: [b]}]}",
        ),
    ] {
        plays(
            &simulate_with(&["-", "--set", "spec.template.metadata.labels.version=v2"], text),
            "warning: the Deployment",
        );
    }
    // The rest is checked as ever.
    let ports = changed(&without_deployment(), "{host: web}", "{host: web, port: {number: 9999}}");
    refuses(
        &simulate_with(&["-"], &ports),
        &["error: the Service \"web\" has no port 9999", "warning: the Deployment"],
    );
    refuses(
        &simulate_with(&["-", "--image", "web=web:2"], &without_deployment()),
        &[
            "error: web: image web=web:2: the container is in Deployment shop/web, which was not given; add its manifest",
        ],
    );
}

#[test]
fn one_that_was_meant_is_named() {
    let beside =
        |deployment: &str| simulate_with(&["-"], &[&*without_deployment(), deployment].join("---\n"));
    let other = beside(&changed(&deployment(), "namespace: shop", "namespace: other"));
    plays(
        &other,
        "the Deployment \"web\" is wanted in namespace shop, the Rollout's own, so its pod template",
    );
    assert!(other.err.contains("help: it is in other: give both the same namespace"), "{}", other.err);
    assert!(other.err.contains("note: passed over: Deployment\n"), "{}", other.err);
    plays(
        &beside(&changed(&deployment(), "{name: web, namespace", "{name: wbe, namespace")),
        "did you mean \"wbe\"?",
    );
    // Both without a namespace are in the same.
    let all = [without_deployment(), deployment()].join("---\n").replace(", namespace: shop", "");
    assert_eq!(simulate_with(&["-"], &all).err, "");
}

#[test]
fn what_is_missing_may_be_in_what_cannot_be_read() {
    let broken = changed(&deployment(), "  replicas: 9\n", "\treplicas: 9\n");
    let folder = Folder::new().with("web.yaml", without_deployment()).with("deployment.yaml", &broken);
    let tab = "error: there is a tab where YAML requires spaces\n --> ./deployment.yaml:5:1";
    refuses(&folder.simulate(&["."]), &[tab]);
    let chart = changed(&deployment(), "{name: web, namespace: shop}", "{{ include \"names\" . }}");
    let folder = Folder::new().with("web.yaml", without_deployment()).with("deployment.yaml", chart);
    plays(&folder.simulate(&["."]), "this is a Helm template, which must be rendered first");
    let variable = changed(&deployment(), "image: web,", "image: 'web:${TAG}',");
    let folder = Folder::new().with("web.yaml", without_deployment()).with("deployment.yaml", variable);
    plays(&folder.simulate(&["."]), "there are variables in it that nobody has filled in: $TAG");
    let large = deployment() + &format!("        # {}\n", "x".repeat(990)).repeat(1_200);
    let folder = Folder::new().with("web.yaml", without_deployment()).with("deployment.yaml", large);
    refuses(
        &folder.simulate(&["."]),
        &["deployment.yaml:1: the document that begins here is larger than 1 MiB"],
    );
    // What no Rollout refers to may be broken.
    let run = Folder::new().with("web.yaml", web()).with("deployment.yaml", &broken).simulate(&["."]);
    assert_eq!((run.code, &*run.err), (0, "note: passed over: Deployment\n\n"));
    let all =
        [without_deployment(), deployment(), changed(&broken, "{name: web,", "{name: other,")].join("---\n");
    let run = simulate_with(&["-"], &all);
    assert_eq!((run.code, &*run.err), (0, "note: passed over: Deployment\n\n"));
}

#[test]
fn a_deployment_that_no_rollout_refers_to_is_passed_over() {
    let other = changed(&deployment(), "{name: web,", "{name: other,");
    let stateful = changed(&other, "kind: Deployment", "kind: StatefulSet");
    let passed = "note: passed over: 2 Deployment, StatefulSet\n\n";
    for web in [web(), [without_deployment(), deployment()].join("---\n")] {
        let run = simulate_with(&["-"], &[web, other.clone(), other.clone(), stateful.clone()].join("---\n"));
        assert_eq!((run.code, &*run.err), (0, passed), "{}", run.out);
    }
    refuses(
        &folder().with("other.yaml", other).simulate(&[
            "web.yaml",
            "deployment.yaml",
            "--update",
            "other.yaml",
        ]),
        &["error: --update: there is no Rollout and no object of one in it", "note: passed over: Deployment"],
    );
    refuses(
        &folder().with("deployment-v2.yaml", next()).simulate(&["."]),
        &["simulate ./deployment.yaml ./web.yaml --update ./deployment-v2.yaml"],
    );
}

#[test]
fn a_reference_that_leads_to_no_template_is_an_error() {
    let of = |version: &str, kind: &str| {
        simulate_with(
            &["-"],
            &[refers(version, kind), services(), virtual_service(), deployment()].join("---\n"),
        )
    };
    for (version, kind) in [("apps/v1", "StatefulSet"), ("v1", "Deployment"), ("apps/v1", "PodTemplate")] {
        let what = format!("workload of type {version}/{kind} is not supported");
        let run = of(version, kind);
        refuses(&run, &[&what, "--> <stdin>:7:", "\n1 error\n", "note: passed over: Deployment"]);
    }
    let text = changed(&without_deployment(), "{apiVersion: apps/v1, kind: Deployment, name: web}", "web");
    let text = changed(&text, "  selector: {matchLabels: {app: web}}\n  workloadRef", "  workloadRef");
    let text = [text, deployment()].join("---\n");
    refuses(&simulate_with(&["-"], &text), &["error: `workloadRef` must be a map", "\n1 error\n"]);
    let scale_down =
        changed(&without_deployment(), "name: web}\n  strategy", "name: web, scaleDown: soon}\n  strategy");
    refuses(
        &simulate_with(&["-"], &[scale_down, deployment()].join("---\n")),
        &["\"soon\" is unknown", "write never, onsuccess or progressively", "\n1 error\n"],
    );
    let both = changed(&without_deployment(), "  workloadRef", &format!("{TEMPLATE}  workloadRef"));
    refuses(
        &simulate_with(&["-"], &[both, deployment()].join("---\n")),
        &[
            "Argo Rollouts says: template must be empty for workload reference rollout",
            "keep either `template` or `workloadRef`",
            "\n1 error\n",
        ],
    );
}
