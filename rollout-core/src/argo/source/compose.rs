//! Composes nodes from the parser's events.

use super::{
    broken,
    flaw::Flaw,
    node::{Content, Key, Node},
    scalar,
};
use crate::Place;
use alloc::{collections::BTreeMap, format, rc::Rc, vec::Vec};
use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::Value;

/// The maximum nesting of lists and maps.
const MAX_DEPTH: usize = 100;

/// The maximum number of values in a text. It limits memory: an empty step of two bytes takes almost a kilobyte once it
/// was read and checked.
const MAX_VALUES: usize = 40_000;

/// A list or a map that is still incomplete.
struct Open {
    place: Place,
    anchor: usize,
    content: Part,
}

enum Part {
    List(Vec<Rc<Node>>),
    Map { fields: Vec<(Key, Rc<Node>)>, key: Option<Key> },
}

impl Part {
    fn awaits_name(&self) -> bool {
        matches!(self, Self::Map { key: None, .. })
    }
}

/// Reads one document after another.
pub(super) struct Composer<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    /// The number of values so far, in all documents.
    values: usize,
}

impl<'t> Composer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let options = granit_parser::options! { emit_comments: false };
        Self {
            text,
            parser: Parser::new_from_str_with_options(text, options),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            values: 0,
        }
    }

    /// Returns the next document; `None` at the end of the text.
    pub(super) fn document(&mut self) -> Option<Result<Rc<Node>, Flaw>> {
        self.open.clear();
        self.anchors.clear();
        loop {
            let (event, span) = match self.parser.next_event()? {
                Ok(event) => event,
                Err(error) => {
                    let mark = *error.marker();
                    let place = Place {
                        line: number(mark.line()),
                        column: number(mark.col() + 1),
                        width: 1,
                        offset: number(mark.byte_offset().unwrap_or(0)),
                    };
                    return Some(Err(broken::explain(self.text, &error, place)));
                }
            };
            match self.event(event, &span) {
                Ok(Some(root)) => return Some(Ok(root)),
                Ok(None) => {}
                Err(flaw) => return Some(Err(flaw)),
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other events say nothing about the content")]
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<Option<Rc<Node>>, Flaw> {
        let place = place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = value(&text, style, tag.as_deref()).ok_or_else(|| {
                    Flaw::new(place, format!("{text:?} cannot be expressed in JSON"), "put it in quotes")
                })?;
                let merges = style == ScalarStyle::Plain && text == "<<";
                self.complete(Node { place, content: Content::Scalar(value) }, anchor, merges)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(place, anchor, Part::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.begin(place, anchor, Part::Map { fields: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                let target = target.ok_or_else(|| {
                    Flaw::new(place, "is an alias for something that contains it", "write it out")
                })?;
                self.complete(Node { place, content: Content::Alias(target) }, 0, false)
            }
            _ => Ok(None),
        }
    }

    fn begin(&mut self, place: Place, anchor: usize, content: Part) -> Result<Option<Rc<Node>>, Flaw> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Flaw::new(
                place,
                format!("is nested more than {MAX_DEPTH} deep"),
                "no manifest needs that",
            ));
        }
        self.open.push(Open { place, anchor, content });
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Rc<Node>>, Flaw> {
        let Some(open) = self.open.pop() else { return Ok(None) };
        let (place, content) = match open.content {
            Part::List(items) => (open.place, Content::List(items.into())),
            Part::Map { fields, .. } => {
                let first =
                    fields.first().map(|(key, _)| key.place).filter(|first| first.line == open.place.line);
                (first.unwrap_or(open.place), Content::Map(fields.into()))
            }
        };
        self.complete(Node { place, content }, open.anchor, false)
    }

    /// Adds a complete node to its parent; returns the root of a document.
    fn complete(&mut self, node: Node, anchor: usize, merges: bool) -> Result<Option<Rc<Node>>, Flaw> {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        // A name and its value count as one.
        let is_name = self.open.last().is_some_and(|open| open.content.awaits_name());
        self.values += usize::from(!is_name);
        if self.values > MAX_VALUES {
            let what = format!("has more than {MAX_VALUES} values up to here");
            return Err(Flaw::new(node.place, what, "no manifest has that many: split it up"));
        }
        let Some(open) = self.open.last_mut() else { return Ok(Some(node)) };
        match &mut open.content {
            Part::List(items) => items.push(node),
            Part::Map { fields, key } => match key.take() {
                Some(key) => fields.push((key, node)),
                None => *key = Some(as_key(&node, merges)?),
            },
        }
        Ok(None)
    }
}

fn as_key(node: &Node, merges: bool) -> Result<Key, Flaw> {
    let name = match &node.target().content {
        Content::Scalar(value) => scalar::key(value),
        Content::List(_) | Content::Map(_) | Content::Alias(_) => None,
    };
    let name = name.ok_or_else(|| {
        Flaw::new(node.place, "cannot be the name of a field", "write text before the colon")
    })?;
    Ok(Key { name: name.into(), place: node.place, merges })
}

fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Value> {
    let is_text = match tag.and_then(Tag::core_suffix) {
        Some("str") => true,
        Some("int" | "float" | "bool" | "null") => false,
        _ => style != ScalarStyle::Plain,
    };
    if is_text { Some(Value::String(text.into())) } else { scalar::plain(text) }
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn place(span: &Span) -> Place {
    let same_line = span.start.line() == span.end.line();
    let width = if same_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    Place {
        line: number(span.start.line()),
        column: number(span.start.col() + 1),
        width: number(width).max(1),
        offset: number(span.start.byte_offset().unwrap_or(0)),
    }
}
