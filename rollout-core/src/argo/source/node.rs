//! What a text says, before aliases are followed.

use crate::Place;
use alloc::{boxed::Box, rc::Rc};
use serde_json::Value;

/// A part of a document. Aliases share what they stand for, so the tree is never larger than the text.
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
    /// What stands elsewhere with an anchor.
    Alias(Rc<Node>),
}

/// A name in a map.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Box<str>,
    pub(super) place: Place,
    /// Whether it is `<<`: the value's fields are taken over.
    pub(super) merges: bool,
}

impl Node {
    /// What it is, after following aliases.
    pub(super) fn target(&self) -> &Self {
        match &self.content {
            Content::Alias(target) => target.target(),
            Content::Scalar(_) | Content::List(_) | Content::Map(_) => self,
        }
    }
}
