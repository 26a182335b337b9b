use super::{
    kube_event::KubeEvent,
    outbox::{About, OF_A_NAMESPACE, OF_A_ROLLOUT, Outbox, Pending, Pushed},
};
use crate::store::{Kind, KubeStore, Requests};
use rollout_core::{Time, backend::StoreError, traffic::ObjectRef};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

/// Publishes Kubernetes events in the background: no turn waits for them.
///
/// It creates Event objects of the core group, which `kubectl describe`, the kubectl plugin and Argo CD look for. (The
/// event recorders of client libraries compare everything but the note, and keep the old note.) A repeated event raises
/// the count of its object; excess events are dropped, and their number is published. Cloning is cheap: clones share
/// one publisher.
///
/// ```
/// use rollout_core::Time;
/// use rollout_kube::{Kind, KubeEvent, KubeStore, Publisher, testing::SimulatedApiServer};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// let store = KubeStore::new(server.client(), "my-controller");
/// let kind = Kind::new("example.com", "v1", "Canary", "canaries");
/// let publisher = Publisher::new(&store, &kind, "my-controller-1");
/// let canary = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "7"}});
/// publisher.publish(&canary, &KubeEvent::normal("Scaled", "v2: 4 pods"), Time::from_secs(0));
/// publisher.flush(std::time::Duration::from_secs(5)).await;
/// let all = http::Request::get("/api/v1/namespaces/shop/events").body(Vec::new())?;
/// assert!(server.client().request_text(all).await?.contains("v2: 4 pods"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Publisher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    outbox: Mutex<Outbox>,
    wake: Notify,
    requests: Requests,
    /// The kind of object that the events are about.
    kind: Kind,
    /// The source of the events.
    component: String,
    process: String,
}

/// The most concurrent requests.
const AT_ONCE: usize = 4;
/// The most events published at once after a rest, and then per second.
const BURST: u32 = 200;
const A_SECOND: u32 = 100;
/// How often an event with an unknown outcome is tried, with growing pauses.
const TRIES: u32 = 4;

impl Publisher {
    /// Starts a publisher for objects of this kind, with the store's manager as the source. `process` is a name that is
    /// unique among all processes that ever publish: a DNS name without a dot (`my-controller-17`). Call it within a
    /// runtime.
    ///
    /// See [`Publisher`] for an example.
    #[must_use]
    pub fn new(store: &KubeStore, kind: &Kind, process: &str) -> Self {
        let component = store.requests().manager().to_owned();
        Self::start_for(store.requests().clone(), (kind.clone(), component), process)
    }

    /// Starts a publisher for AnalysisRuns.
    #[cfg(feature = "analysis")]
    pub(crate) fn start_for_runs(requests: Requests, process: &str) -> Self {
        let kind = Kind::new("argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns");
        // Events of both publishers are in one namespace, and a run may be named as a Rollout is.
        Self::start_for(requests, (kind, "rollouts-controller".to_owned()), &format!("{process}-run"))
    }

    pub(crate) fn start(requests: Requests, process: &str) -> Self {
        let kind = Kind::new("argoproj.io", "v1alpha1", "Rollout", "rollouts");
        Self::start_for(requests, (kind, "rollouts-controller".to_owned()), process)
    }

    fn start_for(mut requests: Requests, (kind, component): (Kind, String), process: &str) -> Self {
        requests.add(Kind::new("", "v1", "Event", "events"));
        let publisher = Self(Arc::new(Shared {
            outbox: Mutex::default(),
            wake: Notify::new(),
            requests,
            kind,
            component,
            process: process.to_owned(),
        }));
        tokio::spawn(publish(Arc::clone(&publisher.0)));
        publisher
    }

    /// Queues one event about an object that was read from the server; `now` is the wall-clock time.
    ///
    /// See [`Publisher`] for an example.
    pub fn publish(&self, rollout: &Value, event: &KubeEvent, now: Time) {
        let text =
            |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str).unwrap_or_default().into();
        let about = About {
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
            version: text("/metadata/resourceVersion"),
        };
        let rollout = format!("{}/{}", about.namespace, about.name);
        let pushed = self.0.outbox().push(about, event.clone(), now);
        if pushed == Pushed::DroppedFirst {
            tracing::warn!(
                rollout,
                "more than {OF_A_ROLLOUT} events of a Rollout, or {OF_A_NAMESPACE} of a namespace, are waiting to be \
                 published; the rest are left out, and an event will report their number"
            );
        }
        self.0.wake.notify_one();
    }

    /// Waits until all queued events are published, for at most this long.
    ///
    /// See [`Publisher`] for an example.
    pub async fn flush(&self, max: Duration) {
        let until = Instant::now() + max;
        while !self.0.outbox().is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Shared {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes one event, and records the result.
    async fn one(&self, pending: Pending) {
        let (object, answer) = match &pending.existing {
            Some(object) => (Arc::clone(object), self.raise_count(&pending, object).await),
            None => self.create(&pending).await,
        };
        match answer {
            Ok(()) => self.outbox().published(&pending, object),
            // The object expired, as events do: create a new one.
            Err(StoreError::NotFound(_)) if pending.existing.is_some() => {
                self.outbox().failed(Pending { existing: None, ..pending });
            }
            Err(StoreError::Ambiguous { .. }) if pending.tries + 1 < TRIES => {
                tokio::time::sleep(Duration::from_secs(1 << pending.tries)).await;
                self.outbox().failed(pending);
            }
            Err(error) => {
                let KubeEvent { reason, note, .. } = &pending.event;
                let rollout = format!("{}/{}", pending.about.namespace, pending.about.name);
                let error = rollout_core::Escaped(error);
                tracing::warn!(rollout, %error, reason, note, "an event could not be published");
                self.outbox().given_up(&pending);
            }
        }
        self.wake.notify_one();
    }

    async fn create(&self, pending: &Pending) -> (Arc<str>, Result<(), StoreError>) {
        let name: Arc<str> =
            name(&pending.about.name, &format!("{}-{}", self.process, pending.number)).into();
        let object = ObjectRef::new("", "Event", &pending.about.namespace, &name);
        match self.requests.create(&object, &self.event(pending, &name)).await {
            // An earlier try took effect.
            Ok(_) | Err(StoreError::AlreadyExists(_)) => (name, Ok(())),
            Err(error) => (name, Err(error)),
        }
    }

    fn event(&self, pending: &Pending, object: &str) -> Value {
        let Pending { about, event, .. } = pending;
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": &*about.namespace, "name": object},
            "involvedObject": {
                "apiVersion": self.kind.api_version(), "kind": &*self.kind.kind, "namespace": &*about.namespace,
                "name": &*about.name, "uid": &*about.uid, "resourceVersion": &*about.version
            },
            "type": if event.warns { "Warning" } else { "Normal" },
            "reason": event.reason,
            "message": event.note,
            "source": {"component": self.component},
            "firstTimestamp": second(pending.first),
            "lastTimestamp": second(pending.last),
            "count": pending.count
        })
    }

    async fn raise_count(&self, pending: &Pending, object: &str) -> Result<(), StoreError> {
        let object = ObjectRef::new("", "Event", &pending.about.namespace, object);
        let patch = json!({"count": pending.count, "lastTimestamp": second(pending.last)});
        self.requests.merge(&object, &patch).await.map(drop)
    }
}

async fn publish(shared: Arc<Shared>) {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut pace = Pace { left: BURST, since: Instant::now() };
    loop {
        let Ok(permit) = Arc::clone(&at_once).acquire_owned().await else { return };
        let pending = loop {
            let pending = shared.outbox().take();
            match pending {
                Some(pending) => break pending,
                None => shared.wake.notified().await,
            }
        };
        pace.wait().await;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            shared.one(pending).await;
            drop(permit);
        });
    }
}

/// Limits the rate of publishing.
struct Pace {
    left: u32,
    since: Instant,
}

impl Pace {
    async fn wait(&mut self) {
        let each = Duration::from_secs(1) / A_SECOND;
        let more = u32::try_from(self.since.elapsed().as_millis() / each.as_millis()).unwrap_or(BURST);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            self.since = Instant::now();
        }
        if self.left == 0 {
            tokio::time::sleep(each).await;
            self.since = Instant::now();
        } else {
            self.left -= 1;
        }
    }
}

/// Builds the name of an event: the Rollout's name, cut to fit, and a unique suffix.
fn name(rollout: &str, suffix: &str) -> String {
    const LONGEST: usize = 253;
    let most = LONGEST.saturating_sub(suffix.len() + 1);
    let rollout = rollout.get(..most.min(rollout.len())).unwrap_or_default();
    format!("{}.{suffix}", rollout.trim_end_matches(['-', '.']))
}

fn second(time: Time) -> String {
    Time::from_secs(time.as_secs()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The API server refuses longer names, and names with a part that ends in `-`.
    #[test]
    fn an_events_name_is_valid_for_any_rollout_name() {
        assert_eq!(name("web", "17a-1"), "web.17a-1");
        let longest = name(&"w".repeat(253), "17a-1");
        assert_eq!((longest.len(), longest.ends_with("w.17a-1")), (253, true));
        let cut_after_a_dash = format!("{}-{}", "w".repeat(246), "w".repeat(6));
        assert_eq!(name(&cut_after_a_dash, "17a-1"), format!("{}.17a-1", "w".repeat(246)));
    }
}
