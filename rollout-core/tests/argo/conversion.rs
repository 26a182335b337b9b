//! From manifest to strategy.

use core::time::Duration;
use rollout_core::{
    CanaryScale, IntOrPercent, Spec, Step, Strategy, Threshold,
    argo::{Conversion, check, convert, step_hash},
    traffic::{RequestMatch, RouteMatch, StringMatch},
};
use serde_json::{Value, json};

pub(crate) fn rollout(canary: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {
            "selector": {"matchLabels": {"app": "demo"}},
            "strategy": {"canary": canary},
            "template": {
                "metadata": {"labels": {"app": "demo"}},
                "spec": {"containers": [{"name": "c", "image": "demo:v1"}]}
            }
        }
    })
}

fn made(rollout: &Value) -> Conversion {
    let report = check(rollout);
    assert!(report.is_valid(), "{:?}", report.findings);
    convert(&report.rollout, "v1".into())
}

fn strategy(canary: &Value) -> Strategy {
    let made = made(&rollout(canary));
    assert_eq!(made.unsupported, []);
    made.spec.unwrap().strategy
}

fn unsupported(canary: &Value) -> Vec<String> {
    made(&rollout(canary)).unsupported.into_iter().map(|unsupported| unsupported.path).collect()
}

const ROUTED: &str = r#"{
    "canaryService": "c", "stableService": "s",
    "trafficRouting": {
        "istio": {"virtualService": {"name": "demo"}},
        "managedRoutes": [{"name": "b"}, {"name": "a"}]
    }
}"#;

fn routed(more: &Value) -> Value {
    let mut canary: Value = serde_json::from_str(ROUTED).unwrap();
    canary.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    canary
}

#[test]
fn everything_that_is_driven() {
    let canary = routed(&json!({
        "steps": [
            {"setCanaryScale": {"weight": 20, "replicas": 3}},
            {"setWeight": 5},
            {"pause": {"duration": "1h30m"}},
            {"pause": {}},
            {"setCanaryScale": {"weight": 101}},
            {"setCanaryScale": {"matchTrafficWeight": true, "replicas": 1}},
        ],
        "maxSurge": "10", "maxUnavailable": 0, "minPodsPerReplicaSet": 2,
        "replicaProgressThreshold": {"type": "Pods", "value": 3},
    }));
    let manifest = rollout(&canary);
    let strategy = strategy(&canary);
    assert_eq!(
        strategy.steps(),
        [
            Step::SetCanaryScale(CanaryScale::Replicas(3)),
            Step::SetWeight(5),
            Step::Pause(Some(Duration::from_secs(5400))),
            Step::Pause(None),
            Step::SetCanaryScale(CanaryScale::Weight(101)),
            Step::SetCanaryScale(CanaryScale::MatchTrafficWeight),
        ]
    );
    assert_eq!(strategy.step_hash(), step_hash(&manifest).unwrap());
    let expected = Strategy::builder()
        .steps(strategy.steps().iter().cloned())
        .step_hash(strategy.step_hash())
        .canary_service(true)
        .stable_service(true)
        .managed_route("b")
        .managed_route("a")
        .max_surge(IntOrPercent::Percent(10))
        .max_unavailable(IntOrPercent::Int(0))
        .min_pods_per_replica_set(Some(2))
        .replica_progress_threshold(Some(Threshold::Pods(3)));
    assert_eq!(strategy, expected.build().unwrap());
}

#[test]
fn the_numbers_of_the_spec() {
    let mut manifest = rollout(&json!({}));
    let spec = made(&manifest).spec.unwrap();
    assert_eq!(spec, Spec::new(Strategy::builder().step_hash("5ffbfbbd64").build().unwrap(), "v1".into()));
    let more = json!({
        "replicas": 0, "paused": true, "progressDeadlineSeconds": 60, "progressDeadlineAbort": true,
        "revisionHistoryLimit": 3
    });
    manifest["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let spec = made(&manifest).spec.unwrap();
    assert_eq!((spec.replicas, spec.paused, spec.progress_deadline_abort), (0, true, true));
    assert_eq!((spec.progress_deadline.as_secs(), spec.revision_history_limit), (60, 3));
}

/// Absent is the default of 30 seconds; 0 is no delay, and for an aborted canary it means never.
#[test]
fn an_absent_delay_is_not_0() {
    let delays = |delays: &Value| {
        let strategy = strategy(&routed(delays));
        (
            strategy.scale_down_delay().as_secs(),
            strategy.abort_scale_down_delay().map(|delay| delay.as_secs()),
        )
    };
    assert_eq!(delays(&json!({})), (30, Some(30)));
    assert_eq!(delays(&json!({"scaleDownDelaySeconds": 0, "abortScaleDownDelaySeconds": 0})), (0, None));
    assert_eq!(delays(&json!({"scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 7})), (5, Some(7)));
    assert_eq!(delays(&json!({"scaleDownDelaySeconds": -5, "abortScaleDownDelaySeconds": -5})), (0, Some(1)));
}

#[test]
fn managed_routes() {
    let canary = routed(&json!({"steps": [
        {"setHeaderRoute": {"name": "a", "match": [{"headerName": "lane", "headerValue": {"exact": "v2"}}]}},
        {"setMirrorRoute": {"name": "b", "match": [{"method": {"prefix": "G"}, "headers": {"x": {"regex": "1"}}}, {}]}},
        {"setMirrorRoute": {"name": "b", "percentage": 0, "match": [{"path": {"exact": "/"}}]}},
        {"setHeaderRoute": {"name": "a", "match": []}},
    ]}));
    let strategy = strategy(&canary);
    let route = |index: usize| {
        let (Step::SetHeaderRoute { route, .. } | Step::SetMirrorRoute { route, .. }) =
            &strategy.steps()[index]
        else {
            panic!("{:?}", strategy.steps());
        };
        route.clone().map(|route| route.matches.clone())
    };
    let header = RequestMatch::header("lane", StringMatch::Exact("v2".into()));
    assert_eq!(route(0), Some(RouteMatch::Header(vec![header])));
    let headers = [("x".into(), StringMatch::Regex("1".into()))].into();
    let first =
        RequestMatch { method: Some(StringMatch::Prefix("G".into())), headers, ..RequestMatch::default() };
    let matches = vec![first, RequestMatch::default()];
    assert_eq!(route(1), Some(RouteMatch::Mirror { matches, percentage: 100 }));
    let matches =
        vec![RequestMatch { path: Some(StringMatch::Exact("/".into())), ..RequestMatch::default() }];
    assert_eq!(route(2), Some(RouteMatch::Mirror { matches, percentage: 0 }));
    assert_eq!(route(3), None);
}

#[test]
fn what_is_not_driven_is_named_and_the_rest_still_made() {
    let canary = json!({
        "analysis": {"templates": [{"templateName": "t"}]},
        "trafficRouting": {"nginx": {"stableIngress": "i"}, "plugins": {"p": {}}, "maxTrafficWeight": 1000},
        "canaryService": "c", "stableService": "s",
        "steps": [{"setWeight": 1000}],
    });
    let routing = "spec.strategy.canary.trafficRouting";
    let want = ["spec.strategy.canary.analysis"];
    let want: Vec<String> = want
        .into_iter()
        .map(String::from)
        .chain(["nginx", "plugins"].map(|r| format!("{routing}.{r}")))
        .collect();
    assert_eq!(unsupported(&canary), want);
    let spec = made(&rollout(&canary)).spec.unwrap();
    assert_eq!((spec.strategy.max_weight(), spec.strategy.steps().len()), (1000, 1));
    assert_eq!(unsupported(&json!({"trafficRouting": {}})), [routing]);
}

/// A step that is left out would move the others, and a Rollout in flight with them.
#[test]
fn a_step_that_is_not_driven_leaves_no_strategy() {
    let canary =
        json!({"steps": [{"setWeight": 5}, {"analysis": {}}, {"plugin": {"name": "p"}}, {"experiment": {}}]});
    let made = made(&rollout(&canary));
    assert_eq!(made.spec, None);
    let want =
        ["[1].analysis", "[2].plugin", "[3].experiment"].map(|at| format!("spec.strategy.canary.steps{at}"));
    assert_eq!(unsupported(&canary), want);
    let two = json!([{"setWeight": 5, "setCanaryScale": {"replicas": 1}}]);
    assert_eq!(unsupported(&routed(&json!({"steps": two}))), ["spec.strategy.canary.steps[0]"]);
}

#[test]
fn an_invalid_rollout_has_no_strategy() {
    for steps in
        [json!([{"setWeight": 101}]), json!([{"pause": {"duration": "1d"}}]), json!([{"setHeaderRoute": {}}])]
    {
        let report = check(&rollout(&json!({"steps": steps})));
        assert!(!report.is_valid());
        assert_eq!(convert(&report.rollout, "v1".into()).spec, None, "{steps}");
    }
    let blue_green = json!({"spec": {"strategy": {"blueGreen": {}}}});
    let made = convert(&check(&blue_green).rollout, "v1".into());
    assert_eq!((made.spec, made.unsupported[0].path.as_str()), (None, "spec.strategy.blueGreen"));
}

/// Argo Rollouts' controller writes the object out and reads it again first: so does an empty list become
/// an absent one, and a Rollout that is taken over is not started again.
#[test]
fn an_empty_list_of_steps_has_the_hash_of_an_absent_one() {
    assert_eq!(strategy(&json!({"steps": []})).step_hash(), "5ffbfbbd64");
    assert_eq!(strategy(&json!({})).step_hash(), "5ffbfbbd64");
    assert_eq!(step_hash(&rollout(&json!({"steps": []}))).unwrap(), "5f8cb5778f");
}

/// What a release does not need is told, and holds nothing.
#[test]
fn what_a_release_does_not_need_is_only_told() {
    let rule = json!({"name": "r", "canarySubsetName": "c", "stableSubsetName": "s", "additionalSubsetNames": ["e"]});
    let mut manifest = rollout(&json!({
        "canaryService": "c", "stableService": "s", "scaleDownDelayRevisionLimit": 1,
        "trafficRouting": {"istio": {"virtualService": {"name": "web"}, "destinationRule": rule}}
    }));
    manifest["spec"]["restartAt"] = json!("now");
    manifest["spec"]["rollbackWindow"] = json!({"revisions": 3});
    manifest["spec"]["analysis"] = json!({"successfulRunHistoryLimit": 1});
    let made = made(&manifest);
    assert_eq!(made.unsupported, []);
    let spec = made.spec.unwrap();
    assert_eq!((spec.rollback_window, spec.runs_kept), (3, (1, 5)));
    let paths: Vec<_> = made.ignored.iter().map(|ignored| ignored.path.rsplit('.').next().unwrap()).collect();
    assert_eq!(paths, ["restartAt"], "further subsets keep their share: that is what they are named for");
}

#[test]
fn fence_posts_beside_a_traffic_manager_are_warned_of() {
    let warned = |canary: Value| {
        let report = check(&rollout(&canary));
        report.warnings().map(|warning| warning.what.clone()).collect::<Vec<_>>()
    };
    let routing = json!({"istio": {"virtualService": {"name": "web"}}});
    let services = json!({"maxSurge": 1, "maxUnavailable": 0, "trafficRouting": routing,
        "canaryService": "c", "stableService": "s"});
    let warned_of = warned(services);
    assert_eq!(warned_of.len(), 2, "{warned_of:?}");
    assert!(warned_of[0].contains("is not used with trafficRouting"), "{warned_of:?}");
    assert_eq!(warned(json!({"maxSurge": 1, "maxUnavailable": 0})), Vec::<String>::new());
}
