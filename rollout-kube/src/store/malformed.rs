//! Answers that make no sense, and names that are none: no API server and no tenant is taken at its word.

use super::{
    KubeStore, Requests,
    mock::{Answer, server},
};
use rollout_core::{
    backend::{ObjectStore, StoreError},
    traffic::{ObjectRef, ObjectVersion},
};
use serde_json::{Value, json};

fn service(name: &str) -> ObjectRef {
    ObjectRef::new("", "Service", "shop", name)
}

fn good() -> Value {
    json!({"kind": "Service", "metadata": {"namespace": "shop", "name": "web", "resourceVersion": "7"}})
}

fn with(pointer: &str, to: Value) -> Vec<u8> {
    let mut value = good();
    *value.pointer_mut(pointer).unwrap() = to;
    value.to_string().into_bytes()
}

/// What comes for one object, and is not that object.
fn odd() -> Vec<Vec<u8>> {
    let whole = good().to_string();
    let mut odd: Vec<Vec<u8>> = ["", "null", "[]", "7", "\"Service\"", "<html>", "{}", "{\"metadata\": []}"]
        .map(|text| text.as_bytes().to_vec())
        .into();
    odd.push(whole.as_bytes()[..whole.len() / 2].to_vec());
    odd.push(vec![0xff; 64]);
    odd.push(format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes());
    odd.push(with("/metadata/name", json!("other")));
    odd.push(with("/metadata/name", json!(["web"])));
    odd.push(with("/metadata/namespace", json!("tb")));
    odd.push(with("/kind", json!("Secret")));
    odd.push(with("/metadata/resourceVersion", json!("")));
    odd.push(with("/metadata/resourceVersion", json!(7)));
    odd.push(json!({"kind": "Status", "status": "Success"}).to_string().into_bytes());
    odd
}

#[tokio::test]
async fn what_is_not_the_object_that_was_asked_for_is_no_answer() {
    let read = ObjectVersion { write: "7".into(), content: 1 };
    for body in odd() {
        let text = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answered = body.clone();
        let (client, _) = server(move |_| Answer::Raw(200, answered.clone()));
        let store = KubeStore::new(client, "us");
        let error = store.get(&service("web")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{text}: {error}");
        let error = store.replace(&service("web"), good(), &read).await.unwrap_err();
        assert!(matches!(error, StoreError::Ambiguous { .. }), "it may have been written: {text}: {error}");
        assert!(error.to_string().starts_with("Service shop/web: "), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_list_of_what_was_asked_for_is_no_answer() {
    let lists = [
        json!({}),
        json!([]),
        json!({"items": null}),
        json!({"items": {}}),
        json!({"items": [7]}),
        json!({"items": [{"metadata": {"namespace": "shop"}}]}),
        json!({"items": [good(), {"metadata": {"namespace": "tb", "name": "web"}}]}),
    ];
    for list in lists {
        let answered = list.clone();
        let (client, _) = server(move |_| Answer::ok(answered.clone()));
        let error = KubeStore::new(client, "us").list(&service("")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{list}: {error}");
    }
    let (client, _) = server(|_| Answer::ok(json!({"items": [good()]})));
    assert_eq!(KubeStore::new(client, "us").list(&service("")).await.unwrap().len(), 1);
}

/// A byte every three seconds: each of them is no reason to wait longer.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_byte_by_byte_is_none_after_half_a_minute() {
    let began = tokio::time::Instant::now();
    let (client, _) = server(|_| Answer::Drip(good().to_string().into_bytes()));
    let store = KubeStore::new(client, "us");
    let error = store.get(&service("web")).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 30 s"), "{error}");
    let read = ObjectVersion { write: "7".into(), content: 1 };
    let error = store.replace(&service("web"), good(), &read).await.unwrap_err();
    assert!(matches!(error, StoreError::Ambiguous { .. }), "{error}");
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn a_write_that_depends_on_no_version_is_not_sent() {
    let (client, seen) = server(|_| Answer::ok(good()));
    let requests = Requests::new(client, "us");
    let read = ObjectVersion { write: "".into(), content: 1 };
    let error = KubeStore { requests: requests.clone() }.replace(&service("web"), good(), &read).await;
    assert!(matches!(error, Err(StoreError::Refused { .. })), "{error:?}");
    let without = json!({"metadata": {"name": "web"}});
    assert!(requests.replace_status(&service("web"), &without).await.is_err());
    let empty = json!({"metadata": {"resourceVersion": ""}});
    assert!(requests.merge(&service("web"), &empty).await.is_err());
    assert!(seen.lock().unwrap().is_empty());
}

/// Whatever stands where a name should be: it is refused with what it is, and nothing is sent.
#[tokio::test]
async fn what_is_no_name_is_in_no_request() {
    let (client, seen) = server(|_| Answer::ok(good()));
    let requests = Requests::new(client, "us");
    let mut texts: Vec<String> = [
        "",
        ".",
        "..",
        "ow?dryRun=All&a=",
        "ow/status",
        "ow/proxy/secret?x=1",
        "ow?watch=true",
        "%2e%2e",
        "OW",
        "../../tb/services/web",
        "ö",
        "ow\n",
        "ow\r\nHost: x",
        "ow#",
        "ow ",
        "\u{0}",
        "-ow",
        "ow-",
        "a..b",
        "ow%00",
    ]
    .map(str::to_owned)
    .into();
    texts.push("a".repeat(300));
    for text in &texts {
        let in_namespace = ObjectRef::new("", "Service", text, "web");
        for object in [service(text), in_namespace.clone()] {
            let answers = [
                requests.get(&object).await.err(),
                requests.replace(&object, &good()).await.err(),
                requests.replace_status(&object, &good()).await.err(),
                requests.merge(&object, &json!({})).await.err(),
                requests.create(&object, &good()).await.err(),
                requests.delete(&object, &json!({})).await.err(),
            ];
            for error in answers {
                let error = error.unwrap_or_else(|| panic!("{object:?}")).to_string();
                assert!(
                    error.contains("is not a DNS name") && error.contains("write small letters"),
                    "{error}"
                );
            }
        }
        // An empty one stands for all namespaces.
        if !text.is_empty() {
            assert!(requests.list(&in_namespace, "").await.is_err(), "{text:?}");
        }
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_stands_behind_the_question_mark_is_one_value() {
    let (client, seen) = server(|_| Answer::ok(json!({"items": []})));
    let requests = Requests::new(client, "a team&dryRun=All");
    requests.list(&service(""), "a=b&watch=true").await.unwrap();
    assert!(requests.merge(&service("web"), &json!({})).await.is_err(), "that was no Service");
    let uris: Vec<_> = seen.lock().unwrap().iter().map(|asked| asked.uri.clone()).collect();
    assert_eq!(
        uris,
        [
            "/api/v1/namespaces/shop/services?labelSelector=a%3Db%26watch%3Dtrue",
            "/api/v1/namespaces/shop/services/web?fieldManager=a%20team%26dryRun%3DAll",
        ]
    );
}

#[tokio::test]
async fn a_name_that_is_taken_is_no_conflict() {
    let (client, _) = server(|_| Answer::taken());
    let error = Requests::new(client, "us").create(&service("web"), &good()).await.unwrap_err();
    assert_eq!(error, StoreError::AlreadyExists(service("web")));
}

#[tokio::test]
async fn a_change_that_is_answered_and_changes_nothing_is_refused() {
    let (client, _) = server(|_| Answer::ok(good()));
    let patch = json!({"metadata": {"resourceVersion": "7", "labels": {"a": "b"}}});
    let error = Requests::new(client, "us").merge(&service("web"), &patch).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}
