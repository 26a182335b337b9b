//! A DestinationRule: the pods behind its two subsets.

use crate::{config::DestinationRuleRef, problem::names};
use rollout_core::{
    Finding,
    backend::REVISION_LABEL,
    traffic::{Selection, Selectors},
};
use serde_json::{Map, Value};

pub(crate) fn host(object: &Value) -> Result<&str, Finding> {
    let host = object.get("spec").and_then(|spec| spec.get("host")).and_then(Value::as_str);
    let missing =
        || Finding::error("spec.host", "the host is missing", "write the host that the routes name");
    host.filter(|host| !host.is_empty()).ok_or_else(missing)
}

fn position(object: &Value, name: &str) -> Result<usize, Finding> {
    let subsets = object.get("spec").and_then(|spec| spec.get("subsets")).and_then(Value::as_array);
    let subsets = subsets.map(Vec::as_slice).unwrap_or_default();
    let named = |subset: &'_ Value| subset.get("name").and_then(Value::as_str).map(str::to_owned);
    subsets.iter().position(|subset| named(subset).as_deref() == Some(name)).ok_or_else(|| {
        let found: Vec<_> = subsets.iter().filter_map(named).collect();
        let instead = format!(
            "add it, or name one of these in the Rollout: {}",
            names(found.iter().map(String::as_str))
        );
        Finding::error("spec.subsets", format!("there is no subset '{name}'"), instead)
    })
}

/// Returns the pods behind a subset.
pub(crate) fn selected(object: &Value, subset: &str) -> Result<Selection, Finding> {
    let index = position(object, subset)?;
    let labels = object.get("spec").and_then(|spec| spec.get("subsets")?.get(index)?.get("labels"));
    match labels.and_then(|labels| labels.get(REVISION_LABEL)) {
        None | Some(Value::Null) => Ok(Selection::Unpinned),
        Some(Value::String(hash)) => Ok(Selection::Revision(hash.as_str().into())),
        Some(other) => {
            let path = format!("spec.subsets[{index}].labels.{REVISION_LABEL}");
            Err(Finding::error(path, format!("{other} is not text"), "write text, or remove the label"))
        }
    }
}

/// Points the subsets at pods; returns whether anything changed. Only that one label of each subset is touched.
pub(crate) fn select(object: &mut Value, rule: &DestinationRuleRef, to: &Selectors) -> Result<bool, Finding> {
    let mut changed = false;
    for (destination, name) in rule.subsets.iter() {
        let to = &to[destination];
        let seen = selected(object, name)?;
        let Some(to) = to.as_ref().filter(|to| **to != seen) else { continue };
        let index = position(object, name)?;
        let subsets = object.get_mut("spec").and_then(|spec| spec.get_mut("subsets"));
        let subset = subsets.and_then(|subsets| subsets.get_mut(index)).and_then(Value::as_object_mut);
        if let Some(subset) = subset {
            point(subset, to, index)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn point(subset: &mut Map<String, Value>, to: &Selection, index: usize) -> Result<(), Finding> {
    let labels = subset.entry("labels").or_insert(Value::Null);
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    let Some(labels) = labels.as_object_mut() else {
        let path = format!("spec.subsets[{index}].labels");
        return Err(Finding::error(path, "is not a map of labels", "write a map of label names and texts"));
    };
    match to {
        Selection::Revision(revision) => {
            labels.insert(REVISION_LABEL.into(), revision.as_str().into());
        }
        Selection::Unpinned => {
            labels.retain(|label, _| label != REVISION_LABEL);
            if labels.is_empty() {
                subset.shift_remove("labels");
            }
        }
    }
    Ok(())
}
