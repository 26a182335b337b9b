//! Conversion from a Rollout as it is written.

use super::{DestinationRuleRef, Foreign, IstioConfig, TcpRouteRef, TlsRouteRef, VirtualServiceRef};
use crate::{problem::short, sticky::Sticky};
use rollout_core::{
    DnsName, Finding,
    argo::{
        STICKY_ANNOTATION,
        wire::{Canary, DestinationRule, Istio, Port, Rollout, VirtualService},
    },
    traffic::ByDestination,
};
use std::{collections::BTreeSet, sync::Arc};

const ROUTING: &str = "spec.strategy.canary.trafficRouting";
const ISTIO: &str = "spec.strategy.canary.trafficRouting.istio";

/// The maximum number of VirtualServices, and of managed routes.
const MOST_NAMED: usize = 100;
/// The maximum number of routes of one VirtualService.
const MOST_ROUTES: usize = 1000;
/// The maximum number of errors reported; the others are counted.
const MOST_ERRORS: usize = 20;
/// The maximum number of characters in each part of an error.
const LONGEST: usize = 500;

impl IstioConfig {
    /// Extracts the Istio part of a Rollout; `None` if it has none.
    ///
    /// Reads only what is needed to find the objects: this is not a [check](fn@rollout_core::argo::check) of the whole
    /// manifest, and it knows nothing of parts that could not be read. Objects of other namespaces are touched only if
    /// they allow it; change that with [`foreign`](Self::foreign).
    ///
    /// # Errors
    /// Returns all errors, each with its path and what to write instead; after 20, the number of further ones. Errors
    /// are invalid DNS names, and more than 100 VirtualServices or managed routes, or 1000 routes of one.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use rollout_istio::IstioConfig;
    /// let rollout = serde_json::json!({"spec": {"strategy": {"canary": {"trafficRouting": {"istio": {}}}}}});
    /// let errors = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap_err();
    /// assert!(errors[0].what.contains("either VirtualService or VirtualServices must be configured"));
    /// ```
    pub fn from_wire(rollout: &Rollout) -> Result<Option<Self>, Vec<Finding>> {
        let Some(canary) = rollout.canary() else { return Ok(None) };
        let Some(routing) = &canary.traffic_routing else { return Ok(None) };
        let Some(istio) = &routing.istio else { return Ok(None) };
        let mut errors = Errors::default();
        let (namespace, name) = rollout.identity();
        let namespace = errors.optional(namespace, "metadata.namespace");
        let name = errors.optional(name, "metadata.name").unwrap_or_default();
        let mut config = Self::new(namespace.as_deref().unwrap_or("default"), &name);
        config.foreign = Foreign::Of(Arc::default());
        config.virtual_services = errors.virtual_services(istio);
        config.destination_rule = istio.destination_rule.as_ref().map(|rule| errors.rule(rule));
        let services = rollout.services();
        config.services.canary = errors.optional(services.canary, "spec.strategy.canary.canaryService");
        config.services.stable = errors.optional(services.stable, "spec.strategy.canary.stableService");
        if let Some(total) = routing.max_traffic_weight.and_then(|total| u32::try_from(total).ok()) {
            config.max_weight = total.max(1);
        }
        let path = format!("{ROUTING}.managedRoutes");
        let managed = errors.list(routing.managed_routes.as_deref(), &path, MOST_NAMED);
        for (index, managed) in managed.iter().enumerate() {
            let name = errors.text(managed.name.as_deref(), || format!("{path}[{index}].name"));
            config.managed_routes.extend(name);
        }
        config.sticky = errors.sticky(rollout, canary);
        errors.agree(&config);
        errors.done()?;
        Ok(Some(config))
    }
}

/// The errors so far.
#[derive(Debug, Default)]
struct Errors {
    list: Vec<Finding>,
    more: usize,
}

impl Errors {
    fn wrong(&mut self, path: &str, what: impl Into<String>, instead: impl Into<String>) {
        if self.list.len() == MOST_ERRORS {
            self.more = self.more.saturating_add(1);
        } else {
            self.list.push(short(&Finding::error(path, what, instead), LONGEST));
        }
    }

    fn done(mut self) -> Result<(), Vec<Finding>> {
        if self.more > 0 {
            let what = format!("{} more errors", self.more);
            self.list.push(Finding::error(ISTIO, what, "correct these first"));
        }
        if self.list.is_empty() { Ok(()) } else { Err(self.list) }
    }

    /// Returns a list, cut to the maximum number of entries.
    fn list<'a, T>(&mut self, list: Option<&'a [T]>, path: &str, most: usize) -> &'a [T] {
        let list = list.unwrap_or_default();
        if list.len() > most {
            self.wrong(path, format!("it has {} entries", list.len()), format!("write at most {most}"));
            return &[];
        }
        list
    }

    fn text(&mut self, text: Option<&str>, path: impl FnOnce() -> String) -> Option<Arc<str>> {
        let text = text.filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong(&path(), "a name is missing", "write text that is not empty");
        }
        text.map(Into::into)
    }

    /// Reads the cookie of a sticky split, and the weights of the steps.
    fn sticky(&mut self, rollout: &Rollout, canary: &Canary) -> Option<Sticky> {
        let annotations = rollout.metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
        let cookie = annotations?.get(STICKY_ANNOTATION)?;
        let path = format!("metadata.annotations[{STICKY_ANNOTATION}]");
        let steps = canary.steps.as_deref().unwrap_or_default();
        if steps.iter().any(|step| step.set_mirror_route.is_some()) {
            let what = "a step mirrors requests, and such requests are split anew each time";
            self.wrong(&path, what, "remove the annotation, or the setMirrorRoute steps");
        }
        let weights = steps.iter().filter_map(|step| u32::try_from(step.set_weight?).ok());
        match Sticky::new(cookie, weights) {
            Ok(sticky) => Some(sticky),
            Err(wrong) => {
                self.wrong(&path, wrong.what, wrong.instead);
                None
            }
        }
    }

    /// Reads the name of an object, which ends up in a request path.
    fn name(&mut self, name: Option<&str>, path: &str) -> Option<Arc<str>> {
        let text = self.text(name, || path.to_owned())?;
        let name = DnsName::parse(&text);
        name.map_err(|error| self.wrong(path, error.to_string(), DnsName::INSTEAD)).ok().map(Into::into)
    }

    fn optional(&mut self, name: Option<&str>, path: &str) -> Option<Arc<str>> {
        let name = name.filter(|name| !name.is_empty())?;
        self.name(Some(name), path)
    }

    /// Reads a port number; 0 if there is none.
    fn port(&mut self, port: Option<Port>, path: impl FnOnce() -> String) -> u32 {
        let number = port.map_or(Some(0), Port::number);
        number.unwrap_or_else(|| {
            self.wrong(&path(), "the port is not a number", "write the number of the port");
            0
        })
    }

    fn virtual_services(&mut self, istio: &Istio) -> Vec<VirtualServiceRef> {
        let path = format!("{ISTIO}.virtualServices");
        let several = self.list(istio.virtual_services.as_deref(), &path, MOST_NAMED);
        match (&istio.virtual_service, several) {
            (Some(one), []) => vec![self.virtual_service(one, &format!("{ISTIO}.virtualService"))],
            (None, [_, ..]) => several
                .iter()
                .enumerate()
                .map(|(index, one)| self.virtual_service(one, &format!("{path}[{index}]")))
                .collect(),
            (None, []) if !self.list.is_empty() => Vec::new(),
            (both, _) => {
                let found = if both.is_some() { "both are given" } else { "neither is given" };
                let what = format!("either VirtualService or VirtualServices must be configured: {found}");
                self.wrong(ISTIO, what, "write one of `virtualService` and `virtualServices`");
                Vec::new()
            }
        }
    }

    fn virtual_service(&mut self, one: &VirtualService, path: &str) -> VirtualServiceRef {
        let name = self.name(one.name.as_deref(), &format!("{path}.name")).unwrap_or_default();
        let (mut routes, mut there) = (Vec::new(), BTreeSet::new());
        let named = self.list(one.routes.as_deref(), &format!("{path}.routes"), MOST_ROUTES);
        for (index, route) in named.iter().enumerate() {
            let route = self.text(Some(route), || format!("{path}.routes[{index}]"));
            routes.extend(route.filter(|route| there.insert(route.clone())));
        }
        let tls = self.list(one.tls_routes.as_deref(), &format!("{path}.tlsRoutes"), MOST_ROUTES);
        let tls_routes = tls.iter().enumerate().map(|(index, tls)| {
            let path = format!("{path}.tlsRoutes[{index}]");
            let hosts = self.list(tls.sni_hosts.as_deref(), &format!("{path}.sniHosts"), MOST_ROUTES);
            let sni_hosts = hosts.iter().map(|host| host.as_str().into()).collect();
            TlsRouteRef { port: self.port(tls.port, || format!("{path}.port")), sni_hosts }
        });
        let tls_routes = tls_routes.collect();
        let tcp = self.list(one.tcp_routes.as_deref(), &format!("{path}.tcpRoutes"), MOST_ROUTES);
        let tcp_routes = tcp
            .iter()
            .enumerate()
            .map(|(index, tcp)| TcpRouteRef {
                port: self.port(tcp.port, || format!("{path}.tcpRoutes[{index}].port")),
            })
            .collect();
        VirtualServiceRef { name, routes, tls_routes, tcp_routes }
    }

    fn rule(&mut self, rule: &DestinationRule) -> DestinationRuleRef {
        let at = |key: &str| format!("{ISTIO}.destinationRule.{key}");
        let name = self.name(rule.name.as_deref(), &at("name")).unwrap_or_default();
        let mut subset =
            |name: &Option<String>, key| self.text(name.as_deref(), || at(key)).unwrap_or_default();
        let stable = subset(&rule.stable_subset_name, "stableSubsetName");
        let canary = subset(&rule.canary_subset_name, "canarySubsetName");
        DestinationRuleRef { name, subsets: ByDestination { stable, canary } }
    }

    /// Checks that the parts are consistent with each other.
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
