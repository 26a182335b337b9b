//! Reads values into the wire form and records what does not fit, with its path.

use super::{
    Finding, Findings, Severity,
    path::{child, push_key, shorten, subject},
    wire::belongs,
};
use crate::nearest::nearest;
use alloc::{format, string::String};
use serde_json::{Map, Value};

/// A value that can be read from a manifest.
pub(crate) trait Wire: Default {
    /// Whether `null` is a value of its own; otherwise it means absent.
    const TAKES_NULL: bool = false;

    /// Reads the value, or records why that is impossible.
    fn read(value: &Value, reader: &mut Reader) -> Option<Self>;
}

/// The current path, and the findings so far. Reading continues after an error.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    path: String,
    pub(crate) findings: Findings,
}

impl Reader {
    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.into(), findings: Findings::default() }
    }

    /// Records a type mismatch at the current path.
    pub(crate) fn wrong(&mut self, wanted: &str, found: &Value, instead: &str) {
        let message = format!("{} must be {wanted}, found {}", subject(&self.path), describe(found));
        let instead = if instead.is_empty() { format!("write {wanted}") } else { instead.into() };
        self.findings.push(Finding::new(Severity::Error, self.path.clone(), message, instead));
    }

    pub(crate) fn object<'v>(
        &mut self,
        value: &'v Value,
        example: &str,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = value else {
            let instead = wrapped(&self.path, value)
                .unwrap_or_else(|| format!("write fields below it, such as `{example}`"));
            self.wrong("a map", value, &instead);
            return None;
        };
        for (key, value) in map.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            self.unknown(key, value, known);
        }
        Some(map)
    }

    fn unknown(&mut self, key: &str, value: &Value, known: &[&str]) {
        if !self.findings.has_room(Severity::Warning) {
            return self.findings.count(Severity::Warning);
        }
        let instead = match nearest(key, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known fields: {}", known.join(", ")),
        };
        let elsewhere = belongs(&self.path, key).map(|part| match part {
            "" => format!("write it beside `kind`, not in `{}`", self.path),
            part => format!("write it in `{part}`"),
        });
        let elsewhere = elsewhere.or_else(|| special(&self.path, key, value));
        let path = child(&self.path, key);
        let message = match &elsewhere {
            Some(_) => format!("`{}` means nothing here: it is ignored", shorten(key)),
            None => format!("unknown field `{}`: it is ignored", shorten(key)),
        };
        let misplaced = elsewhere.is_some();
        let finding = Finding::new(Severity::Warning, path, message, elsewhere.unwrap_or(instead));
        self.findings.push(Finding { names_key: true, misplaced, ..finding });
    }

    pub(crate) fn field<T: Wire>(&mut self, map: &Map<String, Value>, key: &str) -> Option<T> {
        let value = map.get(key)?;
        if value.is_null() && !T::TAKES_NULL {
            return None;
        }
        self.below(|path| push_key(path, key), |reader| T::read(value, reader))
    }

    /// Reads an item of a list or a map. One that cannot be read becomes an empty one, so that the others keep their
    /// places.
    pub(crate) fn item<T: Wire>(&mut self, value: &Value, place: impl FnOnce(&mut String)) -> T {
        if value.is_null() {
            return T::default();
        }
        self.below(place, |reader| T::read(value, reader)).unwrap_or_default()
    }

    fn below<R>(&mut self, place: impl FnOnce(&mut String), read: impl FnOnce(&mut Self) -> R) -> R {
        let here = self.path.len();
        place(&mut self.path);
        let result = read(self);
        self.path.truncate(here);
        result
    }
}

/// Suggests what to write for a value in place of a map with this one field.
fn wrapped(path: &str, value: &Value) -> Option<String> {
    let field = path.rsplit('.').next()?;
    let inner = match field {
        "pause" => "duration",
        "virtualService" | "destinationRule" | "setHeaderRoute" | "setMirrorRoute" | "plugin" => "name",
        "headerValue" => "exact",
        _ => return None,
    };
    let value = match value {
        Value::String(text) if text.chars().count() <= 64 => format!("{text:?}"),
        Value::Number(number) => format!("{number}"),
        Value::Bool(_) | Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    // Quotes are kept only if the bare word would mean something else.
    let bare = value.trim_matches('"');
    let plain = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        && bare.starts_with(|first: char| first.is_ascii_alphanumeric());
    let number = bare.parse::<f64>().is_ok();
    let value = if plain && !(number && value.starts_with('"')) { bare } else { &value };
    Some(format!("write `{field}: {{{inner}: {value}}}`"))
}

/// Suggests a correction for fields that people know from other formats.
fn special(path: &str, key: &str, value: &Value) -> Option<String> {
    let part = path.split('[').next().unwrap_or(path);
    match key {
        "namespace" if part.ends_with(".virtualService") || part.ends_with(".virtualServices") => {
            let namespace = value.as_str().map_or("NAMESPACE", shorten);
            Some(format!("write the namespace after the name: `name: NAME.{namespace}`"))
        }
        "weight" if part == "spec.strategy.canary.steps" => {
            Some("write `setWeight`, or `setCanaryScale: {weight: …}` for the pods".into())
        }
        _ => None,
    }
}

/// Describes a value in words that fit on a line.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("the text {short:?}{}", if short.len() < text.len() { " …" } else { "" })
        }
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
    }
}
