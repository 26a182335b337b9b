//! The Rollouts that are measured, each with what the guide's weight canary has.

use super::plan::Plan;
use crate::bed::{Bed, RUNTIME};
use futures::{StreamExt as _, stream};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    core::ApiResource,
};
use serde_json::{Value, json};

/// So many requests are under way at a time.
const AT_A_TIME: usize = 32;

/// Where all of them are.
#[derive(Debug)]
pub(super) struct Apps<'b> {
    bed: &'b Bed,
    /// Namespace and name of each.
    names: Vec<(String, String)>,
}

impl<'b> Apps<'b> {
    /// Makes the namespaces.
    pub(super) fn new(bed: &'b Bed, plan: &Plan, count: usize) -> Self {
        let spaces: Vec<String> = (0..plan.namespaces).map(|at| format!("scale-{at}")).collect();
        for name in &spaces {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            RUNTIME.block_on(create(bed, None, &object));
        }
        let name = |at: usize| (spaces[at % spaces.len()].clone(), format!("app-{at:05}"));
        Self { bed, names: (0..count).map(name).collect() }
    }

    /// Creates everything.
    pub(super) fn create(&self) {
        self.each(&async |space, name| {
            for object in objects(name) {
                create(self.bed, Some(space), &object).await;
            }
        });
    }

    /// Another image for all of them.
    pub(super) fn update(&self) {
        let resource = resource("argoproj.io/v1alpha1", "Rollout");
        let patch =
            json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image(2)}]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(patch).unwrap());
        self.each(&async |space, name| {
            let api: Api<DynamicObject> = Api::namespaced_with(self.bed.client(), space, &resource);
            api.patch(name, &PatchParams::default(), &patch).await.unwrap();
        });
    }

    fn each(&self, act: &impl AsyncFn(&str, &str)) {
        let all = stream::iter(&self.names).map(|(space, name)| act(space, name));
        RUNTIME.block_on(all.buffer_unordered(AT_A_TIME).collect::<()>());
    }
}

/// The image of the first version, and of the second.
pub(super) fn image(version: u32) -> String {
    format!("app:v{version}")
}

/// Service, DestinationRule, VirtualService, and the Rollout last.
fn objects(name: &str) -> [Value; 4] {
    let labels = json!({"app": name});
    let to = |subset: &str, weight: u32| json!({"weight": weight, "destination": {"host": name, "subset": subset, "port": {"number": 80}}});
    let istio = "networking.istio.io/v1beta1";
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
        }),
        json!({
            "apiVersion": istio, "kind": "DestinationRule", "metadata": {"name": name},
            "spec": {"host": name, "subsets": [
                {"name": "stable", "labels": labels}, {"name": "canary", "labels": labels}
            ]}
        }),
        json!({
            "apiVersion": istio, "kind": "VirtualService", "metadata": {"name": name},
            "spec": {
                "hosts": [name], "gateways": ["mesh"],
                "http": [{"name": "primary", "route": [to("stable", 100), to("canary", 0)]}]
            }
        }),
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {
                "replicas": 1, "revisionHistoryLimit": 2, "selector": {"matchLabels": labels},
                "strategy": {"canary": {
                    "steps": [
                        {"setWeight": 5}, {"pause": {"duration": 5}}, {"setWeight": 50}, {"pause": {"duration": 5}}
                    ],
                    "trafficRouting": {"istio": {
                        "virtualService": {"name": name, "routes": ["primary"]},
                        "destinationRule": {
                            "name": name, "canarySubsetName": "canary", "stableSubsetName": "stable"
                        }
                    }}
                }},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c", "image": image(1)}]}
                }
            }
        }),
    ]
}

async fn create(bed: &Bed, space: Option<&str>, object: &Value) {
    let text = |field: &str| object[field].as_str().unwrap();
    let resource = resource(text("apiVersion"), text("kind"));
    let api: Api<DynamicObject> = match space {
        Some(space) => Api::namespaced_with(bed.client(), space, &resource),
        None => Api::all_with(bed.client(), &resource),
    };
    api.create(&PostParams::default(), &serde_json::from_value(object.clone()).unwrap()).await.unwrap();
}

/// A kind whose plural has an `s` more.
pub(super) fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
    }
}
