//! A query for a Prometheus server, built from what a tenant wrote.

use super::range;
use crate::analysis::{
    http::{Http, HttpAnswer, HttpRequest, OAuth2, basic},
    provider::text,
};
use http::{Method, StatusCode, header};
use rollout_core::Time;
use serde_json::Value;

/// A query, ready to be sent.
#[derive(Debug)]
pub(in crate::analysis) struct Query {
    request: HttpRequest,
    fields: Vec<(&'static str, String)>,
    /// Texts that are made of secrets.
    secrets: Vec<String>,
}

impl Query {
    /// Reads where and how to ask, as a metric has it; `query` is what to ask.
    ///
    /// # Errors
    /// The configuration cannot be asked.
    pub(in crate::analysis) fn read(metric: &Value, query: &str, now: Time) -> Result<Self, String> {
        let address = text(metric, "/address");
        if address.is_empty() {
            return Err("prometheus address is not configured; write `address: http://HOST:9090`".to_owned());
        }
        if metric.get("timeout").and_then(Value::as_i64).is_some_and(|seconds| seconds < 0) {
            return Err("prometheus timeout should not be negative; write seconds".to_owned());
        }
        let mut fields = vec![("query", query.to_owned())];
        let end = match metric.get("rangeQuery").filter(|range| range.is_object()) {
            None => "query",
            Some(written) => {
                fields.extend(range::fields(written, now)?);
                "query_range"
            }
        };
        let request = HttpRequest::new(Method::POST, &with_path(address, end))?;
        let mut request = request.headers(metric.get("headers"))?;
        request.is_insecure = metric.get("insecure").and_then(Value::as_bool).unwrap_or(false);
        let mut secrets = Vec::new();
        let [user, password] =
            ["username", "password"].map(|field| text(metric, &format!("/authentication/basicAuth/{field}")));
        match (user, password) {
            ("", "") => {}
            ("", _) => return Err(missing("username")),
            (_, "") => return Err(missing("password")),
            _ => {
                let value = basic(user, password);
                secrets.extend(value.split_once(' ').map(|(_, encoded)| encoded.to_owned()));
                request = request.header(header::AUTHORIZATION, &value);
            }
        }
        let sigv4 = metric.pointer("/authentication/sigv4").and_then(Value::as_object);
        if sigv4.is_some_and(|fields| !fields.is_empty()) {
            let instead = "write basicAuth, oauth2, or a header `Authorization`";
            return Err(format!("authentication.sigv4 is not supported; {instead}"));
        }
        request.oauth2 = OAuth2::read(metric)?;
        if request.oauth2.is_some() && !user.is_empty() {
            return Err("there are two kinds of authentication; write either basicAuth or oauth2".to_owned());
        }
        Ok(Self { request, fields, secrets })
    }

    /// Returns the texts that must not be seen, once it was asked.
    pub(in crate::analysis) fn secrets(&self) -> Vec<String> {
        let of_token = self.request.oauth2.iter().flat_map(|oauth2| oauth2.secrets());
        self.secrets.iter().cloned().chain(of_token).collect()
    }

    /// Asks it.
    ///
    /// # Errors
    /// Nobody answers.
    pub(in crate::analysis) async fn send(&self, http: &Http) -> Result<HttpAnswer, String> {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut answer = http.send(self.request.clone().form(&fields)).await?;
        // A proxy in front of the server may allow reading only.
        if matches!(answer.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
            let get = HttpRequest { method: Method::GET, ..self.request.clone() };
            answer = http.send(get.query(&fields)).await?;
        }
        Ok(answer)
    }
}

fn missing(what: &str) -> String {
    format!("missing mandatory parameter in metric for basic auth setup: {what}")
}

/// Adds the path of the API to an address, before its query.
fn with_path(address: &str, end: &str) -> String {
    let (place, query) =
        address.split_once('?').map_or((address, None), |(place, query)| (place, Some(query)));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/api/v1/{end}{query}", place.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query(metric: &Value) -> Result<Query, String> {
        Query::read(metric, text(metric, "/query"), Time::from_secs(1_000))
    }

    #[test]
    fn a_query_becomes_a_form() {
        let metric = json!({
            "address": "http://prometheus:9090/base/?tenant=a", "query": "up{job=\"web\"}",
            "headers": [{"key": "X-Scope-OrgID", "value": "shop"}], "insecure": true,
            "authentication": {"basicAuth": {"username": "me", "password": "s3cret"}, "sigv4": {}, "oauth2": {}}
        });
        let query = query(&metric).unwrap();
        let HttpRequest { method, uri, headers, is_insecure, .. } = &query.request;
        assert_eq!((method, *is_insecure), (&Method::POST, true));
        assert_eq!(uri.to_string(), "http://prometheus:9090/base/api/v1/query?tenant=a");
        assert_eq!(headers["x-scope-orgid"], "shop");
        assert_eq!(headers["authorization"], "Basic bWU6czNjcmV0");
        assert_eq!(query.secrets, ["bWU6czNjcmV0"], "an answer may echo it");
        assert_eq!(query.fields, [("query", "up{job=\"web\"}".to_owned())]);
    }

    #[test]
    fn a_range_has_a_start_an_end_and_a_step() {
        let range = json!({"start": "now() - duration('10m')", "end": "now()", "step": "90s"});
        let metric = json!({"address": "http://prometheus", "query": "up", "rangeQuery": range});
        let query = query(&metric).unwrap();
        assert_eq!(query.request.uri.path(), "/api/v1/query_range");
        let fields: Vec<_> = query.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(fields, [("query", "up"), ("start", "400"), ("end", "1000"), ("step", "90")]);
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let with = |field: &str, value: Value| {
            let mut metric = json!({"address": "http://prometheus:9090", "query": "up"});
            metric[field] = value;
            query(&metric).unwrap_err()
        };
        for (field, value, why) in [
            ("address", json!(""), "prometheus address is not configured"),
            ("address", json!("prometheus:9090"), "is not an address"),
            ("timeout", json!(-1), "should not be negative"),
            ("headers", json!([{"key": "", "value": "a"}]), "is not the name of a header"),
            ("authentication", json!({"basicAuth": {"username": "a"}}), "basic auth setup: password"),
            ("authentication", json!({"basicAuth": {"password": "a"}}), "basic auth setup: username"),
            ("authentication", json!({"oauth2": {"tokenUrl": "http://a"}}), "authentication.oauth2.clientId"),
            ("authentication", json!({"sigv4": {"region": "a"}}), "authentication.sigv4 is not supported"),
            ("rangeQuery", json!({}), "rangeQuery.start"),
        ] {
            let error = with(field, value);
            assert!(error.contains(why), "{error}");
        }
    }
}
