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

/// A server is asked to end a watch after so many seconds; one that is silent for a little longer is dead, and
/// another one is begun where it stood.
const WATCH_SECONDS: u32 = 55;

/// A list that takes longer is given up, and begun again.
const LIST_TAKES: Duration = Duration::from_secs(60);

/// Keeps a shelf up to date, for ever: cut streams, expired versions, silence and refusals are tried again,
/// slower and slower.
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
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    // Of all pods of a cluster, those of revisions.
    let config = if &*kind.kind == "Pod" { config.labels(REVISION_LABEL) } else { config };
    let mut events = watcher(api.clone(), config.clone()).boxed();
    let (mut failures, mut is_listing) = (0_u32, true);
    loop {
        let event = if is_listing {
            if let Ok(event) = tokio::time::timeout(LIST_TAKES, events.next()).await {
                event
            } else {
                tracing::warn!(kind = %kind.kind, "no list within {} s; it is asked for again", LIST_TAKES.as_secs());
                events = watcher(api.clone(), config.clone()).boxed();
                continue;
            }
        } else {
            events.next().await
        };
        let Some(event) = event else { return };
        // That a list begins says nothing yet: it may be refused.
        if event.as_ref().is_ok_and(|event| !matches!(event, watcher::Event::Init)) {
            failures = 0;
        }
        match event {
            Ok(watcher::Event::Init) => {
                is_listing = true;
                shelf.begin_list();
            }
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
                is_listing = false;
                for (namespace, name) in shelf.end_list() {
                    news.tell(Changed { object: kind.object(&namespace, &name), now: None });
                }
                news.listed();
            }
            Err(error) => {
                let wait = Duration::from_millis(500 << failures).min(LONGEST_WAIT);
                failures = (failures + 1).min(6);
                tracing::warn!(kind = %kind.kind, %error, again_in = ?wait, "the watch broke");
                news.broke(error_text(&error));
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// All of it: the first line of a watch's error says only that there is one.
fn error_text(error: &watcher::Error) -> String {
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

fn taken(kind: &Kind, like: &ObjectRef, object: &DynamicObject) -> Option<(ObjectRef, Entry)> {
    let mut value = serde_json::to_value(object).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), kind.api_version().into());
    fields.insert("kind".to_owned(), Value::from(&*kind.kind));
    let name = reference(like, &value);
    Some((name, Entry::new(value)))
}

#[cfg(test)]
mod tests {
    use crate::{
        cache::{Changed, Shelves},
        store::{
            Requests,
            mock::{Answer, Asked, Then, server},
        },
    };
    use rollout_core::traffic::ObjectRef;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};
    use tokio::sync::mpsc::UnboundedReceiver;

    fn service(name: &str, version: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}})
    }

    fn list(version: &str, items: &[Value]) -> Answer {
        Answer::ok(json!({"metadata": {"resourceVersion": version}, "items": items}))
    }

    fn modified(name: &str, version: &str) -> Value {
        let mut object = service(name, version);
        (object["apiVersion"], object["kind"]) = (json!("v1"), json!("Service"));
        json!({"type": "MODIFIED", "object": object})
    }

    /// The watch of Services against these answers to its lists and its watches, one after the other; after
    /// the last of them there is silence.
    fn watched(
        lists: Vec<Answer>,
        watches: Vec<Answer>,
    ) -> (Shelves, UnboundedReceiver<Changed>, Arc<Mutex<Vec<Asked>>>) {
        let answers = Mutex::new((lists.into_iter(), watches.into_iter()));
        let (client, asked) = server(move |asked| {
            let mut answers = answers.lock().unwrap();
            let next = if asked.uri.contains("watch=") { answers.1.next() } else { answers.0.next() };
            next.unwrap_or(Answer::Never)
        });
        let (shelves, news) = Shelves::new(Requests::new(client, "us"), None);
        (shelves, news, asked)
    }

    fn services() -> ObjectRef {
        ObjectRef::new("", "Service", "", "")
    }

    /// The next news: name and version, none when it is gone.
    async fn next(news: &mut UnboundedReceiver<Changed>) -> (String, Option<String>) {
        let changed = news.recv().await.unwrap();
        (changed.object.name.to_string(), changed.now.map(|entry| entry.version.write.to_string()))
    }

    fn is(name: &str, version: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(version.to_owned()))
    }

    fn watch_versions(asked: &Mutex<Vec<Asked>>) -> Vec<String> {
        let version = |uri: &str| {
            uri.split("resourceVersion=").nth(1).map(|rest| rest.split('&').next().unwrap().to_owned())
        };
        let asked = asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.uri.contains("watch="))
            .filter_map(|asked| version(&asked.uri))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_version_that_expired_everything_is_listed_anew_and_what_is_gone_is_told() {
        let expired = json!({"type": "ERROR", "object": {
            "kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}});
        let lists =
            vec![list("3", &[service("a", "1"), service("gone", "2")]), list("9", &[service("a", "8")])];
        let (shelves, mut news, _) = watched(lists, vec![Answer::Lines(vec![expired], Then::End)]);
        shelves.start(&services()).await.unwrap();
        assert_eq!(next(&mut news).await, is("a", "1"));
        assert_eq!(next(&mut news).await, is("gone", "2"));
        assert_eq!(next(&mut news).await, is("a", "8"));
        assert_eq!(next(&mut news).await, ("gone".to_owned(), None));
        assert_eq!(shelves.all(&ObjectRef::new("", "Service", "shop", "")).await.unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_cut_ends_or_falls_silent_goes_on_where_it_stood() {
        let watches = vec![
            Answer::Lines(vec![modified("a", "4")], Then::Cut),
            Answer::Lines(vec![modified("a", "5")], Then::End),
            Answer::Lines(vec![modified("a", "6")], Then::Silence),
            Answer::failure(500, "not now"),
            Answer::Lines(vec![modified("a", "7")], Then::Silence),
        ];
        let (shelves, mut news, asked) = watched(vec![list("3", &[service("a", "1")])], watches);
        shelves.start(&services()).await.unwrap();
        for version in ["1", "4", "5", "6", "7"] {
            assert_eq!(next(&mut news).await, is("a", version));
        }
        assert_eq!(watch_versions(&asked), ["3", "4", "5", "6", "6"]);
        let lists = asked.lock().unwrap().iter().filter(|asked| !asked.uri.contains("watch=")).count();
        assert_eq!(lists, 1, "nothing was read anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_refused_or_never_answered_is_asked_for_again_but_not_in_a_hot_loop() {
        let lists = vec![
            Answer::failure(403, "not yours"),
            Answer::failure(403, "not yours"),
            Answer::Never,
            list("3", &[service("a", "1")]),
        ];
        let (shelves, mut news, asked) = watched(lists, Vec::new());
        let begun = tokio::time::Instant::now();
        let error = shelves.start(&services()).await.unwrap_err().to_string();
        assert!(error.contains("Service objects (v1) cannot be listed: "), "{error}");
        assert!(error.contains("not yours") && error.contains("is this kind installed"), "{error}");
        assert_eq!(next(&mut news).await, is("a", "1"));
        assert!(begun.elapsed().as_secs() >= 61, "{:?}", begun.elapsed());
        assert!(asked.lock().unwrap().len() <= 5, "{:?}", asked.lock().unwrap().len());
        assert!(shelves.start(&services()).await.is_ok());
    }
}
