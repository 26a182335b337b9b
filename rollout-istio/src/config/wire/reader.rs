//! Reads parts of a value, and collects what is wrong with them.

use super::ConfigError;
use crate::problem::start;
use rollout_core::traffic::DnsName;
use serde_json::Value;
use std::sync::Arc;

/// How many errors are told; the others are counted.
const MOST_ERRORS: usize = 20;
/// How many characters each part of an error has.
const LONGEST: usize = 500;

pub(super) fn at<'a>(mut value: &'a Value, path: &[&str]) -> &'a Value {
    for key in path {
        value = value.get(key).unwrap_or(&Value::Null);
    }
    value
}

pub(super) fn given(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

/// What was wrong so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    errors: Vec<ConfigError>,
    more: usize,
}

impl Reader {
    pub(super) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// All that was wrong with what stands at `path`.
    pub(super) fn done(mut self, path: &str) -> Result<(), Vec<ConfigError>> {
        if self.more > 0 {
            let what = format!("{} more errors", self.more);
            self.errors.push(ConfigError { path: path.into(), what, instead: "correct these first".into() });
        }
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    pub(super) fn wrong(&mut self, path: &str, what: impl AsRef<str>, instead: impl AsRef<str>) {
        if self.errors.len() == MOST_ERRORS {
            self.more = self.more.saturating_add(1);
            return;
        }
        let part = |text: &str| start(text, LONGEST);
        let (path, what, instead) = (part(path), part(what.as_ref()), part(instead.as_ref()));
        self.errors.push(ConfigError { path, what, instead });
    }

    /// A list of at most so many entries.
    pub(super) fn list<'a>(&mut self, value: &'a Value, path: &str, most: usize) -> &'a [Value] {
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if list.len() > most {
            self.wrong(path, format!("it has {} entries", list.len()), format!("write at most {most}"));
            return &[];
        }
        list
    }

    pub(super) fn text(&mut self, value: &Value, path: &str) -> Option<Arc<str>> {
        let text = value.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong(path, "a name is missing", "write a text that is not empty");
        }
        text.map(Into::into)
    }

    /// The name of an object: it gets into the path of a request.
    pub(super) fn name(&mut self, value: &Value, path: &str) -> Option<Arc<str>> {
        let text = self.text(value, path)?;
        let name = DnsName::parse(&text);
        name.map_err(|error| self.wrong(path, error.to_string(), DnsName::INSTEAD)).ok().map(Into::into)
    }

    pub(super) fn optional(&mut self, value: &Value, key: &str, path: &str) -> Option<Arc<str>> {
        let text = at(value, &[key]);
        if text.is_null() || text.as_str() == Some("") { None } else { self.name(text, path) }
    }

    pub(super) fn port(&mut self, value: &Value, path: &str) -> u32 {
        let port = given(at(value, &["port"]));
        let number = port.map_or(Some(0), |port| port.as_u64().and_then(|port| u32::try_from(port).ok()));
        number.unwrap_or_else(|| {
            self.wrong(path, "the port is no number", "write the number of the port");
            0
        })
    }
}
