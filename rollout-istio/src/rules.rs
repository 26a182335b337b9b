//! Access to the rules of a VirtualService.

use crate::config::IstioConfig;
use rollout_core::Finding;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Http,
    Tls,
    Tcp,
}

impl Protocol {
    pub(crate) const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Tcp];

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// The place of one rule in a VirtualService.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) protocol: Protocol,
    pub(crate) index: usize,
}

impl Place {
    pub(crate) fn path(self) -> String {
        format!("spec.{}[{}]", self.protocol.key(), self.index)
    }

    pub(crate) fn of(self, object: &Value) -> Option<&Value> {
        object.get("spec")?.get(self.protocol.key())?.get(self.index)
    }

    pub(crate) fn of_mut(self, object: &mut Value) -> Option<&mut Value> {
        object.get_mut("spec")?.get_mut(self.protocol.key())?.get_mut(self.index)
    }
}

/// Returns the rules of one protocol; none if the list is absent.
pub(crate) fn rules(object: &Value, protocol: Protocol) -> Result<&[Value], Finding> {
    match object.get("spec").and_then(|spec| spec.get(protocol.key())) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(rules)) => Ok(rules),
        Some(_) => {
            let path = format!("spec.{}", protocol.key());
            Err(Finding::error(path, "is not a list of routes", "write a list"))
        }
    }
}

pub(crate) fn name_of(rule: &Value) -> Option<&str> {
    rule.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// Returns the name of a managed route, if this is one.
pub(crate) fn managed_name<'a>(config: &IstioConfig, rule: &'a Value) -> Option<&'a str> {
    name_of(rule).filter(|name| config.managed_routes.iter().any(|managed| **managed == **name))
}
