//! The rules that the vectors do not ask for, and what is said about them.

use crate::conversion::rollout;
use rollout_core::argo::{Finding, check};
use serde_json::{Value, json};

fn errors(rollout: &Value) -> Vec<String> {
    check(rollout).errors().map(|error| error.path.clone()).collect()
}

fn of_canary(canary: &Value) -> Vec<String> {
    let prefix = "spec.strategy.canary.";
    errors(&rollout(canary)).iter().map(|path| path.strip_prefix(prefix).unwrap_or(path).into()).collect()
}

fn warnings(canary: &Value) -> Vec<Finding> {
    let report = check(&rollout(canary));
    assert!(report.is_valid(), "{:?}", report.findings);
    report.warnings().cloned().collect()
}

fn with(mut rollout: Value, path: &str, value: Value) -> Value {
    *rollout.pointer_mut(path).unwrap() = value;
    rollout
}

#[test]
fn wrong_types_are_errors_with_path_and_remedy_and_all_at_once() {
    let rollout = with(
        with(
            rollout(&json!({"steps": [{"setWeight": "20"}, {"pause": "10m"}, 7], "canaryService": 5})),
            "/metadata",
            json!("x"),
        ),
        "/spec/selector",
        json!([]),
    );
    let report = check(&rollout);
    let errors: Vec<_> = report.errors().map(|error| (error.path.as_str(), error.instead.as_str())).collect();
    assert_eq!(
        errors,
        [
            ("metadata", "write fields below it, such as `name: demo`"),
            ("spec.selector", "write fields below it, such as `matchLabels: {app: demo}`"),
            ("spec.strategy.canary.canaryService", "write \"5\" in quotes"),
            ("spec.strategy.canary.steps[0].setWeight", "write 20 without quotes"),
            ("spec.strategy.canary.steps[1].pause", "write `pause: {duration: 10m}`"),
            ("spec.strategy.canary.steps[2]", "write fields below it, such as `setWeight: 20`"),
            (
                "spec.template.metadata.labels",
                "the template's labels must have everything that the selector asks for"
            ),
        ]
    );
    for nothing in [json!(null), json!("text"), json!([1]), json!(3)] {
        assert_eq!(check(&nothing).errors().count(), 1, "{nothing}");
    }
}

#[test]
fn unknown_fields_are_named_but_not_inside_the_template() {
    let mut rollout =
        rollout(&json!({"maxSurges": 1, "steps": [{"setweight": 5, "pause": {"durations": 3}}]}));
    rollout["spec"]["template"]["spec"]["unknown"] = json!(1);
    rollout["spec"]["quite_another"] = json!(1);
    let report = check(&rollout);
    let said: Vec<_> =
        report.warnings().map(|warning| (warning.path.as_str(), warning.instead.as_str())).collect();
    let canary = "spec.strategy.canary";
    assert_eq!(said[1].0, format!("{canary}.maxSurges"));
    assert_eq!(said[1].1, "did you mean `maxSurge`?");
    assert_eq!(said[2], (&*format!("{canary}.steps[0].setweight"), "did you mean `setWeight`?"));
    assert_eq!(said[3], (&*format!("{canary}.steps[0].pause.durations"), "did you mean `duration`?"));
    assert!(said[0].0 == "spec.quite_another" && said[0].1.starts_with("known fields: replicas, selector"));
    assert_eq!(said.len(), 4);
}

#[test]
fn the_template_and_the_workload() {
    let mut rollout = rollout(&json!({}));
    rollout["spec"]["template"]["spec"] = json!({"activeDeadlineSeconds": 5, "containers": [{"name": "c"}]});
    rollout["spec"]["template"]["metadata"]["labels"]["n"] = json!(1);
    let want = ["metadata.labels.n", "spec.activeDeadlineSeconds", "spec.containers[0].image"];
    assert_eq!(errors(&rollout), want.map(|path| format!("spec.template.{path}")));
    rollout["spec"]["template"] = json!({});
    assert_eq!(errors(&rollout), ["spec.template.metadata.labels", "spec.template.spec.containers"]);
    rollout["spec"]["workloadRef"] = json!({"apiVersion": "v1", "kind": "Deployment", "name": "d"});
    rollout["spec"]["template"] =
        json!({"metadata": {"creationTimestamp": null}, "spec": {"containers": null}});
    assert_eq!(errors(&rollout), Vec::<String>::new());
    rollout["spec"]["template"] = json!({"spec": {"containers": [{}]}});
    rollout["spec"]["workloadRef"]["kind"] = json!("DaemonSet");
    assert_eq!(errors(&rollout), ["spec.workloadRef", "spec.template"]);
}

#[test]
fn two_services_take_turns_or_two_subsets_split() {
    let rule = json!({"name": "r", "canarySubsetName": "c", "stableSubsetName": "s"});
    let of = |services: Value, rule: Value| {
        errors(&rollout(&json!({
            "pingPong": services,
            "trafficRouting": {"istio": {"virtualService": {"name": "web"}, "destinationRule": rule}}
        })))
    };
    let services = || json!({"pingService": "a", "pongService": "b"});
    assert_eq!(of(services(), Value::Null), Vec::<String>::new());
    assert_eq!(of(services(), rule), ["spec.strategy.canary.pingPong"]);
    let bad = of(json!({"pingService": "a/b", "pongService": "b"}), Value::Null);
    assert_eq!(bad, ["spec.strategy.canary.pingPong.pingService"]);
}

#[test]
fn selectors() {
    let of = |selector: Value| errors(&with(rollout(&json!({})), "/spec/selector", selector));
    let expression = |operator: &str, values: Value| {
        of(json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}))
    };
    let path = "spec.selector.matchExpressions[0]";
    assert_eq!(expression("In", json!(["demo"])), Vec::<String>::new());
    assert_eq!(expression("NotIn", json!(["demo"])), ["spec.template.metadata.labels"]);
    assert_eq!(expression("Exists", json!([])), Vec::<String>::new());
    assert_eq!(expression("DoesNotExist", json!([])), ["spec.template.metadata.labels"]);
    assert_eq!(expression("Exists", json!(["x"])), [format!("{path}.values"), "spec.selector".into()]);
    assert_eq!(expression("In", json!(["-x"])), [format!("{path}.values[0]"), "spec.selector".into()]);
    assert_eq!(of(json!({"matchLabels": {"a/b/c": "x"}})), ["spec.selector.matchLabels", "spec.selector"]);
    assert_eq!(
        of(json!({"matchLabels": {"UPPER.io/c": "x"}})),
        ["spec.selector.matchLabels", "spec.selector"]
    );
}

#[test]
fn traffic_managers() {
    let services = json!(["stableService", "canaryService"]);
    for router in ["alb", "smi", "apisix", "ambassador", "nginx", "appMesh", "traefik"] {
        assert_eq!(json!(of_canary(&json!({"trafficRouting": {router: {}}}))), services, "{router}");
    }
    assert_eq!(of_canary(&json!({"trafficRouting": {"plugins": {}}})), Vec::<String>::new());
    let both = json!({"istio": {"virtualService": {}, "virtualServices": [{}], "destinationRule": {}}});
    assert_eq!(of_canary(&json!({"trafficRouting": both})), ["trafficRouting.istio"]);
    let ping_pong = json!({"pingService": "a", "pongService": "b"});
    let of = |routing: Value| of_canary(&json!({"pingPong": ping_pong, "trafficRouting": routing}));
    assert_eq!(of(json!({"alb": {}})), ["trafficRouting.alb.rootService"]);
    assert_eq!(of(json!({"alb": {"rootService": "r"}})), Vec::<String>::new());
    assert_eq!(of(json!({})), ["trafficRouting.alb"]);
}

#[test]
fn alb_compares_headers_in_one_way_only() {
    let of = |value: Value| {
        let step =
            json!({"setHeaderRoute": {"name": "a", "match": [{"headerName": "h", "headerValue": value}]}});
        let routing = json!({"alb": {}, "managedRoutes": [{"name": "a"}]});
        of_canary(
            &json!({"steps": [step], "trafficRouting": routing, "canaryService": "c", "stableService": "s"}),
        )
    };
    let wrong = ["steps[0].setHeaderRoute.match[0]"];
    assert_eq!(of(json!({"exact": "x"})), Vec::<String>::new());
    for value in [json!(null), json!({}), json!({"regex": "x"}), json!({"exact": "x", "prefix": "y"})] {
        assert_eq!(of(value), wrong);
    }
}

#[test]
fn arguments_may_only_name_readable_metadata() {
    let of = |path: &str| {
        let args = json!([{"name": "x", "valueFrom": {"fieldRef": {"fieldPath": path}}}]);
        of_canary(
            &json!({"steps": [{"analysis": {"args": args}}, {"experiment": {"analyses": [{"args": args}]}}]}),
        )
    };
    for path in
        ["metadata.name", "metadata.labels['a/b']", "metadata.annotations", "spec.replicas", "status.x"]
    {
        assert_eq!(of(path), Vec::<String>::new(), "{path}");
    }
    for path in ["metadata", "metadata.generation", "metadata.name['x']", "metadata.labels['b ad']"] {
        assert_eq!(of(path), ["steps[0].analyses", "steps[1].analyses"], "{path}");
    }
}

#[test]
fn a_pause_that_cannot_be_read_says_why() {
    let of = |duration: Value| {
        let report = check(&rollout(&json!({"steps": [{"pause": {"duration": duration}}]})));
        let error = report.errors().next().cloned().unwrap();
        (error.what, error.instead)
    };
    let (message, instead) = of(json!("1d"));
    assert_eq!(message, "Duration needs to be greater than 0");
    assert!(instead.starts_with("write `24h`"), "{instead}");
    let (_, instead) = of(json!("ten"));
    assert!(instead.starts_with("\"ten\" is neither a number of seconds nor a duration"), "{instead}");
    let (message, _) = of(json!("600000h"));
    assert_eq!(message, "Duration \"600000h\" is more than 2147483647 seconds (68 years)");
}

#[test]
fn what_makes_no_sense_is_a_warning() {
    let routed = |more: Value| {
        let routing =
            json!({"istio": {"virtualService": {}}, "managedRoutes": [{"name": "a"}, {"name": "a"}]});
        let mut canary = json!({"trafficRouting": routing, "canaryService": "c", "stableService": "s"});
        canary.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        warnings(&canary)
            .into_iter()
            .map(|warning| warning.path.replace("spec.strategy.canary.", ""))
            .collect::<Vec<_>>()
    };
    let twice = "trafficRouting.managedRoutes[1].name";
    assert_eq!(routed(json!({"minPodsPerReplicaSet": 0})), ["minPodsPerReplicaSet", twice]);
    assert_eq!(routed(json!({"analysis": {"startingStep": 1}})), ["analysis.startingStep", twice]);
    let steps = json!([
        {"setCanaryScale": {}},
        {"setCanaryScale": {"weight": 101, "replicas": -1}},
        {"setMirrorRoute": {"name": "a", "percentage": 101, "match": [{"headers": {"h": {}}}]}},
        {"setWeight": 50, "setCanaryScale": {"weight": 1}},
        {"experiment": {"duration": "soon", "templates": [{"weight": 51}]}},
        {"pause": {"duration": "300ms"}},
    ]);
    let want = [
        twice,
        "steps[0].setCanaryScale",
        "steps[1].setCanaryScale",
        "steps[1].setCanaryScale.weight",
        "steps[1].setCanaryScale.replicas",
        "steps[2].setMirrorRoute.percentage",
        "steps[2].setMirrorRoute.match[0].headers.h",
        "steps[3]",
        "steps[4].experiment.duration",
        "steps[4].experiment",
        "steps[5].pause.duration",
    ];
    assert_eq!(routed(json!({"steps": steps})), want);
    let of = |canary: Value| warnings(&canary).into_iter().map(|warning| warning.what).collect::<Vec<_>>();
    assert_eq!(of(json!({"maxSurge": "3"})), ["`maxSurge` is in quotes, so it means 3 per cent"]);
    assert_eq!(of(json!({"maxSurge": "101%", "maxUnavailable": -1})).len(), 2);
    assert_eq!(of(json!({"replicaProgressThreshold": {"type": "Pod", "value": 1}})).len(), 1);
    assert_eq!(of(json!({"scaleDownDelayRevisionLimit": 11})).len(), 1);
}
