//! istiod's debug answers, as far as they are needed.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// One object of `/debug/configz`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    #[serde(default)]
    pub(super) api_version: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) resource_version: String,
    pub(super) generation: u64,
}

/// One Service of `/debug/registryz`.
#[derive(Debug, Deserialize)]
pub(super) struct Service {
    #[serde(default, rename = "Attributes")]
    pub(super) attributes: Attributes,
    #[serde(default, rename = "ResourceVersion")]
    pub(super) resource_version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Attributes {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) label_selectors: Option<BTreeMap<String, String>>,
}

/// `/debug/endpointShardz`: by host, by namespace.
pub(super) type Shardz = HashMap<String, HashMap<String, Shards>>;

#[derive(Debug, Deserialize)]
pub(super) struct Shards {
    #[serde(default, rename = "Shards")]
    pub(super) shards: Option<BTreeMap<String, Option<Vec<Endpoint>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Endpoint {
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) addresses: Option<Vec<String>>,
    /// 0 or 1: answers requests.
    #[serde(default)]
    pub(super) health_status: i64,
}

/// One proxy of `/debug/syncz`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Proxy {
    #[serde(rename = "proxy")]
    pub(super) id: String,
    pub(super) cluster_sent: String,
    pub(super) cluster_acked: String,
    pub(super) listener_sent: String,
    pub(super) listener_acked: String,
    pub(super) route_sent: String,
    pub(super) route_acked: String,
    pub(super) endpoint_sent: String,
    pub(super) endpoint_acked: String,
}

impl Proxy {
    pub(super) fn sent_and_acked(&self) -> [(&str, &str); 4] {
        [
            (&self.cluster_sent, &self.cluster_acked),
            (&self.listener_sent, &self.listener_acked),
            (&self.route_sent, &self.route_acked),
            (&self.endpoint_sent, &self.endpoint_acked),
        ]
    }
}

/// The number of the push in a nonce: `2026-11-24T09:38:58Z/17` and a UUID.
pub(super) fn push_number(nonce: &str) -> Option<u64> {
    let (_, rest) = nonce.split_once('/')?;
    let uuid = 36;
    rest.get(..rest.len().checked_sub(uuid)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::push_number;

    #[test]
    fn a_nonce_holds_the_number_of_its_push() {
        let uuid = "0d6f4f7e-55a2-4f80-9b0c-2a7ed1a8b9c1";
        assert_eq!(push_number(&format!("2026-11-24T09:38:58Z/17{uuid}")), Some(17));
        assert_eq!(push_number(&format!("2026-11-24T09:38:58+01:00/9{uuid}")), Some(9));
        for other in ["", "/", "17", uuid, "2026-11-24T09:38:58Z/17"] {
            assert_eq!(push_number(other), None, "{other}");
        }
    }
}
