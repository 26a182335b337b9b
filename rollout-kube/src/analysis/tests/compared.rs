//! The comparison of canary and stable, over a real HTTP server on this machine.

use super::loopback::{answer, http, serve, why};
use crate::{
    analysis::provider::{Provider as _, Providers, Question, Told},
    store::Requests,
    testing::SimulatedApiServer,
};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Phase, RunSpec, RunStatus, record},
};
use serde_json::{Value, json};
use std::{
    sync::{Barrier, Mutex},
    time::Duration,
};

/// A run with one metric that compares, as far as it got.
struct Compared {
    providers: Providers,
    spec: RunSpec,
    status: RunStatus,
}

impl Compared {
    fn new(url: &str) -> Self {
        let side = |name: &str| json!({"requests": format!("{name}_all"), "bad": format!("{name}_bad")});
        let auth = json!({"basicAuth": {"username": "me", "password": "s3cret"}});
        let settings = json!({
            "prometheus": {"address": url, "authentication": auth}, "canary": side("canary"), "stable": side("stable")
        });
        let provider = json!({"plugin": {"rollout-core/compare": settings}});
        let metric = json!({"name": "errors", "interval": "30s", "provider": provider});
        let mut requests = Requests::new(SimulatedApiServer::start().client(), "us");
        requests.add_all(crate::runs::kinds());
        let spec = RunSpec::read(&json!({"metrics": [metric]}));
        Self { providers: Providers::new(http(), requests), spec, status: RunStatus::default() }
    }

    async fn ask(&mut self, ask: Ask) -> Told {
        let (metric, result, run) = (&self.spec.metrics()[0], self.status.metric("errors"), Value::Null);
        let now = Time::from_secs(0);
        let question = Question { ask: &ask, spec: &self.spec, metric, result, run: &run, now };
        let told = self.providers.ask(question).await;
        self.status = record(&self.spec, &self.status, &[(ask, told.answer.clone().unwrap())], now);
        told
    }

    async fn measure(&mut self) -> Told {
        self.ask(Ask::Measure { metric: "errors".into() }).await
    }
}

/// A vector of counters by pod.
fn vector(counters: &[(&str, u32)]) -> String {
    let series =
        |(pod, value): &(&str, u32)| json!({"metric": {"pod": pod}, "value": [1, value.to_string()]});
    let result: Vec<_> = counters.iter().map(series).collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}}).to_string();
    answer("200 OK", "", &body)
}

#[tokio::test]
async fn four_queries_go_out_together_and_two_looks_make_a_window() {
    let (look, together) = (Mutex::new(0_u32), Barrier::new(4));
    let server = serve(move |request| {
        let look = {
            let mut asked = look.lock().unwrap();
            *asked += 1;
            (*asked - 1) / 4
        };
        // Nobody is answered before all four have been asked.
        together.wait();
        let (_, query) = request.rsplit_once("query=").unwrap();
        match (query, look) {
            ("canary_all" | "canary_bad", 0) => vector(&[]),
            ("canary_all", _) => vector(&[("c", 40)]),
            ("canary_bad", _) => answer("200 OK", "", r#"{"data":{"resultType":"scalar","result":[1,"4"]}}"#),
            ("stable_all", 0) => vector(&[("a", 1_000), ("b", 1_000)]),
            ("stable_all", _) => vector(&[("b", 1_200), ("a", 150)]),
            ("stable_bad", _) => vector(&[("a", 9)]),
            other => panic!("{other:?}"),
        }
    });
    let mut run = Compared::new(&server.url);
    let told = run.measure().await;
    assert_eq!(told.secrets[0], "bWU6czNjcmV0", "an answer may echo it");
    run.measure().await;
    let result = run.status.metric("errors").unwrap();
    let newest = result.newest().unwrap();
    assert_eq!(newest.phase, Phase::Successful);
    let (counted, _) = newest.value.split_once(", evidence").unwrap();
    assert_eq!(counted, "canary 4 of 40 bad, stable 0 of 350 bad", "`a` has restarted");
    let requests = server.seen.lock().unwrap();
    assert_eq!(requests.len(), 8);
    for request in &*requests {
        assert!(request.starts_with("POST /api/v1/query HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Basic bWU6czNjcmV0\r\n"), "{request}");
    }
}

#[tokio::test]
async fn one_query_without_an_answer_is_no_measurement() {
    let server = serve(|request| {
        let body = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        if request.ends_with("stable_bad") {
            answer("400 Bad Request", "", body)
        } else {
            vector(&[("a", 1)])
        }
    });
    let mut run = Compared::new(&server.url);
    assert_eq!(why(run.measure().await), "stable.bad: bad_data: parse error");
    let server = serve(|_| answer("429 Too Many Requests", "retry-after: 7\r\n", ""));
    let Some(Answer::Unanswered { after, .. }) = Compared::new(&server.url).measure().await.answer else {
        panic!("an answer")
    };
    assert_eq!(after, Some(Duration::from_secs(7)));
    let server = serve(|_| answer("200 OK", "", r#"{"data":{"resultType":"matrix","result":[]}}"#));
    let error = why(Compared::new(&server.url).measure().await);
    assert!(error.ends_with("write an instant query for counters"), "{error}");
    let server = serve(|_| answer("200 OK", "", r#"{"data":{"resultType":"scalar","result":[1,"NaN"]}}"#));
    let error = why(Compared::new(&server.url).measure().await);
    assert!(error.contains("the counter is NaN; write a query for counters"), "{error}");
}

#[tokio::test]
async fn nobody_is_asked_for_what_is_wrong_or_ends() {
    let server = serve(|_| vector(&[]));
    let mut run = Compared::new(&server.url);
    run.ask(Ask::Terminate { metric: "errors".into() }).await;
    let mut run = Compared::new("prometheus:9090");
    let error = why(run.measure().await);
    assert!(
        error.starts_with("canary.requests: \"prometheus:9090/api/v1/query\" is not an address"),
        "{error}"
    );
    let mut run = Compared::new(" ");
    let error = why(run.measure().await);
    assert!(error.contains("[rollout-core/compare].prometheus.address: is missing; write"), "{error}");
    assert!(server.seen.lock().unwrap().is_empty());
}
