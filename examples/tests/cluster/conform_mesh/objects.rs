//! The objects of a sequence, as they are written to either server.

use super::sequence::{Change, PODS, Part, Pod};
use crate::played_mesh::{NAMESPACE, said::subset};
use serde_json::{Value, json};
use std::mem;

const ISTIO: &str = "/apis/networking.istio.io/v1alpha3";

/// A path, and what is to be there.
pub(super) type Write = (String, Option<Value>);

#[derive(Debug)]
struct App {
    name: String,
    /// As its DestinationRule names it: in short, or in full.
    host: String,
    weight: u8,
    has_header: bool,
    leads: [&'static str; 2],
    /// By part.
    notes: [u8; 2],
    is_there: [bool; 2],
}

/// What there is.
#[derive(Debug)]
pub(super) struct Objects {
    apps: [App; 2],
    pods: [Pod; PODS],
    addresses: [u8; PODS],
    given: u8,
}

impl Objects {
    /// Two apps without pods; their names begin so.
    pub(super) fn new(prefix: &str) -> Self {
        let app = |at| {
            let name = format!("{prefix}-{at}");
            let host = if at == 0 { name.clone() } else { format!("{name}.{NAMESPACE}.svc.cluster.local") };
            let (leads, notes, is_there) = (["v1", "v2"], [0; 2], [true; 2]);
            App { name, host, weight: 0, has_header: false, leads, notes, is_there }
        };
        Self { apps: [app(0), app(1)], pods: [Pod::Gone; PODS], addresses: [0; PODS], given: 0 }
    }

    /// The Services: the played istiod takes them to be there.
    pub(super) fn services(&self) -> Vec<Write> {
        self.apps.iter().map(|app| service(&app.name)).collect()
    }

    /// What there is at the beginning; the pods have no address yet.
    pub(super) fn first(&self) -> Vec<Write> {
        let both = |at| [self.part(Part::VirtualService, at), self.part(Part::DestinationRule, at)];
        (0..2).flat_map(both).chain((0..PODS).map(|at| self.pod_object(at))).collect()
    }

    pub(super) fn change(&mut self, change: &Change) -> Vec<Write> {
        let (part, at) = match *change {
            Change::Pod(at, pod) => return self.pod(at, pod),
            Change::Elsewhere(what) => return vec![elsewhere(what)],
            Change::There(part, at, there) => {
                let was = mem::replace(&mut self.apps[at].is_there[part as usize], there);
                return if was == there { Vec::new() } else { vec![self.part(part, at)] };
            }
            Change::Weight(at, weight) => {
                self.apps[at].weight = weight;
                (Part::VirtualService, at)
            }
            Change::Header(at, there) => {
                self.apps[at].has_header = there;
                (Part::VirtualService, at)
            }
            Change::Note(part, at, note) => {
                self.apps[at].notes[part as usize] = note;
                (part, at)
            }
            Change::Lead(at, role, revision) => {
                self.apps[at].leads[usize::from(role == "canary")] = revision;
                (Part::DestinationRule, at)
            }
        };
        if self.apps[at].is_there[part as usize] { vec![self.part(part, at)] } else { Vec::new() }
    }

    fn part(&self, part: Part, at: usize) -> Write {
        let app = &self.apps[at];
        let (kind, path, spec) = match part {
            Part::VirtualService => ("VirtualService", "virtualservices", self.routes(at)),
            Part::DestinationRule => ("DestinationRule", "destinationrules", self.subsets(at)),
        };
        let mut object =
            json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": kind, "metadata": meta(&app.name)});
        object["metadata"]["annotations"] = json!({"note": app.notes[part as usize].to_string()});
        object["spec"] = spec;
        let path = format!("{ISTIO}/namespaces/{NAMESPACE}/{path}/{}", app.name);
        (path, app.is_there[part as usize].then_some(object))
    }

    fn routes(&self, at: usize) -> Value {
        let app = &self.apps[at];
        let to = |role, weight: u8| json!({"destination": {"host": app.name, "subset": subset(&app.name, role)}, "weight": weight});
        let main =
            json!({"name": app.name, "route": [to("stable", 100 - app.weight), to("canary", app.weight)]});
        let header = json!({
            "name": "header", "match": [{"headers": {"canary": {"exact": "yes"}}}], "route": [to("canary", 100)]
        });
        let http = if app.has_header { json!([header, main]) } else { json!([main]) };
        json!({"hosts": [app.name], "gateways": ["mesh", ALWAYS], "http": http})
    }

    fn subsets(&self, at: usize) -> Value {
        let app = &self.apps[at];
        let subset = |role, revision| {
            let labels = json!({"rollouts-pod-template-hash": revision});
            json!({"name": subset(&app.name, role), "labels": labels})
        };
        let [stable, canary] = app.leads;
        json!({"host": app.host, "subsets": [subset("stable", stable), subset("canary", canary)]})
    }

    /// One that is deleted has a successor at once, without an address: as with a `ReplicaSet`, a pod is known some
    /// time before its address.
    fn pod(&mut self, at: usize, pod: Pod) -> Vec<Write> {
        let was = mem::replace(&mut self.pods[at], pod);
        if was == pod {
            return Vec::new();
        }
        if was == Pod::Gone {
            self.given += 1;
            self.addresses[at] = self.given;
        }
        let (path, object) = self.pod_object(at);
        let now = (path.clone(), object);
        if pod == Pod::Gone { vec![(path, None), now] } else { vec![now] }
    }

    fn pod_object(&self, at: usize) -> Write {
        let name = format!("{}-pod-{at}", self.apps[0].name);
        let mut object = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": meta(&name),
            "spec": {"nodeName": "node-0", "containers": [{"name": "app", "image": "app:v1"}]}
        });
        let (app, revision) = if at + 1 == PODS { (1, "v1") } else { (0, ["v1", "v2"][at % 2]) };
        object["metadata"]["labels"] =
            json!({"app": self.apps[app].name, "rollouts-pod-template-hash": revision});
        // The test bed leaves its status to us.
        object["metadata"]["annotations"] = json!({"testbed/proxy": "true"});
        if self.pods[at] != Pod::Gone {
            let ready = if self.pods[at] == Pod::Ready { "True" } else { "False" };
            let address = format!("10.9.0.{}", self.addresses[at]);
            object["status"] = json!({
                "phase": "Running", "hostIP": "10.244.255.254", "podIP": address, "podIPs": [{"ip": address}],
                "conditions": [{"type": "Ready", "status": ready}]
            });
        }
        (core("pods", &name), Some(object))
    }
}

const ALWAYS: &str = "always";

fn service(name: &str) -> Write {
    let object = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": meta(name),
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 9090}]}
    });
    (core("services", name), Some(object))
}

/// That each proxy has routes from the beginning: a Service on the port of all others, and a gateway.
pub(super) fn always() -> [Write; 2] {
    let object = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "Gateway", "metadata": meta(ALWAYS),
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"name": "http", "number": 9090, "protocol": "HTTP"}, "hosts": ["*"]}]
        }
    });
    [service(ALWAYS), (format!("{ISTIO}/namespaces/{NAMESPACE}/gateways/{ALWAYS}"), Some(object))]
}

/// It concerns the proxies of its namespace alone, and there are none.
fn elsewhere(what: u8) -> Write {
    let object = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "Sidecar", "metadata": meta("elsewhere"),
        "spec": {"egress": [{"hosts": ["./*", format!("other-{what}/*")]}]}
    });
    (format!("{ISTIO}/namespaces/{NAMESPACE}/sidecars/elsewhere"), Some(object))
}

fn core(kind: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/{kind}/{name}")
}

fn meta(name: &str) -> Value {
    json!({"namespace": NAMESPACE, "name": name})
}
