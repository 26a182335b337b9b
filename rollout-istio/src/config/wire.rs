//! From a Rollout as it is written.

mod reader;

use super::{DestinationRuleRef, Foreign, IstioConfig, TcpRoute, TlsRoute, VirtualServiceRef};
use reader::{Reader, at, given};
use rollout_core::traffic::ByDestination;
use serde_json::Value;
use std::{collections::BTreeSet, fmt, sync::Arc};

const ROUTING: &str = "spec.strategy.canary.trafficRouting";
const ISTIO: &str = "spec.strategy.canary.trafficRouting.istio";

/// The most VirtualServices, and the most managed routes.
const MOST_NAMED: usize = 100;
/// The most routes of one VirtualService.
const MOST_ROUTES: usize = 1000;

/// What is wrong with the Istio part of a Rollout, all at once; a few of many.
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
    /// Only what is needed to find the objects is read here: it is no check of the whole language. Objects of other
    /// namespaces are touched only if they allow it; [`foreign`](Self::foreign) says otherwise.
    ///
    /// # Errors
    /// All that is wrong, each with its path and what to write instead. A name that is no DNS name is wrong, and so
    /// are more than 100 VirtualServices or managed routes, or 1000 routes of one.
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
        let mut reader = Reader::default();
        let metadata = at(rollout, &["metadata"]);
        let namespace = reader.optional(metadata, "namespace", "metadata.namespace");
        let name = reader.optional(metadata, "name", "metadata.name").unwrap_or_default();
        let mut config = Self::new(namespace.as_deref().unwrap_or("default"), &name);
        config.foreign = Foreign::Of(Arc::default());
        config.virtual_services = reader.virtual_services(istio);
        config.destination_rule = given(at(istio, &["destinationRule"])).map(|rule| reader.rule(rule));
        config.services.canary =
            reader.optional(canary, "canaryService", "spec.strategy.canary.canaryService");
        config.services.stable =
            reader.optional(canary, "stableService", "spec.strategy.canary.stableService");
        let path = format!("{ROUTING}.managedRoutes");
        let managed = reader.list(at(canary, &["trafficRouting", "managedRoutes"]), &path, MOST_NAMED);
        for (index, managed) in managed.iter().enumerate() {
            config
                .managed_routes
                .extend(reader.text(at(managed, &["name"]), &format!("{path}[{index}].name")));
        }
        reader.agree(&config);
        reader.done(ISTIO).map_err(InvalidConfig)?;
        Ok(Some(config))
    }
}

impl Reader {
    fn virtual_services(&mut self, istio: &Value) -> Vec<VirtualServiceRef> {
        let one = given(at(istio, &["virtualService"]));
        let path = format!("{ISTIO}.virtualServices");
        let several = self.list(at(istio, &["virtualServices"]), &path, MOST_NAMED);
        match (one, several) {
            (Some(one), []) => vec![self.virtual_service(one, &format!("{ISTIO}.virtualService"))],
            (None, [_, ..]) => several
                .iter()
                .enumerate()
                .map(|(index, one)| self.virtual_service(one, &format!("{path}[{index}]")))
                .collect(),
            (None, []) if !self.is_clean() => Vec::new(),
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
        let (mut routes, mut there) = (Vec::new(), BTreeSet::new());
        let named = self.list(at(value, &["routes"]), &format!("{path}.routes"), MOST_ROUTES);
        for (index, route) in named.iter().enumerate() {
            let route = self.text(route, &format!("{path}.routes[{index}]"));
            routes.extend(route.filter(|route| there.insert(route.clone())));
        }
        let tls = self.list(at(value, &["tlsRoutes"]), &format!("{path}.tlsRoutes"), MOST_ROUTES);
        let tls_routes = tls.iter().enumerate().map(|(index, tls)| {
            let path = format!("{path}.tlsRoutes[{index}]");
            let hosts = self.list(at(tls, &["sniHosts"]), &format!("{path}.sniHosts"), MOST_ROUTES);
            let sni_hosts = hosts.iter().filter_map(Value::as_str).map(Into::into).collect();
            TlsRoute { port: self.port(tls, &format!("{path}.port")), sni_hosts }
        });
        let tls_routes = tls_routes.collect();
        let tcp = self.list(at(value, &["tcpRoutes"]), &format!("{path}.tcpRoutes"), MOST_ROUTES);
        let tcp_routes = tcp
            .iter()
            .enumerate()
            .map(|(index, tcp)| TcpRoute { port: self.port(tcp, &format!("{path}.tcpRoutes[{index}].port")) })
            .collect();
        VirtualServiceRef { name, routes, tls_routes, tcp_routes }
    }

    fn rule(&mut self, rule: &Value) -> DestinationRuleRef {
        let name = self.name(at(rule, &["name"]), &format!("{ISTIO}.destinationRule.name"));
        let mut text =
            |key| self.text(at(rule, &[key]), &format!("{ISTIO}.destinationRule.{key}")).unwrap_or_default();
        DestinationRuleRef {
            name: name.unwrap_or_default(),
            subsets: ByDestination { stable: text("stableSubsetName"), canary: text("canarySubsetName") },
        }
    }

    /// What the parts must be to each other.
    fn agree(&mut self, config: &IstioConfig) {
        match &config.destination_rule {
            Some(rule) if rule.subsets.canary == rule.subsets.stable => {
                let path = format!("{ISTIO}.destinationRule.canarySubsetName");
                self.wrong(&path, "canary and stable are the same subset", "name two subsets");
            }
            Some(_) => {}
            None => {
                for (key, service) in
                    [("canaryService", &config.services.canary), ("stableService", &config.services.stable)]
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
        if config.services.canary.is_some() && config.services.canary == config.services.stable {
            self.wrong(
                "spec.strategy.canary.stableService",
                "canary and stable are the same Service",
                "name two Services",
            );
        }
        let routes: BTreeSet<_> = config.virtual_services.iter().flat_map(|one| &one.routes).collect();
        for managed in config.managed_routes.iter().filter(|managed| routes.contains(managed)) {
            let what = format!("'{managed}' is also one of the user's own routes");
            self.wrong(&format!("{ROUTING}.managedRoutes"), what, "choose a name that no route has");
        }
    }
}
