//! The objects of the Rollouts that are played.

use crate::{
    analyses,
    app::{Apart, App, Step, WorkloadKind},
    history::History,
    mesh::said::{header, subset},
    workload,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ISTIO: &str = "/apis/networking.istio.io/v1alpha3/namespaces/shop";

pub(crate) fn name(at: usize) -> String {
    format!("app-{at}")
}

pub(crate) fn rollout_path(at: usize) -> String {
    format!("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/{}", name(at))
}

pub(crate) fn set_path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/shop/replicasets/{name}")
}

pub(crate) fn pod_path(name: &str) -> String {
    format!("/api/v1/namespaces/shop/pods/{name}")
}

/// The VirtualService that an app's route is in.
pub(crate) fn route_of(history: &History, at: usize) -> String {
    if history.apps[at].shares { "shared".to_owned() } else { name(at) }
}

/// The DestinationRule that an app's subsets are in.
pub(crate) fn rule_of(history: &History, at: usize) -> String {
    if history.apps[at].shares_rule { "shared".to_owned() } else { name(at) }
}

pub(crate) fn rule_path(name: &str) -> String {
    format!("{ISTIO}/destinationrules/{name}")
}

pub(crate) fn service_path(name: &str) -> String {
    format!("/api/v1/namespaces/shop/services/{name}")
}

/// Its DestinationRule; where it has none, one of its Services.
pub(crate) fn destination_path(history: &History, at: usize) -> String {
    if history.apps[at].has_services {
        return service_path(&subset(&name(at), if at.is_multiple_of(2) { "stable" } else { "canary" }));
    }
    rule_path(&rule_of(history, at))
}

pub(crate) fn route_path(name: &str) -> String {
    format!("{ISTIO}/virtualservices/{name}")
}

/// Everything that is there at the beginning, by path.
pub(crate) fn objects(history: &History) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut routes: Vec<String> = (0..history.apps.len()).map(|at| route_of(history, at)).collect();
    routes.dedup();
    routes.sort();
    routes.dedup();
    for route in routes {
        let of = |at: &usize| route_of(history, *at) == route;
        let mut http: Vec<Value> =
            (0..history.apps.len()).filter(of).map(|at| http_route(history, at)).collect();
        http.push(foreign(1));
        let hosts: Vec<String> = (0..history.apps.len()).filter(of).map(name).collect();
        all.push((
            route_path(&route),
            json!({
                "apiVersion": "networking.istio.io/v1alpha3", "kind": "VirtualService",
                "spec": {"hosts": hosts, "http": http}
            }),
        ));
    }
    let mut rules: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let have_services = |at: &usize| history.apps[*at].has_services;
    for role in ["stable", "canary"] {
        all.extend((0..history.apps.len()).filter(have_services).map(|at| service(&name(at), role)));
    }
    for at in (0..history.apps.len()).filter(|at| !have_services(at)) {
        let (rule, app) = (rule_of(history, at), name(at));
        let part = |role| json!({"name": subset(&app, role), "labels": {"app": app}});
        rules.entry(rule).or_insert_with(|| vec![foreign_subset()]).extend([part("stable"), part("canary")]);
    }
    all.extend(rules.into_iter().map(|(name, subsets)| {
        let rule = json!({
            "apiVersion": "networking.istio.io/v1alpha3", "kind": "DestinationRule",
            "spec": {"host": name, "subsets": subsets}
        });
        (rule_path(&name), rule)
    }));
    let workloads = history.apps.iter().enumerate();
    all.extend(workloads.filter_map(|(at, app)| Some(workload::object(app.workload?, at))));
    if history.has_analyses() {
        all.extend(analyses::objects());
    }
    all.extend((0..history.apps.len()).map(|at| (rollout_path(at), rollout(history, at))));
    all
}

/// Who owns what belongs to nobody here.
pub(crate) const THEIRS: &str = "theirs";

/// A route that belongs to nobody here.
pub(crate) fn foreign(seconds: u64) -> Value {
    json!({
        "name": "theirs", "timeout": format!("{seconds}s"), "match": [{"uri": {"prefix": "/theirs"}}],
        "route": [{"destination": {"host": "theirs"}}]
    })
}

/// A subset that belongs to nobody here.
pub(crate) fn foreign_subset() -> Value {
    json!({"name": "theirs", "labels": {"app": "theirs"}})
}

/// What of a Service is not ours.
pub(crate) fn ports() -> Value {
    json!([{"name": "http", "port": 80, "targetPort": 8080}])
}

fn service(app: &str, role: &str) -> (String, Value) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": app}, "ports": ports()}
    });
    (service_path(&subset(app, role)), service)
}

fn http_route(history: &History, at: usize) -> Value {
    let (name, host) = (name(at), rule_of(history, at));
    let to = |role, weight: u32| {
        let destination = if history.apps[at].has_services {
            json!({"host": subset(&name, role)})
        } else {
            json!({"host": host, "subset": subset(&name, role)})
        };
        json!({"destination": destination, "weight": weight})
    };
    json!({
        "name": name, "match": [{"uri": {"prefix": format!("/{name}")}}], "retries": {"attempts": 2},
        "route": [to("stable", 100), to("canary", 0)]
    })
}

/// The template's part that changes with the version.
pub(crate) fn image(version: u8) -> String {
    format!("app:v{version}")
}

/// Pods of this version never get ready.
pub(crate) const BAD: u8 = 4;

pub(crate) fn template(name: &str, version: u8) -> Value {
    json!({
        "metadata": {"labels": {"app": name, "role": "none"}},
        "spec": {"containers": [{"name": "app", "image": image(version)}]}
    })
}

pub(crate) fn steps(app: &str, of: &App, steps: &[Step]) -> Value {
    let is_there = |step: &&Step| of.analysed.is_some() || !matches!(step, Step::Analysis(_));
    let step = |step: &Step| match step {
        Step::Analysis(template) => json!({"analysis": template.reference(app)}),
        Step::Header(true) => json!({"setHeaderRoute": {
            "name": header(app), "match": [{"headerName": "tester", "headerValue": {"exact": "yes"}}]
        }}),
        Step::Header(false) => json!({"setHeaderRoute": {"name": header(app)}}),
        Step::Scale(pods) => json!({"setCanaryScale": {"replicas": pods}}),
        Step::Weight(weight) if of.settings.per_mille => json!({"setWeight": u16::from(*weight) * 9}),
        Step::Weight(weight) => json!({"setWeight": weight}),
        Step::Pause(0) => json!({"pause": {}}),
        Step::Pause(seconds) => json!({"pause": {"duration": seconds}}),
    };
    steps.iter().filter(is_there).map(step).collect()
}

/// What the pods of a role have. The template has one of the labels, too; the other has a name of its own.
pub(crate) fn metadata_of(role: &str) -> Value {
    json!({"labels": {"role": role, format!("only-{role}"): "yes"}, "annotations": {"role": role}})
}

fn rollout(history: &History, at: usize) -> Value {
    let (app, name, route) = (&history.apps[at], name(at), route_of(history, at));
    let mut rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "spec": {
            "replicas": app.replicas, "selector": {"matchLabels": {"app": name}}, "template": template(&name, 0),
            "strategy": {"canary": {
                "scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 5, "steps": steps(&name, app, &app.steps),
                "trafficRouting": {
                    "managedRoutes": [{"name": header(&name)}],
                    "istio": {"virtualService": {"name": route, "routes": [name]}}
                }
            }}
        }
    });
    let canary = &mut rollout["spec"]["strategy"]["canary"];
    if app.follows {
        // Argo Rollouts refuses the two together.
        canary["scaleDownDelaySeconds"].take();
        canary["dynamicStableScale"] = json!(true);
    }
    if let Some(pods) = app.max_unavailable {
        canary["maxUnavailable"] = json!(pods);
    }
    if app.labels {
        for role in ["canary", "stable"] {
            canary[format!("{role}Metadata")] = metadata_of(role);
        }
    }
    if let Some(apart) = app.apart {
        canary["antiAffinity"] = match apart {
            Apart::Required => json!({"requiredDuringSchedulingIgnoredDuringExecution": {}}),
            Apart::Preferred(weight) => {
                json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": weight}})
            }
        };
    }
    if app.swaps() {
        // They are called by the roles that they have at first.
        canary["pingPong"] = json!({
            "pingService": subset(&name, "stable"), "pongService": subset(&name, "canary")
        });
    } else if app.has_services {
        canary["stableService"] = json!(subset(&name, "stable"));
        canary["canaryService"] = json!(subset(&name, "canary"));
    } else {
        canary["trafficRouting"]["istio"]["destinationRule"] = json!({
            "name": rule_of(history, at), "stableSubsetName": subset(&name, "stable"),
            "canarySubsetName": subset(&name, "canary")
        });
    }
    app.settings.write(&mut rollout);
    if let Some(analysed) = app.analysed {
        analysed.write(&mut rollout, &name);
    }
    if let Some(of) = app.workload {
        rollout["spec"]["workloadRef"] = workload::reference(of, at);
        rollout["spec"]["template"].take();
        // A PodTemplate has no selector that could be meant.
        if of.kind != WorkloadKind::PodTemplate {
            rollout["spec"]["selector"].take();
        }
    }
    rollout
}
