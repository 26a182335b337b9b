use super::{
    outbox::{About, OF_A_NAMESPACE, OF_A_ROLLOUT, Outbox, Taken, Told},
    said::Said,
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
/// repeats itself is counted in the object that is there; what is too much is counted, and the number told.
/// Cloning is cheap: it is the same publisher.
///
/// ```
/// use rollout_core::Time;
/// use rollout_kube::{Kind, KubeStore, Publisher, Said, testing::Played};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Played::start();
/// let store = KubeStore::new(server.client(), "my-controller");
/// let kind = Kind::new("example.com", "v1", "Canary", "canaries");
/// let publisher = Publisher::new(&store, &kind, "my-controller-1");
/// let canary = json!({"metadata": {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": "7"}});
/// publisher.say(&canary, &Said::normal("Scaled", "v2: 4 pods"), Time::from_secs(0));
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
    news: Notify,
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
            news: Notify::new(),
            requests,
            kind,
            component,
            process: process.to_owned(),
        }));
        tokio::spawn(publish(Arc::clone(&publisher.0)));
        publisher
    }

    /// Publishes one event about an object that was read from the server, at `now` by the wall clock.
    pub fn say(&self, rollout: &Value, said: &Said, now: Time) {
        let text =
            |pointer: &str| rollout.pointer(pointer).and_then(Value::as_str).unwrap_or_default().into();
        let about = About {
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
            version: text("/metadata/resourceVersion"),
        };
        let rollout = format!("{}/{}", about.namespace, about.name);
        let taken = self.0.outbox().push(about, said.clone(), now);
        if taken == Taken::LeftOutFirst {
            tracing::warn!(
                rollout,
                "more than {OF_A_ROLLOUT} events of a Rollout, or {OF_A_NAMESPACE} of a namespace, wait to be \
                 published; those beyond are counted, and the number is told"
            );
        }
        self.0.news.notify_one();
    }

    /// Waits until all that was said is published, at most for so long.
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
    async fn one(&self, told: Told) {
        let (object, answer) = match &told.is_there {
            Some(object) => (Arc::clone(object), self.counted_on(&told, object).await),
            None => self.made(&told).await,
        };
        match answer {
            Ok(()) => self.outbox().published(&told, object),
            // It went away, as events do after a while: the next is a new one.
            Err(StoreError::NotFound(_)) if told.is_there.is_some() => {
                self.outbox().failed(Told { is_there: None, ..told });
            }
            Err(StoreError::Ambiguous { .. }) if told.tries + 1 < TRIES => {
                tokio::time::sleep(Duration::from_secs(1 << told.tries)).await;
                self.outbox().failed(told);
            }
            Err(error) => {
                let Said { reason, note, .. } = &told.said;
                let rollout = format!("{}/{}", told.about.namespace, told.about.name);
                let error = rollout_core::Escaped(error);
                tracing::warn!(rollout, %error, reason, note, "an event could not be published");
                self.outbox().given_up(&told);
            }
        }
        self.news.notify_one();
    }

    async fn made(&self, told: &Told) -> (Arc<str>, Result<(), StoreError>) {
        let name: Arc<str> = name(&told.about.name, &format!("{}-{}", self.process, told.number)).into();
        let object = ObjectRef::new("", "Event", &told.about.namespace, &name);
        match self.requests.create(&object, &self.event(told, &name)).await {
            // An earlier try took effect.
            Ok(_) | Err(StoreError::AlreadyExists(_)) => (name, Ok(())),
            Err(error) => (name, Err(error)),
        }
    }

    fn event(&self, told: &Told, object: &str) -> Value {
        let Told { about, said, .. } = told;
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": &*about.namespace, "name": object},
            "involvedObject": {
                "apiVersion": self.kind.api_version(), "kind": &*self.kind.kind, "namespace": &*about.namespace,
                "name": &*about.name, "uid": &*about.uid, "resourceVersion": &*about.version
            },
            "type": if said.warns { "Warning" } else { "Normal" },
            "reason": said.reason,
            "message": said.note,
            "source": {"component": self.component},
            "firstTimestamp": second(told.first),
            "lastTimestamp": second(told.last),
            "count": told.count
        })
    }

    async fn counted_on(&self, told: &Told, object: &str) -> Result<(), StoreError> {
        let object = ObjectRef::new("", "Event", &told.about.namespace, object);
        let patch = json!({"count": told.count, "lastTimestamp": second(told.last)});
        self.requests.merge(&object, &patch).await.map(drop)
    }
}

async fn publish(shared: Arc<Shared>) {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut pace = Pace { left: BURST, since: Instant::now() };
    loop {
        let Ok(permit) = Arc::clone(&at_once).acquire_owned().await else { return };
        let told = loop {
            let told = shared.outbox().take();
            match told {
                Some(told) => break told,
                None => shared.news.notified().await,
            }
        };
        pace.wait().await;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            shared.one(told).await;
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
