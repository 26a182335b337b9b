//! `--ignore-rules`: what a GitOps tool must leave alone in the objects of a folder, because the engine writes it.

use super::model::Model;
use clap::ValueEnum;
use rollout_core::{
    argo::wire::Rollout,
    traffic::{Destination, ObjectRef},
};
use rollout_istio::IstioConfig;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The label by which the engine selects the pods of a revision.
const HASH: &str = "rollouts-pod-template-hash";
/// The field manager of the controller's writes.
const MANAGER: &str = "rollout-kube";

/// A GitOps tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    ArgoCd,
    Flux,
}

/// What the engine writes in one object.
#[derive(Debug, Default)]
struct Leaves {
    /// In lists: expressions of jq.
    expressions: BTreeSet<String>,
    /// Elsewhere: JSON pointers.
    pointers: BTreeSet<String>,
    /// The parts that a server-side apply replaces as a whole, because nothing identifies their items.
    wholes: BTreeSet<&'static str>,
}

/// Returns the rules for everything that was given, as a part of the tool's own object.
pub(crate) fn text(tool: Tool, model: &Model) -> String {
    let all = leaves(model);
    let named = |object: &ObjectRef, indent: &str| {
        let group = if object.group.is_empty() { "\"\"" } else { &object.group };
        let has_namespace = model
            .objects
            .get(object)
            .is_some_and(|given| given.value().pointer("/metadata/namespace").is_some());
        let namespace =
            if has_namespace { format!("{indent}namespace: {}\n", object.namespace) } else { String::new() };
        format!("group: {group}\n{indent}kind: {}\n{indent}name: {}\n{namespace}", object.kind, object.name)
    };
    let list = |name: &str, indent: &str, items: &mut dyn Iterator<Item = String>| {
        let items = items.map(|item| format!("{indent}  - {}\n", quoted(&item))).collect::<Vec<_>>().concat();
        if items.is_empty() { items } else { format!("{indent}{name}:\n{items}") }
    };
    let mut text = String::from(match tool {
        Tool::ArgoCd => {
            "# A part of the `spec` of the Application that applies these manifests. For custom resources, Argo CD\n\
             # then takes a list as a whole from the cluster if any field in it is named here: other changes of\n\
             # such a list in Git are applied only while the two agree in the fields that are named.\n\
             ignoreDifferences:\n"
        }
        Tool::Flux => {
            "# Rules for Flux: `spec.ignore` of a Kustomization, `spec.driftDetection.ignore` of a HelmRelease. Nothing\n\
             # identifies the items of these lists and maps, so a server-side apply replaces each as a whole.\n\
             ignore:\n"
        }
    });
    for (object, leaves) in &all {
        match tool {
            Tool::ArgoCd => {
                text += &format!("  - {}", named(object, "    "));
                text += &list("jqPathExpressions", "    ", &mut leaves.expressions.iter().cloned());
                text += &list("jsonPointers", "    ", &mut leaves.pointers.iter().cloned());
                if leaves.expressions.is_empty() {
                    // In a list without keys, a manager owns all or nothing.
                    text += &format!("    managedFieldsManagers: [{MANAGER}]\n");
                }
            }
            Tool::Flux => {
                let paths = list("paths", "    ", &mut leaves.wholes.iter().map(|path| (*path).to_owned()));
                text += &paths.replacen("    paths", "  - paths", 1);
                text += &format!("    target:\n      {}", named(object, "      "));
            }
        }
    }
    if tool == Tool::ArgoCd {
        text += "syncPolicy:\n  syncOptions:\n    - RespectIgnoreDifferences=true\n";
    }
    text
}

fn leaves(model: &Model) -> BTreeMap<ObjectRef, Leaves> {
    let mut all = BTreeMap::new();
    for document in &model.rollouts {
        let rollout = document.value();
        let namespace = rollout.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("default");
        services(rollout, namespace, &mut all);
        workload(rollout, namespace, &mut all);
        if let Ok(Some(config)) = IstioConfig::from_wire(&Rollout::from_value(rollout)) {
            istio(model, &config, &mut all);
        }
    }
    // What is not applied is not put back.
    all.retain(|object, leaves: &mut Leaves| model.objects.contains_key(object) && !leaves.wholes.is_empty());
    all
}

fn text_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn services(rollout: &Value, namespace: &str, all: &mut BTreeMap<ObjectRef, Leaves>) {
    for field in ["stableService", "canaryService", "pingPong/pingService", "pingPong/pongService"] {
        let Some(name) = text_at(rollout, &format!("/spec/strategy/canary/{field}")) else { continue };
        let leaves = all.entry(ObjectRef::new("", "Service", namespace, name)).or_default();
        leaves.pointers.insert(format!("/spec/selector/{HASH}"));
        leaves.wholes.insert("/spec/selector");
    }
}

/// A Deployment that hands its pods over.
fn workload(rollout: &Value, namespace: &str, all: &mut BTreeMap<ObjectRef, Leaves>) {
    let text = |field: &str| text_at(rollout, &format!("/spec/workloadRef/{field}"));
    let (Some("Deployment"), Some(name)) = (text("kind"), text("name")) else { return };
    if matches!(text("scaleDown"), Some("onsuccess" | "progressively")) {
        let leaves = all.entry(ObjectRef::new("apps", "Deployment", namespace, name)).or_default();
        leaves.pointers.insert("/spec/replicas".to_owned());
        leaves.wholes.insert("/spec/replicas");
    }
}

fn istio(model: &Model, config: &IstioConfig, all: &mut BTreeMap<ObjectRef, Leaves>) {
    let select = |list: &str, name: &str| format!(".spec.{list}[] | select(.name == {})", Value::from(name));
    for of in &config.virtual_services {
        let object = of.object(&config.namespace);
        let Some(given) = model.objects.get(&object) else { continue };
        let has = |pointer: &str| given.value().pointer(pointer).is_some_and(Value::is_array);
        let leaves = all.entry(object).or_default();
        if has("/spec/http") {
            let sticky = config.sticky.iter();
            let sticky =
                sticky.map(|_| format!("sticky.{}.{}", config.rollout.namespace, config.rollout.name));
            let made = config.managed_routes.iter().map(ToString::to_string).chain(sticky);
            leaves.expressions.extend(made.map(|name| select("http", &name)));
            let routes = of.routes.iter();
            leaves
                .expressions
                .extend(routes.map(|name| format!("{} | .route[].weight", select("http", name))));
            if of.routes.is_empty() {
                leaves.expressions.insert(".spec.http[].route[].weight".to_owned());
            }
            leaves.wholes.insert("/spec/http");
        }
        let ported = |list: &str, port: u32| {
            format!(".spec.{list}[] | select(any(.match[]?; .port == {port})) | .route[].weight")
        };
        let tls = of.tls_routes.iter().map(|route| route.port);
        let tcp = of.tcp_routes.iter().map(|route| route.port);
        let lists: [(&str, &'static str, Vec<u32>); 2] =
            [("tls", "/spec/tls", tls.collect()), ("tcp", "/spec/tcp", tcp.collect())];
        for (list, pointer, ports) in lists.into_iter().filter(|(_, pointer, _)| has(pointer)) {
            leaves.wholes.insert(pointer);
            if ports.is_empty() || ports.contains(&0) {
                leaves.expressions.insert(format!(".spec.{list}[].route[].weight"));
            } else {
                leaves.expressions.extend(ports.into_iter().map(|port| ported(list, port)));
            }
        }
    }
    if let Some(rule) = &config.destination_rule {
        let object = ObjectRef::new("networking.istio.io", "DestinationRule", &config.namespace, &rule.name);
        let leaves = all.entry(object).or_default();
        for which in [Destination::Stable, Destination::Canary] {
            let subset = select("subsets", &rule.subsets[which]);
            leaves.expressions.insert(format!("{subset} | .labels[\"{HASH}\"]"));
        }
        leaves.wholes.insert("/spec/subsets");
    }
}

/// Quotes a text for YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
