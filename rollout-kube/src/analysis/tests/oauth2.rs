//! OAuth 2 against real HTTP servers, on this machine.

use super::loopback::{answer, http, serve, why};
use crate::analysis::{prometheus, web};
use rollout_core::{
    Time,
    analysis::{Answer, Value as Measured},
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

fn token(number: u32, lasts: u32) -> String {
    let body = json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": lasts});
    answer("200 OK", "", &body.to_string())
}

fn credentials(url: &str) -> Value {
    json!({"oauth2": {"tokenUrl": url, "clientId": "me", "clientSecret": "s3cret", "scopes": ["read", "metrics"]}})
}

#[tokio::test]
async fn a_token_is_got_once_and_anew_when_it_is_refused() {
    let number = AtomicU32::new(0);
    let login = serve(move |_| token(number.fetch_add(1, Ordering::Relaxed), 3_600));
    // The first token is revoked after two uses.
    let used = AtomicU32::new(0);
    let server = serve(move |request| {
        let is_good =
            !request.contains("authorization: Bearer t0\r\n") || used.fetch_add(1, Ordering::Relaxed) < 2;
        if is_good { answer("200 OK", "", "\"ok\"") } else { answer("401 Unauthorized", "", "") }
    });
    let (http, metric) = (http(), json!({"url": server.url, "authentication": credentials(&login.url)}));
    for look in 0..4 {
        let told = web::ask(&http, &metric).await;
        assert_eq!(told.answer, Some(Answer::Value(Measured::Json("ok".into()))), "{look}");
        assert!(told.secrets.iter().any(|secret| secret == "t0" || secret == "t1"));
        assert!(told.secrets.contains(&"s3cret".to_owned()));
    }
    let asked = login.seen.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("POST / HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("authorization: Basic bWU6czNjcmV0\r\n"), "{}", asked[0]);
    assert!(asked[0].ends_with("\r\n\r\ngrant_type=client_credentials&scope=read%20metrics"), "{}", asked[0]);

    let mut other = metric.clone();
    other["authentication"]["oauth2"]["clientSecret"] = "another".into();
    web::ask(&http, &other).await;
    assert_eq!(login.seen.lock().unwrap().len(), 3, "only who knows the secret gets its token");
}

#[tokio::test]
async fn a_token_that_expires_is_got_anew_and_credentials_may_have_to_be_in_the_form() {
    let login = serve(|request| {
        let is_in_the_form = request.ends_with("&client_id=me&client_secret=s3cret");
        if is_in_the_form { token(7, 5) } else { answer("401 Unauthorized", "", "{}") }
    });
    let one = r#"{"data":{"resultType":"scalar","result":[1,"0.5"]}}"#;
    let server = serve(|request| {
        assert!(request.contains("authorization: Bearer t7\r\n"), "{request}");
        answer("200 OK", "", one)
    });
    let (http, metric) = (http(), json!({"address": server.url, "authentication": credentials(&login.url)}));
    for looks in 1..=2 {
        let told = prometheus::ask(&http, &metric, Time::from_secs(0)).await;
        assert_eq!(told.answer, Some(Answer::Value(Measured::Number(0.5))));
        assert_eq!(login.seen.lock().unwrap().len(), 2 * looks, "it lasts for less than ten seconds");
    }
}

#[tokio::test]
async fn without_a_token_nobody_is_asked() {
    let server = serve(|_| answer("200 OK", "", "OK"));
    for (status, body, said) in [
        (
            "403 Forbidden",
            r#"{"error":"unauthorized_client","error_description":"no"}"#,
            "answered 403: unauthorized_client: no",
        ),
        ("500 Internal Server Error", "<html>", "the server answered 500; check `authentication.oauth2`"),
        ("200 OK", "{}", "the server gave no bearer token"),
        ("200 OK", r#"{"access_token":"a","token_type":"mac"}"#, "the server gave no bearer token"),
        ("200 OK", r#"{"access_token":"a\nb"}"#, "the server gave no bearer token"),
    ] {
        let login = serve(move |_| answer(status, "", body));
        let metric = json!({"url": server.url, "authentication": credentials(&login.url)});
        let error = why(web::ask(&http(), &metric).await);
        assert!(error.starts_with("no token: ") && error.contains(said), "{error}");
    }
    assert!(server.seen.lock().unwrap().is_empty());
}
