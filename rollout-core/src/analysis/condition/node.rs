//! The parsed form of a condition.

use super::{error::At, functions::Function, pattern::Pattern};
use alloc::{boxed::Box, string::String, vec::Vec};

/// An expression, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) what: What,
    /// How deep the expression is nested, itself included.
    pub(super) depth: u32,
}

/// The kinds of expressions.
#[derive(Debug, Clone)]
pub(super) enum What {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A list that is written out.
    List(Vec<Node>),
    /// What the provider answered.
    Result,
    /// `#`: the element that a predicate looks at.
    Element,
    Not(Box<Node>),
    Minus(Box<Node>),
    Plus(Box<Node>),
    /// All of `&&`, in a row.
    All(Vec<Node>),
    /// Any of `||`, in a row.
    Any(Vec<Node>),
    Binary(Operator, Box<[Node; 2]>),
    /// A text that matches a pattern that is written out.
    Matches(Box<Node>, Pattern),
    /// `condition ? then : otherwise`.
    Choice(Box<[Node; 3]>),
    /// `.name` and `[index]` after an expression.
    Path(Box<Node>, Vec<Link>),
    Call(Function, Vec<Node>),
}

/// One link of a path.
#[derive(Debug, Clone)]
pub(super) enum Link {
    Field { at: At, name: String, optional: bool },
    Index { at: At, index: Node },
}

/// The operators with two sides that evaluate both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    In,
    Contains,
    StartsWith,
    EndsWith,
    /// A pattern that is computed.
    Matches,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Coalesce,
}

impl Operator {
    /// The operator as it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::More => ">",
            Self::MoreOrEqual => ">=",
            Self::In => "in",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Matches => "matches",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Coalesce => "??",
        }
    }

    /// The operator with this text, and how tightly it binds.
    pub(super) fn of(text: &str) -> Option<(Self, u8)> {
        Some(match text {
            "==" => (Self::Equal, 20),
            "!=" => (Self::Unequal, 20),
            "<" => (Self::Less, 20),
            "<=" => (Self::LessOrEqual, 20),
            ">" => (Self::More, 20),
            ">=" => (Self::MoreOrEqual, 20),
            "in" => (Self::In, 20),
            "contains" => (Self::Contains, 20),
            "startsWith" => (Self::StartsWith, 20),
            "endsWith" => (Self::EndsWith, 20),
            "matches" => (Self::Matches, 20),
            "+" => (Self::Add, 30),
            "-" => (Self::Subtract, 30),
            "*" => (Self::Multiply, 60),
            "/" => (Self::Divide, 60),
            "%" => (Self::Remainder, 60),
            "**" => (Self::Power, 100),
            "??" => (Self::Coalesce, 200),
            _ => return None,
        })
    }

    /// Whether `not` may stand before it.
    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::In | Self::Contains | Self::StartsWith | Self::EndsWith | Self::Matches)
    }
}
