use crate::{WEIGHT, golden, simulate, simulate_with};
use std::fs;

/// The provider's manifest with some text replaced; each must be there.
fn provider(changes: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(crate::root().join(format!("{WEIGHT}/provider.yaml"))).unwrap();
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// What is said about bad input; nothing may be played.
fn refused(text: &str) -> String {
    let run = simulate_with(&["-"], text);
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    run.err
}

#[test]
fn everything_that_is_wrong_at_once_with_its_place() {
    golden(
        "errors.txt",
        &refused(&provider(&[
            ("replicas: 1", "replicas: many"),
            ("setWeight: 5\n", "setWeight: 500\n"),
            ("setWeight: 50\n", "plugin: { name: org/errors }\n"),
            ("duration: 10m", "duration: ten minutes"),
            ("            name: dubbo-provider", "            name: dubbo-provder"),
        ])),
    );
}

#[test]
fn what_is_not_driven_yet_is_said_apart_and_unknown_fields_have_a_neighbour() {
    golden(
        "not-driven.txt",
        &refused(&provider(&[
            ("        - setWeight: 50\n", "        - plugin: { name: org/errors }\n"),
            ("  replicas: 1\n", "  replicas: 1\n  progressDeadlineSecond: 60\n"),
            ("setWeight: 5\n", "setWieght: 5\n"),
        ])),
    );
}

#[test]
fn a_warning_is_said_and_the_run_goes_on() {
    let run = simulate_with(
        &["-"],
        &provider(&[("  replicas: 1\n", "  replicas: 1\n  progressDeadlineSecond: 60\n")]),
    );
    assert_eq!(run.code, 0);
    golden("warning.txt", &run.err);
}

#[test]
fn pod_templates_are_not_ours_to_judge() {
    let text = provider(&[("          image:", "          somethingNew: true\n          image:")]);
    assert_eq!(simulate_with(&["-"], &text).err, "");
}

#[test]
fn errors_in_the_objects_stand_where_they_are() {
    golden("objects.txt", &refused(&provider(&[("routes: [test-v1]", "routes: [test-v9]")])));
}

#[test]
fn texts_that_cannot_be_read() {
    golden("unreadable.txt", &refused("kind: Rollout\nmetadata: {name: a\n"));
    assert_eq!(
        refused("apiVersion: v1\nkind: Service\nmetadata: {name: shop}\n"),
        "error: there is no Rollout in what was given (<stdin> has Service); add its manifest\n\n1 error\n"
    );
    let prose = refused("Notes\n\nThis is: not: yaml\n");
    assert!(prose.ends_with("\n1 error\n"), "only that it is no YAML: {prose}");
    assert_eq!(refused(""), "error: there is no Rollout in what was given; add its manifest\n\n1 error\n");
    let twice = provider(&[]) + "\n---\n" + &provider(&[]);
    assert!(refused(&twice).contains("the same object is also in <stdin>:"));
}

#[test]
fn the_command_line() {
    for (words, error) in [
        (
            &["--at", "provider:12m=abort"][..],
            "error: there is no Rollout \"provider\"; there are dubbo3-consumer, dubbo3-provider\n\n1 error\n",
        ),
        (
            &["--at", "dubbo3-providr:12m=abort"],
            "error: there is no Rollout \"dubbo3-providr\"; did you mean \"dubbo3-provider\"?\n\n1 error\n",
        ),
        (
            &["--at", "12m"],
            "error: invalid value '12m' for '--at <[ROLLOUT:]TIME=ACTION>': \"12m\" does not say what happens; write `12m=WHAT`, for example 12m=abort\n",
        ),
        (
            &["--proxies", "0"],
            "error: invalid value '0' for '--proxies <COUNT>': write a whole number from 1 to 1000\n",
        ),
        (
            &["--lose-pods", "stable=0@5m"],
            "error: invalid value 'stable=0@5m' for '--lose-pods <[ROLLOUT:]SIDE=PODS@TIME>': \"0\" pods: write a whole number from 1 to 10000\n",
        ),
        (
            &["--ready-after", "5s..1s"],
            "error: invalid value '5s..1s' for '--ready-after <TIME[..TIME]>': it ends before it begins; write 1s..5s\n",
        ),
        (
            &["--until", "10m", "--at", "12m=abort"],
            "error: --at: 12m is after the end of the simulation, 10m; write --until 12m or later\n",
        ),
        (
            &["--update", "examples/tests/manifests/plain.yaml"],
            "error: there is no Rollout \"shop\" in namespace default to update\n",
        ),
        (
            &["--image", "web=x:2"],
            "error: dubbo3-consumer: image web=x:2: there is no container \"web\"; there are container-1\n\nerror: \
             dubbo3-provider: image web=x:2: there is no container \"web\"; there are container-1\n\n2 errors\n",
        ),
        (
            &["--at", "12m=abrot"],
            "error: invalid value '12m=abrot' for '--at <[ROLLOUT:]TIME=ACTION>': \"abrot\" is not a command; did you mean `abort`?\n",
        ),
        (
            &["--set", "dubbo3-provider:spec.templat.x=1"],
            "error: dubbo3-provider: set spec.templat.x=1: spec has no \"templat\"; did you mean \"template\"?\n\n1 error\n",
        ),
        (
            &["--image", "dubbo3-provider/web=x:2"],
            "error: dubbo3-provider: image web=x:2: there is no container \"web\"; there are container-1\n\n1 error\n",
        ),
        (
            &["--at", "5m=set nobody:spec.replicas=3"],
            "error: there is no Rollout \"nobody\"; there are dubbo3-consumer, dubbo3-provider\n\n1 error\n",
        ),
        (
            &["--at", "dubbo3-provider:5m=set dubbo3-consumer:spec.replicas=3"],
            "error: invalid value 'dubbo3-provider:5m=set dubbo3-consumer:spec.replicas=3' for '--at <[ROLLOUT:]TIME=ACTION>': \"set dubbo3-consumer:spec.replicas=3\" is about \"dubbo3-consumer\", and the time about \
             \"dubbo3-provider\"; name one of them\n",
        ),
        (
            &["--replicas", "2", "--at", "5m=set spec.replicas=4"],
            "error: --replicas 2 holds for the whole run, so `set spec.replicas=4` does nothing; leave one of them out\n",
        ),
        (
            &["--repicas", "3"],
            "error: unexpected argument '--repicas' found\n\n  tip: a similar argument exists: '--replicas'\n",
        ),
        (
            &["--until", "soon"],
            "error: invalid value 'soon' for '--until <TIME>': \"soon\" is not a time; write it like 30s, 12m or 1h30m\n",
        ),
        (
            &["--expect"],
            "error: a value is required for '--expect <[ROLLOUT:]STATE>' but none was supplied\n",
        ),
    ] {
        let words: Vec<&str> = [WEIGHT].iter().chain(words).copied().collect();
        let run = simulate(&words);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{words:?}");
        // What has a place goes on with it, and what is wrong with an option with how it is used.
        let goes_on =
            error.ends_with("to update\n") || run.err.ends_with("For more information, try '--help'.\n");
        let said = if goes_on { run.err.get(..error.len()) } else { Some(run.err.as_str()) };
        assert_eq!(said, Some(error), "{words:?}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let deep = "a: ".to_owned() + &"[".repeat(5_000);
    let alias = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                 d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let huge = provider(&[("replicas: 1", "replicas: 99999999999999999999999999")]);
    let twice = provider(&[("  replicas: 1\n", "  replicas: 1\n  replicas: 2\n")]);
    for text in
        [&deep, alias, &huge, &twice, "\u{0}", "- - -", "kind: [", "!!binary x", "{\"kind\": \"Rollout\"}"]
    {
        let run = simulate_with(&["-"], text);
        assert_eq!(run.code, 2, "{text:.60}\n{}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
    }
    let replicas = provider(&[("replicas: 1", "replicas: 2147483647")]);
    let run = simulate_with(&["-"], &replicas);
    assert!(run.code == 2 && run.err.contains("--replicas"), "{}", run.err);
}

#[test]
fn many_mistakes_are_counted_and_a_hundred_shown() {
    let items = "{kind: Rollout},".repeat(15_000);
    let text = format!("{{apiVersion: v1, kind: List, items: [{items}]}}");
    let err = refused(&text);
    assert_eq!(err.matches("error: this Rollout has no apiVersion").count(), 100);
    assert!(err.ends_with("… and 14900 more, which are not shown\n\n15000 errors\n"), "{err:.2000}");
}

#[test]
fn a_missing_object_is_shown_where_its_kind_is_named() {
    let services = ["web", "web-canary"].map(|name| {
        format!("---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: web}}}}\n")
    });
    let text = "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  strategy:
    canary:
      stableService: web
      canaryService: web-canary
      steps: [{setWeight: 5}]
      trafficRouting:
        istio:
          virtualService: {name: web}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
";
    let err = refused(&(text.to_owned() + &services.concat()));
    assert!(err.contains("VirtualService \"web\" was not given\n  --> <stdin>:13:"), "{err}");
}

#[test]
fn a_change_on_the_command_line_is_warned_of_like_a_manifest() {
    for words in
        [["--set", "dubbo3-provider:spec.nosuch=1"], ["--at", "dubbo3-provider:5m=set spec.nosuch=1"]]
    {
        let run = simulate(&[WEIGHT, words[0], words[1]]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.err.starts_with("warning: dubbo3-provider: spec.nosuch: "), "{}", run.err);
        assert!(run.err.ends_with("\n1 warning\n"), "{}", run.err);
    }
}

#[test]
fn an_update_without_anything_to_update_is_refused() {
    let folder = std::env::temp_dir().join(format!("simulate-useless-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("map.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").unwrap();
    let run = simulate(&[WEIGHT, "--update", folder.to_str().unwrap()]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("error: --update: there is no Rollout"), "{}", run.err);
}

#[test]
fn an_image_without_a_name_is_of_the_rollouts_that_have_the_container() {
    let other = fs::read_to_string(crate::root().join("examples/tests/manifests/plain.yaml")).unwrap();
    let both = provider(&[]) + "\n---\n" + &other;
    let run = simulate_with(&["-", "--image", "web=x:2"], &both);
    assert_eq!(run.err, "");
    assert_eq!(run.out.matches("image web=x:2").count(), 1, "{}", run.out);
    assert_eq!(run.out.matches("NO UPDATE of this one").count(), 1, "{}", run.out);
}
