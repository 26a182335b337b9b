//! The settings of the provider `datadog`.

use rollout_core::analysis::duration;
use serde_json::Value;
use std::time::Duration;

/// The Secret with the keys of Datadog in the controller's namespace.
pub(crate) const SHARED: &str = "datadog";
const AGGREGATORS: [&str; 9] = ["avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"];

/// What to ask Datadog, and with whose keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Datadog {
    pub(crate) version: Version,
    /// The queries by name: one unless there is a formula.
    pub(crate) queries: Vec<(String, String)>,
    /// May be empty.
    pub(crate) formula: String,
    pub(crate) aggregator: String,
    /// How far back the queries look.
    pub(crate) interval: Duration,
    pub(crate) timeout: Option<Duration>,
    /// The Secret of the run's own namespace that has the keys; `None` for the shared one.
    pub(crate) secret: Option<String>,
}

/// A version of Datadog's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

impl Datadog {
    /// Reads a provider.
    ///
    /// # Errors
    /// Something is wrong with it.
    pub(crate) fn read(provider: &Value) -> Result<Self, String> {
        let text =
            |field: &str| provider.pointer(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = match text("/apiVersion").as_str() {
            "" | "v1" => Version::V1,
            "v2" => Version::V2,
            other => return Err(format!("apiVersion {other:?} is none of Datadog's; write v1 or v2")),
        };
        let (query, formula, aggregator) = (text("/query"), text("/formula"), text("/aggregator"));
        let queries = provider.get("queries").and_then(Value::as_object).into_iter().flatten();
        let queries =
            queries.map(|(name, query)| (name.clone(), query.as_str().unwrap_or_default().to_owned()));
        let mut queries: Vec<_> = queries.collect();
        let is_v1 = version == Version::V1;
        let wrong = match (query.is_empty(), queries.len()) {
            (true, 0) => Some("there is nothing to ask; write `query`"),
            (false, 1..) => Some("there are both `query` and `queries`; write one of them"),
            (true, _) if is_v1 => Some("`queries` are for version 2; write `apiVersion: v2`, or `query`"),
            (false, 0) if !formula.is_empty() => Some("a `formula` is about `queries`; write these, too"),
            (true, 2..) if formula.is_empty() => {
                Some("there are several `queries`; write a `formula` of them")
            }
            _ if is_v1 && !aggregator.is_empty() => {
                Some("an `aggregator` is for version 2; write `apiVersion: v2`")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(wrong.to_owned());
        }
        if !aggregator.is_empty() && !AGGREGATORS.contains(&aggregator.as_str()) {
            let all = AGGREGATORS.join(", ");
            return Err(format!("the aggregator {aggregator:?} is none of Datadog's; write one of {all}"));
        }
        if !query.is_empty() {
            queries.push(("query".to_owned(), query));
        }
        let time = |field: &str| match text(&format!("/{field}")).as_str() {
            "" => Ok(None),
            written => duration(written).filter(|time| time.as_secs() > 0).map(Some).ok_or_else(|| {
                format!("{field} {written:?} is no time; write a duration of a second or more, such as 5m")
            }),
        };
        let interval = time("interval")?.unwrap_or(Duration::from_secs(300));
        let aggregator = if aggregator.is_empty() { "last".to_owned() } else { aggregator };
        let (timeout, secret) = (time("requestTimeout")?, secret(provider)?);
        Ok(Self { version, queries, formula, aggregator, interval, timeout, secret })
    }
}

/// A Secret of the controller's namespace is for its operator to share: a tenant chooses none there.
fn secret(provider: &Value) -> Result<Option<String>, String> {
    let name = provider.pointer("/secretRef/name").and_then(Value::as_str).unwrap_or_default();
    let is_own = provider.pointer("/secretRef/namespaced").and_then(Value::as_bool).unwrap_or(false);
    match (is_own, name) {
        (true, "") => {
            Err("secretRef.name is missing; write the name of a Secret in this namespace".to_owned())
        }
        (true, name) => Ok(Some(name.to_owned())),
        (false, "" | SHARED) => Ok(None),
        (false, other) => Err(format!(
            "the Secret {other:?} would be in the controller's namespace, where only `{SHARED}` is read; write \
             `namespaced: true` to read it in this namespace"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_defaults_are_those_of_argo_rollouts() {
        let read = Datadog::read(&json!({"query": "a"})).unwrap();
        let queries = vec![("query".to_owned(), "a".to_owned())];
        let five_minutes = Duration::from_secs(300);
        assert_eq!((read.version, read.queries, read.interval), (Version::V1, queries, five_minutes));
        assert_eq!((read.aggregator.as_str(), read.secret, read.timeout), ("last", None, None));
        let read = Datadog::read(&json!({
            "apiVersion": "v2", "queries": {"a": "x", "b": "y"}, "formula": "a / b", "aggregator": "sum",
            "interval": "90s", "requestTimeout": "1m", "secretRef": {"name": "ours", "namespaced": true}
        }));
        let read = read.unwrap();
        assert_eq!((read.version, read.queries.len(), read.formula.as_str()), (Version::V2, 2, "a / b"));
        assert_eq!((read.interval.as_secs(), read.timeout.unwrap().as_secs()), (90, 60));
        assert_eq!((read.aggregator.as_str(), read.secret.as_deref()), ("sum", Some("ours")));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        for (provider, instead) in [
            (json!({}), "nothing to ask; write `query`"),
            (json!({"query": "a", "queries": {"b": "c"}}), "write one of them"),
            (json!({"queries": {"b": "c"}}), "write `apiVersion: v2`, or `query`"),
            (json!({"query": "a", "formula": "a"}), "about `queries`; write these, too"),
            (json!({"apiVersion": "v2", "queries": {"a": "b", "c": "d"}}), "write a `formula` of them"),
            (json!({"query": "a", "aggregator": "sum"}), "for version 2; write `apiVersion: v2`"),
            (json!({"apiVersion": "v2", "query": "a", "aggregator": "most"}), "write one of avg, min"),
            (json!({"apiVersion": "v3", "query": "a"}), "write v1 or v2"),
            (json!({"query": "a", "interval": "soon"}), "interval \"soon\" is no time; write a duration"),
            (json!({"query": "a", "requestTimeout": "0s"}), "requestTimeout \"0s\" is no time"),
            (json!({"query": "a", "secretRef": {"namespaced": true}}), "secretRef.name is missing; write"),
            (json!({"query": "a", "secretRef": {"name": "other"}}), "write `namespaced: true`"),
        ] {
            let error = Datadog::read(&provider).unwrap_err();
            assert!(error.contains(instead), "{error}");
        }
        assert_eq!(
            Datadog::read(&json!({"query": "a", "secretRef": {"name": "datadog"}})).unwrap().secret,
            None
        );
    }
}
