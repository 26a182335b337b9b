//! What istiod says, so that two of them can be compared: as much of it as the adapter reads.

use crate::played_mesh::NAMESPACE;
use serde_json::{Map, Value, json};
use std::{cmp::Ordering, collections::BTreeMap};

/// The types in the order in which a push sends them, and what they are called in full.
const TYPES: [(&str, &str); 4] = [
    ("cluster", "type.googleapis.com/envoy.config.cluster.v3.Cluster"),
    ("endpoint", "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"),
    ("listener", "type.googleapis.com/envoy.config.listener.v3.Listener"),
    ("route", "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"),
];
/// The length of the UUID at the end of a nonce.
const UUID: usize = 36;

/// The paths that are asked.
pub(super) const PATHS: [&str; 3] = ["/debug/configz", "/debug/endpointShardz", "/debug/syncz"];

/// The answers to [`PATHS`].
#[derive(Debug, Clone)]
pub(super) struct Answers(pub(super) [Value; 3]);

/// The versions of the objects as they are stored, by kind and name.
pub(super) type Stored = BTreeMap<String, String>;

impl Answers {
    /// What there is, and what has changed since these answers.
    pub(super) fn since(&self, before: &Self, stored: &Stored) -> Value {
        json!({
            "objects": self.objects(stored), "endpoints": self.endpoints(), "proxies": self.proxies(before),
            "number": self.number(before), "in order": self.are_in_order(before)
        })
    }

    /// Of the sequence's namespace; whether each is the version that is stored.
    fn objects(&self, stored: &Stored) -> Value {
        let Self([configs, ..]) = self;
        let ours = items(configs).filter(|config| config["metadata"]["namespace"] == NAMESPACE);
        let mut objects: Map<String, Value> = ours
            .filter(|config| config["kind"] != "Gateway")
            .map(|config| {
                let metadata = &config["metadata"];
                let name = format!("{} {}", text(&config["kind"]), text(&metadata["name"]));
                let group = text(&config["apiVersion"]).split('/').next().unwrap_or_default().to_owned();
                let is_stored =
                    stored.get(&name).is_some_and(|version| metadata["resourceVersion"] == **version);
                let told = json!({
                    "group": group, "generation": metadata["generation"], "is as stored": is_stored,
                    "exportTo": config["spec"]["exportTo"]
                });
                (name, told)
            })
            .collect();
        for name in stored.keys() {
            objects.entry(name).or_insert("is not known".into());
        }
        sorted(objects)
    }

    /// By host and revision: each address, and whether it answers requests.
    fn endpoints(&self) -> Value {
        let Self([_, shards, _]) = self;
        let mut all = Map::new();
        for (host, of) in shards.as_object().into_iter().flatten() {
            for shard in of[NAMESPACE]["Shards"].as_object().into_iter().flat_map(Map::values) {
                for endpoint in items(shard) {
                    let revision = text(&endpoint["Labels"]["rollouts-pod-template-hash"]);
                    for address in items(&endpoint["Addresses"]) {
                        let name = format!("{host} {revision} {}", text(address));
                        all.insert(name, endpoint["HealthStatus"].clone());
                    }
                }
            }
        }
        sorted(all)
    }

    fn proxies(&self, before: &Self) -> Value {
        let mut all = Map::new();
        for proxy in self.each_proxy() {
            let told = TYPES.map(|(of, _)| {
                let (sent, acked) = (field(proxy, of, "sent"), field(proxy, of, "acked"));
                let news = if before.was_sent(proxy, of) { "as before" } else { "sent anew" };
                let step = if sent.is_empty() {
                    "nothing"
                } else if sent == acked {
                    "acknowledged"
                } else {
                    "behind"
                };
                format!("{of} {news}, {step}")
            });
            let name = format!("{} ({})", text(&proxy["proxy"]), text(&proxy["proxy_type"]));
            all.insert(name, json!(told));
        }
        sorted(all)
    }

    /// Whether the number of the newest push has risen.
    fn number(&self, before: &Self) -> Value {
        match self.newest().cmp(&before.newest()) {
            Ordering::Less => json!("has fallen"),
            Ordering::Equal => json!("as before"),
            Ordering::Greater => json!("has risen"),
        }
    }

    /// What no process has said yet.
    pub(super) fn none() -> Self {
        Self([json!([]), json!({}), json!([])])
    }

    /// Whether its pushes are numbered by a process that has just begun. In some of its first moments a real one
    /// pushes a second time what it reads then.
    pub(super) fn begin_anew(&self) -> bool {
        (1..=2).contains(&self.newest())
    }

    /// Of what was sent anew in one push, each type later than the one before.
    fn are_in_order(&self, before: &Self) -> bool {
        self.each_proxy().all(|proxy| {
            let sent = TYPES.iter().filter(|(of, _)| !before.was_sent(proxy, of));
            let sent: Vec<_> = sent
                .map(|(of, long)| (push(field(proxy, of, "sent")), when(proxy, of, long)))
                .filter(|(push, _)| push.is_some())
                .collect();
            sent.iter().enumerate().all(|(at, (push, time))| {
                sent[at + 1..].iter().all(|(other, later)| other != push || later >= time)
            })
        })
    }

    fn newest(&self) -> u64 {
        let sent = |proxy| TYPES.map(|(of, _)| push(field(proxy, of, "sent")).unwrap_or(0));
        self.each_proxy().flat_map(sent).max().unwrap_or(0)
    }

    fn each_proxy(&self) -> impl Iterator<Item = &Value> {
        let Self([_, _, proxies]) = self;
        items(proxies)
    }

    /// Whether the last that a proxy was sent of a type is what it had been sent then.
    fn was_sent(&self, proxy: &Value, of: &str) -> bool {
        let was = self.each_proxy().find(|was| was["proxy"] == proxy["proxy"]);
        was.is_some_and(|was| field(was, of, "sent") == field(proxy, of, "sent"))
    }

    /// Whether all these proxies have all that they were sent.
    pub(super) fn are_in_step(&self, proxies: usize) -> bool {
        let has_all = |proxy: &&Value| {
            TYPES.iter().all(|(of, _)| {
                let sent = field(proxy, of, "sent");
                !sent.is_empty() && sent == field(proxy, of, "acked")
            })
        };
        self.each_proxy().filter(has_all).count() == proxies
    }
}

/// When it was sent, as a text that sorts so; the played nonces are counted.
fn when(proxy: &Value, of: &str, long: &str) -> String {
    let Some(time) = proxy["resources"][long]["sentTime"].as_str() else {
        let nonce = field(proxy, of, "sent");
        return nonce.get(nonce.len().saturating_sub(UUID)..).unwrap_or_default().to_owned();
    };
    let (second, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time, "0"));
    format!("{second}.{fraction:0<9}")
}

fn push(nonce: &str) -> Option<u64> {
    let (_, rest) = nonce.split_once('/')?;
    rest.get(..rest.len().checked_sub(UUID)?)?.parse().ok()
}

fn field<'v>(proxy: &'v Value, of: &str, what: &str) -> &'v str {
    text(&proxy[format!("{of}_{what}")])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn sorted(mut all: Map<String, Value>) -> Value {
    all.sort_keys();
    all.into()
}

/// For how many seconds istiod has run, from its metrics.
pub(super) fn uptime(metrics: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix("istiod_uptime_seconds ")?.parse().ok())
}
