//! A condition before anything is measured.

use super::{
    Condition, eval,
    functions::Function,
    node::{Link, Node, Operator, What},
    value::Value,
};
use alloc::vec::Vec;

/// How many steps one try may take: everything that a person would write takes fewer.
const STEPS: u32 = 500;

impl Condition {
    /// What the condition would give; `None` if it would be an error, or takes many steps.
    pub(in crate::analysis) fn tried(&self, value: &Value) -> Option<bool> {
        self.check(&value.kind()).ok()?;
        eval::run_within(&self.node, value, STEPS).ok()
    }

    /// The numbers that are written in it, except indexes.
    pub(in crate::analysis) fn numbers(&self) -> Vec<f64> {
        let mut numbers = Vec::new();
        collect(&self.node, &mut numbers);
        numbers
    }

    /// Whether `default` is called with a part of `result`: it looks at all of it.
    pub(in crate::analysis) fn defaults_a_part(&self) -> bool {
        let mut is_found = false;
        each(&self.node, &mut |node| {
            if let What::Call(Function::Default, arguments) = &node.what {
                let first = arguments.first().map(|first| &first.what);
                is_found |= matches!(first, Some(What::Path(base, _)) if matches!(base.what, What::Result));
            }
        });
        is_found
    }

    /// Whether it is nothing but `result OP number` or `result[0] OP number`.
    pub(in crate::analysis) fn is_comparison(&self) -> bool {
        let What::Binary(operator, sides) = &self.node.what else { return false };
        let compares = matches!(
            operator,
            Operator::Less | Operator::LessOrEqual | Operator::More | Operator::MoreOrEqual | Operator::Equal
        );
        let [left, right] = &**sides;
        compares && (is_answer(left) && number(right).is_some() || number(left).is_some() && is_answer(right))
    }
}

fn is_answer(node: &Node) -> bool {
    match &node.what {
        What::Result => true,
        What::Path(base, links) => {
            let is_first = |link: &Link| matches!(link, Link::Index { index, .. } if number(index).is_some());
            matches!(base.what, What::Result) && links.len() == 1 && links.iter().all(is_first)
        }
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bound that a person wrote")]
fn number(node: &Node) -> Option<f64> {
    match &node.what {
        What::Int(number) => Some(*number as f64),
        What::Float(number) => Some(*number),
        What::Minus(inner) => number(inner).map(|number| -number),
        _ => None,
    }
}

fn collect(node: &Node, numbers: &mut Vec<f64>) {
    if let Some(number) = number(node) {
        return numbers.push(number);
    }
    children(node, &mut |child| collect(child, numbers));
}

/// Calls `tell` with a node and all that is in it.
fn each(node: &Node, tell: &mut dyn FnMut(&Node)) {
    tell(node);
    children(node, &mut |child| each(child, tell));
}

/// Calls `tell` with what is directly in a node, other than indexes.
fn children(node: &Node, tell: &mut dyn FnMut(&Node)) {
    match &node.what {
        What::List(nodes) | What::All(nodes) | What::Any(nodes) | What::Call(_, nodes) => {
            nodes.iter().for_each(tell);
        }
        What::Not(inner) | What::Minus(inner) | What::Plus(inner) | What::Matches(inner, _) => tell(inner),
        What::Path(base, _) => tell(base),
        What::Binary(_, sides) => sides.iter().for_each(tell),
        What::Choice(parts) => parts.iter().for_each(tell),
        _ => {}
    }
}
