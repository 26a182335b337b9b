//! What the Rollout says about Istio.

mod wire;

use crate::name;
use rollout_core::{
    backend::RolloutRef,
    traffic::{ByDestination, ObjectRef},
};
use std::{fmt, sync::Arc};

/// Which Istio objects split the traffic of one rollout, and how.
///
/// Built from a Rollout with [`from_wire`](Self::from_wire), or by hand:
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
    /// Whose configuration it is. Unless it was [said](Self::of_rollout), it goes by what it drives: the stable
    /// Service, or the stable subset.
    pub rollout: RolloutRef,
    /// The VirtualServices in which the traffic is split; at least one.
    pub virtual_services: Vec<VirtualServiceRef>,
    /// The subsets that are the destinations; without it they are the hosts of the two Services.
    pub destination_rule: Option<DestinationRuleRef>,
    /// The Services of stable and canary; both are needed without a DestinationRule.
    pub services: ByDestination<Option<Arc<str>>>,
    /// The names of the managed routes, the one that takes precedence first.
    pub managed_routes: Vec<Arc<str>>,
    /// What stands for all traffic in the strategy. 100 unless it says otherwise.
    pub max_weight: u32,
    /// Which VirtualServices of other namespaces it may split.
    pub foreign: Foreign,
    /// Whether a destination is known by no more than Argo Rollouts looks at.
    pub(crate) like_argo_rollouts: bool,
}

/// Which VirtualServices of other namespaces than its own a Rollout may split.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// All: whoever made the configuration answers for it.
    All,
    /// Those of these namespaces, and those that allow it themselves
    /// ([`ALLOW_FROM_ANNOTATION`](crate::ALLOW_FROM_ANNOTATION)).
    Of(Arc<[Arc<str>]>),
}

/// One VirtualService, and which of its routes are split.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualServiceRef {
    /// Its name, or `name.namespace`.
    pub name: Arc<str>,
    /// The http routes by name; empty means the only one that is the user's own.
    pub routes: Vec<Arc<str>>,
    /// The tls routes; empty means the only one.
    pub tls_routes: Vec<TlsRoute>,
    /// The tcp routes; empty means the only one.
    pub tcp_routes: Vec<TcpRoute>,
}

/// A tls route is known by its port and its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what the language says")]
pub struct TlsRoute {
    /// The only port that its match blocks name; 0 when they name none.
    pub port: u32,
    /// All SNI hosts that its match blocks name, in any order.
    pub sni_hosts: Vec<Arc<str>>,
}

/// A tcp route is known by its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what the language says")]
pub struct TcpRoute {
    /// The only port that its match blocks name; 0 when they name none.
    pub port: u32,
}

/// A DestinationRule, and which of its subsets are the destinations.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationRuleRef {
    /// Its name, in the Rollout's namespace.
    pub name: Arc<str>,
    /// The names of the two subsets.
    pub subsets: ByDestination<Arc<str>>,
}

impl IstioConfig {
    /// The destinations are the hosts of two Services.
    #[must_use]
    pub fn hosts(namespace: &str, stable_service: &str, canary_service: &str) -> Self {
        let mut config = Self::new(namespace, stable_service);
        config.services =
            ByDestination { stable: Some(stable_service.into()), canary: Some(canary_service.into()) };
        config
    }

    /// The destinations are two subsets of a DestinationRule.
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
            like_argo_rollouts: false,
        }
    }

    /// The name of the Rollout.
    #[must_use]
    pub fn of_rollout(mut self, name: &str) -> Self {
        self.rollout.name = name.into();
        self
    }

    /// Says which VirtualServices of other namespaces it may split. All, where the configuration was made by hand;
    /// those that allow it, where it comes [from a Rollout](Self::from_wire), which a tenant may have written.
    #[must_use]
    pub fn foreign(mut self, foreign: Foreign) -> Self {
        self.foreign = foreign;
        self
    }

    /// Splits the traffic in this VirtualService, too.
    #[must_use]
    pub fn virtual_service(mut self, one: VirtualServiceRef) -> Self {
        self.virtual_services.push(one);
        self
    }

    /// Adds a managed route's name after those that take precedence over it.
    #[must_use]
    pub fn managed_route(mut self, name: &str) -> Self {
        self.managed_routes.push(name.into());
        self
    }
}

impl VirtualServiceRef {
    /// A VirtualService (`name` or `name.namespace`) with one route of the user's own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), routes: Vec::new(), tls_routes: Vec::new(), tcp_routes: Vec::new() }
    }

    /// Splits the http route of this name.
    #[must_use]
    pub fn route(mut self, name: &str) -> Self {
        self.routes.push(name.into());
        self
    }

    /// The object that is meant by a Rollout in `namespace`: what stands after the last dot of the name is
    /// another namespace.
    #[must_use]
    pub fn object(&self, namespace: &str) -> ObjectRef {
        name::meant(namespace, &self.name)
    }
}

impl DestinationRuleRef {
    /// A DestinationRule and the names of its two subsets.
    #[must_use]
    pub fn new(name: &str, stable_subset: &str, canary_subset: &str) -> Self {
        let subsets = ByDestination { stable: stable_subset.into(), canary: canary_subset.into() };
        Self { name: name.into(), subsets }
    }
}

impl fmt::Display for TlsRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "port {} and hosts {}",
            self.port,
            crate::problem::names(self.sni_hosts.iter().map(|host| &**host))
        )
    }
}

impl fmt::Display for TcpRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.port)
    }
}
