use crate::{HEADER, V2, WEIGHT, root, simulate};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The fields of each kind, as `examples/README.md` promises them.
fn promised() -> BTreeMap<String, BTreeSet<String>> {
    let readme = fs::read_to_string(root().join("examples/README.md")).unwrap();
    let table = readme.split_once("| `kind` | its own fields |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let kind = cells.next().unwrap().trim().trim_matches('`').to_owned();
        let fields = outside_brackets(cells.next().unwrap());
        let names = fields
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()));
        (kind, names.map(str::to_owned).collect())
    })
    .collect()
}

fn outside_brackets(text: &str) -> String {
    let mut depth = 0;
    text.chars()
        .filter(|letter| {
            depth += i32::from(*letter == '(');
            let outside = depth == 0;
            depth -= i32::from(*letter == ')');
            outside
        })
        .collect()
}

#[test]
fn every_line_has_the_fields_that_the_readme_promises() {
    let promised = promised();
    assert_eq!(promised.len(), 33);
    let v3 = "dubbo3-provider:6m=set spec.template.metadata.labels.version=v3";
    let runs: [&[&str]; 7] = [
        &[WEIGHT, "--never-ready", "canary", "--set", "spec.progressDeadlineAbort=true", "--set", V2],
        &[HEADER, "--set", V2, "--objects", "--lose-pods", "stable=1@5m"],
        &[WEIGHT, "--at", "5m=abort", "--at", "6m=undo", "--at", "40m=proceed"],
        &[WEIGHT, "--set", V2, "--at", v3, "--freeze-mesh", "5m..7m"],
        &[WEIGHT, "--never-ready", "canary"],
        &[WEIGHT, "--set", "spec.nosuch=1"],
        &["examples/manifests/compare", "--traffic", "rps=10", "--seeds", "2", "--at", "1m=abort"],
    ];
    let common = ["v", "rollout", "ms", "kind", "text", "state"].map(str::to_owned);
    let mut seen = BTreeSet::new();
    for words in runs {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let run = simulate(&words);
        for line in run.out.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let kind = event["kind"].as_str().unwrap();
            let mut fields: BTreeSet<String> = event.as_object().unwrap().keys().cloned().collect();
            assert_eq!(event["v"], 1);
            if ["summary", "finding", "seeds"].contains(&kind) {
                fields.remove("kind");
            } else {
                for field in &common {
                    assert!(fields.remove(field), "{field} is missing in {line}");
                }
            }
            assert_eq!(Some(&fields), promised.get(kind), "{line}");
            seen.insert(kind.to_owned());
        }
    }
    // The last two are in the tests of `--replay`.
    let rare = [
        "event",
        "failed",
        "scaled-to-zero",
        "scaled-from-zero",
        "steps-edited",
        "pruned",
        "replayed",
        "left-out",
    ];
    let rare = rare.map(str::to_owned);
    let unseen: BTreeSet<&String> = promised.keys().filter(|kind| !seen.contains(*kind)).collect();
    assert_eq!(unseen, rare.iter().collect::<BTreeSet<_>>());
}

#[test]
fn the_figures_of_the_summary() {
    let run = simulate(&[WEIGHT, "--json"]);
    let last: Value = serde_json::from_str(run.out.lines().last().unwrap()).unwrap();
    let number =
        |path: &str| last.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path}: {last}"));
    let parts =
        ["status", "pods", "selectors", "routes", "nonces"].map(|part| number(&format!("/writes/{part}")));
    assert_eq!(parts.iter().sum::<u64>(), number("/writes/all"));
    assert!(number("/decisions") > 0 && number("/deliveries") > 0 && number("/took_ms") > 1_200_000);
    assert_eq!((last["ends"].as_str(), last["as_expected"].as_bool()), (Some("healthy"), Some(true)));
}
