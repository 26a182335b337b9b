//! What istiod's debug paths say.

use super::{Inner, istiod::Known, proxy::Proxy};
use rollout_core::backend::NoAnswer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::Instant;

impl Inner {
    pub(super) fn answer(&self, path: &str, now: Instant) -> Result<Vec<u8>, NoAnswer> {
        let body = match path {
            "/debug/configz" => self.istiod.known.objects(),
            "/debug/registryz" => json!([]),
            "/debug/endpointShardz" => self.istiod.known.shards(),
            "/debug/syncz" => self.proxies.iter().filter(|proxy| proxy.away.is_none()).map(synced).collect(),
            "/metrics" => {
                let (began, before) = self.istiod.began;
                let uptime = (before + now.saturating_duration_since(began)).as_secs_f64();
                return Ok(format!("istiod_uptime_seconds {uptime}\n").into_bytes());
            }
            _ => return Err(NoAnswer::Status(404)),
        };
        Ok(body.to_string().into_bytes())
    }
}

fn synced(proxy: &Proxy) -> Value {
    let Proxy { name, sent, acked, .. } = proxy;
    json!({
        "proxy": name, "proxy_type": "sidecar",
        "cluster_sent": sent[0], "cluster_acked": acked[0], "endpoint_sent": sent[1],
        "endpoint_acked": acked[1], "route_sent": sent[2], "route_acked": acked[2]
    })
}

impl Known {
    fn objects(&self) -> Value {
        self.configs.values().map(|object| Value::clone(object)).collect()
    }

    fn shards(&self) -> Value {
        let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| pod.is_ready) {
            let host = format!("{}.shop.svc.cluster.local", pod.app);
            hosts.entry(host).or_default().push(json!({
                "Labels": {"app": pod.app, "rollouts-pod-template-hash": pod.revision},
                "Addresses": [pod.address], "HealthStatus": 1, "Namespace": "shop"
            }));
        }
        let shards = |pods: Vec<Value>| json!({"shop": {"Shards": {"Kubernetes/Kubernetes": pods}}});
        hosts.into_iter().map(|(host, pods)| (host, shards(pods))).collect()
    }
}
