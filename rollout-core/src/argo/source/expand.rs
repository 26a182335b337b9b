//! From nodes to values, following aliases within bounds.

use super::{
    compose::Flaw,
    node::{Content, Key, Node},
    place::{Children, Place, Places},
};
use alloc::{boxed::Box, collections::BTreeMap, format, rc::Rc, vec::Vec};
use serde_json::{Map, Value};

/// How much aliases may add: values, and bytes of text.
const MAX_ADDED: usize = 10_000;
const MAX_ADDED_BYTES: usize = 256 * 1024;

/// Makes values, and notes what is wrong on the way.
#[derive(Default)]
pub(super) struct Expander {
    pub(super) flaws: Vec<Flaw>,
    added: usize,
    added_bytes: usize,
    /// How many aliases are being followed right now.
    depth: usize,
    exhausted: bool,
}

/// More flaws than this help nobody.
const MAX_FLAWS: usize = 100;

impl Expander {
    pub(super) fn value(&mut self, node: &Node, key: Option<Place>) -> (Value, Places) {
        let leaf = |children| Places { value: node.place, key, children };
        if self.depth > 0 {
            self.spend(node);
        }
        if self.exhausted {
            return (Value::Null, leaf(Children::None));
        }
        match &node.content {
            // What is not there has no place of its own.
            Content::Scalar(Value::Null) => {
                let value = key.unwrap_or(node.place);
                (Value::Null, Places { value, key, children: Children::None })
            }
            Content::Scalar(value) => (value.clone(), leaf(Children::None)),
            Content::List(items) => {
                let (values, places) = items.iter().map(|item| self.value(item, None)).unzip();
                (Value::Array(values), leaf(Children::List(places)))
            }
            Content::Map(fields) => {
                let (map, places) = self.map(fields);
                (Value::Object(map), leaf(Children::Map(places)))
            }
            Content::Alias(target) => {
                self.depth += 1;
                let (value, places) = self.value(target, key);
                self.depth -= 1;
                // What is wrong is shown where the alias stands: that is the place that a reader means.
                (value, Places { value: node.place, ..places })
            }
        }
    }

    fn map(
        &mut self,
        fields: &[(Key, Rc<Node>)],
    ) -> (Map<alloc::string::String, Value>, BTreeMap<Box<str>, Places>) {
        let (mut map, mut places) = (Map::new(), BTreeMap::<Box<str>, Places>::new());
        for (key, node) in fields.iter().filter(|(key, _)| !key.merges) {
            if let Some(first) = places.get(&*key.name) {
                let line = first.key.map_or(0, |place| place.line);
                let what = format!("the field `{}` is there twice: first in line {line}", short(&key.name));
                self.note(key.place, what, "keep one of them");
                continue;
            }
            let (value, place) = self.value(node, Some(key.place));
            map.insert(key.name.clone(), value);
            places.insert(key.name.as_str().into(), place);
        }
        for (key, node) in fields.iter().filter(|(key, _)| key.merges) {
            self.merge(key, node, &mut map, &mut places);
        }
        (map, places)
    }

    /// Takes over the fields of a map, or of several, that are not there yet.
    fn merge(
        &mut self,
        key: &Key,
        node: &Node,
        map: &mut Map<alloc::string::String, Value>,
        places: &mut BTreeMap<Box<str>, Places>,
    ) {
        let (value, found) = self.value(node, Some(key.place));
        let several = match (value, found.children) {
            (Value::Object(fields), Children::Map(at)) => [(Value::Object(fields), Children::Map(at))].into(),
            (Value::Array(items), Children::List(at)) => {
                items.into_iter().zip(at.into_iter().map(|at| at.children)).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        if several.is_empty() && !self.exhausted {
            self.note(node.place, "only a map can be taken over with `<<`".into(), "name a map after `*`");
        }
        for (value, at) in several {
            let (Value::Object(fields), Children::Map(mut at)) = (value, at) else { continue };
            for (name, value) in fields {
                let place = at.remove(&*name);
                if let Some(place) = place.filter(|_| !map.contains_key(&name)) {
                    places.insert(name.as_str().into(), place);
                    map.insert(name, value);
                }
            }
        }
    }

    fn spend(&mut self, node: &Node) {
        self.added += 1;
        self.added_bytes += match &node.content {
            Content::Scalar(Value::String(text)) => text.len(),
            Content::Map(fields) => fields.iter().map(|(key, _)| key.name.len()).sum(),
            Content::Scalar(_) | Content::List(_) | Content::Alias(_) => 0,
        };
        if !self.exhausted && (self.added > MAX_ADDED || self.added_bytes > MAX_ADDED_BYTES) {
            self.exhausted = true;
            self.note(node.place, "its aliases make the document many times larger".into(), "write it out");
        }
    }

    fn note(&mut self, place: Place, what: alloc::string::String, instead: &'static str) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push(Flaw { place, what, instead });
        }
    }
}

fn short(name: &str) -> &str {
    name.char_indices().nth(64).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}
