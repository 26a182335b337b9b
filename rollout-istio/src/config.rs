//! The Istio settings of a Rollout.

mod wire;

use crate::{Sticky, name};
use rollout_core::{
    backend::RolloutRef,
    traffic::{ByDestination, ObjectRef},
};
use std::{fmt, sync::Arc};

/// The Istio objects that split the traffic of one rollout, and how.
///
/// Build it from a Rollout with [`from_wire`](Self::from_wire), or by hand:
///
/// ```
/// use rollout_istio::{IstioConfig, VirtualServiceRef};
/// let config = IstioConfig::hosts("shop", "provider", "provider-canary")
///     .virtual_service(VirtualServiceRef::new("provider").route("primary"))
///     .managed_route("testers");
/// assert_eq!(config.virtual_services[0].object(&config.namespace).to_string(), "VirtualService shop/provider");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IstioConfig {
    /// The Rollout's namespace.
    pub namespace: Arc<str>,
    /// The owner of the configuration. Unless set with [`of_rollout`](Self::of_rollout), it has the name of what it
    /// drives: the stable Service, or the stable subset.
    pub rollout: RolloutRef,
    /// The VirtualServices in which the traffic is split; at least one.
    pub virtual_services: Vec<VirtualServiceRef>,
    /// The subsets that are the destinations; if absent, the destinations are the hosts of the two Services.
    pub destination_rule: Option<DestinationRuleRef>,
    /// The Services of stable and canary; both are needed without a DestinationRule.
    pub services: ByDestination<Option<Arc<str>>>,
    /// The names of the managed routes, in order of precedence.
    pub managed_routes: Vec<Arc<str>>,
    /// The weight that stands for all traffic in the strategy. Default 100.
    pub max_weight: u32,
    /// Which VirtualServices of other namespaces it may split.
    pub foreign: Foreign,
    /// Whether a user who has met the canary in an http route keeps meeting it. Default: no.
    pub sticky: Option<Sticky>,
    /// Whether destinations are identified only by what Argo Rollouts looks at.
    pub(crate) like_argo_rollouts: bool,
}

/// Which VirtualServices of other namespaces a Rollout may split.
///
/// ```
/// use rollout_core::argo::wire::Rollout;
/// use rollout_istio::{Foreign, IstioConfig};
/// # let rollout = serde_json::json!({"spec": {"strategy": {"canary": {
/// #     "trafficRouting": {"istio": {"virtualService": {"name": "gw.gateways"}}},
/// #     "stableService": "web", "canaryService": "web-canary",
/// # }}}});
/// let config = IstioConfig::from_wire(&Rollout::from_value(&rollout)).unwrap().unwrap();
/// assert_eq!(config.foreign, Foreign::Of([].into()), "a tenant's manifest cannot allow itself more");
/// assert_eq!(IstioConfig::hosts("shop", "web", "web-canary").foreign, Foreign::All);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// All: the creator of the configuration is responsible for it.
    All,
    /// Those of these namespaces, and those that allow it themselves
    /// ([`ALLOW_FROM_ANNOTATION`](crate::ALLOW_FROM_ANNOTATION)).
    Of(Arc<[Arc<str>]>),
}

/// A VirtualService, and which of its routes to split.
///
/// See [`object`](Self::object) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualServiceRef {
    /// The name, or `name.namespace`.
    pub name: Arc<str>,
    /// The http routes by name; empty means the only one that is not managed.
    pub routes: Vec<Arc<str>>,
    /// The tls routes; empty means the only one.
    pub tls_routes: Vec<TlsRouteRef>,
    /// The tcp routes; empty means the only one.
    pub tcp_routes: Vec<TcpRouteRef>,
}

/// The identity of a tls route: its port and its hosts.
///
/// ```
/// use rollout_istio::{TcpRouteRef, TlsRouteRef};
/// let route = TlsRouteRef { port: 443, sni_hosts: vec!["shop.example".into()] };
/// assert_eq!(route.to_string(), "port 443 and hosts 'shop.example'");
/// assert_eq!(TcpRouteRef { port: 3306 }.to_string(), "port 3306");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the complete identity in a manifest")]
pub struct TlsRouteRef {
    /// The only port in its match blocks; 0 if they name none.
    pub port: u32,
    /// All SNI hosts in its match blocks, in any order.
    pub sni_hosts: Vec<Arc<str>>,
}

/// The identity of a tcp route: its port.
///
/// See [`TlsRouteRef`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the complete identity in a manifest")]
pub struct TcpRouteRef {
    /// The only port in its match blocks; 0 if they name none.
    pub port: u32,
}

/// A DestinationRule, and which of its subsets are the destinations.
///
/// See [`IstioConfig::subsets`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationRuleRef {
    /// The name, in the Rollout's namespace.
    pub name: Arc<str>,
    /// The names of the two subsets.
    pub subsets: ByDestination<Arc<str>>,
}

impl IstioConfig {
    /// Creates a configuration whose destinations are the hosts of two Services.
    ///
    /// See [`IstioConfig`] for an example.
    #[must_use]
    pub fn hosts(namespace: &str, stable_service: &str, canary_service: &str) -> Self {
        let mut config = Self::new(namespace, stable_service);
        config.services =
            ByDestination { stable: Some(stable_service.into()), canary: Some(canary_service.into()) };
        config
    }

    /// Creates a configuration whose destinations are two subsets of a DestinationRule.
    ///
    /// ```
    /// use rollout_istio::{DestinationRuleRef, IstioConfig};
    /// let config = IstioConfig::subsets("shop", DestinationRuleRef::new("web", "stable", "canary"));
    /// assert_eq!(config.services.stable, None, "the destinations are the subsets of one host");
    /// assert_eq!(&*config.destination_rule.unwrap().subsets.canary, "canary");
    /// ```
    #[must_use]
    pub fn subsets(namespace: &str, rule: DestinationRuleRef) -> Self {
        let name = format!("{}.{}", rule.name, rule.subsets.stable);
        Self { destination_rule: Some(rule), ..Self::new(namespace, &name) }
    }

    fn new(namespace: &str, rollout: &str) -> Self {
        Self {
            namespace: namespace.into(),
            rollout: RolloutRef::new(namespace, rollout),
            virtual_services: Vec::new(),
            destination_rule: None,
            services: ByDestination::default(),
            managed_routes: Vec::new(),
            max_weight: 100,
            foreign: Foreign::All,
            sticky: None,
            like_argo_rollouts: false,
        }
    }

    /// Sets the name of the Rollout.
    ///
    /// ```
    /// use rollout_istio::IstioConfig;
    /// let config = IstioConfig::hosts("shop", "web", "web-canary");
    /// assert_eq!(&*config.rollout.name, "web");
    /// assert_eq!(&*config.of_rollout("frontend").rollout.name, "frontend");
    /// ```
    #[must_use]
    pub fn of_rollout(mut self, name: &str) -> Self {
        self.rollout.name = name.into();
        self
    }

    /// Sets which VirtualServices of other namespaces it may split. The default is all for a configuration made by
    /// hand, and those that allow it for one [from a Rollout](Self::from_wire), which a tenant may have written.
    ///
    /// ```
    /// use rollout_istio::{Foreign, IstioConfig};
    /// let config = IstioConfig::hosts("shop", "web", "web-canary").foreign(Foreign::Of(["gateways".into()].into()));
    /// assert_ne!(config.foreign, Foreign::All);
    /// ```
    #[must_use]
    pub fn foreign(mut self, foreign: Foreign) -> Self {
        self.foreign = foreign;
        self
    }

    /// Makes http splits sticky.
    ///
    /// See [`Sticky`] for an example.
    #[must_use]
    pub fn sticky(mut self, sticky: Sticky) -> Self {
        self.sticky = Some(sticky);
        self
    }

    /// Adds a VirtualService in which to split the traffic.
    ///
    /// See [`IstioConfig`] for an example.
    #[must_use]
    pub fn virtual_service(mut self, one: VirtualServiceRef) -> Self {
        self.virtual_services.push(one);
        self
    }

    /// Appends the name of a managed route, with lower precedence than those before it.
    ///
    /// ```
    /// use rollout_istio::IstioConfig;
    /// let config = IstioConfig::hosts("shop", "web", "web-canary").managed_route("testers").managed_route("mirror");
    /// assert_eq!(config.managed_routes, ["testers".into(), "mirror".into()], "`testers` takes precedence");
    /// ```
    #[must_use]
    pub fn managed_route(mut self, name: &str) -> Self {
        self.managed_routes.push(name.into());
        self
    }
}

impl VirtualServiceRef {
    /// Refers to a VirtualService (`name` or `name.namespace`) with one route of the user's own.
    ///
    /// See [`object`](Self::object) for an example.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), routes: Vec::new(), tls_routes: Vec::new(), tcp_routes: Vec::new() }
    }

    /// Adds the name of an http route to split.
    ///
    /// ```
    /// use rollout_istio::VirtualServiceRef;
    /// let gateway = VirtualServiceRef::new("gateway").route("pages").route("images");
    /// assert_eq!(gateway.routes, ["pages".into(), "images".into()], "all others keep their weights");
    /// ```
    #[must_use]
    pub fn route(mut self, name: &str) -> Self {
        self.routes.push(name.into());
        self
    }

    /// Returns the object that the name refers to in a Rollout in `namespace`: the part after the last dot is another
    /// namespace.
    ///
    /// ```
    /// use rollout_istio::VirtualServiceRef;
    /// let object = |name| VirtualServiceRef::new(name).object("shop").to_string();
    /// assert_eq!(object("gw"), "VirtualService shop/gw");
    /// assert_eq!(object("gw.gateways"), "VirtualService gateways/gw");
    /// ```
    #[must_use]
    pub fn object(&self, namespace: &str) -> ObjectRef {
        name::primary_name(namespace, &self.name)
    }
}

impl DestinationRuleRef {
    /// Refers to a DestinationRule and its two subsets.
    ///
    /// See [`IstioConfig::subsets`] for an example.
    #[must_use]
    pub fn new(name: &str, stable_subset: &str, canary_subset: &str) -> Self {
        let subsets = ByDestination { stable: stable_subset.into(), canary: canary_subset.into() };
        Self { name: name.into(), subsets }
    }
}

impl fmt::Display for TlsRouteRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "port {} and hosts {}",
            self.port,
            crate::problem::names(self.sni_hosts.iter().map(|host| &**host))
        )
    }
}

impl fmt::Display for TcpRouteRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.port)
    }
}
