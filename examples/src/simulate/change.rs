//! An update of a manifest: `--set ROLLOUT:path=value`, `--image [ROLLOUT/]CONTAINER=IMAGE`.

use super::nearest::nearest;
use serde_json::{Map, Value};
use std::fmt;

/// One change of one Rollout, or of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Which Rollout; `None` is all of them.
    pub(crate) rollout: Option<String>,
    /// What.
    pub(crate) what: What,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// The value at a path.
    Set {
        /// The path's parts: names, and numbers for lists.
        path: Vec<String>,
        /// The value, as it was written.
        value: String,
    },
    /// The image of a container.
    Image {
        /// The container's name.
        container: String,
        /// The image.
        image: String,
    },
    /// Nothing was asked for: the simulation makes a new revision of its own.
    Touch,
}

impl Change {
    /// Reads `[ROLLOUT:]path=value`.
    pub(crate) fn parse_set(text: &str) -> Result<Self, String> {
        let example = "write it like provider:spec.template.metadata.labels.version=v2";
        let (place, value) =
            text.split_once('=').ok_or_else(|| format!("{text:?} has no value; {example}"))?;
        let (rollout, path) = match place.split_once(':') {
            Some((rollout, path)) => (Some(rollout.to_owned()), path),
            None => (None, place),
        };
        let path = parts(path);
        if path.iter().any(String::is_empty) {
            return Err(format!("{place:?} has an empty part; {example}"));
        }
        Ok(Self { rollout, what: What::Set { path, value: value.to_owned() } })
    }

    /// Reads `[ROLLOUT/]CONTAINER=IMAGE`.
    pub(crate) fn parse_image(text: &str) -> Result<Self, String> {
        let (place, image) =
            text.split_once('=').filter(|(place, image)| !place.is_empty() && !image.is_empty()).ok_or_else(
                || format!("{text:?} has no image; write it like web=nginx:1.29 or provider/web=nginx:1.29"),
            )?;
        let (rollout, container) = match place.rsplit_once('/') {
            Some((rollout, container)) => (Some(rollout.to_owned()), container),
            None => (None, place),
        };
        Ok(Self { rollout, what: What::Image { container: container.to_owned(), image: image.to_owned() } })
    }

    /// Whether it is about this Rollout.
    pub(crate) fn is_about(&self, rollout: &str) -> bool {
        self.rollout.as_deref().is_none_or(|name| name == rollout)
    }

    /// Whether it sets the number of pods.
    pub(crate) fn is_of_replicas(&self) -> bool {
        matches!(&self.what, What::Set { path, .. } if *path == ["spec", "replicas"])
    }

    /// Whether it is of a container.
    pub(crate) fn is_of_container(&self) -> bool {
        matches!(self.what, What::Image { .. })
    }

    /// Whether it is of a container that this pod template does not have.
    pub(crate) fn is_of_elsewhere(&self, template: Option<&Value>) -> bool {
        let What::Image { container, .. } = &self.what else { return false };
        let lists = ["/spec/containers", "/spec/initContainers"].map(|list| template?.pointer(list));
        let mut all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        !all.any(|one| one.get("name").and_then(Value::as_str) == Some(container))
    }

    /// Makes it; says what is wrong and what to write instead.
    pub(crate) fn apply(&self, manifest: &mut Value) -> Result<(), String> {
        match &self.what {
            What::Set { path, value } => set(manifest, path, value),
            What::Image { container, image } => set_image(manifest, container, image),
            What::Touch => touch(manifest),
        }
    }
}

/// What is changed, without the Rollout's name: the timeline stands under it.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Set { path, value } => write!(f, "set {}={value}", path.join(".")),
            What::Image { container, image } => write!(f, "image {container}={image}"),
            What::Touch => f.write_str("a changed template (none was given: the simulation made one)"),
        }
    }
}

/// `a.b[0].c\.d` → `a`, `b`, `0`, `c.d`.
fn parts(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match (letter, parts.last_mut()) {
            ('.' | '[', _) => parts.push(String::new()),
            (']', _) | (_, None) => {}
            ('\\', Some(part)) => part.extend(letters.next()),
            (letter, Some(part)) => part.push(letter),
        }
    }
    parts
}

/// What says which object it is: with another, it would be another object.
const IDENTITY: [&[&str]; 5] =
    [&["apiVersion"], &["kind"], &["metadata"], &["metadata", "name"], &["metadata", "namespace"]];

fn set(manifest: &mut Value, path: &[String], text: &str) -> Result<(), String> {
    if IDENTITY.iter().any(|identity| path.iter().eq(identity.iter())) {
        let path = path.join(".");
        return Err(format!(
            "{path} says which object it is, and an update cannot change that; edit the manifest"
        ));
    }
    if path.starts_with(&["spec".to_owned(), "workloadRef".to_owned()]) {
        return Err(
            "spec.workloadRef says where the pod template is; to change it, write another manifest, and \
                    simulate … --update FILE"
                .to_owned(),
        );
    }
    let (last, parents) = path.split_last().ok_or("the path is empty")?;
    let mut at = manifest;
    let mut so_far = String::new();
    for part in parents {
        at = child(at, part, &so_far)?;
        if !so_far.is_empty() {
            so_far.push('.');
        }
        so_far += part;
    }
    match at {
        Value::Object(map) => {
            let value = value(text, map.get(last), last, path);
            map.insert(last.clone(), value);
            Ok(())
        }
        array @ Value::Array(_) => {
            let slot = child(array, last, &so_far)?;
            *slot = value(text, Some(slot), last, path);
            Ok(())
        }
        other => Err(format!("{so_far} is {other}, nothing can be set in it")),
    }
}

fn child<'a>(at: &'a mut Value, part: &str, so_far: &str) -> Result<&'a mut Value, String> {
    let place = if so_far.is_empty() { "the manifest" } else { so_far };
    let missing = match at {
        Value::Object(map) if map.contains_key(part) || CREATED.contains(&part) => None,
        Value::Object(map) => Some(match nearest(part, map.keys().map(String::as_str)) {
            Some(near) => format!("{place} has no {part:?}; did you mean {near:?}?"),
            None => {
                format!(
                    "{place} has no {part:?}; it has {}",
                    map.keys().cloned().collect::<Vec<_>>().join(", ")
                )
            }
        }),
        Value::Array(list) if part.parse::<usize>().is_ok_and(|index| index < list.len()) => None,
        Value::Array(list) => Some(format!(
            "{place} is a list of {}, {part:?} is none of them; write a number from 0",
            list.len()
        )),
        ref other => Some(format!("{place} is {other}, it has no {part:?}")),
    };
    let found = match at {
        Value::Object(map) if missing.is_none() => {
            Some(map.entry(part).or_insert_with(|| Value::Object(Map::new())))
        }
        Value::Array(list) => part.parse().ok().and_then(|index: usize| list.get_mut(index)),
        _ => None,
    };
    found.ok_or(missing.unwrap_or_default())
}

/// Mappings that may be missing from a manifest and are made when something is set in them.
const CREATED: [&str; 3] = ["metadata", "labels", "annotations"];

/// A number or a boolean where one stood or nothing stood; text where text stood, and in labels and
/// annotations, which are always text.
fn value(text: &str, before: Option<&Value>, last: &str, path: &[String]) -> Value {
    let is_text = matches!(before, Some(Value::String(_)))
        || path.iter().rev().nth(1).is_some_and(|parent| parent == "labels" || parent == "annotations");
    if is_text || last == "image" {
        return Value::String(text.to_owned());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn set_image(manifest: &mut Value, name: &str, image: &str) -> Result<(), String> {
    let mut known = Vec::new();
    for list in ["/spec/template/spec/containers", "/spec/template/spec/initContainers"] {
        let containers = manifest.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..containers {
            let Some(Value::Object(container)) = manifest.pointer_mut(&format!("{list}/{index}")) else {
                continue;
            };
            let its_name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            if its_name == name {
                container.insert("image".to_owned(), Value::String(image.to_owned()));
                return Ok(());
            }
            known.push(its_name.to_owned());
        }
    }
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "the template has none".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Err(format!("there is no container {name:?}; {hint}"))
}

/// The annotation that makes a new revision when nobody asked for a change.
const TOUCHED: &str = "simulate/update";

fn touch(manifest: &mut Value) -> Result<(), String> {
    let template = manifest
        .pointer_mut("/spec/template")
        .and_then(Value::as_object_mut)
        .ok_or("spec.template is missing; there is nothing to update")?;
    let mut at = template;
    for part in ["metadata", "annotations"] {
        let slot = at.entry(part).or_insert_with(|| Value::Object(Map::new()));
        if slot.is_null() {
            *slot = Value::Object(Map::new());
        }
        at = slot.as_object_mut().ok_or_else(|| format!("spec.template.metadata: {part} is no mapping"))?;
    }
    at.insert(TOUCHED.to_owned(), Value::String("1".to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest() -> Value {
        json!({"spec": {"replicas": 1, "template": {
            "metadata": {"labels": {"version": "v1"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
        }}})
    }

    fn changed(change: Result<Change, String>) -> Result<Value, String> {
        let mut manifest = manifest();
        change?.apply(&mut manifest)?;
        Ok(manifest)
    }

    #[test]
    fn sets_what_the_guide_sets() {
        let change = Change::parse_set("dubbo3-provider:spec.template.metadata.labels.version=v2");
        assert_eq!(change.as_ref().map(|change| change.is_about("dubbo3-provider")), Ok(true));
        assert_eq!(change.as_ref().map(|change| change.is_about("dubbo3-consumer")), Ok(false));
        let value = changed(change).unwrap();
        assert_eq!(value.pointer("/spec/template/metadata/labels/version"), Some(&json!("v2")));
    }

    #[test]
    fn keeps_the_type_that_stood_there() {
        let number = changed(Change::parse_set("spec.replicas=4")).unwrap();
        assert_eq!(number.pointer("/spec/replicas"), Some(&json!(4)));
        let text = changed(Change::parse_set("spec.template.metadata.labels.version=2")).unwrap();
        assert_eq!(text.pointer("/spec/template/metadata/labels/version"), Some(&json!("2")));
        let label = changed(Change::parse_set(r"spec.template.metadata.labels.a\.b/c=1")).unwrap();
        assert_eq!(label.pointer("/spec/template/metadata/labels/a.b~1c"), Some(&json!("1")));
        let list = changed(Change::parse_set("spec.template.spec.containers[0].image=nginx:2=x")).unwrap();
        assert_eq!(list.pointer("/spec/template/spec/containers/0/image"), Some(&json!("nginx:2=x")));
    }

    #[test]
    fn changes_an_image_and_makes_an_update_of_its_own() {
        let image = changed(Change::parse_image("provider/web=nginx:2")).unwrap();
        assert_eq!(image.pointer("/spec/template/spec/containers/0/image"), Some(&json!("nginx:2")));
        let touched = changed(Ok(Change { rollout: None, what: What::Touch })).unwrap();
        assert_eq!(
            touched.pointer("/spec/template/metadata/annotations/simulate~1update"),
            Some(&json!("1"))
        );
    }

    #[test]
    fn says_what_to_write_instead() {
        for (change, error) in [
            (
                Change::parse_set("spec.replicas"),
                "\"spec.replicas\" has no value; write it like provider:spec.template.metadata.labels.version=v2",
            ),
            (
                Change::parse_set("spec..x=1"),
                "\"spec..x\" has an empty part; write it like provider:spec.template.metadata.labels.version=v2",
            ),
            (
                Change::parse_set("spec.templat.metadata=1"),
                "spec has no \"templat\"; did you mean \"template\"?",
            ),
            (Change::parse_set("spec.replicas.x=1"), "spec.replicas is 1, nothing can be set in it"),
            (
                Change::parse_set("metadata.name=other"),
                "metadata.name says which object it is, and an update cannot change that; edit the manifest",
            ),
            (
                Change::parse_set("spec.template.spec.containers.7=1"),
                "spec.template.spec.containers is a list of 1, \"7\" is none of them; write a number from 0",
            ),
            (
                Change::parse_image("web"),
                "\"web\" has no image; write it like web=nginx:1.29 or provider/web=nginx:1.29",
            ),
            (Change::parse_image("wbe=x"), "there is no container \"wbe\"; did you mean \"web\"?"),
        ] {
            assert_eq!(changed(change), Err(error.to_owned()));
        }
    }
}
