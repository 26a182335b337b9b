use crate::store::{Kind, Requests};
use rollout_core::Time;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// What is said to the user about a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) warns: bool,
    pub(crate) reason: &'static str,
    pub(crate) note: String,
}

impl Said {
    pub(crate) fn normal(reason: &'static str, note: impl Into<String>) -> Self {
        Self { warns: false, reason, note: note.into() }
    }

    pub(crate) fn warning(reason: &'static str, note: impl Into<String>) -> Self {
        Self { warns: true, reason, note: note.into() }
    }
}

/// Publishes events, one after the other and beside the work: nothing waits for them.
///
/// Every one is an object of its own. (Recorders that fold events together compare everything but the note,
/// and keep the old one.)
#[derive(Debug)]
pub(crate) struct Publisher {
    queue: mpsc::Sender<Value>,
    count: AtomicU64,
    process: String,
}

/// More than this that nobody took is dropped, and said in the log.
const QUEUE: usize = 1_000;

impl Publisher {
    pub(crate) fn start(mut requests: Requests, process: &str) -> Self {
        requests.add(Kind::new("", "v1", "Event", "events"));
        let (queue, mut events) = mpsc::channel::<Value>(QUEUE);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let namespace =
                    event.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
                let object = rollout_core::traffic::ObjectRef::new("", "Event", namespace, "");
                if let Err(error) = requests.create(&object, &event).await {
                    tracing::warn!(%error, "an event could not be published");
                }
            }
        });
        Self { queue, count: AtomicU64::new(0), process: process.to_owned() }
    }

    /// Publishes one event about a Rollout.
    pub(crate) fn say(&self, rollout: &Value, said: &Said, now: Time) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let event = event(rollout, said, now, &format!("{}-{number}", self.process));
        if self.queue.try_send(event).is_err() {
            tracing::warn!(reason = said.reason, note = %said.note, "an event was dropped: too many wait");
        }
    }
}

fn event(rollout: &Value, said: &Said, now: Time, suffix: &str) -> Value {
    let at = |pointer: &str| rollout.pointer(pointer).cloned().unwrap_or(Value::Null);
    let name = rollout.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let second = Time::from_secs(now.as_secs()).to_string();
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": at("/metadata/namespace"), "name": format!("{name}.{suffix}")},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "namespace": at("/metadata/namespace"),
            "name": name, "uid": at("/metadata/uid"), "resourceVersion": at("/metadata/resourceVersion")
        },
        "type": if said.warns { "Warning" } else { "Normal" },
        "reason": said.reason,
        "message": said.note,
        "source": {"component": "rollouts-controller"},
        "firstTimestamp": second,
        "lastTimestamp": second,
        "count": 1
    })
}
