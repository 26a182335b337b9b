//! What a provider answered, and the values of a running condition.

use super::kind::Kind;
use alloc::{borrow::Cow, boxed::Box, rc::Rc, string::String, vec::Vec};
use core::fmt;
use serde_json::{Map, Value as Json};

/// What a provider answered: `result` in a condition.
///
/// ```
/// use rollout_core::analysis::Value;
/// assert_eq!(Value::Numbers(vec![0.97, f64::NAN]).to_string(), "[0.97,NaN]", "as Argo Rollouts stores it");
/// assert_eq!(Value::Json(serde_json::json!({"ok": true})).to_string(), r#"{"ok":true}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a provider answers one of these")]
pub enum Value {
    /// One number, as a Prometheus scalar.
    Number(f64),
    /// A list of numbers, as a Prometheus vector.
    Numbers(Vec<f64>),
    /// Whatever a JSON body holds. Every number in it is a float.
    Json(Json),
    /// The body of an answer that is not JSON.
    Text(String),
}

impl Value {
    /// Returns the type that conditions see.
    ///
    /// ```
    /// use rollout_core::analysis::{Kind, Value};
    /// assert_eq!(Value::Number(0.5).kind(), Kind::Float);
    /// assert_eq!(Value::Json(serde_json::Value::Null).kind(), Kind::Nil);
    /// ```
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) | Self::Json(Json::Number(_)) => Kind::Float,
            Self::Numbers(_) => Kind::List(Box::new(Kind::Float)),
            Self::Text(_) | Self::Json(Json::String(_)) => Kind::Text,
            Self::Json(Json::Null) => Kind::Nil,
            Self::Json(Json::Bool(_)) => Kind::Bool,
            Self::Json(Json::Array(_)) => Kind::List(Box::new(Kind::Any)),
            Self::Json(Json::Object(_)) => Kind::Map,
        }
    }

    /// Whether the provider answered nothing that could be looked at.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.is_empty(),
            Self::Json(Json::Array(items)) => items.is_empty(),
            Self::Json(json) => json.is_null(),
            Self::Number(_) | Self::Text(_) => false,
        }
    }
}

/// Writes the value as Argo Rollouts stores it in a measurement.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write_number(f, *number),
            Self::Numbers(numbers) => {
                f.write_str("[")?;
                for (index, number) in numbers.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write_number(f, *number)?;
                }
                f.write_str("]")
            }
            Self::Json(json) => write_json(f, json),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Writes the keys of maps in their order, as Go does. `serde_json` keeps another order where some package of the
/// program asks it to.
fn write_json(f: &mut fmt::Formatter<'_>, json: &Json) -> fmt::Result {
    match json {
        Json::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_unstable_by_key(|(key, _)| *key);
            for (index, (key, value)) in pairs.into_iter().enumerate() {
                f.write_str(if index > 0 { "," } else { "{" })?;
                write!(f, "{}:", Json::from(key.as_str()))?;
                write_json(f, value)?;
            }
            f.write_str(if map.is_empty() { "{}" } else { "}" })
        }
        Json::Array(list) => {
            f.write_str("[")?;
            for (index, value) in list.iter().enumerate() {
                f.write_str(if index > 0 { "," } else { "" })?;
                write_json(f, value)?;
            }
            f.write_str("]")
        }
        other => write!(f, "{other}"),
    }
}

fn write_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" });
    }
    write!(f, "{number}")
}

/// A value of a running condition. Parts of the answer are borrowed.
#[derive(Debug, Clone)]
pub(super) enum Item<'v> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'v, str>),
    Numbers(&'v [f64]),
    Array(&'v [Json]),
    /// A list that the condition made.
    List(Rc<[Item<'v>]>),
    Map(&'v Map<String, Json>),
}

impl<'v> Item<'v> {
    pub(super) fn of(value: &'v Value) -> Self {
        match value {
            Value::Number(number) => Self::Float(*number),
            Value::Numbers(numbers) => Self::Numbers(numbers),
            Value::Json(json) => Self::json(json),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }

    pub(super) fn json(json: &'v Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(Cow::Borrowed(text)),
            Json::Array(items) => Self::Array(items),
            Json::Object(map) => Self::Map(map),
        }
    }

    /// The number of elements, if it is a list.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Numbers(numbers) => Some(numbers.len()),
            Self::Array(items) => Some(items.len()),
            Self::List(items) => Some(items.len()),
            _ => None,
        }
    }

    /// One element of a list.
    pub(super) fn element(&self, index: usize) -> Option<Self> {
        match self {
            Self::Numbers(numbers) => numbers.get(index).map(|number| Self::Float(*number)),
            Self::Array(items) => items.get(index).map(Self::json),
            Self::List(items) => items.get(index).cloned(),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "numbers are compared as floats, as Go does")]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The kind of value, in words.
    pub(super) fn described(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Numbers(_) | Self::Array(_) | Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}
