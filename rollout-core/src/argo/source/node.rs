//! The content of a text before aliases are followed.

use crate::Place;
use alloc::{boxed::Box, rc::Rc};
use serde_json::Value;

/// A part of a document. Aliases share their targets, so the tree is never larger than the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Value),
    List(Box<[Rc<Node>]>),
    Map(Box<[(Key, Rc<Node>)]>),
    /// A reference to a node with an anchor.
    Alias(Rc<Node>),
}

/// A name in a map.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Box<str>,
    pub(super) place: Place,
    /// Whether the name is `<<`: the value's fields are merged in.
    pub(super) merges: bool,
}

impl Node {
    /// Returns the node itself, after following aliases.
    pub(super) fn target(&self) -> &Self {
        match &self.content {
            Content::Alias(target) => target.target(),
            Content::Scalar(_) | Content::List(_) | Content::Map(_) => self,
        }
    }
}
