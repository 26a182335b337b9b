//! A canary strategy without a Rollout around it.

use rollout_core::argo;
use serde_json::{Value, json};

fn rollout(canary: &Value) -> Value {
    json!({"spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        "strategy": {"canary": canary}
    }})
}

/// What is said about it, with paths from the strategy on.
fn said_of_a_rollout(canary: &Value) -> Vec<String> {
    let report = argo::check(&rollout(canary));
    let made = argo::convert(&report.rollout, "v1".into());
    let all = report.findings.into_iter().chain(made.unsupported);
    let all = all.chain(made.ignored);
    let below = |path: &str| path.strip_prefix("spec.strategy.canary").unwrap_or_default().to_owned();
    all.map(|finding| {
        let path = below(&finding.path);
        format!("{} {} {} {}", finding.severity, path.trim_start_matches('.'), finding.what, finding.instead)
    })
    .collect()
}

#[test]
fn alone_it_has_the_findings_that_it_has_in_a_rollout() {
    let cases = [
        (json!({}), true),
        (json!({"steps": [{"setWeight": 20}, {"pause": {"duration": "10m"}}], "maxSurge": "25%"}), true),
        (json!({"steps": [{"setWeight": 101}, {"setwieght": 5, "pause": {}}]}), false),
        (json!({"steps": [{"pause": {"duration": "soon"}}], "maxUnavailable": -1}), false),
        (json!({"steps": [{"analysis": {"templates": [{"templateName": "a"}]}}], "pingPong": {}}), false),
        (json!({"trafficRouting": {"nginx": {"stableIngress": "web"}}, "canaryService": "a"}), false),
        (json!({"stableService": "web", "canaryService": "web"}), false),
        (json!({"scaleDownDelayRevisionLimit": 2, "replicas": 5}), true),
        (json!({"steps": "20%"}), false),
        (json!("20%"), false),
        (json!([]), false),
        (Value::Null, false),
    ];
    for (canary, is_driven) in cases {
        let read = argo::strategy(&canary);
        assert_eq!(read.is_ok(), is_driven, "{canary}: {read:?}");
        let expected = said_of_a_rollout(&canary);
        let findings = match read {
            Ok(read) => {
                let made = argo::convert(&argo::check(&rollout(&canary)).rollout, "v1".into());
                assert_eq!(Some(read.strategy), made.spec.map(|spec| spec.strategy));
                read.warnings
            }
            Err(findings) => findings,
        };
        let said: Vec<_> = findings
            .iter()
            .map(|it| format!("{} {} {} {}", it.severity, it.path, it.what, it.instead))
            .collect();
        assert_eq!(said, expected, "{canary}");
        assert!(is_driven || !said.is_empty(), "{canary}: refused without a word");
    }
}
