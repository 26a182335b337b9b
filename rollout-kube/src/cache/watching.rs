use super::{kind_cache::KindCache, notifier::Notifier, objects::Key};
use crate::{
    clusters::SECRET_LABEL,
    entry::{Entry, reference},
    store::{Kind, Received},
};
use futures::StreamExt;
use kube::{
    Client, Error,
    api::{ListParams, WatchEvent, WatchParams},
    core::{ListMeta, Request},
};
use rollout_core::{backend::REVISION_LABEL, traffic::ObjectRef};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// The longest pause before a failing watch is retried.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The server is asked to end a watch after this many seconds. A watch that stays silent a little longer is dead, and
/// a new one continues from its last version.
const WATCH_SECONDS: u32 = 55;
const SILENCE: Duration = Duration::from_secs(60);

/// A list that takes longer is abandoned and restarted.
const LIST_TAKES: Duration = Duration::from_secs(60);

/// The page size of a list.
const PAGE: u32 = 500;

/// A watch that ends sooner, without an event, counts as failed.
const SHORT: Duration = Duration::from_secs(5);

/// Keeps a cache up to date, forever: retries after cut streams, expired versions, silence and refusals, with growing
/// pauses.
///
/// It implements list-and-watch itself because it must know the version of a list: an object that is not in the list,
/// and no newer, is gone.
pub(super) async fn watch(
    client: Client,
    kind: Kind,
    namespace: Option<String>,
    cache: Arc<KindCache>,
    notifier: Notifier,
) {
    let all = Request::new(kind.path(namespace.as_deref().unwrap_or_default()));
    // Only the pods of revisions, not all pods of a cluster; and no Secret that does not concern this program.
    let labels = match &*kind.kind {
        "Pod" => Some(REVISION_LABEL),
        "Secret" => Some(SECRET_LABEL),
        _ => None,
    };
    let like = kind.object("", "");
    let mut watching = Watching { client, all, kind, like, labels, cache, notifier, failures: 0 };
    loop {
        match timeout(LIST_TAKES, watching.list()).await {
            Ok(Ok(version)) => watching.follow(version).await,
            Ok(Err(error)) => watching.failed(&error_text(&error)).await,
            Err(_) => {
                let seconds = LIST_TAKES.as_secs();
                tracing::warn!(kind = %watching.kind.kind, "no list within {seconds} s; listing again");
                watching.notifier.watch_failed(format!("no list within {seconds} s"));
            }
        }
    }
}

struct Watching {
    client: Client,
    /// The path of the whole collection.
    all: Request,
    kind: Kind,
    like: ObjectRef,
    labels: Option<&'static str>,
    cache: Arc<KindCache>,
    notifier: Notifier,
    failures: u32,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: ListMeta,
    items: Option<Vec<Received>>,
}

/// Why a watch ended.
enum WatchEnd {
    /// The server ended it, as requested.
    Ended,
    /// The version is too old to continue from.
    Expired,
    Failed(String),
}

impl Watching {
    /// Lists everything; returns the version from which to watch.
    async fn list(&mut self) -> Result<String, Error> {
        self.cache.begin_list();
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector = self.labels.map(str::to_owned);
        loop {
            let request = self.all.list(&params).map_err(Error::BuildRequest)?;
            let page: Page = self.client.request(request).await?;
            for object in page.items.into_iter().flatten() {
                self.show(object);
            }
            let version = page.metadata.resource_version.unwrap_or_default();
            let Some(next) = page.metadata.continue_.filter(|next| !next.is_empty()) else {
                for ((namespace, name), touched) in self.cache.end_list(version.parse().ok()) {
                    self.notifier.notify(self.kind.object(&namespace, &name), None, touched);
                }
                self.notifier.list_complete();
                return Ok(version);
            };
            params.continue_token = Some(next);
        }
    }

    /// Follows the changes after a version, until everything must be listed again.
    async fn follow(&mut self, mut version: String) {
        loop {
            let begun = Instant::now();
            let before = version.clone();
            let end = self.events(&mut version).await;
            if version != before || begun.elapsed() > SHORT {
                self.failures = 0;
            }
            let is_new = version == before && begun.elapsed() <= SHORT;
            match end {
                WatchEnd::Ended if is_new => self.failed("it ended immediately").await,
                WatchEnd::Ended => {}
                WatchEnd::Expired => {
                    if is_new && self.failures > 0 {
                        self.failed("its version expired immediately").await;
                    }
                    self.failures = self.failures.saturating_add(1);
                    return;
                }
                WatchEnd::Failed(why) => self.failed(&why).await,
            }
        }
    }

    /// Runs one watch.
    async fn events(&mut self, version: &mut String) -> WatchEnd {
        let mut params = WatchParams::default().timeout(WATCH_SECONDS);
        params.label_selector = self.labels.map(str::to_owned);
        let request = match self.all.watch(&params, version) {
            Ok(request) => request,
            Err(error) => return WatchEnd::Failed(error.to_string()),
        };
        let events = match timeout(SILENCE, self.client.request_events::<Received>(request)).await {
            Ok(Ok(events)) => events,
            Ok(Err(Error::Api(status))) if status.code == 410 => return WatchEnd::Expired,
            Ok(Err(error)) => return WatchEnd::Failed(error_text(&error)),
            Err(_) => return WatchEnd::Ended,
        };
        self.notifier.heard();
        let mut events = std::pin::pin!(events);
        loop {
            let event = match timeout(SILENCE, events.next()).await {
                Err(_) | Ok(None) => return WatchEnd::Ended,
                Ok(Some(Err(error))) => return WatchEnd::Failed(error_text(&error)),
                Ok(Some(Ok(event))) => event,
            };
            self.notifier.heard();
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    *version = self.show(object);
                }
                WatchEvent::Deleted(object) => {
                    let (name, entry) = self.taken(object);
                    *version = entry.version.write.to_string();
                    if let Some(touched) = self.cache.show_deleted(&key(&name), &entry) {
                        self.notifier.notify(name, None, touched);
                    }
                }
                WatchEvent::Bookmark(bookmark) => {
                    *version = bookmark.metadata.resource_version;
                    if let Ok(version) = version.parse() {
                        self.cache.advance_watch(version);
                    }
                }
                WatchEvent::Error(status) if status.code == 410 => return WatchEnd::Expired,
                WatchEvent::Error(status) => return WatchEnd::Failed(status.message),
            }
        }
    }

    /// Records an object; returns its version.
    fn show(&self, object: Received) -> String {
        let (name, entry) = self.taken(object);
        let version = entry.version.write.to_string();
        if let Some(touched) = self.cache.show(key(&name), entry.clone()) {
            self.notifier.notify(name, Some(entry), touched);
        }
        version
    }

    fn taken(&self, mut object: Received) -> (ObjectRef, Entry) {
        object.set_kind(&self.kind);
        let name = reference(&self.like, &object.value);
        (name, object.into())
    }

    async fn failed(&mut self, why: &str) {
        let wait = Duration::from_millis(500 << self.failures.min(6)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(kind = %self.kind.kind, error = why, again_in = ?wait, "the watch failed");
        self.notifier.watch_failed(why.to_owned());
        tokio::time::sleep(wait).await;
    }
}

fn key(object: &ObjectRef) -> Key {
    (object.namespace.to_string(), object.name.to_string())
}

/// Formats an error with its causes: the error itself says only that something failed.
fn error_text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "watching/tests.rs"]
mod tests;
