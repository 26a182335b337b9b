//! The kinds of object that the adapter reads or writes.

use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Rollout,
    ReplicaSet,
    Pod,
    Service,
    VirtualService,
    DestinationRule,
    Event,
    Lease,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Rollout,
        Self::ReplicaSet,
        Self::Pod,
        Self::Service,
        Self::VirtualService,
        Self::DestinationRule,
        Self::Event,
        Self::Lease,
    ];

    pub(super) const fn api_version(self) -> &'static str {
        match self {
            Self::Rollout => "argoproj.io/v1alpha1",
            Self::ReplicaSet => "apps/v1",
            Self::Pod | Self::Service | Self::Event => "v1",
            Self::VirtualService | Self::DestinationRule => "networking.istio.io/v1alpha3",
            Self::Lease => "coordination.k8s.io/v1",
        }
    }

    /// Whether it is defined by a `CustomResourceDefinition`.
    pub(super) const fn is_custom(self) -> bool {
        matches!(self, Self::Rollout | Self::VirtualService | Self::DestinationRule)
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Rollout => "rollouts",
            Self::ReplicaSet => "replicasets",
            Self::Pod => "pods",
            Self::Service => "services",
            Self::VirtualService => "virtualservices",
            Self::DestinationRule => "destinationrules",
            Self::Event => "events",
            Self::Lease => "leases",
        }
    }

    /// Where all of them are; of all namespaces when that is empty.
    pub(super) fn path(self, namespace: &str) -> String {
        let root = if self.api_version().contains('/') { "/apis" } else { "/api" };
        let place = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}/{}{place}/{}", self.api_version(), self.plural())
    }

    /// A new object. It says everything that an API server would add by itself, so that this does not have to be told
    /// apart from what it should answer; and it asks for no pods.
    pub(super) fn object(self, namespace: &str, name: &str) -> Value {
        let mut object = json!({
            "apiVersion": self.api_version(), "kind": format!("{self:?}"),
            "metadata": {"namespace": namespace, "name": name, "labels": {"app": "web"}}
        });
        let more = match self {
            Self::Rollout => json!({"spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template(),
                "strategy": {"canary": {"steps": [{"setWeight": 5}, {"pause": {}}]}}
            }}),
            Self::ReplicaSet => json!({"spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template()
            }}),
            Self::Pod => json!({"spec": pod_spec(1)}),
            Self::Service => json!({"spec": {
                "selector": {"app": "web"}, "type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"],
                "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
                "sessionAffinity": "None",
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
            }}),
            Self::VirtualService => json!({"spec": {"hosts": ["web"], "http": routes(1)}}),
            Self::DestinationRule => json!({"spec": {"host": "web", "subsets": subsets(1)}}),
            Self::Event => json!({
                "involvedObject": {"kind": "Rollout", "namespace": namespace, "name": "web"},
                "type": "Normal", "reason": "Paused", "message": "it is paused", "count": 1,
                "source": {"component": "us"}, "reportingComponent": "us", "reportingInstance": "",
                "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z"
            }),
            Self::Lease => json!({"spec": {"holderIdentity": "us", "leaseDurationSeconds": 15}}),
        };
        merge(&mut object, &more);
        if self == Self::Event {
            object["eventTime"] = Value::Null;
        }
        object
    }

    /// What makes an object want something else.
    pub(super) fn wants(self, what: u8) -> Value {
        match self {
            Self::Rollout | Self::ReplicaSet => json!({"spec": {"replicas": what}}),
            Self::Pod => json!({"spec": {"containers": pod_spec(what)["containers"]}}),
            Self::Service => json!({"spec": {"selector": {"app": format!("web-{what}")}}}),
            Self::VirtualService => json!({"spec": {"http": routes(what)}}),
            Self::DestinationRule => json!({"spec": {"subsets": subsets(what)}}),
            Self::Event => json!({"count": what}),
            Self::Lease => json!({"spec": {"holderIdentity": format!("process-{what}")}}),
        }
    }

    /// Another status; an object without one is given another label instead.
    pub(super) fn reports(self, what: u8) -> Value {
        let condition = json!([{
            "type": "Ready", "status": "True", "reason": format!("R{what}"), "message": "so it is",
            "lastTransitionTime": "2026-01-01T00:00:00Z"
        }]);
        match self {
            Self::Rollout => json!({"status": {"phase": format!("P{what}"), "currentStepIndex": what}}),
            Self::ReplicaSet => json!({"status": {
                "replicas": what, "readyReplicas": what, "availableReplicas": what, "observedGeneration": 1
            }}),
            Self::Pod => json!({"status": {"message": format!("M{what}")}}),
            Self::Service => json!({"status": {"loadBalancer": {}, "conditions": condition}}),
            Self::VirtualService | Self::DestinationRule => json!({"status": {"conditions": condition}}),
            Self::Event | Self::Lease => json!({"metadata": {"labels": {"state": format!("s{what}")}}}),
        }
    }
}

/// Pods that are written out as an API server completes them.
fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [{
                "name": "web", "image": "web:v1", "imagePullPolicy": "IfNotPresent", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"
            }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30
        }
    })
}

/// With what an API server adds to a pod, but not to a template.
fn pod_spec(version: u8) -> Value {
    let mut spec = template()["spec"].clone();
    spec["containers"][0]["image"] = format!("web:v{version}").into();
    let tolerated = |what: &str| {
        json!({
            "key": format!("node.kubernetes.io/{what}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300
        })
    };
    let more = json!({
        "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        "tolerations": [tolerated("not-ready"), tolerated("unreachable")]
    });
    merge(&mut spec, &more);
    spec
}

fn routes(weight: u8) -> Value {
    let to = |subset: &str, weight: u8| json!({"destination": {"host": "web", "subset": subset}, "weight": weight});
    json!([{"name": "main", "route": [to("stable", 100 - weight), to("canary", weight)]}])
}

fn subsets(hash: u8) -> Value {
    json!([{"name": "stable", "labels": {"rollouts-pod-template-hash": format!("h{hash}")}}])
}

/// A merge patch (RFC 7386): what a client does with an object that it has read, before it writes it.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Some(leaves) = patch.as_object() else { return into.clone_from(patch) };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (key, leaf) in leaves {
        if leaf.is_null() {
            into.as_object_mut().unwrap().shift_remove(key);
        } else {
            merge(&mut into[key], leaf);
        }
    }
}
