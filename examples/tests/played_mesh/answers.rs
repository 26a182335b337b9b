//! What istiod's debug paths say.

use super::{Inner, NAMESPACE, known::Known, proxy::Proxy};
use rollout_core::backend::NoAnswer;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Inner {
    pub(crate) fn answer(&self, path: &str) -> Result<Vec<u8>, NoAnswer> {
        match (self.istiod.down_until, self.istiod.frozen_until) {
            (Some(_), _) => Err(NoAnswer::Closed),
            (_, Some(_)) => Err(NoAnswer::Silent),
            (None, None) => self.body(path),
        }
    }

    /// Of an istiod that answers.
    fn body(&self, path: &str) -> Result<Vec<u8>, NoAnswer> {
        let body = match path {
            "/debug/configz" => self.istiod.known.objects(),
            "/debug/registryz" => json!([]),
            "/debug/endpointShardz" => self.istiod.known.shards(),
            "/debug/syncz" => self.proxies.iter().filter(|proxy| proxy.away.is_none()).map(synced).collect(),
            "/metrics" => {
                let (began, before) = self.istiod.began;
                let uptime = (before + self.now.saturating_duration_since(began)).as_secs_f64();
                return Ok(format!("istiod_uptime_seconds {uptime}\n").into_bytes());
            }
            _ => return Err(NoAnswer::Status(404)),
        };
        Ok(body.to_string().into_bytes())
    }
}

fn synced(proxy: &Proxy) -> Value {
    let Proxy { name, of_type, sent, acked, .. } = proxy;
    json!({
        "proxy": name, "proxy_type": of_type,
        "cluster_sent": sent[0], "cluster_acked": acked[0], "endpoint_sent": sent[1], "endpoint_acked": acked[1],
        "listener_sent": sent[2], "listener_acked": acked[2], "route_sent": sent[3], "route_acked": acked[3]
    })
}

impl Known {
    fn objects(&self) -> Value {
        self.configs.values().map(|object| Value::clone(object)).collect()
    }

    /// Pods that are not ready are among them.
    fn shards(&self) -> Value {
        let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for pod in self.pods.values() {
            let host = format!("{}.{NAMESPACE}.svc.cluster.local", pod.app);
            hosts.entry(host).or_default().push(json!({
                "Labels": {"app": pod.app, "rollouts-pod-template-hash": pod.revision},
                "Addresses": [pod.address], "HealthStatus": if pod.is_ready { 1 } else { 2 },
                "Namespace": NAMESPACE
            }));
        }
        let shards = |pods: Vec<Value>| json!({NAMESPACE: {"Shards": {"Kubernetes/Kubernetes": pods}}});
        hosts.into_iter().map(|(host, pods)| (host, shards(pods))).collect()
    }
}
