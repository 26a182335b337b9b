//! A Rollout with its pod template, which may be in another object (`workloadRef`).

use super::{
    elsewhere,
    given::Given,
    model::{namespace, understand},
};
use rollout_core::{
    Finding, Spec,
    argo::{Document, Severity, check, with_template, workload_ref},
    traffic::ObjectRef,
};
use serde_json::{Map, Value, json};

/// Where a reference to another object stands.
const REFERENCE: &str = "spec.workloadRef";

/// A Rollout as it is played: with its pod template, wherever that is written.
#[derive(Debug, Clone)]
pub(crate) struct Whole<'a> {
    /// As it is written.
    pub(crate) rollout: &'a Document,
    /// As if it had the template itself.
    pub(crate) manifest: Value,
    source: Source<'a>,
}

/// Where the pod template comes from.
#[derive(Debug, Clone)]
enum Source<'a> {
    /// The Rollout itself.
    Rollout,
    /// The object that it refers to.
    Workload(ObjectRef, &'a Document),
    /// The object that it refers to was not given: a placeholder is played, and this warning says so.
    Placeholder(ObjectRef, Finding),
    /// It refers to a kind that holds no pod template.
    Nowhere(Finding),
}

impl<'a> Whole<'a> {
    /// Finds the template among what is given.
    pub(crate) fn of(rollout: &'a Document, given: Given<'a>) -> Self {
        let own = |source| Self { rollout, manifest: rollout.value().clone(), source };
        let object = match reference(rollout) {
            None => return own(Source::Rollout),
            Some(Err(wrong)) => return own(Source::Nowhere(wrong)),
            Some(Ok(object)) => object,
        };
        let selector = rollout.value().pointer("/spec/selector").filter(|selector| !selector.is_null());
        let (template, own_selector) = placeholder(selector);
        let Some(document) = given.get(&object) else {
            let manifest = with_template(rollout.value(), template, Some(&own_selector));
            let warning = not_given(rollout, &object, given);
            return Self { rollout, manifest, source: Source::Placeholder(object, warning) };
        };
        let template = pod_template(document).cloned().unwrap_or(template);
        let manifest = with_template(rollout.value(), template, document.value().pointer("/spec/selector"));
        Self { rollout, manifest, source: Source::Workload(object, document) }
    }

    /// What it asks for, with what is to be said about it: a spec only if nothing is wrong.
    pub(crate) fn understand(&self) -> (Option<Spec>, Vec<Finding>) {
        let (spec, mut findings) = understand(&self.manifest);
        let is_about = |finding: &Finding| finding.path.starts_with(REFERENCE);
        let is_wrong = |finding: &Finding| finding.severity == Severity::Error;
        // What is said about the reference itself: with a template in its place, nothing is.
        let mut more = Vec::new();
        match &self.source {
            Source::Rollout => {}
            Source::Nowhere(wrong) => {
                // That the template and its selector are missing only follows from that.
                let has = |field: &str| {
                    self.rollout.value().get("spec").is_some_and(|spec| spec.get(field).is_some())
                };
                for field in ["template", "selector"].into_iter().filter(|field| !has(field)) {
                    let path = format!("spec.{field}");
                    findings.retain(|finding| below(&path, &finding.path).is_none());
                }
                if !findings.iter().any(is_about) {
                    more.push(wrong.clone());
                }
            }
            Source::Workload(object, document) => {
                more.extend(check(self.rollout.value()).findings.into_iter().filter(is_about));
                if pod_template(document).is_none() {
                    let name = self.rollout.name().unwrap_or_default();
                    let what = format!("the {} has no pod template", object.kind);
                    let instead = format!("write the one that the Rollout {name:?} takes from here");
                    more.push(Finding::error("spec.template", what, instead));
                }
            }
            Source::Placeholder(_, warning) => {
                findings.retain(|finding| !finding.path.starts_with("spec.template"));
                more.extend(check(self.rollout.value()).findings.into_iter().filter(is_about));
                if !more.iter().any(is_wrong) {
                    more.push(warning.clone());
                }
            }
        }
        let spec = spec.filter(|_| !more.iter().any(is_wrong));
        findings.extend(more);
        (spec, findings)
    }

    /// Adds the place to a finding: in the object that holds the template, if it is about that.
    pub(crate) fn locate(&self, finding: &Finding) -> Finding {
        let Source::Workload(_, document) = &self.source else { return self.rollout.locate(finding) };
        let has_selector =
            self.rollout.value().pointer("/spec/selector").is_some_and(|selector| !selector.is_null());
        let takes_selector = !has_selector && document.value().pointer("/spec/selector").is_some();
        if let Some(below) = below("spec.template", &finding.path) {
            let mut there = finding.clone();
            if document.kind() == Some("PodTemplate") {
                there.path = format!("template{below}");
            }
            return document.locate(&there);
        }
        let is_of_workload = takes_selector && below("spec.selector", &finding.path).is_some();
        if is_of_workload { document.locate(finding) } else { self.rollout.locate(finding) }
    }

    /// The pod template of this state of the manifest; `None` if nobody knows it.
    pub(crate) fn known_template<'m>(&self, manifest: &'m Value) -> Option<&'m Value> {
        match self.source {
            Source::Placeholder(..) => None,
            _ => manifest.pointer("/spec/template").filter(|template| !template.is_null()),
        }
    }

    /// The object that holds the template, if it was given.
    pub(crate) fn workload(&self) -> Option<(&ObjectRef, &'a Document)> {
        match &self.source {
            Source::Workload(object, document) => Some((object, document)),
            _ => None,
        }
    }

    /// The object that holds the template, if it was not given.
    pub(crate) fn missing(&self) -> Option<&ObjectRef> {
        match &self.source {
            Source::Placeholder(object, _) => Some(object),
            _ => None,
        }
    }
}

/// The object that holds the pod template of a Rollout. `None` if the Rollout has one itself, even if it must not.
pub(crate) fn reference(rollout: &Document) -> Option<Result<ObjectRef, Finding>> {
    let object = match workload_ref(rollout.value())? {
        Ok(object) => object,
        Err(wrong) => return Some(Err(wrong)),
    };
    if check(rollout.value()).errors().any(|error| error.path == "spec.template") {
        return None;
    }
    let here = namespace(rollout);
    Some(Ok(ObjectRef::new(&object.group, &object.kind, here, &object.name)))
}

/// The pod template that a Rollout is played with, as far as it was given.
pub(crate) fn template<'a>(rollout: &'a Document, given: Given<'a>) -> Option<&'a Value> {
    match reference(rollout) {
        None => rollout.value().pointer("/spec/template"),
        Some(object) => pod_template(given.get(&object.ok()?)?),
    }
}

/// The pod template in an object that a Rollout can refer to.
fn pod_template(workload: &Document) -> Option<&Value> {
    let path = if workload.kind() == Some("PodTemplate") { "/template" } else { "/spec/template" };
    workload.value().pointer(path).filter(|template| template.is_object())
}

fn not_given(rollout: &Document, object: &ObjectRef, given: Given<'_>) -> Finding {
    let (what, instead) = elsewhere::words(rollout, object, given);
    let what = format!("{what}, so its pod template is not checked, and a placeholder is simulated");
    Finding::new(Severity::Warning, format!("{REFERENCE}.name"), what, instead)
}

/// What follows `parent` in a path that is the same or below it.
fn below<'p>(parent: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(parent).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A template for the pods of which nobody knows anything but the selector, and a selector if there is none.
fn placeholder(selector: Option<&Value>) -> (Value, Value) {
    let own = json!({"matchLabels": {"app": "placeholder"}});
    let labels = labels(selector.unwrap_or(&own));
    let pods = json!({"containers": [{"name": "placeholder", "image": "placeholder"}]});
    (json!({"metadata": {"labels": labels}, "spec": pods}), own)
}

/// Labels that a selector matches.
fn labels(selector: &Value) -> Map<String, Value> {
    let mut labels = Map::new();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let text = |field: &str| expression.get(field).and_then(Value::as_str);
        let value = match text("operator") {
            Some("In") => expression.pointer("/values/0").and_then(Value::as_str),
            Some("Exists") => Some(""),
            _ => None,
        };
        if let (Some(key), Some(value)) = (text("key"), value) {
            labels.insert(key.to_owned(), value.into());
        }
    }
    let equal = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    labels.extend(
        equal.filter(|(_, value)| value.is_string()).map(|(key, value)| (key.clone(), value.clone())),
    );
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_valid_whatever_the_selector_asks_for() {
        for (selector, labels) in [
            (None, json!({"app": "placeholder"})),
            (Some(json!({"matchLabels": {"app": "web"}})), json!({"app": "web"})),
            (
                Some(json!({"matchLabels": {"app": "web"}, "matchExpressions": [
                    {"key": "app", "operator": "Exists"}, {"key": "tier", "operator": "In", "values": ["a", "b"]},
                    {"key": "track", "operator": "NotIn", "values": ["x"]}, {"key": "old", "operator": "DoesNotExist"},
                ]})),
                json!({"app": "web", "tier": "a"}),
            ),
        ] {
            let (template, own) = placeholder(selector.as_ref());
            assert_eq!(template["metadata"]["labels"], labels);
            let strategy = json!({"canary": {"steps": [{"setWeight": 5}]}});
            let rollout = json!({"spec": {"selector": selector, "strategy": strategy}});
            let report = check(&with_template(&rollout, template, Some(&own)));
            assert!(report.findings.is_empty(), "{:?}", report.findings);
        }
    }
}
