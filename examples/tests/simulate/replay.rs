//! Stored runs, judged by changed templates.

use crate::simulate;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("replay-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn template(condition: &str) -> String {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "rate"},
        "spec": {
            "args": [{"name": "least", "value": "0.5"}],
            "metrics": [{
                "name": "success-rate", "interval": "1m", "count": 3, "successCondition": condition,
                "provider": {"prometheus": {"address": "http://prometheus", "query": "up"}}
            }]
        }
    })
    .to_string()
}

/// A run that measured these values, a minute apart, and was found good.
fn run(name: &str, values: &[&str], count: usize) -> Value {
    let at = |minute: usize| format!("2026-01-01T00:0{minute}:00Z");
    let measurements: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(minute, value)| {
            let phase = if value.is_empty() { "Error" } else { "Successful" };
            json!({"phase": phase, "value": value, "message": "", "finishedAt": at(minute), "startedAt": at(minute)})
        })
        .collect();
    let results = json!([{"name": "success-rate", "phase": "Successful", "count": count, "measurements": measurements}]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": name},
        "spec": {"args": [{"name": "least", "value": "0.95"}], "metrics": [{"name": "success-rate", "provider": {"web": {}}}]},
        "status": {"phase": "Successful", "startedAt": at(0), "metricResults": results},
    })
}

#[test]
fn a_stricter_template_would_have_stopped_some() {
    let folder = Folder::new("stricter");
    let template = folder.file("template.yaml", &template("result[0] >= {{args.least}}"));
    let list = json!({"kind": "List", "items": [
        run("good", &["[0.99]", "[0.98]", "[0.97]"], 3), run("late", &["[0.99]", "[0.9]", "[0.99]"], 3),
        run("cut", &["[0.99]"], 8), run("silent", &["[NaN]"], 1),
    ]});
    let runs = folder.file("runs.yaml", &list.to_string());
    let ran = simulate(&[&template, "--replay", &runs]);
    assert_eq!(
        ran.out,
        "good: was Successful, would be Successful after 2m; success-rate: measured [0.97]\n\
         late: was Successful, would be Failed after 1m; success-rate: measured [0.9]\n\
         cut: was Successful, would be Successful; success-rate: measured [0.99] (7 of its measurements are no longer stored)\n\
         silent: was Successful, would be Failed after 0s; success-rate: measured [NaN]\n\
         These templates would have stopped 2 of 4 runs; 0 of them were stopped.\n"
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let ran = simulate(&[&template, "--replay", &runs, "--json"]);
    let late: Value = serde_json::from_str(ran.out.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&late["kind"], &late["would_be"], &late["after_ms"]),
        (&json!("replayed"), &json!("Failed"), &json!(60_000))
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let folder = Folder::new("fit");
    let template = folder.file("template.yaml", &template("result[0] >= {{args.least}}"));
    let other = folder.file("other.yaml", &run("other", &["[1]"], 1).to_string());
    let deep = folder.file("deep.yaml", &"[".repeat(100_000));
    let none = folder.file("none.yaml", "kind: ConfigMap");
    let broken = folder.file("broken.yaml", "{");
    for (words, why) in [
        ([&*template, "--replay", &none], "there is no AnalysisRun in"),
        ([&*template, "--replay", &broken], "no YAML"),
        ([&*template, "--replay", "nowhere.yaml"], "nowhere.yaml: No such file"),
        ([&*template, "--replay", &deep], "more than 128 lists and maps stand in each other"),
        ([&*none, "--replay", &other], "no AnalysisTemplate is given"),
    ] {
        let ran = simulate(&words);
        assert!(ran.code == 2 && ran.err.contains(why) && ran.out.is_empty(), "{why}: {}", ran.err);
    }
}

/// Of all runs of a namespace, those of other templates are no mistake.
#[test]
fn what_is_not_judged_is_named() {
    let folder = Folder::new("named");
    let template = folder.file("template.yaml", &template("result[0] >= {{args.least}}"));
    let mut other = run("other", &["[1]"], 1);
    other["spec"]["metrics"][0]["name"] = json!("latency");
    let mut both = run("both", &["[0.99]"], 1);
    both["spec"]["metrics"].as_array_mut().unwrap().push(json!({"name": "latency"}));
    let mut huge = run("huge", &["[0.99]"], 1);
    huge["status"]["metricResults"][0]["count"] = json!(i64::MAX);
    huge["status"]["metricResults"][0]["error"] = json!(i64::MAX);
    let list = json!({"kind": "List", "items": [other, both, huge]});
    let runs = folder.file("runs.yaml", &list.to_string());
    let ran = simulate(&[&template, "--replay", &runs]);
    assert_eq!(
        ran.out,
        "both: was Successful, would be Successful; success-rate: measured [0.99] (no template has latency)\n\
         huge: was Successful, would be Successful; success-rate: measured [0.99] (9223372036854775806 of its measurements \
         are no longer stored)\n\
         other: left out: no template that is given has one of its metrics, latency\n\
         These templates would have stopped 0 of 2 runs; 0 of them were stopped.\n"
    );
    assert_eq!(ran.code, 0);
}

#[test]
fn of_two_templates_with_one_metric_the_one_that_fits_counts() {
    let folder = Folder::new("two");
    let changed = folder.file("template.yaml", &template("result[0] >= {{args.least}}"));
    let other = template("result[0] >= 0.1").replace("\"rate\"", "\"another\"");
    let fits = folder.file("fits.yaml", &other.replace("least", "most"));
    let as_well = folder.file("as-well.yaml", &other);
    let runs = folder.file("runs.yaml", &run("one", &["[0.9]"], 1).to_string());
    let ran = simulate(&[&changed, &fits, "--replay", &runs]);
    assert!(ran.out.starts_with("one: was Successful, would be Failed"), "{}", ran.out);
    let ran = simulate(&[&changed, &as_well, "--replay", &runs]);
    assert!(
        ran.out.contains("both another and rate have the metric success-rate; give only one of them"),
        "{}",
        ran.out
    );
}
