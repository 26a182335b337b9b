//! Watches, and what they show.

use super::{
    api_request::ApiRequest,
    merge::put,
    objects::{Objects, Sender},
    refusal::Refusal,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{sync::mpsc, time::Instant};

/// A line that a watch sends, and when.
pub(super) type Line = (Instant, Bytes);

/// A change of an object.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) version: u64,
    pub(super) object: Arc<Value>,
    pub(super) is_deleted: bool,
    pub(super) at: Instant,
    pub(super) tick: u64,
    pub(super) by: Option<Sender>,
    /// The object before the change.
    before: Option<Arc<Value>>,
    /// The line for watches without a selector, formatted once.
    line: Line,
}

#[derive(Debug)]
pub(super) struct Watch {
    request: ApiRequest,
    events: mpsc::UnboundedSender<Line>,
}

fn line(what: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": what, "object": object})))
}

impl Event {
    /// Returns the line for a watch. A watch with a selector shows an object that no longer matches as deleted.
    fn shown(&self, request: &ApiRequest) -> Option<Line> {
        if request.labels.is_everything() {
            return request.selects(&self.object).then(|| self.line.clone());
        }
        let was = self.before.as_ref().filter(|before| request.selects(before));
        let line = match (was, !self.is_deleted && request.selects(&self.object)) {
            (None, false) => return None,
            (None, true) => line("ADDED", &self.object),
            (Some(_), true) => line("MODIFIED", &self.object),
            (Some(before), false) => {
                let mut last = (**before).clone();
                put(&mut last, "resourceVersion", self.version.to_string().into());
                line("DELETED", &last)
            }
        };
        Some((self.line.0, line))
    }
}

impl Objects {
    pub(super) fn watch(&mut self, request: &ApiRequest) -> mpsc::UnboundedReceiver<Line> {
        let (events, receiver) = mpsc::unbounded_channel();
        if request.version < self.oldest {
            // The receiver exists. Without a sender, it ends after this line.
            let _ = events.send((Instant::now(), line("ERROR", &Refusal::expired().status())));
            return receiver;
        }
        let log = self.log.get(&request.kind).map(Vec::as_slice).unwrap_or_default();
        let from = log.partition_point(|event| event.version <= request.version);
        for line in log.iter().skip(from).filter_map(|event| event.shown(request)) {
            // The receiver exists.
            let _ = events.send(line);
        }
        self.watches
            .entry(request.kind.clone())
            .or_default()
            .push(Watch { request: request.clone(), events });
        receiver
    }

    /// Shows the watches the change at the current version.
    pub(super) fn notify(
        &mut self,
        request: &ApiRequest,
        before: Option<Arc<Value>>,
        object: Arc<Value>,
        is_deleted: bool,
    ) {
        let what = if is_deleted {
            "DELETED"
        } else if before.is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        // The watches show changes in order.
        let due = Instant::now() + self.disturbed.0.watch_lag();
        let due = self.shown.map_or(due, |before| before.max(due));
        self.shown = Some(due);
        let line = (due, line(what, &object));
        let (at, tick, by) = (Instant::now(), self.tick(), self.by.clone());
        let event = Event { version: self.version, object, is_deleted, at, tick, by, before, line };
        if let Some(watches) = self.watches.get_mut(&request.kind) {
            watches.retain(|watch| match event.shown(&watch.request) {
                Some(line) => watch.events.send(line).is_ok(),
                None => true,
            });
        }
        self.log.entry(request.kind.clone()).or_default().push(event);
    }
}
