use super::{kind_cache::KindCache, notifier::Notifier, objects::Key};
use crate::{
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

/// The longest pause before a watch that keeps failing is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The server is asked to end a watch after so many seconds; one that is silent for a little longer is dead, and
/// another one continues where it stood.
const WATCH_SECONDS: u32 = 55;
const SILENCE: Duration = Duration::from_secs(60);

/// A list that takes longer is given up and started again.
const LIST_TAKES: Duration = Duration::from_secs(60);

/// How many objects are asked for at a time.
const PAGE: u32 = 500;

/// A watch that ends sooner, and without an event, counts as one that failed.
const SHORT: Duration = Duration::from_secs(5);

/// Keeps a cache up to date, for ever: cut streams, expired versions, silence and refusals are tried again,
/// slower and slower.
///
/// It has its own list-and-watch, because it must know the version of a list: whatever is not in the list, and is
/// no newer, is gone.
pub(super) async fn watch(
    client: Client,
    kind: Kind,
    namespace: Option<String>,
    cache: Arc<KindCache>,
    notifier: Notifier,
) {
    let all = Request::new(kind.path(namespace.as_deref().unwrap_or_default()));
    // Of all pods of a cluster, those of revisions.
    let labels = (&*kind.kind == "Pod").then_some(REVISION_LABEL);
    let like = kind.object("", "");
    let mut watching = Watching { client, all, kind, like, labels, cache, notifier, failures: 0 };
    loop {
        match timeout(LIST_TAKES, watching.list()).await {
            Ok(Ok(version)) => watching.follow(version).await,
            Ok(Err(error)) => watching.failed(&error_text(&error)).await,
            Err(_) => {
                let seconds = LIST_TAKES.as_secs();
                tracing::warn!(kind = %watching.kind.kind, "no list within {seconds} s; it is asked for again");
            }
        }
    }
}

struct Watching {
    client: Client,
    /// Where all of them are.
    all: Request,
    kind: Kind,
    like: ObjectRef,
    labels: Option<&'static str>,
    cache: Arc<KindCache>,
    notifier: Notifier,
    failures: u32,
}

/// A part of a list.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: ListMeta,
    items: Option<Vec<Received>>,
}

/// Why a watch is over.
enum WatchEnd {
    /// The server ended it, as it was asked to.
    Ended,
    /// The version is too old to go on from.
    Expired,
    Failed(String),
}

impl Watching {
    /// Shows everything that there is; the version from which to watch.
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

    /// Shows what happens from a version on, until everything must be listed anew.
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
                WatchEnd::Ended if is_new => self.failed("it ended at once").await,
                WatchEnd::Ended => {}
                WatchEnd::Expired => {
                    if is_new && self.failures > 0 {
                        self.failed("its version expires at once").await;
                    }
                    self.failures = self.failures.saturating_add(1);
                    return;
                }
                WatchEnd::Failed(why) => self.failed(&why).await,
            }
        }
    }

    /// One watch.
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
        let mut events = std::pin::pin!(events);
        loop {
            let event = match timeout(SILENCE, events.next()).await {
                Err(_) | Ok(None) => return WatchEnd::Ended,
                Ok(Some(Err(error))) => return WatchEnd::Failed(error_text(&error)),
                Ok(Some(Ok(event))) => event,
            };
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

    /// Shows an object; returns its version.
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
        tracing::warn!(kind = %self.kind.kind, error = why, again_in = ?wait, "the watch broke");
        self.notifier.watch_failed(why.to_owned());
        tokio::time::sleep(wait).await;
    }
}

fn key(object: &ObjectRef) -> Key {
    (object.namespace.to_string(), object.name.to_string())
}

/// An error with its causes: the first line says only that there is one.
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
