//! The scalar values, lists and maps of a manifest.

use super::super::{
    path::{push_index, push_key},
    reader::{Reader, Wire, describe},
};

use crate::argo::{Finding, Severity};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;
use serde_json::Value;

/// A number or text: the type of `pause.duration`, `maxSurge` and `maxUnavailable`.
///
/// ```
/// use rollout_core::argo::wire::IntOrText;
/// use serde_json::json;
/// assert_ne!(IntOrText::from_value(&json!(20)), IntOrText::from_value(&json!("20")), "pods, and per cent");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "manifests have exactly these two kinds")]
pub enum IntOrText {
    /// A number.
    Int(i32),
    /// A text.
    Text(String),
}

impl Default for IntOrText {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl fmt::Display for IntOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl IntOrText {
    /// Reads a number within 32 bits, or text.
    ///
    /// ```
    /// use rollout_core::argo::wire::IntOrText;
    /// use serde_json::json;
    /// assert_eq!(IntOrText::from_value(&json!("10m")), Ok(IntOrText::Text("10m".into())));
    /// assert!(IntOrText::from_value(&json!([10])).is_err());
    /// ```
    ///
    /// # Errors
    /// The value is neither; the finding's path is empty.
    pub fn from_value(value: &Value) -> Result<Self, Finding> {
        let mut reader = Reader::at("value");
        let read = if value.is_null() { None } else { Self::read(value, &mut reader) };
        read.ok_or_else(|| {
            let message = format!("`value` must be a number or text, found {}", describe(value));
            let nothing = || Finding::new(Severity::Error, "", message, "write a number, or text in quotes");
            Finding { path: String::new(), ..reader.findings.into_list().pop().unwrap_or_else(nothing) }
        })
    }
}

impl Wire for IntOrText {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if let Value::String(text) = value {
            return Some(Self::Text(text.clone()));
        }
        let number = int32(value);
        if number.is_none() {
            reader.wrong(
                "a whole number within 32 bits, or text",
                value,
                "write a number, or text in quotes",
            );
        }
        number.map(Self::Int)
    }
}

impl Wire for i32 {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let number = int32(value);
        if number.is_none() {
            reader.wrong("a whole number within 32 bits", value, &whole(value));
        }
        number
    }
}

/// Suggests what to write where a whole number is required.
fn whole(value: &Value) -> String {
    if let Some(number) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, and the next line checks")]
        let below = number as i32;
        let near =
            below.checked_add(1).filter(|above| (f64::from(below)..f64::from(*above)).contains(&number));
        return near.map_or_else(
            || "write a number such as 5".into(),
            |above| format!("write {below} or {above}: fractions are not allowed"),
        );
    }
    let text = value.as_str().unwrap_or_default();
    let number = |text: &str| text.trim().parse::<i32>().ok();
    if let Some(number) = number(text) {
        return format!("write {number} without quotes");
    }
    match text.trim().strip_suffix('%').and_then(number) {
        Some(number) => format!("write {number} without the per-cent sign"),
        None => "write a number such as 5".into(),
    }
}

/// Converts a whole number within 32 bits, even if it was written as `5.0`.
fn int32(value: &Value) -> Option<i32> {
    if let Some(number) = value.as_i64() {
        return i32::try_from(number).ok();
    }
    let number = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "the next line checks whether anything was lost")]
    let whole = number as i32;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}

/// A port number. An invalid number stays distinguishable from an absent one: a route without a port is another route.
///
/// ```
/// use rollout_core::argo::wire::Rollout;
/// let port = |port: serde_json::Value| {
///     let istio = serde_json::json!({"virtualService": {"tcpRoutes": [{"port": port}]}});
///     let rollout = serde_json::json!({"spec": {"strategy": {"canary": {"trafficRouting": {"istio": istio}}}}});
///     let rollout = Rollout::from_value(&rollout);
///     let istio = rollout.canary()?.traffic_routing.as_ref()?.istio.as_ref()?;
///     istio.virtual_service.as_ref()?.tcp_routes.as_ref()?[0].port
/// };
/// assert_eq!(port(443.into()).map(|port| port.number()), Some(Some(443)));
/// assert_eq!(port("https".into()).map(|port| port.number()), Some(None));
/// assert_eq!(port(serde_json::Value::Null), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Port(Option<i32>);

impl Port {
    /// Returns the number; `None` unless a whole number from 0 on was written.
    ///
    /// See [`Port`] for an example.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        self.0.and_then(|number| u32::try_from(number).ok())
    }
}

impl Wire for Port {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        Some(Self(i32::read(value, reader)))
    }
}

impl Wire for bool {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if value.as_bool().is_none() {
            let quoted = value.as_str().and_then(|text| text.parse::<Self>().ok());
            let instead = quoted.map_or_else(String::new, |value| format!("write {value} without quotes"));
            reader.wrong("`true` or `false`", value, &instead);
        }
        value.as_bool()
    }
}

impl Wire for String {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        let scalar = matches!(value, Value::Number(_) | Value::Bool(_));
        let instead = if scalar { format!("write \"{value}\" in quotes") } else { Self::new() };
        reader.wrong("text", value, &instead);
        None
    }
}

/// Foreign parts are kept as they are.
impl Wire for Value {
    const TAKES_NULL: bool = true;

    fn read(value: &Value, _: &mut Reader) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let Value::Array(items) = value else {
            reader.wrong("a list", value, "put `- ` in front of each item");
            return None;
        };
        let read = |(index, item)| reader.item(item, |path| push_index(path, index));
        Some(items.iter().enumerate().map(read).collect())
    }
}

impl<T: Wire> Wire for BTreeMap<String, T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let Value::Object(map) = value else {
            reader.wrong("a map", value, "write `name: value` below it");
            return None;
        };
        let read =
            |(key, item): (&String, &Value)| (key.clone(), reader.item(item, |path| push_key(path, key)));
        Some(map.iter().map(read).collect())
    }
}
