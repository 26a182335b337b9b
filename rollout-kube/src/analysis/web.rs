//! Asks any HTTP server.

use super::{
    http::{Http, HttpAnswer, HttpRequest, OAuth2},
    jsonpath::JsonPath,
    provider::{Told, deadline, text, within},
};
use ::http::{Method, header};
use bytes::Bytes;
use rollout_core::analysis::{Answer, Value as Measured};
use serde_json::{Map, Value};

/// Asks the address of a metric.
pub(super) async fn ask(http: &Http, metric: &Value) -> Told {
    let (request, path) = match read(metric) {
        Ok(question) => question,
        Err(why) => return Told::nothing(why),
    };
    let seconds = metric.get("timeoutSeconds").and_then(Value::as_i64);
    let oauth2 = request.oauth2.clone();
    let told = match deadline(within(seconds, 10), http.send(request)).await {
        Ok(answer) => Told::answer(measured(&answer, &path)),
        Err(why) => Told::nothing(why),
    };
    told.hiding(oauth2.into_iter().flat_map(|oauth2| oauth2.secrets()))
}

/// Builds the request, and says where the value is in the answer.
fn read(metric: &Value) -> Result<(HttpRequest, JsonPath), String> {
    let method = match text(metric, "/method") {
        "" | "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        other => return Err(format!("the method {other:?} is not supported; write GET, POST or PUT")),
    };
    let path = text(metric, "/jsonPath");
    let path = JsonPath::parse(if path.is_empty() { "{$}" } else { path })?;
    let body = text(metric, "/body");
    let json = metric.get("jsonBody").filter(|json| !json.is_null());
    if !body.is_empty() && json.is_some() {
        return Err("use either Body or JSONBody; both cannot exists for WebMetric payload".to_owned());
    }
    if method == Method::GET && (!body.is_empty() || json.is_some()) {
        return Err("Body/JSONBody can only be used with POST or PUT WebMetric Method types".to_owned());
    }
    let request = HttpRequest::new(method, text(metric, "/url"))?;
    let mut request = request.headers(metric.get("headers"))?;
    request.is_insecure = metric.get("insecure").and_then(Value::as_bool).unwrap_or(false);
    request.oauth2 = OAuth2::read(metric)?;
    request.body = Bytes::from(body.to_owned());
    if let Some(json) = json {
        request.body = Bytes::from(json.to_string());
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    Ok((request, path))
}

fn measured(answer: &HttpAnswer, path: &JsonPath) -> Answer {
    if !answer.status.is_success() {
        let why = format!("received non 2xx response code: {}", answer.status.as_u16());
        return Answer::Unanswered { why, after: answer.retry_after };
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Answer::Value(Measured::Text(String::from_utf8_lossy(&answer.body).into_owned()));
    };
    match path.first(&body) {
        Ok(value) => Answer::Value(Measured::Json(as_go(value))),
        Err(why) => Answer::Unanswered { why, after: None },
    }
}

/// Writes a value as Go does: fields by name, and no fraction in whole numbers.
fn as_go(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(as_go).collect(),
        Value::Object(fields) => {
            let mut sorted: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), as_go(value))).collect();
            sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
        Value::Number(number) => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15")]
            whole.map_or_else(|| value.clone(), |whole| Value::from(whole as i64))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn a_metric_becomes_a_request() {
        let headers = json!([{"key": "Authorization", "value": "Bearer t"}]);
        let metric = json!({
            "url": "http://web/check?a=b c", "method": "POST", "jsonBody": {"a": [1]}, "headers": headers,
            "insecure": true, "jsonPath": "{.data.ok}"
        });
        let (request, path) = read(&metric).unwrap();
        assert_eq!((request.method, request.is_insecure), (Method::POST, true));
        assert_eq!(request.uri.to_string(), "http://web/check?a=b%20c");
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers["authorization"], "Bearer t");
        assert_eq!(&*request.body, br#"{"a":[1]}"#);
        assert_eq!(path, JsonPath::parse("{.data.ok}").unwrap());
        let (request, _) = read(&json!({"url": "http://web", "method": "PUT", "body": "a=b"})).unwrap();
        assert_eq!((&*request.body, request.headers.len()), (&b"a=b"[..], 0));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        for (metric, why) in [
            (json!({}), "is not an address"),
            (json!({"url": "http://web", "method": "DELETE"}), "write GET, POST or PUT"),
            (json!({"url": "http://web", "body": "a"}), "can only be used with POST or PUT"),
            (
                json!({"url": "http://web", "method": "PUT", "body": "a", "jsonBody": {}}),
                "use either Body or",
            ),
            (json!({"url": "http://web", "jsonPath": ".a"}), "write {.field}"),
            (
                json!({"url": "http://web", "authentication": {"oauth2": {"clientId": "a"}}}),
                "OAuth2 setup; write",
            ),
        ] {
            let error = read(&metric).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_answer_is_a_value_a_text_or_none() {
        let of = |status: u16, body: &str| {
            let retry_after = Some(Duration::from_secs(3));
            let status = StatusCode::from_u16(status).unwrap();
            let answer = HttpAnswer { status, retry_after, body: body.into() };
            measured(&answer, &JsonPath::parse("{.a}").unwrap())
        };
        let value = |json: Value| Answer::Value(Measured::Json(json));
        assert_eq!(of(200, r#"{"a":5.0}"#), value(json!(5)));
        let map = of(200, r#"{"a":{"z":0.5,"b":1e3}}"#);
        assert!(matches!(&map, Answer::Value(map) if map.to_string() == r#"{"b":1000,"z":0.5}"#), "{map:?}");
        assert_eq!(of(201, "OK\n"), Answer::Value(Measured::Text("OK\n".to_owned())));
        let unanswered = |why: &str, after| Answer::Unanswered { why: why.to_owned(), after };
        assert_eq!(of(200, "{}"), unanswered("result of web metric produced no value", None));
        let busy = "received non 2xx response code: 503";
        assert_eq!(of(503, "{}"), unanswered(busy, Some(Duration::from_secs(3))));
    }
}
