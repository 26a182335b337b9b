use super::{Port, object::object};
use alloc::{string::String, vec::Vec};
use serde_json::Value;

object! {
    /// The settings of traffic routing.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let routing = json!({
    ///     "istio": {"virtualService": {"name": "web", "routes": ["primary"]}},
    ///     "managedRoutes": [{"name": "testers"}],
    ///     "maxTrafficWeight": 1000,
    /// });
    /// let rollout = json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}}});
    /// let rollout = Rollout::from_value(&rollout);
    /// let routing = rollout.canary().and_then(|canary| canary.traffic_routing.clone()).unwrap();
    /// assert_eq!(routing.max_traffic_weight, Some(1000));
    /// assert_eq!(routing.managed_routes.unwrap()[0].name.as_deref(), Some("testers"));
    /// let service = routing.istio.unwrap().virtual_service.unwrap();
    /// assert_eq!(service.routes.unwrap(), ["primary"]);
    /// ```
    TrafficRouting like "istio: {virtualService: {name: demo}}" {
        istio: Istio = "istio",
        nginx: Value = "nginx",
        alb: Value = "alb",
        smi: Value = "smi",
        ambassador: Value = "ambassador",
        app_mesh: Value = "appMesh",
        traefik: Value = "traefik",
        apisix: Value = "apisix",
        plugins: Value = "plugins",
        managed_routes: Vec<ManagedRouteName> = "managedRoutes",
        max_traffic_weight: i32 = "maxTrafficWeight",
    }
}

object! {
    /// A route that steps may add; the first one in the list takes precedence.
    ///
    /// See [`TrafficRouting`] for an example.
    ManagedRouteName like "name: canary-header" {
        name: String = "name",
    }
}

object! {
    /// Traffic routing with Istio.
    ///
    /// See [`TrafficRouting`] for an example.
    Istio like "virtualService: {name: demo}" {
        virtual_service: VirtualService = "virtualService",
        virtual_services: Vec<VirtualService> = "virtualServices",
        destination_rule: DestinationRule = "destinationRule",
    }
}

object! {
    /// A VirtualService, and which of its routes to weigh.
    ///
    /// See [`TrafficRouting`] and [`TlsRoute`] for examples.
    VirtualService like "name: demo" {
        name: String = "name",
        routes: Vec<String> = "routes",
        tls_routes: Vec<TlsRoute> = "tlsRoutes",
        tcp_routes: Vec<TcpRoute> = "tcpRoutes",
    }
}

object! {
    /// The TLS routes of a port and certain server names.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let service = json!({
    ///     "name": "web",
    ///     "tlsRoutes": [{"port": 443, "sniHosts": ["shop.example"]}],
    ///     "tcpRoutes": [{"port": 3306}],
    /// });
    /// let routing = json!({"istio": {"virtualService": service}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}}}));
    /// let routing = rollout.canary().and_then(|canary| canary.traffic_routing.clone()).unwrap();
    /// let service = routing.istio.unwrap().virtual_service.unwrap();
    /// let (tls, tcp) = (&service.tls_routes.unwrap()[0], &service.tcp_routes.unwrap()[0]);
    /// assert_eq!(tls.sni_hosts.as_deref(), Some(&["shop.example".to_owned()][..]));
    /// assert_eq!([tls.port, tcp.port].map(|port| port.unwrap().number()), [Some(443), Some(3306)]);
    /// ```
    TlsRoute like "port: 443" {
        port: Port = "port",
        sni_hosts: Vec<String> = "sniHosts",
    }
}

object! {
    /// The TCP routes of a port.
    ///
    /// See [`TlsRoute`] for an example.
    TcpRoute like "port: 3306" {
        port: Port = "port",
    }
}

object! {
    /// A DestinationRule whose subsets are the destinations.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let rule = json!({"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"});
    /// let routing = json!({"istio": {"destinationRule": rule}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"trafficRouting": routing}}}}));
    /// let routing = rollout.canary().and_then(|canary| canary.traffic_routing.clone()).unwrap();
    /// let rule = routing.istio.unwrap().destination_rule.unwrap();
    /// assert_eq!(rule.canary_subset_name.as_deref(), Some("canary"));
    /// assert_eq!(rule.additional_subset_names, None);
    /// ```
    DestinationRule like "{name: demo, canarySubsetName: canary, stableSubsetName: stable}" {
        name: String = "name",
        canary_subset_name: String = "canarySubsetName",
        stable_subset_name: String = "stableSubsetName",
        additional_subset_names: Vec<String> = "additionalSubsetNames",
    }
}
