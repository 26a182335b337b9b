//! The parts of istiod's debug answers that are needed. Texts are borrowed from the answer: most are never kept.

use rollout_core::Time;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
};

/// One object of `/debug/configz`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config<'a> {
    #[serde(default, borrow)]
    pub(super) api_version: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) metadata: Metadata<'a>,
    #[serde(default)]
    pub(super) spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) namespace: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) resource_version: Cow<'a, str>,
    pub(super) generation: u64,
}

/// The part of a specification that controls visibility. Objects of any kind and shape are read as this.
#[derive(Debug, Default)]
pub(super) struct Spec {
    pub(super) export_to: Vec<String>,
    /// The `namespace/host` patterns of a Sidecar's egress listeners.
    pub(super) egress: Option<Vec<String>>,
    pub(super) has_selector: bool,
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ReadsSpec)
    }
}

struct ReadsSpec;

fn texts(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

impl<'de> Visitor<'de> for ReadsSpec {
    type Value = Spec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Spec, M::Error> {
        let mut spec = Spec::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "exportTo" => spec.export_to = texts(&map.next_value()?).collect(),
                "egress" => {
                    let listeners: Value = map.next_value()?;
                    let hosts = listeners.as_array().into_iter().flatten();
                    let hosts = hosts.filter_map(|listener| listener.get("hosts")).flat_map(texts);
                    spec.egress = Some(hosts.collect());
                }
                "workloadSelector" => spec.has_selector = !map.next_value::<Value>()?.is_null(),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(spec)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Spec, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Spec::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Spec, E> {
        Ok(Spec::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Spec, E> {
        Ok(Spec::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Spec, E> {
        Ok(Spec::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Spec, E> {
        Ok(Spec::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Spec, E> {
        Ok(Spec::default())
    }

    fn visit_unit<E>(self) -> Result<Spec, E> {
        Ok(Spec::default())
    }
}

/// One Service of `/debug/registryz`.
#[derive(Debug, Deserialize)]
pub(super) struct Service<'a> {
    #[serde(default, rename = "Attributes", borrow)]
    pub(super) attributes: Attributes<'a>,
    #[serde(default, rename = "ResourceVersion", borrow)]
    pub(super) resource_version: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Attributes<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) namespace: Cow<'a, str>,
    pub(super) label_selectors: Option<Labels>,
}

/// A set of labels, of which only one is read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Labels {
    #[serde(default, rename = "rollouts-pod-template-hash")]
    pub(super) revision: Option<String>,
}

/// The content of `/debug/endpointShardz`: by host, by namespace.
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
    pub(super) labels: Option<Labels>,
    #[serde(default)]
    pub(super) addresses: Option<Vec<String>>,
    /// 0 or 1 if the endpoint answers requests.
    #[serde(default)]
    pub(super) health_status: i64,
}

/// One proxy of `/debug/syncz`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Proxy<'a> {
    #[serde(rename = "proxy", borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "proxy_type", borrow)]
    pub(super) of_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) cluster_sent: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) cluster_acked: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) listener_sent: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) listener_acked: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) route_sent: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) route_acked: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) endpoint_sent: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) endpoint_acked: Cow<'a, str>,
}

impl Proxy<'_> {
    /// Returns the sent and acknowledged nonces of each type that is pushed; routes are sent last in a push.
    pub(super) fn sent_and_acked(&self) -> [(&str, &str); 4] {
        [
            (&self.cluster_sent, &self.cluster_acked),
            (&self.listener_sent, &self.listener_acked),
            (&self.endpoint_sent, &self.endpoint_acked),
            (&self.route_sent, &self.route_acked),
        ]
    }
}

/// Parses the number of the push in a nonce, and when it began by istiod's clock, to the second:
/// `2026-11-24T09:38:58Z/17` and a UUID.
pub(super) fn push(nonce: &str) -> Option<(u64, Option<Time>)> {
    let (began, rest) = nonce.split_once('/')?;
    let uuid = 36;
    let number = rest.get(..rest.len().checked_sub(uuid)?)?.parse().ok()?;
    Some((number, Time::parse_rfc3339(began)))
}

/// Returns for how many seconds istiod has run, from its metrics.
pub(super) fn uptime(metrics: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(metrics).ok()?;
    let line = text.lines().find(|line| line.starts_with("istiod_uptime_seconds"))?;
    // Between the name and the value there may be labels.
    let seconds: f64 = line.rsplit(' ').next()?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_holds_the_number_of_its_push() {
        let uuid = "0d6f4f7e-55a2-4f80-9b0c-2a7ed1a8b9c1";
        let number = |nonce: &str| push(nonce).map(|push| push.0);
        assert_eq!(number(&format!("2026-11-24T09:38:58Z/17{uuid}")), Some(17));
        assert_eq!(number(&format!("2026-11-24T09:38:58+01:00/9{uuid}")), Some(9));
        let (_, began) = push(&format!("1970-01-01T01:00:09+01:00/9{uuid}")).unwrap();
        assert_eq!(began, Some(Time::from_secs(9)));
        for other in ["", "/", "17", uuid, "2026-11-24T09:38:58Z/17", "ü/ü"] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn the_metrics_say_how_long_istiod_has_run() {
        let help = "# HELP istiod_uptime_seconds Current istiod server uptime in seconds\n";
        for (line, seconds) in [
            ("istiod_uptime_seconds 1234.5", Some(1234.5)),
            ("istiod_uptime_seconds{a=\"b c\"} 1.2345e+03", Some(1234.5)),
            ("istiod_uptime_seconds NaN", None),
            ("istiod_uptime_seconds -1", None),
            ("other 7", None),
        ] {
            assert_eq!(uptime(format!("{help}{line}\nz 1\n").as_bytes()), seconds, "{line}");
        }
    }

    #[test]
    fn a_specification_of_any_shape_is_read() {
        for (text, exports, egress) in [
            ("null", vec![], None),
            ("[1, [2]]", vec![], None),
            ("\"x\"", vec![], None),
            ("{\"egress\": 7, \"exportTo\": {\"a\": 1}}", vec![], Some(vec![])),
            ("{\"exportTo\": [\".\", 1], \"http\": [{\"a\": []}]}", vec!["."], None),
            (
                "{\"egress\": [{\"hosts\": [\"./*\"]}, {}, {\"hosts\": [\"a/*\"]}]}",
                vec![],
                Some(vec!["./*", "a/*"]),
            ),
        ] {
            let spec: Spec = serde_json::from_str(text).unwrap();
            assert_eq!(spec.export_to, exports, "{text}");
            let egress = egress.map(|all| all.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(spec.egress, egress, "{text}");
        }
    }
}
