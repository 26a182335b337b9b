//! What a request would meet, read from the objects as Istio's documentation says. It knows neither the
//! editor nor the Rollout.

use serde_json::Value;
use std::collections::BTreeMap;

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) query: Vec<(&'a str, &'a str)>,
}

/// What a request meets.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Met {
    /// Labels of the pods, with their part of all requests like this one, in millionths.
    pub(crate) pods: BTreeMap<BTreeMap<String, String>, u64>,
    /// Labels of the pods that get copies, with how many, in millionths.
    pub(crate) copies: BTreeMap<BTreeMap<String, String>, u64>,
}

impl Met {
    /// The part of the requests that pods with this label get, in millionths.
    pub(crate) fn share(&self, label: &str, value: &str) -> u64 {
        let with = self.pods.iter().filter(|(labels, _)| labels.get(label).is_some_and(|has| has == value));
        with.map(|(_, part)| part).sum()
    }
}

/// What a plain http request to `host` meets, by the routes of `virtual_service`. `None`: no route.
pub(crate) fn meets(objects: &[Value], virtual_service: &Value, request: &Request<'_>) -> Option<Met> {
    let rules = virtual_service["spec"]["http"].as_array()?;
    let rule = rules.iter().find(|rule| takes(rule, request))?;
    let mut met = Met::default();
    let entries: &[Value] = rule["route"].as_array().map_or(&[], Vec::as_slice);
    let weight = |entry: &Value| if entries.len() == 1 { 1 } else { entry["weight"].as_u64().unwrap_or(0) };
    let total: u64 = entries.iter().map(weight).sum();
    for entry in entries.iter().filter(|entry| weight(entry) > 0) {
        let labels = labels(objects, &entry["destination"]);
        *met.pods.entry(labels).or_default() += weight(entry) * 1_000_000 / total;
    }
    if rule["mirror"].is_object() {
        let percentage = rule["mirrorPercentage"]["value"].as_f64().unwrap_or(100.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
        let part = (percentage * 10_000.0) as u64;
        *met.copies.entry(labels(objects, &rule["mirror"])).or_default() += part;
    }
    Some(met)
}

pub(crate) fn takes(rule: &Value, request: &Request<'_>) -> bool {
    let Some(blocks) = rule["match"].as_array().filter(|blocks| !blocks.is_empty()) else { return true };
    blocks.iter().any(|block| {
        let fits = |key: &str, text: &str| block[key].is_null() || text_is(&block[key], text);
        let headers = block["headers"].as_object();
        let headers_fit = headers.is_none_or(|headers| {
            headers.iter().all(|(name, wanted)| {
                let mut sent = request.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
                sent.any(|(_, value)| text_is(wanted, value))
            })
        });
        let query = block["queryParams"].as_object().into_iter().flatten();
        let mut query = query.map(|(name, wanted)| {
            request.query.iter().any(|(sent, value)| sent == name && text_is(wanted, value))
        });
        fits("method", request.method) && fits("uri", request.path) && headers_fit && query.all(|fits| fits)
    })
}

/// Regular expressions are only those of the tests: text, perhaps with `.*` at the end.
fn text_is(wanted: &Value, text: &str) -> bool {
    if let Some(regex) = wanted["regex"].as_str() {
        return regex.strip_suffix(".*").map_or(regex == text, |start| text.starts_with(start));
    }
    let prefix = wanted["prefix"].as_str();
    wanted["exact"].as_str() == Some(text) || prefix.is_some_and(|prefix| text.starts_with(prefix))
}

/// The labels that pods behind a destination have: the Service's selector and the subset's labels.
fn labels(objects: &[Value], destination: &Value) -> BTreeMap<String, String> {
    let short =
        |host: &Value| host.as_str().unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
    let host = short(&destination["host"]);
    let mut labels = BTreeMap::from([("host".to_owned(), host.clone())]);
    let mut add = |from: &Value| {
        let pairs = from.as_object().into_iter().flatten();
        labels.extend(pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())));
    };
    for object in objects {
        if object["kind"] == "Service" && object["metadata"]["name"] == host.as_str() {
            add(&object["spec"]["selector"]);
        }
        if object["spec"]["subsets"].is_array() && short(&object["spec"]["host"]) == host {
            let subsets = object["spec"]["subsets"].as_array().into_iter().flatten();
            subsets
                .filter(|subset| subset["name"] == destination["subset"])
                .for_each(|subset| add(&subset["labels"]));
        }
    }
    labels
}
