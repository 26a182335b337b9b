//! The JSON text that is hashed, as Go prints it.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt::Write;
use serde_json::{Number, Value};

use crate::argo::wire::IntOrText;

/// A value that can be printed into the hashed text.
pub(crate) trait Text {
    /// The text of an absent value that must be present.
    const ABSENT: &'static str;

    fn write(&self, out: &mut String);

    /// Returns whether the value is left out where only filled values are printed.
    fn is_empty(&self) -> bool {
        false
    }
}

/// Prints an object's fields, separated by commas.
pub(crate) struct ObjectText<'o> {
    out: &'o mut String,
    separator: &'static str,
}

impl<'o> ObjectText<'o> {
    pub(crate) fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, separator: "" }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }

    /// Always prints the field.
    pub(crate) fn always<T: Text>(&mut self, key: &str, value: Option<&T>) {
        self.key(key);
        match value {
            Some(value) => value.write(self.out),
            None => self.out.push_str(T::ABSENT),
        }
    }

    /// Prints the field if it was given, even as `0`, `false` or `{}`.
    pub(crate) fn given<T: Text>(&mut self, key: &str, value: Option<&T>) {
        if value.is_some() {
            self.always(key, value);
        }
    }

    /// Prints the field if it is not empty, 0 or false.
    pub(crate) fn filled<T: Text>(&mut self, key: &str, value: Option<&T>) {
        self.given(key, value.filter(|value| !value.is_empty()));
    }

    fn key(&mut self, key: &str) {
        self.out.push_str(self.separator);
        self.separator = ",";
        string(key, self.out);
        self.out.push(':');
    }
}

impl Text for i32 {
    const ABSENT: &'static str = "0";

    fn write(&self, out: &mut String) {
        // Writing to a `String` cannot fail, here and below.
        let _ = write!(out, "{self}");
    }

    fn is_empty(&self) -> bool {
        *self == 0
    }
}

impl Text for bool {
    const ABSENT: &'static str = "false";

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn is_empty(&self) -> bool {
        !*self
    }
}

impl Text for String {
    const ABSENT: &'static str = "\"\"";

    fn write(&self, out: &mut String) {
        string(self, out);
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl Text for IntOrText {
    const ABSENT: &'static str = "0";

    fn write(&self, out: &mut String) {
        match self {
            Self::Int(number) => number.write(out),
            Self::Text(text) => string(text, out),
        }
    }
}

impl<T: Text> Text for Vec<T> {
    const ABSENT: &'static str = "null";

    fn write(&self, out: &mut String) {
        list(self, out, T::write);
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl<T: Text> Text for BTreeMap<String, T> {
    const ABSENT: &'static str = "null";

    fn write(&self, out: &mut String) {
        let mut object = ObjectText::begin(out);
        for (key, value) in self {
            object.always(key, Some(value));
        }
        object.end();
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

/// Prints any JSON, its keys in byte order at every level, as an API server returns it.
impl Text for Value {
    const ABSENT: &'static str = "null";

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => value.write(out),
            Self::Number(value) => number(value, out),
            Self::String(text) => string(text, out),
            Self::Array(items) => list(items, out, Self::write),
            Self::Object(map) => {
                let mut keys: Vec<_> = map.iter().collect();
                keys.sort_unstable_by_key(|(key, _)| *key);
                let mut object = ObjectText::begin(out);
                for (key, value) in keys {
                    object.always(key, Some(value));
                }
                object.end();
            }
        }
    }
}

fn list<T>(items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// Prints whole numbers within 64 bits as they are, and others in the shortest digits that denote the same number, with
/// an exponent below 1e-6 and from 1e21 on.
fn number(number: &Number, out: &mut String) {
    if let Some(whole) = number.as_i64() {
        let _ = write!(out, "{whole}");
        return;
    }
    let float = number.as_f64().unwrap_or(0.0);
    let size = float.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        let _ = write!(out, "{float}");
        return;
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            out.extend([digits, "e+", exponent]);
        }
        _ => out.push_str(&text),
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    #[test]
    fn prints_as_go_prints() {
        let value =
            json!({"b": [1, "two", null, {}], "a": {"z": true, "k": "<&>\u{2028}/\u{7f}\u{1}ü\n\"\\"}});
        let want =
            r#"{"a":{"k":"\u003c\u0026\u003e\u2028/DEL\u0001ü\n\"\\","z":true},"b":[1,"two",null,{}]}"#;
        assert_eq!(text(&value), want.replace("DEL", "\u{7f}"));
    }

    #[test]
    fn numbers_have_the_shortest_digits() {
        let table = [
            (json!(0.5), "0.5"),
            (json!(5.0), "5"),
            (json!(-3), "-3"),
            (json!(1e20), "100000000000000000000"),
            (json!(1e21), "1e+21"),
            (json!(1e-6), "0.000001"),
            (json!(1.5e-7), "1.5e-7"),
            (json!(u64::MAX), "18446744073709552000"),
        ];
        for (value, want) in table {
            assert_eq!(text(&value), want);
        }
    }
}
