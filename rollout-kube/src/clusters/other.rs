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
    reach: Mutex<Reach>,
}

/// Whether a cluster can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It is too early to tell.
    Unknown,
    Readable,
    UnreachableSince(Time),
}

/// What was read from a Rollout, and in which version of it.
type Read = (Arc<str>, Option<Progress>);

impl OtherCluster {
    /// Starts to watch the Rollouts of another cluster.
    pub(super) fn new(caches: Caches) -> Self {
        // This starts the watch, and does not wait for it.
        drop(caches.listed(&rollouts(), &[]));
        let (read, reach) = (Mutex::default(), Mutex::new(Reach::Unknown));
        Self { caches, since: Instant::now(), read, reach }
    }

    /// Returns how far the Rollout of this name is there; `None` while it is too early to tell.
    pub(super) fn reading(&self, key: &Key) -> Option<Reading> {
        let reading = Reading::new(self.progress(key));
        match *lock(&self.reach) {
            Reach::Unknown => None,
            Reach::Readable => Some(reading),
            Reach::UnreachableSince(since) => Some(reading.unreachable_since(since)),
        }
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
        let mut reach = lock(&self.reach);
        let before = *reach;
        *reach = if silent < limit {
            if heard.at.is_some() { Reach::Readable } else { Reach::Unknown }
        } else if matches!(before, Reach::UnreachableSince(_)) {
            before
        } else {
            Reach::UnreachableSince(ago(now, silent))
        };
        before != *reach
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::Requests, testing::SimulatedApiServer};

    /// Who asked before the first list was complete must be told, even if no Rollout changes afterwards.
    #[tokio::test(start_paused = true)]
    async fn it_is_news_when_it_can_be_read_for_the_first_time() {
        let server = SimulatedApiServer::start();
        let cluster = OtherCluster::new(Caches::new(Requests::new(server.client(), "us"), None).0);
        let (key, now) = (("shop".to_owned(), "web".to_owned()), Time::from_secs(1_000));
        assert!(!cluster.look(now), "nothing has been heard");
        assert_eq!(cluster.reading(&key), None, "it is too early to tell");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(cluster.look(now), "waiting Rollouts are to be woken");
        assert_eq!(cluster.reading(&key), Some(Reading::default()), "there is no such Rollout");
        assert!(!cluster.look(now), "no news");
    }
}
