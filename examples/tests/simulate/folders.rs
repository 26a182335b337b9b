//! Folders as they are in the field: what lies beside the manifests of a canary.

use crate::{
    folder::{Folder, changed, plays, refuses, rollout, services, virtual_service, web},
    simulate_with,
};

#[test]
fn what_is_no_object_of_a_canary_is_passed_over() {
    let beside = [
        ("generate.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: smoke-}\nspec: {}\n"),
        ("docker-compose.yml", "version: \"3\"\nservices: {web: {image: web}}\n"),
        ("values.yaml", "replicas: 3\nimage: {tag: v1}\n"),
        ("notes.yaml", "Notes\n\nThis is: not: yaml\n"),
        ("list.yaml", "- a\n- b\n"),
        ("patch.json", "[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 3}]"),
        ("package.json", "{\"name\": \"web\", \"version\": \"1.0.0\"}"),
        ("empty.yaml", "---\n# nothing\n---\n"),
        (
            "crd.yaml",
            "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nmetadata: {name: a}\n",
        ),
        ("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: [\n"),
        (
            "rule.yaml",
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: a}\nspec: {a: '{{ $labels.pod }}'}\n",
        ),
    ];
    for (name, text) in beside {
        plays(&Folder::new().with("web.yaml", web()).with(name, text).simulate(&["."]), "");
    }
    let all = beside
        .into_iter()
        .fold(Folder::new().with("web.yaml", web()), |all, (name, text)| all.with(name, text));
    let run = all.simulate(&["."]);
    plays(&run, "note: passed over: ");
    for name in ["Job", "values.yaml", "docker-compose.yml", "CustomResourceDefinition", "notes.yaml"] {
        assert!(run.err.contains(name), "{name} in {}", run.err);
    }
    assert_eq!(run.err.lines().filter(|line| !line.is_empty()).count(), 1, "one line: {}", run.err);
}

#[test]
fn what_is_given_by_name_must_be_readable() {
    let folder = Folder::new().with("web.yaml", web()).with("notes.yaml", "Notes\n\nThis is: not: yaml\n");
    refuses(&folder.simulate(&["web.yaml", "notes.yaml"]), &["--> notes.yaml:3:"]);
}

#[test]
fn a_rollout_of_another_group_is_another_thing() {
    let kruise = "apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata: {name: echo}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: echo}
  strategy: {canary: {steps: [{traffic: 20%, replicas: 1, pause: {}}]}}
";
    let beside = simulate_with(&["-"], &[web(), kruise.to_owned()].join("---\n"));
    plays(&beside, "Rollout of rollouts.kruise.io");
    assert!(!beside.out.contains("echo"), "{}", beside.out);
    refuses(&simulate_with(&["-"], kruise), &["a Rollout of rollouts.kruise.io, which is not read"]);
    let knative =
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n";
    plays(
        &simulate_with(&["-"], &[web(), knative.to_owned()].join("---\n")),
        "Service of serving.knative.dev",
    );
}

#[test]
fn a_stream_has_no_limit_but_a_document_has() {
    let large = |kind: &str| {
        let data = format!("  filler: {}\n", "x".repeat(990)).repeat(1_200);
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: large, namespace: shop}}\ndata:\n{data}")
    };
    // More than 1 MiB in all, none of it in one document.
    let map = |n| {
        let filler = "x".repeat(10_000);
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{n}}}\ndata: {{a: {filler}}}\n")
    };
    let many = (0..150).map(map).collect::<Vec<_>>().concat();
    plays(&simulate_with(&["-"], &[many.clone(), web()].join("---\n")), "150 ConfigMap");
    // A document that is none of ours may be of any size; one that is ours may not.
    plays(&simulate_with(&["-"], &[large("ConfigMap"), web()].join("---\n")), "ConfigMap");
    refuses(&simulate_with(&["-"], &[web(), large("Service")].join("---\n")), &["1 MiB", "<stdin>:"]);
    // Places are counted from the beginning of the stream.
    let wrong = changed(&web(), "setWeight: 50", "setWeight: 500");
    let line = many.lines().count() + 1 + wrong.lines().position(|line| line.contains("500")).unwrap() + 1;
    refuses(&simulate_with(&["-"], &[many, wrong].join("---\n")), &[&format!("--> <stdin>:{line}:")]);
}

#[test]
fn documents_of_a_stream_are_those_that_yaml_has() {
    let bom = format!("\u{feff}{}", web());
    let directives = format!(
        "%YAML 1.2\n--- # first\n{}...\n%YAML 1.2\n---\n{}",
        rollout(),
        [services(), virtual_service()].join("--- \n")
    );
    let windows = web().replace('\n', "\r\n");
    let comments = format!("# a comment\n---\n---\n{}---\n# the end\n", web());
    for text in [bom, directives, windows, comments] {
        plays(&simulate_with(&["-"], &text), "");
    }
}

#[test]
fn the_next_version_beside_a_rollout_is_an_update() {
    let next = changed(&rollout(), "image: web", "image: web:2");
    let folder = Folder::new().with("web/rollout.yaml", web()).with("web/rollout-update.yaml", next);
    let run = folder.simulate(&["web"]);
    refuses(
        &run,
        &["if one of them is the next version: simulate web/rollout.yaml --update web/rollout-update.yaml"],
    );
    plays(&folder.simulate(&["web/rollout.yaml", "--update", "web/rollout-update.yaml"]), "");
}

#[test]
fn a_template_is_recognised_and_the_command_that_renders_it_is_said() {
    let helm = "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {{ include \"app.fullname\" . }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
";
    let inline = changed(&web(), "replicas: 4", "replicas: {{ .Values.replicas }}");
    let quoted =
        changed(&web(), "{name: web, namespace: shop}", "{name: \"{{ .Values.name }}\", namespace: shop}");
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    for text in [helm, inline.as_str(), quoted.as_str()] {
        refuses(&simulate_with(&["-"], text), &["Helm template", "helm template . | simulate -"]);
        let folder = Folder::new().with("chart/Chart.yaml", chart).with("chart/templates/rollout.yaml", text);
        refuses(&folder.simulate(&["chart"]), &["helm template chart | simulate -"]);
        refuses(&folder.simulate(&["chart/templates/rollout.yaml"]), &["helm template chart | simulate -"]);
        refuses(&folder.simulate(&["."]), &["helm template ./chart | simulate -"]);
        // Beside what can be played it is no more than a note.
        plays(&folder.with("web.yaml", web()).simulate(&["."]), "helm template ./chart | simulate -");
    }
    let variables = changed(&web(), "replicas: 4", "replicas: ${REPLICAS}");
    let folder = Folder::new().with("web.yaml", variables);
    refuses(&folder.simulate(&["."]), &["$REPLICAS", "envsubst < ./web.yaml | simulate -"]);
    let variables = changed(&web(), "{name: web, namespace: shop}", "{name: $NAME, namespace: shop}");
    refuses(&simulate_with(&["-"], &variables), &["$NAME", "envsubst < FILE | simulate -"]);
    // Pods may have variables of their own, and templates of others are not ours.
    let pods =
        changed(&web(), "image: web", "image: web, command: [sh, -c, 'echo ${HOME}'], args: ['{{ . }}']");
    let run = simulate_with(&["-"], &pods);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn a_copy_in_a_hosted_mesh_is_said_to_be_one() {
    let copy = "namespace: shop, labels: {mspider.io/origin-cluster: west}}";
    let copy = changed(&virtual_service(), "namespace: shop}", copy);
    let run = simulate_with(&["-"], &[rollout(), services(), copy].join("---\n"));
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.err.contains("warning: this object is a copy of the one in \"west\": the proxies read"),
        "{}",
        run.err
    );
}

#[test]
fn only_regular_files_are_read() {
    let folder = Folder::new().with("web.yaml", web());
    let pipe = folder.path().join("pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for words in [&["pipe.yaml"][..], &["."], &["/dev/null"], &["web.yaml", "--update", "pipe.yaml"]] {
        refuses(&folder.simulate(words), &["no regular file", "write - for standard input"]);
    }
    std::fs::remove_file(pipe).unwrap();
    std::os::unix::fs::symlink(".", folder.path().join("loop")).unwrap();
    plays(&folder.simulate(&["."]), "");
}

#[test]
fn what_is_printed_gives_no_orders_to_a_terminal() {
    let bad =
        changed(&rollout(), "{name: web, namespace: shop}", "{name: \"w\\u001b[2Jeb\\n2\", namespace: shop}");
    let field = changed(&rollout(), "replicas: 4", "\"re\\u001b[31mplicas\": 4");
    let weight = changed(&rollout(), "setWeight: 50", "setWeight: \"\\u202e\\u001b]0;x\\u0007\"");
    let kind = "apiVersion: v1\nkind: \"Con\\u001bfig\"\nmetadata: {name: a}\n";
    for text in [bad, field, weight, kind.to_owned()] {
        for words in [&["-"][..], &["-", "--set", "we\u{1b}b:a=b"], &["-", "--json"]] {
            let run = simulate_with(words, &[text.clone(), services(), virtual_service()].join("---\n"));
            let shown = run.out + &run.err;
            let hidden = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!shown.contains(hidden), "{shown:?}");
        }
    }
    let folder = Folder::new().with("a\u{1b}[2J.yaml", "kind: [");
    let run = folder.simulate(&["a\u{1b}[2J.yaml"]);
    assert!(run.code == 2 && !run.err.contains('\u{1b}'), "{:?}", run.err);
}
