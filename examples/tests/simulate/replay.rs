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
         cut: was Successful, would be Running; success-rate: measured [0.99] (7 of its measurements are no longer stored)\n\
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
    let mut other = run("other", &["[1]"], 1);
    other["spec"]["metrics"][0]["name"] = json!("latency");
    let other = folder.file("other.yaml", &other.to_string());
    let none = folder.file("none.yaml", "kind: ConfigMap");
    let broken = folder.file("broken.yaml", "{");
    for (words, why) in [
        (
            [&*template, "--replay", &other],
            "other: no template that is given has one of its metrics: latency",
        ),
        ([&*template, "--replay", &none], "there is no AnalysisRun in"),
        ([&*template, "--replay", &broken], "no YAML"),
        ([&*template, "--replay", "nowhere.yaml"], "nowhere.yaml: No such file"),
        ([&*none, "--replay", &other], "no AnalysisTemplate is given"),
    ] {
        let ran = simulate(&words);
        assert!(ran.code == 2 && ran.err.contains(why) && ran.out.is_empty(), "{why}: {}", ran.err);
    }
}
