use rollout_core::Time;
use serde_json::Value;
use std::{collections::BTreeMap, fmt, fs, path::Path};

/// One request of a controller, from the API server's audit log.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// When it was received.
    pub(crate) at: Time,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub(crate) verb: String,
    /// Plural, with a subresource after a slash: `rollouts/status`.
    pub(crate) resource: String,
    /// Which object; empty for a list.
    pub(crate) name: String,
    /// The answer's code.
    pub(crate) code: u64,
}

impl Request {
    /// Whether it counts: watches and events are apart.
    pub(crate) fn counts(&self) -> bool {
        self.verb != "watch" && self.resource != "events"
    }

    /// Whether it writes.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// What controllers have asked for in one namespace, in the order of the log.
#[derive(Debug, Clone)]
pub(crate) struct Requests(pub(crate) Vec<Request>);

impl Requests {
    /// Reads the audit log; the API server writes a line before it answers.
    pub(super) fn read(log: &Path, namespace: &str) -> Self {
        let text = fs::read_to_string(log).unwrap_or_default();
        // A line that is just being written is not one yet.
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let here = lines.filter(|line| line["objectRef"]["namespace"] == *namespace);
        Self(here.filter_map(|line| read(&line)).collect())
    }

    /// Those of a window of time.
    pub(crate) fn between(&self, begin: Time, end: Time) -> Self {
        Self(self.0.iter().filter(|request| request.at >= begin && request.at < end).cloned().collect())
    }

    /// How many, watches and events aside.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().filter(|request| request.counts()).count()
    }

    /// How many write, events aside.
    pub(crate) fn writes(&self) -> usize {
        self.0.iter().filter(|request| request.counts() && request.writes()).count()
    }
}

/// How many by verb and kind, one a line, and each that counts in order.
impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::new();
        for request in &self.0 {
            *counts.entry((&*request.verb, &*request.resource)).or_insert(0) += 1;
        }
        for ((verb, resource), count) in counts {
            writeln!(f, "{count:6}  {verb} {resource}")?;
        }
        writeln!(f, "{:6}  in all, watches and events aside", self.count())?;
        for request in self.0.iter().filter(|request| request.counts()) {
            let Request { at, verb, resource, name, code, .. } = request;
            writeln!(f, "        {at} {verb} {resource} {name} {code}")?;
        }
        Ok(())
    }
}

fn read(line: &Value) -> Option<Request> {
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (stage, verb) = (text("/stage"), text("/verb"));
    // A watch is counted when it begins, everything else when it was answered.
    if stage != if verb == "watch" { "ResponseStarted" } else { "ResponseComplete" } {
        return None;
    }
    let subresource = text("/objectRef/subresource");
    let mut resource = text("/objectRef/resource");
    if !subresource.is_empty() {
        resource = format!("{resource}/{subresource}");
    }
    Some(Request {
        at: Time::parse_rfc3339(&text("/requestReceivedTimestamp"))?,
        verb,
        resource,
        name: text("/objectRef/name"),
        code: line.pointer("/responseStatus/code").and_then(Value::as_u64).unwrap_or(0),
    })
}
