//! What is said about analyses before anything is played.

use crate::{root, simulate};
use std::fs;

const MANIFESTS: &str = "examples/manifests/analysis";

/// The release of the guide, with changes to its templates.
fn played(changes: &[(&str, &str)]) -> crate::Run {
    let folder = root().join(MANIFESTS);
    let read = |file| fs::read_to_string(folder.join(file)).unwrap();
    let mut text = ["web.yaml", "templates.yaml"].map(read).join("\n---\n");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let words = ["-", "--image", "web=example.com/web:v2", "--metric", "success-rate=0.99"];
    crate::simulate_with(&words, &text)
}

#[test]
fn nothing_is_said_about_the_example() {
    let run = simulate(&[MANIFESTS, "--image", "web=example.com/web:v2", "--metric", "success-rate=0.99"]);
    assert_ne!(run.code, 2, "{}", run.err);
    assert_eq!(run.err, "");
}

#[test]
fn a_condition_that_can_never_be_evaluated_is_refused_with_its_place() {
    let run = played(&[("len(result) > 0 && result[0] >= 0.98", "result >= 0.98")]);
    assert_eq!(run.code, 2, "{}", run.out);
    let expected = "error: `result >= 0.98` is an error whatever is measured, at character 8: `>=` cannot compare a list of \
                    numbers with a number";
    assert!(run.err.contains(expected), "{}", run.err);
    assert!(run.err.contains("successCondition: result >= 0.98\n"), "the line is shown: {}", run.err);
    assert!(run.err.contains("`result` is a list: write `result[0]` for its first element"), "{}", run.err);
    assert!(run.err.ends_with("\n1 error\n"), "{}", run.err);
}

#[test]
fn what_is_odd_is_a_warning_and_the_release_is_played() {
    let run = played(&[
        ("count: 3", "count: 3\n      failureLimit: 3"),
        ("args: [{ name: hash }]", "args: [{ name: hash }, { name: team, value: shop }]"),
        (
            "name: service, value: web-canary }",
            "name: service, value: web-canary }, { name: teem, value: shop }",
        ),
        ("[1m]", "[10m]"),
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    for expected in [
        "warning: the metric can never fail: 3 failures are allowed, and it is measured 3 times",
        "warning: no metric uses the argument `team`",
        "warning: no template has an argument `teem`",
        "warning: the query looks back 10 minutes, but the canary has had requests for 6 minutes when it is last measured",
    ] {
        assert!(run.err.contains(expected), "{expected}: {}", run.err);
    }
    assert!(run.err.ends_with("\n4 warnings\n"), "{}", run.err);
}

#[test]
fn a_template_that_comes_with_the_update_is_not_passed_over_in_silence() {
    let folder = root().join(MANIFESTS);
    let templates = fs::read_to_string(folder.join("templates.yaml")).unwrap();
    let changed = std::env::temp_dir().join(format!("templates-{}.yaml", std::process::id()));
    let played = |text: &str| {
        fs::write(&changed, text).unwrap();
        let words = [MANIFESTS, "--image", "web=example.com/web:v2", "--metric", "success-rate=0.99"];
        simulate(&[&words[..], &["--update", changed.to_str().unwrap()]].concat())
    };
    assert_eq!(played(&templates).err, "", "nothing is changed");
    let run = played(&templates.replace("0.98", "0.99"));
    fs::remove_file(&changed).unwrap();
    assert!(run.err.contains("warning: this template is neither used nor checked"), "{}", run.err);
}
