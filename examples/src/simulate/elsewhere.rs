//! An object that is named and was not given: is there one of that name in another namespace, or one like it?

use super::{given::Given, model::namespace, nearest::nearest};
use rollout_core::{argo::Document, traffic::ObjectRef};

/// What is missing, and what to do.
pub(crate) fn words(rollout: &Document, missing: &ObjectRef, given: Given<'_>) -> (String, String) {
    let (kind, name) = (&*missing.kind, &*missing.name);
    let alike = || given.names().filter(|other| other.kind == missing.kind && other.group == missing.group);
    let is_virtual_service = kind == "VirtualService";
    if let Some(other) = alike().find(|other| &*other.name == name) {
        let there = &other.namespace;
        let whose = match (rollout.namespace(), &*missing.namespace == namespace(rollout)) {
            (None, true) => " (the Rollout names none)",
            (Some(_), true) => ", the Rollout's own",
            (_, false) => "",
        };
        let what = format!("the {kind} {name:?} is wanted in namespace {}{whose}", missing.namespace);
        let with_namespace = format!("write `name: {name}.{there}`");
        let instead = match (rollout.namespace(), is_virtual_service) {
            (Some(_), true) => with_namespace,
            (None, true) => {
                format!("write `namespace: {there}` in the Rollout's metadata, or `name: {name}.{there}`")
            }
            (None, false) => format!("write `namespace: {there}` in the Rollout's metadata"),
            (Some(_), false) => format!("give both the same namespace: a {kind} is not looked for elsewhere"),
        };
        return (what, format!("it is in {there}: {instead}"));
    }
    let what = format!("the {kind} {name:?} was not given");
    let names: Vec<&str> = alike().map(|other| &*other.name).filter(|other| *other != name).collect();
    let instead = match nearest(name, names) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "add its manifest to what is given".to_owned(),
    };
    (what, instead)
}
