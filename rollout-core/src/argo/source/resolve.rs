//! Turns nodes into values, following aliases within limits.

use super::{
    flaw::Flaw,
    node::{Content, Key, Node},
    place::{Children, Fields, Places},
};
use crate::Place;
use alloc::{boxed::Box, collections::BTreeMap, format, rc::Rc, string::String, vec::Vec};
use serde_json::{Map, Value};

/// The maximum number of values, and of bytes of text, that aliases may add.
const MAX_ADDED: usize = 10_000;
const MAX_ADDED_BYTES: usize = 256 * 1024;

/// Builds values and records flaws on the way.
#[derive(Default)]
pub(super) struct Resolver {
    /// The number of lines of the file before the text.
    above: u32,
    pub(super) flaws: Vec<Flaw>,
    added: usize,
    added_bytes: usize,
    /// The number of aliases being followed at the moment.
    depth: usize,
    exhausted: bool,
}

/// The maximum number of flaws that are recorded.
const MAX_FLAWS: usize = 100;

impl Resolver {
    /// Creates a resolver for a text that starts at this line of its file.
    pub(super) fn below(first_line: u32) -> Self {
        Self { above: first_line.saturating_sub(1), ..Self::default() }
    }

    pub(super) fn value(&mut self, node: &Node, key: Option<Place>) -> (Value, Places) {
        let leaf = |children| Places { value: node.place, key, children };
        if self.depth > 0 {
            self.spend(node);
        }
        if self.exhausted {
            return (Value::Null, leaf(Children::None));
        }
        match &node.content {
            // A missing value has no place of its own.
            Content::Scalar(Value::Null) => {
                let value = key.unwrap_or(node.place);
                (Value::Null, Places { value, key, children: Children::None })
            }
            Content::Scalar(value) => (value.clone(), leaf(Children::None)),
            Content::List(items) => {
                let (values, places): (_, Vec<_>) = items.iter().map(|item| self.value(item, None)).unzip();
                (Value::Array(values), leaf(Children::List(places.into())))
            }
            Content::Map(fields) => {
                let (map, places) = self.map(fields);
                (Value::Object(map), leaf(Children::Map(places)))
            }
            Content::Alias(target) => {
                self.depth += 1;
                let (value, places) = self.value(target, key);
                self.depth -= 1;
                // A flaw is shown at the alias: that is the place the author means.
                (value, Places { value: node.place, ..places })
            }
        }
    }

    fn map(&mut self, fields: &[(Key, Rc<Node>)]) -> (Map<String, Value>, Fields) {
        let (mut map, mut places) = (Map::new(), Vec::with_capacity(fields.len()));
        let mut lines = BTreeMap::<&str, u32>::new();
        for (key, node) in fields.iter().filter(|(key, _)| !key.merges) {
            if let Some(line) = lines.get(&*key.name) {
                let line = line.saturating_add(self.above);
                let what = format!("the field `{}` appears twice: first on line {line}", short(&key.name));
                self.note(key.place, what, "keep one of them");
                continue;
            }
            lines.insert(&key.name, key.place.line);
            let (value, place) = self.value(node, Some(key.place));
            map.insert(key.name.as_ref().into(), value);
            places.push((key.name.clone(), place));
        }
        for (key, node) in fields.iter().filter(|(key, _)| key.merges) {
            self.merge(key, node, &mut map, &mut places);
        }
        (map, Fields::new(places))
    }

    /// Merges in the fields of one or several maps that are not present yet.
    fn merge(
        &mut self,
        key: &Key,
        node: &Node,
        map: &mut Map<String, Value>,
        places: &mut Vec<(Box<str>, Places)>,
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
            self.note(node.place, "only a map can be merged with `<<`".into(), "name a map after `*`");
        }
        for (value, at) in several {
            let (Value::Object(fields), Children::Map(at)) = (value, at) else { continue };
            let mut at: BTreeMap<_, _> = at.into_vec().into_iter().collect();
            for (name, value) in fields {
                let place = at.remove(&*name);
                if let Some(place) = place.filter(|_| !map.contains_key(&name)) {
                    places.push((name.as_str().into(), place));
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

    fn note(&mut self, place: Place, what: String, instead: &'static str) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push(Flaw::new(place, what, instead));
        }
    }
}

fn short(name: &str) -> &str {
    name.char_indices().nth(64).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}
