//! What a watch shows, until an object comes that was made to end it.

use super::{kinds::Kind, known::Known, server::Answer};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// What is not there after this time does not come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Watched {
    pub(super) kind: Kind,
    asked: String,
    from: u64,
    body: Body,
    /// What has come of a line.
    rest: Vec<u8>,
}

impl Watched {
    pub(super) fn new(kind: Kind, asked: String, from: &str, body: Body) -> Self {
        Self { kind, asked, from: from.parse().unwrap(), body, rest: Vec::new() }
    }

    /// All events of this namespace, in their order.
    pub(super) async fn until_the_end(mut self, known: &mut Known) -> (String, Answer) {
        let (mut events, mut last) = (Vec::new(), self.from);
        loop {
            let Some(mut event) = self.next().await else {
                events.push(json!("it ends"));
                break;
            };
            let object = event["object"].take();
            match event["type"].as_str().unwrap_or_default() {
                "ERROR" => {
                    events.push(json!({"type": "ERROR", "object": known.told_status(&object)}));
                    break;
                }
                // Whether one comes is a question of time.
                "BOOKMARK" => continue,
                _ => {}
            }
            let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            let version: u64 = version.parse().unwrap_or_default();
            if version <= last {
                events.push(json!(format!("version {version} comes after {last}")));
            }
            last = version;
            if object["metadata"]["namespace"] != *known.namespace {
                continue;
            }
            if object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("end-")) {
                break;
            }
            events.push(json!({"type": event["type"], "object": known.told(&object)}));
        }
        (self.asked, Answer { code: 200, body: events.into() })
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.unwrap_or_else(|_| panic!("nothing came within {PATIENCE:?}: {}", self.asked));
            let frame = frame?.unwrap();
            if let Ok(data) = frame.into_data() {
                self.rest.extend_from_slice(&data);
            }
        }
    }
}
