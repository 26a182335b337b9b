use crate::{
    cache::{Caches, LastHeard},
    rollout::{Key, bounds},
};
use rollout_core::{
    Revision, Time,
    argo::{check, convert, read_status},
    fleet::{Progress, Reading},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A server ends each watch after 55 s, so it says something at least that often. If it says nothing for this long, it
/// is not there, even if the connection stands.
const SILENCE: Duration = Duration::from_secs(75);

/// If requests fail, so short a silence is enough.
const FAILS_FOR: Duration = Duration::from_secs(10);

/// For so long after the start, it is not known yet whether it can be read.
const FIRST_LIST: Duration = Duration::from_secs(10);

/// One other cluster: its Rollouts, and whether it can be read.
pub(super) struct OtherCluster {
    caches: Caches,
    since: Instant,
    read: Mutex<HashMap<Key, Read>>,
    /// Since when it cannot be read.
    unreachable: Mutex<Option<Time>>,
}

/// What was read from a Rollout, and in which version of it.
type Read = (Arc<str>, Option<Progress>);

impl OtherCluster {
    /// Starts to watch the Rollouts of another cluster.
    pub(super) fn new(caches: Caches) -> Self {
        // This starts the watch, and does not wait for it.
        drop(caches.listed(&rollouts(), &[]));
        let (read, unreachable) = (Mutex::default(), Mutex::default());
        Self { caches, since: Instant::now(), read, unreachable }
    }

    /// Returns how far the Rollout of this name is there; `None` while it is too early to tell.
    pub(super) fn reading(&self, key: &Key) -> Option<Reading> {
        let unreachable = *lock(&self.unreachable);
        if unreachable.is_none() && self.heard().at.is_none() {
            return None;
        }
        let reading = Reading::new(self.progress(key));
        Some(match unreachable {
            Some(since) => reading.unreachable_since(since),
            None => reading,
        })
    }

    /// Looks again whether it can be read; returns whether that has changed.
    pub(super) fn look(&self, now: Time) -> bool {
        let heard = self.heard();
        let silent = heard.at.unwrap_or(self.since).elapsed();
        let limit = match (heard.at, heard.fails) {
            (None, _) => FIRST_LIST,
            (Some(_), true) => FAILS_FOR,
            (Some(_), false) => SILENCE,
        };
        let mut unreachable = lock(&self.unreachable);
        let before = *unreachable;
        *unreachable = (silent >= limit).then(|| before.unwrap_or_else(|| ago(now, silent)));
        before.is_some() != unreachable.is_some()
    }

    fn heard(&self) -> LastHeard {
        self.caches.last_heard(&rollouts())
    }

    fn progress(&self, key: &Key) -> Option<Progress> {
        let mut read = lock(&self.read);
        let Some(rollout) = self.caches.known(&ObjectRef::new("argoproj.io", "Rollout", &key.0, &key.1))
        else {
            read.remove(key);
            return None;
        };
        let version = &rollout.version.write;
        if let Some((known, progress)) = read.get(key)
            && known == version
        {
            return progress.clone();
        }
        let progress = progress(&rollout.value);
        read.insert(key.clone(), (Arc::clone(version), progress.clone()));
        progress
    }

    /// Forgets what was read from a Rollout.
    pub(super) fn forget(&self, key: &Key) {
        lock(&self.read).remove(key);
    }
}

fn ago(now: Time, age: Duration) -> Time {
    let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Time::from_secs(Time::from_millis(now.as_millis().saturating_sub(millis)).as_secs())
}

fn rollouts() -> ObjectRef {
    ObjectRef::new("argoproj.io", "Rollout", "", "")
}

/// Returns how far a Rollout says that it is; `None` if it says nothing that makes sense.
fn progress(rollout: &Value) -> Option<Progress> {
    if bounds::too_large(rollout).is_some() {
        return None;
    }
    let report = check(rollout);
    let read = read_status(rollout.get("status")?).ok()?;
    let target = read.status.canary.clone().unwrap_or_else(|| Revision::from(""));
    let spec = convert(&report.rollout, target).with_analyses().spec?;
    Progress::of(&spec, &read.status)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
