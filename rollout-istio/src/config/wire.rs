//! From a Rollout as it is written.

use super::{DestinationRuleRef, IstioConfig, TcpRoute, TlsRoute, VirtualServiceRef};
use rollout_core::traffic::DnsName;
use serde_json::Value;
use std::{fmt, sync::Arc};

const ROUTING: &str = "spec.strategy.canary.trafficRouting";
const ISTIO: &str = "spec.strategy.canary.trafficRouting.istio";

/// What is wrong with the Istio part of a Rollout, all at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfig(Vec<ConfigError>);

impl InvalidConfig {
    /// Each error, in the order of the manifest; at least one.
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.0
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// One error in the Istio part of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}; {instead}")]
#[non_exhaustive]
pub struct ConfigError {
    /// Where.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl IstioConfig {
    /// Reads the Istio part of a Rollout; `None` when it has none.
    ///
    /// Only what is needed to find the objects is read here: it is no check of the whole language.
    ///
    /// # Errors
    /// All that is wrong, each with its path and what to write instead.
    ///
    /// ```
    /// use rollout_istio::IstioConfig;
    /// let rollout = serde_json::json!({"spec": {"strategy": {"canary": {"trafficRouting": {"istio": {}}}}}});
    /// let error = IstioConfig::from_rollout(&rollout).unwrap_err();
    /// assert!(error.to_string().contains("either VirtualService or VirtualServices must be configured"));
    /// ```
    pub fn from_rollout(rollout: &Value) -> Result<Option<Self>, InvalidConfig> {
        let canary = at(rollout, &["spec", "strategy", "canary"]);
        let Some(istio) = given(at(canary, &["trafficRouting", "istio"])) else { return Ok(None) };
        let mut reader = Reader(Vec::new());
        let metadata = at(rollout, &["metadata"]);
        let namespace = reader.optional(metadata, "namespace", "metadata.namespace");
        let name = reader.optional(metadata, "name", "metadata.name").unwrap_or_default();
        let mut config = Self::new(namespace.as_deref().unwrap_or("default"), &name);
        config.virtual_services = reader.virtual_services(istio);
        config.destination_rule = given(at(istio, &["destinationRule"])).map(|rule| reader.rule(rule));
        config.canary_service =
            reader.optional(canary, "canaryService", "spec.strategy.canary.canaryService");
        config.stable_service =
            reader.optional(canary, "stableService", "spec.strategy.canary.stableService");
        for (index, managed) in list(at(canary, &["trafficRouting", "managedRoutes"])).iter().enumerate() {
            let path = format!("{ROUTING}.managedRoutes[{index}].name");
            config.managed_routes.extend(reader.text(at(managed, &["name"]), &path));
        }
        reader.agree(&config);
        if reader.0.is_empty() { Ok(Some(config)) } else { Err(InvalidConfig(reader.0)) }
    }
}

fn at<'a>(mut value: &'a Value, path: &[&str]) -> &'a Value {
    for key in path {
        value = value.get(key).unwrap_or(&Value::Null);
    }
    value
}

fn given(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

struct Reader(Vec<ConfigError>);

impl Reader {
    fn wrong(&mut self, path: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.0.push(ConfigError { path: path.into(), what: what.into(), instead: instead.into() });
    }

    fn text(&mut self, value: &Value, path: &str) -> Option<Arc<str>> {
        let text = value.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong(path, "a name is missing", "write a text that is not empty");
        }
        text.map(Into::into)
    }

    /// The name of an object: it gets into the path of a request.
    fn name(&mut self, value: &Value, path: &str) -> Option<Arc<str>> {
        let text = self.text(value, path)?;
        let name = DnsName::parse(&text);
        name.map_err(|error| self.wrong(path, error.to_string(), DnsName::INSTEAD)).ok().map(Into::into)
    }

    fn optional(&mut self, value: &Value, key: &str, path: &str) -> Option<Arc<str>> {
        let text = at(value, &[key]);
        if text.is_null() || text.as_str() == Some("") { None } else { self.name(text, path) }
    }

    fn port(&mut self, value: &Value, path: &str) -> u32 {
        let port = given(at(value, &["port"]));
        let number = port.map_or(Some(0), |port| port.as_u64().and_then(|port| u32::try_from(port).ok()));
        number.unwrap_or_else(|| {
            self.wrong(path, "the port is no number", "write the number of the port");
            0
        })
    }

    fn virtual_services(&mut self, istio: &Value) -> Vec<VirtualServiceRef> {
        let one = given(at(istio, &["virtualService"]));
        let several = list(at(istio, &["virtualServices"]));
        match (one, several) {
            (Some(one), []) => vec![self.virtual_service(one, &format!("{ISTIO}.virtualService"))],
            (None, [_, ..]) => several
                .iter()
                .enumerate()
                .map(|(index, one)| self.virtual_service(one, &format!("{ISTIO}.virtualServices[{index}]")))
                .collect(),
            (both, _) => {
                let found = if both.is_some() { "both are given" } else { "neither is given" };
                let what = format!("either VirtualService or VirtualServices must be configured: {found}");
                self.wrong(ISTIO, what, "write one of `virtualService` and `virtualServices`");
                Vec::new()
            }
        }
    }

    fn virtual_service(&mut self, value: &Value, path: &str) -> VirtualServiceRef {
        let name = self.name(at(value, &["name"]), &format!("{path}.name")).unwrap_or_default();
        let mut routes = Vec::new();
        for (index, route) in list(at(value, &["routes"])).iter().enumerate() {
            let route = self.text(route, &format!("{path}.routes[{index}]"));
            routes.extend(route.filter(|route| !routes.contains(route)));
        }
        let tls_routes = list(at(value, &["tlsRoutes"])).iter().enumerate().map(|(index, tls)| TlsRoute {
            port: self.port(tls, &format!("{path}.tlsRoutes[{index}].port")),
            sni_hosts: list(at(tls, &["sniHosts"]))
                .iter()
                .filter_map(Value::as_str)
                .map(Into::into)
                .collect(),
        });
        let tls_routes = tls_routes.collect();
        let tcp_routes = list(at(value, &["tcpRoutes"])).iter().enumerate();
        let tcp_routes = tcp_routes
            .map(|(index, tcp)| TcpRoute { port: self.port(tcp, &format!("{path}.tcpRoutes[{index}].port")) })
            .collect();
        VirtualServiceRef { name, routes, tls_routes, tcp_routes }
    }

    fn rule(&mut self, rule: &Value) -> DestinationRuleRef {
        let name =
            self.name(at(rule, &["name"]), &format!("{ISTIO}.destinationRule.name")).unwrap_or_default();
        let mut text =
            |key| self.text(at(rule, &[key]), &format!("{ISTIO}.destinationRule.{key}")).unwrap_or_default();
        DestinationRuleRef {
            name,
            canary_subset: text("canarySubsetName"),
            stable_subset: text("stableSubsetName"),
        }
    }

    /// What the parts must be to each other.
    fn agree(&mut self, config: &IstioConfig) {
        match &config.destination_rule {
            Some(rule) if rule.canary_subset == rule.stable_subset => {
                let path = format!("{ISTIO}.destinationRule.canarySubsetName");
                self.wrong(&path, "canary and stable are the same subset", "name two subsets");
            }
            Some(_) => {}
            None => {
                for (key, service) in
                    [("canaryService", &config.canary_service), ("stableService", &config.stable_service)]
                {
                    if service.is_none() {
                        let path = format!("spec.strategy.canary.{key}");
                        self.wrong(
                            &path,
                            "is needed without a destinationRule",
                            "name a Service, or give a destinationRule",
                        );
                    }
                }
            }
        }
        if config.canary_service.is_some() && config.canary_service == config.stable_service {
            self.wrong(
                "spec.strategy.canary.stableService",
                "canary and stable are the same Service",
                "name two Services",
            );
        }
        for managed in &config.managed_routes {
            if config.virtual_services.iter().any(|one| one.routes.contains(managed)) {
                let what = format!("'{managed}' is also one of the user's own routes");
                self.wrong(&format!("{ROUTING}.managedRoutes"), what, "choose a name that no route has");
            }
        }
    }
}
