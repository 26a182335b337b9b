//! Managed routes in the form of Argo Rollouts: one, for all requests of the VirtualService.

use super::{blocks, one_port, port};
use crate::{config::IstioConfig, split::DestinationMatcher};
use rollout_core::{
    Finding,
    traffic::{ManagedRoute, RouteMatch},
};
use serde_json::{Map, Value, json};

/// The inputs from which Argo Rollouts builds a managed route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArgoRoutes<'a> {
    config: &'a IstioConfig,
    /// The DestinationRule's host.
    host: Option<&'a str>,
    /// The first weighed http route, with its new weights.
    weighed: Option<&'a Value>,
}

impl<'a> ArgoRoutes<'a> {
    pub(crate) fn new(config: &'a IstioConfig, host: Option<&'a str>, weighed: Option<&'a Value>) -> Self {
        Self { config, host, weighed }
    }

    /// Builds the route for the VirtualService. It copies nothing from the user's own routes except what a mirror
    /// needs: their complete destinations.
    pub(crate) fn write(&self, route: &ManagedRoute) -> Result<Value, Finding> {
        let mut object = Map::new();
        object.insert("name".into(), (*route.name).into());
        object.insert("match".into(), blocks(route).into_iter().map(Value::Object).collect());
        match &route.matches {
            RouteMatch::Header(_) => {
                object.insert("route".into(), json!([{"destination": self.canary(), "weight": 100}]));
            }
            RouteMatch::Mirror { percentage, .. } => {
                object.insert("route".into(), Value::Array(self.copied(route)?.to_vec()));
                object.insert("mirror".into(), self.canary());
                object.insert("mirrorPercentage".into(), json!({"value": percentage}));
            }
        }
        Ok(Value::Object(object))
    }

    fn entries(&self) -> &'a [Value] {
        let entries = self.weighed.and_then(|rule| rule.get("route")).and_then(Value::as_array);
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the canary's destination.
    fn canary(&self) -> Value {
        let mut to = Map::new();
        let rule = self.config.destination_rule.as_ref();
        let written = DestinationMatcher::new(self.config, self.host, &self.config.namespace)
            .canary_host(self.entries());
        let configured = if rule.is_some() { self.host } else { self.config.services.canary.as_deref() };
        to.insert("host".into(), written.or(configured).unwrap_or_default().into());
        if let Some(rule) = rule {
            to.insert("subset".into(), (*rule.subsets.canary).into());
        }
        if let Some(port) = self.entries().first().and_then(port) {
            to.insert("port".into(), json!({"number": port}));
        }
        Value::Object(to)
    }

    /// Returns the destinations that a mirror route copies.
    fn copied(&self, route: &ManagedRoute) -> Result<&'a [Value], Finding> {
        let entries = self.entries();
        if entries.is_empty() {
            let what =
                format!("'{}' mirrors, but there is no http route whose requests it could copy", route.name);
            let instead = "split an http route, or remove the setMirrorRoute step";
            return Err(Finding::error("spec.http", what, instead));
        }
        one_port(route, entries)?;
        Ok(entries)
    }
}
