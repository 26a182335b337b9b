use super::{Port, object::object};
use alloc::{string::String, vec::Vec};
use serde_json::Value;

object! {
    /// The settings of traffic routing.
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
    ManagedRouteName like "name: canary-header" {
        name: String = "name",
    }
}

object! {
    /// Traffic routing with Istio.
    Istio like "virtualService: {name: demo}" {
        virtual_service: VirtualService = "virtualService",
        virtual_services: Vec<VirtualService> = "virtualServices",
        destination_rule: DestinationRule = "destinationRule",
    }
}

object! {
    /// A VirtualService, and which of its routes to weigh.
    VirtualService like "name: demo" {
        name: String = "name",
        routes: Vec<String> = "routes",
        tls_routes: Vec<TlsRoute> = "tlsRoutes",
        tcp_routes: Vec<TcpRoute> = "tcpRoutes",
    }
}

object! {
    /// The TLS routes of a port and certain server names.
    TlsRoute like "port: 443" {
        port: Port = "port",
        sni_hosts: Vec<String> = "sniHosts",
    }
}

object! {
    /// The TCP routes of a port.
    TcpRoute like "port: 3306" {
        port: Port = "port",
    }
}

object! {
    /// A DestinationRule whose subsets are the destinations.
    DestinationRule like "{name: demo, canarySubsetName: canary, stableSubsetName: stable}" {
        name: String = "name",
        canary_subset_name: String = "canarySubsetName",
        stable_subset_name: String = "stableSubsetName",
        additional_subset_names: Vec<String> = "additionalSubsetNames",
    }
}
