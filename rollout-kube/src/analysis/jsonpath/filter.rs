//! Which elements of a list a filter takes.

use super::{Step, find};
use serde_json::Value;
use std::cmp::Ordering;

/// A condition on an element: `@.ok == true`, or that `@.ok` is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    pub(super) path: Vec<Step>,
    pub(super) compare: Option<(Compare, Value)>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Filter {
    pub(super) fn holds(&self, item: &Value, left: &mut usize) -> Result<bool, String> {
        let found = find(&self.path, item, left)?;
        let Some(value) = found.first() else { return Ok(false) };
        Ok(self.compare.as_ref().is_none_or(|(compare, with)| compare.holds(value, with)))
    }
}

impl Compare {
    fn holds(self, value: &Value, with: &Value) -> bool {
        let order = match (value, with) {
            (Value::Number(value), Value::Number(with)) => {
                value.as_f64().and_then(|value| value.partial_cmp(&with.as_f64()?))
            }
            (Value::String(value), Value::String(with)) => Some(value.cmp(with)),
            (Value::Bool(value), Value::Bool(with)) => Some(value.cmp(with)),
            _ => None,
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::Unequal => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::More => order == Some(Ordering::Greater),
            Self::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}
