//! The identity of a tls or tcp rule, which has no name.

use crate::problem::{FEW, names};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// The ports and hosts of all match blocks of a rule together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traits<'a> {
    ports: BTreeSet<u64>,
    pub(crate) hosts: BTreeSet<&'a str>,
}

impl<'a> Traits<'a> {
    /// Port 0 means none.
    pub(crate) fn new(port: u64, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        Self { ports: (port > 0).then_some(port).into_iter().collect(), hosts: hosts.into_iter().collect() }
    }

    pub(crate) fn has_one_port(&self) -> bool {
        self.ports.len() <= 1
    }
}

pub(crate) fn traits(rule: &Value) -> Traits<'_> {
    let blocks = || rule.get("match").and_then(Value::as_array).into_iter().flatten();
    let hosts = blocks().filter_map(|block| block.get("sniHosts")?.as_array()).flatten();
    Traits {
        ports: blocks().filter_map(|block| block.get("port")?.as_u64()).filter(|port| *port > 0).collect(),
        hosts: hosts.filter_map(Value::as_str).collect(),
    }
}

/// Lists a few of these rules with what distinguishes them.
pub(crate) fn found<'a>(rules: impl IntoIterator<Item = &'a Value>) -> String {
    let mut rules = rules.into_iter();
    let shown: Vec<_> = rules.by_ref().take(FEW).map(|rule| traits(rule).to_string()).collect();
    let more = rules.count();
    let text = shown.join("; ");
    if more == 0 { text } else { format!("{text}; and {more} more") }
}

impl fmt::Display for Traits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ports.is_empty() {
            f.write_str("no port")?;
        } else {
            let ports = self.ports.iter().take(FEW).map(u64::to_string);
            write!(f, "port {}", ports.collect::<Vec<_>>().join(", "))?;
        }
        if self.hosts.is_empty() {
            Ok(())
        } else {
            write!(f, " and hosts {}", names(self.hosts.iter().copied()))
        }
    }
}
