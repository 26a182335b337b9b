//! YAML and JSON that a person wrote.

use proptest::prelude::*;
use rollout_core::argo::{Documents, Finding, Place, Severity, check, convert, read, template_hash};
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    let reading = read(text, "t");
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    assert_eq!(reading.documents.len(), 1, "{text}");
    reading.documents[0].value().clone()
}

fn place(finding: &Finding) -> Place {
    finding.located.as_ref().unwrap().place
}

fn problem(text: &str) -> (String, u32, u32) {
    let reading = read(text, "t");
    assert!(!reading.problems.is_empty(), "no problem with {text:?}");
    let first = &reading.problems[0];
    let Place { line, column, .. } = place(first);
    (first.what.clone(), line, column)
}

#[test]
fn words_mean_what_they_mean_to_kubectl() {
    let text = "{a: yes, b: 'yes', c: 010, d: 5.0, e: ~, f: 1h, 5: five, on: x, \"q\": \"5\", g: !!str 5, h: 2026-01-31}";
    let want = json!({
        "a": true, "b": "yes", "c": 8, "d": 5, "e": null, "f": "1h", "5": "five", "true": "x", "q": "5", "g": "5",
        "h": "2026-01-31"
    });
    assert_eq!(value(text), want);
    assert_eq!(value("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), json!({"a": "x\ny\n", "b": "x y"}));
    assert_eq!(value("\u{feff}a: 1\r\nb: 2\r\n"), json!({"a": 1, "b": 2}));
}

#[test]
fn json_is_read_too() {
    let text = "{\n\t\"a\": [1, 2.5, -3, true, null, \"x\\/y\\u00fc\\ud83d\\ude00\"],\n\t\"b\": {}\n}";
    assert_eq!(value(text), json!({"a": [1, 2.5, -3, true, null, "x/yü😀"], "b": {}}));
    let pretty = json!({"kind": "Rollout", "spec": {"replicas": 3, "list": [{"a": "b: c # d"}]}});
    assert_eq!(value(&serde_json::to_string_pretty(&pretty).unwrap()), pretty);
}

#[test]
fn several_documents_and_empty_ones() {
    let text = "# head\n---\n---\nkind: A\nmetadata: {name: x, namespace: z}\n---\n# nothing\n---\n{\"kind\": \"B\"}\n";
    let Documents { documents, problems, .. } = read(text, "demo.yaml");
    assert!(problems.is_empty());
    let kinds: Vec<_> = documents.iter().map(|document| document.kind().unwrap()).collect();
    assert_eq!(kinds, ["A", "B"]);
    assert_eq!((documents[0].name(), documents[0].namespace()), (Some("x"), Some("z")));
    assert_eq!((documents[1].place("kind").line, documents[1].place("").line), (9, 9));
    let broken = read("kind: A\n---\na: [\n---\nkind: C\n", "demo.yaml");
    assert_eq!((broken.documents.len(), broken.problems.len()), (1, 1));
}

#[test]
fn places() {
    let text = "\
spec:
  replicas: 3
  labels:
    app.kubernetes.io/name: demo
    a]b: x
  steps:
  - setWeight: 5
  - pause: {duration: 10m}
  -
    empty:
";
    let reading = read(text, "t");
    let at = |path: &str| {
        let place = reading.documents[0].place(path);
        (place.line, place.column, place.width)
    };
    assert_eq!(at("spec"), (1, 1, 4));
    assert_eq!(at("spec.replicas"), (2, 13, 1));
    assert_eq!(at("spec.labels[app.kubernetes.io/name]"), (4, 29, 4));
    assert_eq!(at("spec.labels[a]b]"), (5, 10, 1));
    assert_eq!(at("spec.steps"), (6, 3, 5));
    assert_eq!(at("spec.steps[0]"), (7, 5, 9));
    assert_eq!(at("spec.steps[0].setWeight"), (7, 16, 1));
    assert_eq!(at("spec.steps[1].pause"), (8, 5, 5));
    assert_eq!(at("spec.steps[1].pause.duration"), (8, 23, 3));
    assert_eq!(at("spec.steps[2].empty.deeper"), (10, 5, 5));
    assert_eq!(at("spec.steps[7].x"), (6, 3, 5));
    assert_eq!(at("elsewhere"), (1, 1, 4));
}

#[test]
fn aliases_and_merges() {
    let text =
        "base: &b {x: 1, w: 2}\nsame: *b\nmore:\n  <<: *b\n  w: 3\nboth:\n  <<: [{z: 4}, *b]\n  x: 5\n";
    let base = json!({"x": 1, "w": 2});
    let want =
        json!({"base": base, "same": base, "more": {"x": 1, "w": 3}, "both": {"x": 5, "w": 2, "z": 4}});
    assert_eq!(value(text), want);
    assert_eq!(problem("a: &a 1\nb:\n  <<: *a\n").1, 3);
    assert_eq!(problem("a: *nowhere\n").1, 1);
    assert_eq!(problem("a: &a [*a]\n").1, 1);
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let (what, line, column) = problem("spec:\n  replicas: 1\n  paused: true\n  replicas: 2\n");
    assert_eq!(what, "the field `replicas` appears twice: first on line 2");
    assert_eq!((line, column), (4, 3));
    assert_eq!(problem("{\"a\": 1, \"a\": 1}").1, 1);
    assert_eq!(problem("1: x\n'1': y\n").1, 2);
}

#[test]
fn what_would_cost_too_much_is_refused() {
    let level = |n: usize| format!("a{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 10].join(", "));
    let bomb: String =
        std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x]\n".into()).chain((0..30).map(level)).collect();
    assert_eq!(problem(&bomb).0, "its aliases make the document many times larger");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1_000));
    assert_eq!(problem(&long).0, "its aliases make the document many times larger");
    for deep in ["[", "- ", "{a: ", "? "] {
        assert!(!read(&deep.repeat(100_000), "t").problems.is_empty(), "{deep}");
    }
    assert_eq!(problem(&"- - - - - - - - - - ".repeat(20)).0, "is nested more than 100 deep");
    assert_eq!(problem(&" ".repeat((1 << 20) + 1)).0, "is larger than 1 MiB (1048577 bytes)");
    assert_eq!(problem(&"---\na: 1\n".repeat(1_001)).0, "has more than 1000 documents");
    assert_eq!(problem("a: .inf").0, "\".inf\" cannot be expressed in JSON");
    assert_eq!(
        value("a: 1e999\nb: 123456789012345678901234567890"),
        json!({"a": "1e999", "b": 1.234_567_890_123_456_8e29})
    );
}

/// Every value costs much more memory than the two bytes that it may be written with: so they are counted.
#[test]
fn many_small_values_are_refused() {
    let most = 40_000;
    let list = |part: &str, count: usize| format!("[{}]", part.repeat(count));
    // The list counts, and a map and what its name stands for; a name does not.
    for (part, each) in [("~,", 1), ("[],", 1), ("{},", 1), ("{a},", 2), ("{a: 1},", 2), ("{? a : [b]},", 3)]
    {
        let fits = (most - 1) / each;
        let reading = read(&list(part, fits), "t");
        assert!(reading.problems.is_empty(), "{part}: {:?}", reading.problems.first());
        assert_eq!(reading.documents[0].value().as_array().map(Vec::len), Some(fits), "{part}");
        let reading = read(&list(part, fits + 1), "t");
        assert_eq!((reading.documents.len(), reading.problems.len()), (0, 1), "{part}");
        assert_eq!(reading.problems[0].what, "has more than 40000 values up to here");
    }
    assert_eq!(problem(&"- - -\n".repeat(40_000)).0, "has more than 40000 values up to here");
    let documents = format!("---\na: {}\n", list("1,", 100)).repeat(500);
    let reading = read(&documents, "t");
    assert_eq!((reading.documents.len(), reading.problems.len()), (392, 1), "all documents together");
}

/// Problems are counted while they are made: neither a map nor many documents can have any number of them.
#[test]
fn problems_are_few() {
    assert_eq!(read(&format!("{{{}}}", "a,".repeat(39_000)), "t").problems.len(), 100);
    let documents = read(&"{a,a,a}\n---\n".repeat(900), "t");
    assert_eq!((documents.documents.len(), documents.problems.len()), (0, 100));
}

#[test]
fn messages_say_where_and_what_to_write() {
    let text = "kind: Rollout\nspec:\n  strategie:\n    canary: {}\n  replicas: \"3\"\n";
    let reading = read(text, "demo.yaml");
    let report = check(reading.documents[0].value());
    let shown: Vec<String> = report
        .findings
        .iter()
        .take(2)
        .map(|finding| reading.documents[0].locate(finding).to_string())
        .collect();
    assert_eq!(
        shown[0],
        "warning: demo.yaml:3:3: unknown field `strategie`: it is ignored; did you mean `strategy`?"
    );
    assert_eq!(
        shown[1],
        "error: demo.yaml:5:13: `replicas` must be a whole number within 32 bits, found the text \"3\"; write 3 \
         without quotes"
    );
    let missing = report.errors().find(|error| error.path == "spec.strategy.strategy").unwrap();
    assert_eq!(place(&reading.documents[0].locate(missing)).line, 2);
    let about = reading.documents[0].finding(Severity::NotDriven, "kind", "is not supported yet", "");
    assert_eq!(about.to_string(), "unsupported: demo.yaml:1:7: is not supported yet");
}

/// One line of 200 KB: what is shown of it is short, and its column is still right.
#[test]
fn very_long_lines_are_cut() {
    let fields: Vec<_> = (0..10_000).map(|n| format!("\"ü{n}\": \"x\"")).collect();
    let text = format!("{{{}}}", fields.join(", "));
    let reading = read(&text, "t");
    let message = reading.documents[0].finding(Severity::Warning, "[ü9000]", "odd", "");
    let (shown, from) = &message.located.as_ref().unwrap().excerpt;
    assert!(shown.chars().count() <= 120, "{shown}");
    let at = usize::try_from(place(&message).column - from).unwrap();
    assert_eq!(shown.chars().skip(at).take(3).collect::<String>(), "\"x\"");
}

/// Text of the pieces that YAML is made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "spec",
        "strategy",
        "canary",
        "steps",
        "setWeight",
        ": ",
        ":",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "<<",
        "!!str ",
        "!x ",
        "'",
        "\"",
        "|",
        ">-",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "?",
        "5",
        "0x",
        "1e9",
        ".inf",
        "\t",
        "\r\n",
        "\u{feff}",
        "ü",
        "\\u12",
        "\\",
        "@",
        "`",
        "\u{85}",
        "\u{0}",
        "~",
        "y",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn never_panics(text: &str) {
    let reading = read(text, "t");
    for problem in &reading.problems {
        assert!(place(problem).line >= 1 && place(problem).column >= 1, "{problem}");
        assert!(!problem.to_string().is_empty());
    }
    for document in &reading.documents {
        let report = check(document.value());
        let made = convert(&report.rollout, template_hash(document.value()));
        for finding in report.findings.into_iter().chain(made.unsupported) {
            let shown = document.locate(&finding);
            assert!(place(&shown).line >= 1, "{shown}");
        }
    }
}

proptest! {
    #[test]
    fn any_text(text in "\\PC{0,200}") {
        never_panics(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        never_panics(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces(text in pieces()) {
        never_panics(&text);
    }

    /// What JSON says is what is read.
    #[test]
    fn json_round_trip(text in "[^\\x00-\\x1f\\x7f-\\u{9f}\\u{feff}\\u{2028}\\u{2029}]{0,20}", number: i64, float in -1e15_f64..1e15) {
        let want = json!({"t": text, "n": number, "f": float, "l": [text, {"x": null}]});
        let read = value(&want.to_string());
        prop_assert_eq!(&read["t"], &want["t"]);
        prop_assert_eq!(&read["n"], &want["n"]);
        prop_assert_eq!(read["f"].as_f64(), want["f"].as_f64());
        prop_assert_eq!(&read["l"], &want["l"]);
    }
}
