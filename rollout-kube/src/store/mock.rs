//! An API server whose answers a test scripts.

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
};

/// One request, as received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: Value,
}

/// A scripted answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Is(u16, Value),
    /// A stream: these lines, then its end, an error, or silence.
    Lines(Vec<Value>, Then),
    /// These bytes, unchecked.
    Raw(u16, Vec<u8>),
    /// One of these bytes every three seconds.
    Drip(Vec<u8>),
    /// No answer, ever.
    Never,
}

/// What a stream does after its lines.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    End,
    Cut,
    Silence,
}

impl Answer {
    pub(crate) fn ok(value: Value) -> Self {
        Self::Is(200, value)
    }

    /// Answers that an object of this name exists.
    pub(crate) fn taken() -> Self {
        let words = "object already exists";
        Self::Is(
            409,
            json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "AlreadyExists", "message": words}),
        )
    }

    pub(crate) fn failure(code: u16, message: &str) -> Self {
        Self::Is(code, json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
    }
}

/// Returns a client of a server that answers with `answer`, and the requests it has received.
pub(crate) fn server(
    answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> (Client, Arc<Mutex<Vec<Asked>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&seen);
    let answer = Arc::new(answer);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let request = Asked { method: parts.method.to_string(), uri: parts.uri.to_string(), body };
            asked.lock().unwrap().push(request.clone());
            match answer(&request) {
                Answer::Is(code, value) => {
                    let body =
                        Full::from(serde_json::to_vec(&value).unwrap()).map_err(|never| match never {});
                    Ok::<_, kube::Error>(Response::builder().status(code).body(body.boxed_unsync()).unwrap())
                }
                Answer::Lines(lines, then) => Ok(Response::new(streamed(&lines, then))),
                Answer::Raw(code, bytes) => {
                    let body = Full::from(bytes).map_err(|never| match never {});
                    Ok(Response::builder().status(code).body(body.boxed_unsync()).unwrap())
                }
                Answer::Drip(bytes) => Ok(Response::new(dripping(bytes))),
                Answer::Never => std::future::pending().await,
            }
        }
    });
    (Client::new(service, "shop"), seen)
}

fn dripping(bytes: Vec<u8>) -> UnsyncBoxBody<Bytes, io::Error> {
    let bytes = stream::iter(bytes).then(|byte| async move {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        Ok(Frame::data(Bytes::from(vec![byte])))
    });
    StreamBody::new(bytes).boxed_unsync()
}

fn streamed(lines: &[Value], then: Then) -> UnsyncBoxBody<Bytes, io::Error> {
    let lines: Vec<_> = lines.iter().map(|line| Ok(Frame::data(Bytes::from(format!("{line}\n"))))).collect();
    let rest = match then {
        Then::End => stream::empty().boxed(),
        Then::Cut => stream::iter([Err(io::Error::other("cut"))]).boxed(),
        Then::Silence => stream::pending().boxed(),
    };
    StreamBody::new(stream::iter(lines).chain(rest)).boxed_unsync()
}
