//! Datadog, over a real HTTP server on this machine, with Secrets of a simulated API server.

use super::loopback::{Server, answer, http, serve, why};
use crate::{
    analysis::provider::{Provider as _, Providers, Question, Told},
    store::mock,
};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, RunSpec, Value as Measured},
};
use serde_json::{Value, json};

/// Asks as a run in the namespace `team`; the controller is in `shop`. Also returns which Secrets were read.
async fn ask(url: &str, datadog: Value) -> (Told, Vec<String>) {
    let url = url.to_owned();
    let encode = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let (client, seen) = mock::server(move |request| {
        if request.uri.contains("missing") {
            return mock::Answer::failure(404, "no");
        }
        let mut data = json!({"address": encode(&url), "api-key": encode("k3y\n"), "app-key": encode("4pp")});
        if request.uri.contains("half") {
            data["app-key"] = "".into();
        }
        let place: Vec<_> = request.uri.split('/').collect();
        let metadata = json!({"namespace": place[4], "name": place[6], "resourceVersion": "1"});
        mock::Answer::ok(json!({"kind": "Secret", "metadata": metadata, "data": data}))
    });
    let mut requests = crate::store::Requests::new(client, "us");
    requests.add_all(crate::runs::kinds());
    let provider = json!({"datadog": datadog});
    let spec = RunSpec::read(&json!({"metrics": [{"name": "errors", "provider": provider}]}));
    let run = json!({"metadata": {"namespace": "team", "name": "check"}});
    let (ask, now) = (Ask::Measure { metric: "errors".into() }, Time::from_secs(10_000));
    let metric = &spec.metrics()[0];
    let question = Question { ask: &ask, spec: &spec, metric, result: None, run: &run, now };
    let told = Providers::new(http(), requests).ask(question).await;
    let read = seen.lock().unwrap().iter().map(|request| request.uri.clone()).collect();
    (told, read)
}

fn datadog() -> Server {
    serve(|request| {
        let (v1, v2) = (
            r#"{"series":[{"pointlist":[[1,0.5]]}]}"#,
            r#"{"data":{"attributes":{"columns":[{"values":[7]}]}}}"#,
        );
        answer("200 OK", "", if request.starts_with("GET") { v1 } else { v2 })
    })
}

const SHARED: &str = "/api/v1/namespaces/shop/secrets/datadog";

#[tokio::test]
async fn version_1_is_asked_with_the_shared_keys() {
    let server = datadog();
    let (told, read) = ask(&server.url, json!({"query": "avg:errors{*}", "interval": "10m"})).await;
    assert_eq!(told.answer, Some(Answer::Value(Measured::Number(0.5))));
    assert_eq!((told.secrets, read), (vec!["k3y".to_owned(), "4pp".to_owned()], vec![SHARED.to_owned()]));
    let request = server.seen.lock().unwrap()[0].clone();
    let first = "GET /api/v1/query?query=avg%3Aerrors%7B%2A%7D&from=9400&to=10000 HTTP/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
    assert!(request.contains("dd-api-key: k3y\r\n") && request.contains("dd-application-key: 4pp\r\n"));
}

#[tokio::test]
async fn version_2_is_asked_with_a_formula() {
    let server = datadog();
    let queries = json!({"a": "sum:errors{*}", "b": "sum:all{*}"});
    let metric = json!({"apiVersion": "v2", "queries": queries, "formula": "a / b", "aggregator": "sum"});
    let (told, _) = ask(&server.url, metric).await;
    assert_eq!(told.answer, Some(Answer::Value(Measured::Number(7.0))));
    let request = server.seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /api/v2/query/scalar HTTP/1.1\r\n"), "{request}");
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let query = |name: &str, query: &str| json!({"name": name, "query": query, "data_source": "metrics", "aggregator": "sum"});
    let queries = json!([query("a", "sum:errors{*}"), query("b", "sum:all{*}")]);
    let attributes = json!({
        "from": 9_700_000, "to": 10_000_000, "queries": queries, "formulas": [{"formula": "a / b"}]
    });
    assert_eq!(body, json!({"data": {"type": "scalar_request", "attributes": attributes}}));
}

#[tokio::test]
async fn a_tenant_reads_secrets_of_its_own_namespace_only() {
    let server = datadog();
    let with = |secret: Value| json!({"query": "a", "secretRef": secret});
    let (_, read) = ask(&server.url, with(json!({"name": "ours", "namespaced": true}))).await;
    assert_eq!(read, ["/api/v1/namespaces/team/secrets/ours"]);
    for secret in [
        json!({"name": "token-of-another"}),
        json!({"name": "../../shop/secrets/datadog", "namespaced": true}),
        json!({"name": "datadog", "namespaced": true, "namespace": "shop"}),
    ] {
        let (_, read) = ask(&server.url, with(secret)).await;
        assert!(
            read.iter().all(|uri| uri.starts_with("/api/v1/namespaces/team/secrets/datadog")),
            "{read:?}"
        );
    }
}

#[tokio::test]
async fn without_keys_nobody_is_asked() {
    let server = datadog();
    let with = |name: &str| json!({"query": "a", "secretRef": {"name": name, "namespaced": true}});
    let (told, _) = ask(&server.url, with("missing")).await;
    let missing =
        "failed to find the credentials for datadog metrics provider: secrets \"missing\" not found";
    assert_eq!(why(told), missing);
    let (told, _) = ask(&server.url, with("half")).await;
    assert_eq!(why(told), "key 'app-key' of secret 'half' is no key of Datadog; store one");
    assert!(server.seen.lock().unwrap().is_empty());
    let (told, _) = ask("api.datadoghq.com", json!({"query": "a"})).await;
    let error = why(told);
    assert!(error.contains("is not an address that can be asked: write http://"), "{error}");
}
