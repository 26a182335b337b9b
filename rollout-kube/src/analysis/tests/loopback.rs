//! Providers against a real HTTP server, on this machine.

use crate::analysis::{
    http::Http,
    prometheus,
    provider::{Told, deadline},
    web,
};
use rollout_core::{
    Time,
    analysis::{Answer, Value as Measured},
};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A server that answers each request with what a function makes of it, as it goes over the wire.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<Vec<String>>>,
}

pub(super) fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, log, answer) = (stream.unwrap(), Arc::clone(&log), Arc::clone(&answer));
            std::thread::spawn(move || {
                let (mut request, mut buffer) = (String::new(), [0; 4096]);
                while !is_whole(&request) {
                    let read = stream.read(&mut buffer).unwrap_or(0);
                    if read == 0 {
                        break;
                    }
                    request.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                log.lock().unwrap().push(request.clone());
                let answer = answer(&request);
                // The client may be gone.
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    Server { url, seen }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

const ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"0.97"]}]}}"#;

pub(super) fn http() -> Http {
    Http::new(true)
}

pub(super) fn why(told: Told) -> String {
    match told.answer {
        Some(Answer::Unanswered { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn prometheus_is_asked_with_a_form_and_headers() {
    let server = serve(|_| answer("200 OK", "", ONE));
    let metric = json!({
        "address": server.url, "query": "sum(rate(ok[5m])) / 2",
        "headers": [{"key": "Authorization", "value": "Bearer t"}]
    });
    let told = prometheus::ask(&http(), &metric, Time::from_secs(0)).await;
    assert_eq!(told.answer, Some(Answer::Value(Measured::Numbers(vec![0.97]))));
    let request = server.seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /api/v1/query HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer t\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nquery=sum%28rate%28ok%5B5m%5D%29%29%20%2F%202"), "{request}");
}

#[tokio::test]
async fn a_server_that_allows_only_reading_is_asked_by_reading() {
    let server = serve(|request| {
        let is_read = request.starts_with("GET /api/v1/query?query=up ");
        if is_read { answer("200 OK", "", ONE) } else { answer("405 Method Not Allowed", "", "") }
    });
    let told =
        prometheus::ask(&http(), &json!({"address": server.url, "query": "up"}), Time::from_secs(0)).await;
    assert_eq!(told.answer, Some(Answer::Value(Measured::Numbers(vec![0.97]))));
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    let server = serve(|_| answer("429 Too Many Requests", "retry-after: 7\r\n", "slow down"));
    let told =
        prometheus::ask(&http(), &json!({"address": server.url, "query": "up"}), Time::from_secs(0)).await;
    let why = "client_error: client error: 429".to_owned();
    assert_eq!(told.answer, Some(Answer::Unanswered { why, after: Some(Duration::from_secs(7)) }));
    let server = serve(|_| answer("503 Service Unavailable", "retry-after: 0\r\n", ""));
    let told = web::ask(&http(), &json!({"url": server.url})).await;
    let why = "received non 2xx response code: 503".to_owned();
    let after = Some(Duration::from_secs(1));
    assert_eq!(told.answer, Some(Answer::Unanswered { why, after }), "not as fast as it answers");
}

#[tokio::test]
async fn the_web_is_asked_and_redirects_are_followed_without_secrets() {
    let other = serve(|_| answer("200 OK", "", r#"{"ok": true}"#));
    let to = format!("location: {}/final\r\n", other.url);
    let server = serve(move |_| answer("302 Found", &to, ""));
    let metric = |url: &str| {
        let headers = json!([{"key": "X-Token", "value": "s3cret"}]);
        json!({"url": url, "jsonPath": "{.ok}", "headers": headers})
    };
    let told = web::ask(&http(), &metric(&server.url)).await;
    assert_eq!(told.answer, Some(Answer::Value(Measured::Json(Value::Bool(true)))));
    let request = other.seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET /final ") && !request.contains("s3cret"), "{request}");
    assert!(server.seen.lock().unwrap()[0].contains("x-token: s3cret"));

    let round = serve(|_| answer("302 Found", "location: /again\r\n", ""));
    let error = why(web::ask(&http(), &metric(&round.url)).await);
    assert!(error.contains("it redirects more than 3 times"), "{error}");
    assert_eq!(round.seen.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let server = serve(|_| answer("200 OK", "", &"x".repeat((1 << 20) + 1)));
    let error = why(web::ask(&http(), &json!({"url": server.url})).await);
    assert_eq!(error, "the answer is longer than 1 MiB; ask for less");
    let server = serve(|_| answer("200 OK", "", &"x".repeat(1 << 20)));
    let told = web::ask(&http(), &json!({"url": server.url})).await;
    assert!(matches!(told.answer, Some(Answer::Value(Measured::Text(text))) if text.len() == 1 << 20));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = why(web::ask(&http(), &json!({"url": format!("http://{gone}/")})).await);
    assert!(error.contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn this_machine_is_asked_only_if_the_operator_allows_it() {
    let server = serve(|_| answer("200 OK", "", "OK"));
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    for url in [
        server.url.clone(),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ] {
        let error = why(web::ask(&Http::new(false), &json!({"url": url})).await);
        assert!(error.contains("controller's own machine"), "{url}: {error}");
    }
    assert!(server.seen.lock().unwrap().is_empty());
}

/// The clock stands still while the server is silent, and then jumps to the deadline.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_waited_for_until_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = why(web::ask(&http(), &json!({"url": url, "timeoutSeconds": 3})).await);
    assert_eq!(error, "no answer within 3 s");
    let never = std::future::pending::<Result<(), String>>();
    assert_eq!(deadline(Duration::from_secs(1), never).await, Err("no answer within 1 s".to_owned()));
}
