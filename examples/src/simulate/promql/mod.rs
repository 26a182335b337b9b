//! The part of `PromQL` that analyses of canaries use, over counters that a simulation makes.
//!
//! Parsers of the whole language exist, and bring a generator of parsers and 80 packages along; what is evaluated here
//! is small, and a test compares its answers with those of Prometheus' own `promtool`.

mod eval;
mod functions;
mod lex;
mod parse;
mod range;
mod selector;

pub(crate) use eval::{Answer, evaluate};
pub(crate) use parse::parse;
pub(crate) use selector::{Matcher, Operator};

use std::collections::BTreeMap;

/// The labels of a series, without its name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A time in milliseconds.
pub(crate) type Millis = i64;

/// One series: what was scraped, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) samples: Vec<(Millis, f64)>,
}

/// Where series come from.
pub(crate) trait Source {
    /// The series of a metric that fulfil all matchers, with their samples after `from` until `to`.
    fn select(&self, metric: &str, matchers: &[Matcher], from: Millis, to: Millis) -> Vec<Series>;
}

/// A query that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    Number(f64),
    Select(Selector),
    Call { function: String, arguments: Vec<Query> },
    Aggregate { operator: String, by: Grouping, of: Box<Query> },
    Binary { operator: String, bool: bool, matching: Matching, left: Box<Query>, right: Box<Query> },
    Negative(Box<Query>),
}

/// `name{label="value"}[5m] offset 1m`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: Vec<Matcher>,
    /// `None`: the newest sample.
    pub(crate) range: Option<Millis>,
    pub(crate) offset: Millis,
}

/// Which labels are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Grouping {
    pub(crate) without: bool,
    pub(crate) labels: Vec<String>,
}

/// Which labels of both sides must be the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Matching {
    #[default]
    All,
    On(Vec<String>),
    Ignoring(Vec<String>),
}

#[cfg(test)]
mod tests;
