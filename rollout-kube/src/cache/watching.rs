use super::shelves::{Changed, News};
use super::{entry::Entry, entry::reference, shelf::Shelf};
use crate::store::Kind;
use futures::StreamExt;
use kube::{
    Api, Client,
    core::{ApiResource, DynamicObject},
    runtime::watcher,
};
use rollout_core::{backend::REVISION_LABEL, traffic::ObjectRef};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// A watch that goes on failing is tried again this often.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Keeps a shelf up to date, for ever: cut streams, expired versions and refusals are tried again, slower and
/// slower.
pub(super) async fn watch(
    client: Client,
    kind: Kind,
    namespace: Option<String>,
    shelf: Arc<Shelf>,
    news: News,
) {
    let resource = ApiResource {
        group: kind.group.to_string(),
        version: kind.version.to_string(),
        api_version: kind.api_version(),
        kind: kind.kind.to_string(),
        plural: kind.plural.to_string(),
    };
    let api: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let like = kind.object("", "");
    let config = watcher::Config::default();
    // Of all pods of a cluster, those of revisions.
    let config = if &*kind.kind == "Pod" { config.labels(REVISION_LABEL) } else { config };
    let mut events = watcher(api, config).boxed();
    let mut failures = 0_u32;
    while let Some(event) = events.next().await {
        // That a list begins says nothing yet: it may be refused.
        if event.as_ref().is_ok_and(|event| !matches!(event, watcher::Event::Init)) {
            failures = 0;
        }
        match event {
            Ok(watcher::Event::Init) => shelf.begin_list(),
            Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => {
                if let Some((name, entry)) = taken(&kind, &like, &object)
                    && shelf.put((name.namespace.to_string(), name.name.to_string()), entry.clone())
                {
                    news.tell(Changed { object: name, now: Some(entry) });
                }
            }
            Ok(watcher::Event::Delete(object)) => {
                if let Some((name, entry)) = taken(&kind, &like, &object)
                    && shelf.remove(&(name.namespace.to_string(), name.name.to_string()), Some(&entry))
                {
                    news.tell(Changed { object: name, now: None });
                }
            }
            Ok(watcher::Event::InitDone) => {
                for (namespace, name) in shelf.end_list() {
                    news.tell(Changed { object: kind.object(&namespace, &name), now: None });
                }
                news.listed();
            }
            Err(error) => {
                let wait = Duration::from_millis(500 << failures).min(LONGEST_WAIT);
                failures = (failures + 1).min(6);
                tracing::warn!(kind = %kind.kind, %error, again_in = ?wait, "the watch broke");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

fn taken(kind: &Kind, like: &ObjectRef, object: &DynamicObject) -> Option<(ObjectRef, Entry)> {
    let mut value = serde_json::to_value(object).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), kind.api_version().into());
    fields.insert("kind".to_owned(), Value::from(&*kind.kind));
    let name = reference(like, &value);
    Some((name, Entry::new(value)))
}
