//! The object that has the pod template of a Rollout with `workloadRef`.

use crate::{
    app::{ScaleDown, Workload, WorkloadKind},
    apps,
};
use rollout_kube::testing::SimulatedApiServer;
use serde_json::{Value, json};

/// What its name begins with, and those of its pods.
pub(crate) const PREFIX: &str = "workload-";
/// Where Deployments are.
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";

pub(crate) fn name(at: usize) -> String {
    format!("{PREFIX}{at}")
}

/// The app whose pod template an object of this name has.
pub(crate) fn app_of(name: &str) -> Option<String> {
    let at = name.strip_prefix(PREFIX)?.split('-').next()?;
    Some(apps::name(at.parse().ok()?))
}

pub(crate) fn deployment_path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/shop/deployments/{name}")
}

pub(crate) fn path(kind: WorkloadKind, at: usize) -> String {
    let name = name(at);
    match kind {
        WorkloadKind::Deployment => deployment_path(&name),
        WorkloadKind::ReplicaSet => apps::set_path(&name),
        WorkloadKind::PodTemplate => format!("/api/v1/namespaces/shop/podtemplates/{name}"),
    }
}

fn version_and_kind(kind: WorkloadKind) -> (&'static str, &'static str) {
    match kind {
        WorkloadKind::Deployment => ("apps/v1", "Deployment"),
        WorkloadKind::ReplicaSet => ("apps/v1", "ReplicaSet"),
        WorkloadKind::PodTemplate => ("v1", "PodTemplate"),
    }
}

pub(crate) fn reference(of: Workload, at: usize) -> Value {
    let (version, kind) = version_and_kind(of.kind);
    let scale_down = match of.scale_down {
        ScaleDown::Never => "never",
        ScaleDown::OnSuccess => "onsuccess",
        ScaleDown::Progressively => "progressively",
    };
    json!({"apiVersion": version, "kind": kind, "name": name(at), "scaleDown": scale_down})
}

/// It as it is at first, and where.
pub(crate) fn object(of: Workload, at: usize) -> (String, Value) {
    let (version, kind) = version_and_kind(of.kind);
    let mut object = json!({"apiVersion": version, "kind": kind});
    if of.kind == WorkloadKind::PodTemplate {
        object["template"] = apps::template(&apps::name(at), 0);
    } else {
        let selector = json!({"matchLabels": {"app": apps::name(at)}});
        object["spec"] = json!({
            "replicas": of.pods, "selector": selector, "template": apps::template(&apps::name(at), 0)
        });
    }
    (path(of.kind, at), object)
}

/// What gives it the template of another version.
pub(crate) fn with_version(of: Workload, at: usize, version: u8) -> Value {
    let template = apps::template(&apps::name(at), version);
    if of.kind == WorkloadKind::PodTemplate {
        json!({"template": template})
    } else {
        json!({"spec": {"template": template}})
    }
}

/// The version that its template has now, if it is there.
pub(crate) fn image(server: &SimulatedApiServer, of: Workload, at: usize) -> Option<Value> {
    let (all, template) = match of.kind {
        WorkloadKind::Deployment => (server.all(DEPLOYMENTS), "/spec/template"),
        WorkloadKind::ReplicaSet => (server.all("/apis/apps/v1/replicasets"), "/spec/template"),
        WorkloadKind::PodTemplate => (server.all("/api/v1/podtemplates"), "/template"),
    };
    let there = all.iter().find(|one| one["metadata"]["name"] == name(at))?;
    there.pointer(&format!("{template}/spec/containers/0/image")).cloned()
}
