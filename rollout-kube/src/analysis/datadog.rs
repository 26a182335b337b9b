//! Asks Datadog.

mod answer;

use super::{
    http::{Http, HttpRequest},
    provider::{Question, Told, deadline, text, within},
    secrets::{self, NoSecret},
};
use crate::{
    runs::{Datadog, SHARED, SecretKey, Version},
    store::Requests,
};
use ::http::{HeaderName, HeaderValue, Method, header};
use bytes::Bytes;
use rollout_core::Time;
use serde_json::{Value, json};

const ADDRESS: &str = "https://api.datadoghq.com";

/// Asks the queries of a metric, with the keys of a Secret.
pub(super) async fn ask(http: &Http, requests: &Requests, provider: &Value, question: Question<'_>) -> Told {
    let settings = match Datadog::read(provider) {
        Ok(settings) => settings,
        Err(wrong) => return Told::nothing(wrong),
    };
    // The namespace is never what a tenant writes: it is that of the run, or the controller's own.
    let (namespace, name) = match &settings.secret {
        Some(name) => (text(question.run, "/metadata/namespace"), name.as_str()),
        None => (requests.own_namespace(), SHARED),
    };
    let keys = match Keys::read(requests, namespace, name).await {
        Ok(keys) => keys,
        Err(why) => return Told::nothing(why),
    };
    let seconds = settings.timeout.and_then(|timeout| i64::try_from(timeout.as_secs()).ok());
    let told = match keys.request(&settings, question.now) {
        Ok(request) => match deadline(within(seconds, 10), http.send(request)).await {
            Ok(answer) => {
                let (answer, metadata) = answer::read(&answer, settings.version);
                Told { metadata, ..Told::answer(answer) }
            }
            Err(why) => Told::nothing(why),
        },
        Err(why) => Told::nothing(why),
    };
    told.hiding([keys.api, keys.app])
}

/// What a Secret says about Datadog.
struct Keys {
    address: String,
    api: String,
    app: String,
}

impl Keys {
    /// # Errors
    /// The Secret or one of the keys is missing, or it cannot be read now.
    async fn read(requests: &Requests, namespace: &str, name: &str) -> Result<Self, String> {
        let secret = secrets::secret(requests, namespace, name).await.map_err(|error| {
            let why = match error {
                NoSecret::Missing(why) => why,
                NoSecret::Unreadable(error) => error.to_string(),
            };
            format!("failed to find the credentials for datadog metrics provider: {why}")
        })?;
        let value = |key: &str| {
            let key = SecretKey { secret: name.to_owned(), key: key.to_owned() };
            secrets::value(&secret, &key).map(|value| value.trim().to_owned())
        };
        let (api, app) = (value("api-key")?, value("app-key")?);
        for (key, value) in [("api-key", &api), ("app-key", &app)] {
            if value.is_empty() || HeaderValue::try_from(value).is_err() {
                return Err(format!("key '{key}' of secret '{name}' is no key of Datadog; store one"));
            }
        }
        let has_address = secret.pointer("/data/address").is_some();
        let address = if has_address { value("address")? } else { String::new() };
        Ok(Self { address: if address.is_empty() { ADDRESS.to_owned() } else { address }, api, app })
    }

    fn request(&self, settings: &Datadog, now: Time) -> Result<HttpRequest, String> {
        let (address, to) = (self.address.trim_end_matches('/'), now.as_secs());
        let from = to.saturating_sub_unsigned(settings.interval.as_secs());
        let request = match settings.version {
            Version::V1 => {
                let query = settings.queries.first().map_or("", |(_, query)| query.as_str());
                let request = HttpRequest::new(Method::GET, &format!("{address}/api/v1/query"))?;
                request.query(&[("query", query), ("from", &from.to_string()), ("to", &to.to_string())])
            }
            Version::V2 => {
                let mut request = HttpRequest::new(Method::POST, &format!("{address}/api/v2/query/scalar"))?;
                request.body = Bytes::from(body(settings, (from, to)).to_string());
                request
            }
        };
        let key = |request: HttpRequest, name: &'static str, value: &str| {
            request.secret_header(HeaderName::from_static(name), value)
        };
        let request = request.header(header::CONTENT_TYPE, "application/json");
        Ok(key(key(request, "dd-api-key", &self.api), "dd-application-key", &self.app))
    }
}

/// The question of version 2; its times are in milliseconds.
fn body(settings: &Datadog, (from, to): (i64, i64)) -> Value {
    let query = |(name, query): &(String, String)| json!({"name": name, "query": query, "data_source": "metrics", "aggregator": settings.aggregator});
    let formulas =
        if settings.formula.is_empty() { json!([]) } else { json!([{"formula": settings.formula}]) };
    let attributes = json!({
        "from": from.saturating_mul(1_000), "to": to.saturating_mul(1_000),
        "queries": settings.queries.iter().map(query).collect::<Vec<_>>(), "formulas": formulas,
    });
    json!({"data": {"type": "scalar_request", "attributes": attributes}})
}
