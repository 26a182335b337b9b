use super::other::OtherCluster;
use crate::{
    cache::{Caches, Changed},
    controller::Waker,
    rollout::{Clock, Key},
    store::Requests,
};
use kube::Client;
use rollout_core::{
    Time,
    fleet::{ClusterName, Peers, Policy, Reading},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// How often it is checked whether a cluster still says something. No request is sent for that.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// All other clusters that are known, and which Rollouts wait for news of them.
pub(crate) struct KnownClusters {
    me: ClusterName,
    /// The only namespace whose Rollouts are read; `None` for all.
    namespace: Option<String>,
    manager: String,
    clock: Clock,
    waker: Waker,
    began: Time,
    others: Mutex<BTreeMap<ClusterName, Joined>>,
    /// The Rollouts of this cluster that have asked for readings, and of which clusters.
    followers: Mutex<BTreeMap<Key, Vec<ClusterName>>>,
}

struct Joined {
    cluster: Arc<OtherCluster>,
    follows: AbortHandle,
}

impl KnownClusters {
    pub(super) fn new(
        me: ClusterName,
        namespace: Option<&str>,
        manager: &str,
        clock: Clock,
        waker: Waker,
    ) -> Arc<Self> {
        let (namespace, manager, began) = (namespace.map(str::to_owned), manager.to_owned(), clock());
        let (others, followers) = (Mutex::default(), Mutex::default());
        Arc::new(Self { me, namespace, manager, clock, waker, began, others, followers })
    }

    /// The cluster that this controller is in.
    pub(crate) fn me(&self) -> &ClusterName {
        &self.me
    }

    /// Returns what is known about the Rollouts of this name in the clusters of a policy, and wakes the one of this
    /// cluster whenever that changes; `None` while it is too early to tell.
    pub(crate) fn readings(&self, key: &Key, policy: &Policy) -> Option<Peers> {
        let named: Vec<_> = policy.clusters().filter(|cluster| **cluster != self.me).cloned().collect();
        lock(&self.followers).insert(key.clone(), named.clone());
        let others = lock(&self.others);
        let mut peers = Peers::new(self.me.clone());
        for cluster in named {
            let reading = match others.get(&cluster) {
                Some(joined) => joined.cluster.reading(key)?,
                // There is no way to it.
                None => Reading::default().unreachable_since(self.began),
            };
            peers = peers.reading(cluster, reading);
        }
        Some(peers)
    }

    /// Forgets a Rollout that is gone, or that is released alone.
    pub(crate) fn forget(&self, key: &Key) {
        if lock(&self.followers).remove(key).is_some() {
            lock(&self.others).values().for_each(|joined| joined.cluster.forget(key));
        }
    }

    /// Begins to read a cluster; if it is read already, through another client from now on.
    pub(super) fn join(self: &Arc<Self>, name: ClusterName, client: Client) {
        let span = tracing::info_span!("other_cluster", %name);
        let _in_span = span.enter();
        let (caches, changes) = Caches::new(Requests::new(client, &self.manager), self.namespace.clone());
        let cluster = Arc::new(OtherCluster::new(caches));
        let follow = follow(Arc::downgrade(self), (name.clone(), Arc::clone(&cluster)), changes);
        let follows = tokio::spawn(follow).abort_handle();
        lock(&self.others).insert(name, Joined { cluster, follows });
    }

    /// Reads a cluster no more.
    pub(super) fn leave(&self, name: &ClusterName) {
        lock(&self.others).remove(name);
        self.wake_followers(name);
    }

    fn wake(&self, key: Key) {
        if lock(&self.followers).contains_key(&key) {
            self.waker.wake(key);
        }
    }

    /// Wakes the Rollouts whose policy names this cluster.
    fn wake_followers(&self, of: &ClusterName) {
        for (key, _) in lock(&self.followers).iter().filter(|(_, named)| named.contains(of)) {
            self.waker.wake(key.clone());
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.follows.abort();
    }
}

/// Wakes Rollouts of this cluster when those of another change, and when it can be read no more, or again.
async fn follow(
    known: Weak<KnownClusters>,
    (name, cluster): (ClusterName, Arc<OtherCluster>),
    mut changes: UnboundedReceiver<Changed>,
) {
    let mut looks = interval_at(Instant::now() + LOOKS_EVERY, LOOKS_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let object = tokio::select! {
            next = changes.recv() => match next {
                Some(Changed { object, .. }) => Some(object),
                None => return,
            },
            _ = looks.tick() => None,
        };
        let Some(known) = known.upgrade() else { return };
        let is_news = cluster.look((known.clock)());
        match object {
            _ if is_news => known.wake_followers(&name),
            Some(object) => known.wake((object.namespace.to_string(), object.name.to_string())),
            None => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
