use super::{
    kube_event::KubeEvent,
    outbox::{About, Accepted, OF_A_NAMESPACE, OF_A_ROLLOUT, Outbox, Pending},
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

/// Publishes Kubernetes events beside the work: nothing waits for them.
///
/// They are objects of their own, of the core group: that is what `kubectl describe`, the plugin and Argo CD
/// look for. (The recorders of client libraries compare everything but the note, and keep the old one.) What
/// repeats itself is counted in the object that is there; what is too much is counted, and the number pending.
/// Cloning is cheap: it is the same publisher.
///
/// ```
/// use rollout_core::Time;
/// use rollout_kube::{Kind, KubeStore, Publisher, KubeEvent, testing::SimulatedApiServer};
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
    /// What the events are about.
    kind: Kind,
    /// Who says them.
    component: String,
    process: String,
}

/// So many are on their way at the same time.
const AT_ONCE: usize = 4;
/// So many are published at once after a rest, and then so many a second.
const BURST: u32 = 200;
const A_SECOND: u32 = 100;
/// What has no clear answer is tried so often, and each time waited for longer.
const TRIES: u32 = 4;

impl Publisher {
    /// Publishes about objects of this kind, and names the store's manager as the source. `process` names this process among
    /// all that ever publish: a DNS name without a dot (`my-controller-17`). It must be called within a runtime.
    #[must_use]
    pub fn new(store: &KubeStore, kind: &Kind, process: &str) -> Self {
        let component = store.requests().manager().to_owned();
        Self::start_for(store.requests().clone(), (kind.clone(), component), process)
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

    /// Publishes one event about an object that was read from the server, at `now` by the wall clock.
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
        let taken = self.0.outbox().push(about, event.clone(), now);
        if taken == Accepted::DroppedFirst {
            tracing::warn!(
                rollout,
                "more than {OF_A_ROLLOUT} events of a Rollout, or {OF_A_NAMESPACE} of a namespace, wait to be \
                 published; those beyond are counted, and the number is pending"
            );
        }
        self.0.wake.notify_one();
    }

    /// Queued until all that was event is published, at most for so long.
    pub async fn flush(&self, most: Duration) {
        let until = Instant::now() + most;
        while !self.0.outbox().is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Shared {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes one, and says what became of it.
    async fn one(&self, pending: Pending) {
        let (object, answer) = match &pending.existing {
            Some(object) => (Arc::clone(object), self.counted_on(&pending, object).await),
            None => self.made(&pending).await,
        };
        match answer {
            Ok(()) => self.outbox().published(&pending, object),
            // It went away, as events do after a while: the next is a new one.
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

    async fn made(&self, pending: &Pending) -> (Arc<str>, Result<(), StoreError>) {
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

    async fn counted_on(&self, pending: &Pending, object: &str) -> Result<(), StoreError> {
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

/// How many may be published now.
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

/// The name of an event: that of its Rollout as far as it fits, and what makes it the only one.
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

    /// The API server refuses longer names, and such as end a part in `-`.
    #[test]
    fn the_name_of_an_event_is_one_whatever_the_rollouts_is() {
        assert_eq!(name("web", "17a-1"), "web.17a-1");
        let longest = name(&"w".repeat(253), "17a-1");
        assert_eq!((longest.len(), longest.ends_with("w.17a-1")), (253, true));
        let cut_after_a_dash = format!("{}-{}", "w".repeat(246), "w".repeat(6));
        assert_eq!(name(&cut_after_a_dash, "17a-1"), format!("{}.17a-1", "w".repeat(246)));
    }
}
