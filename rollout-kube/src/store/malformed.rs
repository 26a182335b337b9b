//! Malformed answers and invalid names: no API server and no tenant is trusted.

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

/// Answers to a read of one object that are not that object.
fn malformed() -> Vec<Vec<u8>> {
    let whole = good().to_string();
    let mut bodies: Vec<Vec<u8>> =
        ["", "null", "[]", "7", "\"Service\"", "<html>", "{}", "{\"metadata\": []}"]
            .map(|text| text.as_bytes().to_vec())
            .into();
    bodies.push(whole.as_bytes()[..whole.len() / 2].to_vec());
    bodies.push(vec![0xff; 64]);
    bodies.push(format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes());
    bodies.push(with("/metadata/name", json!("other")));
    bodies.push(with("/metadata/name", json!(["web"])));
    bodies.push(with("/metadata/namespace", json!("tb")));
    bodies.push(with("/kind", json!("Secret")));
    bodies.push(with("/metadata/resourceVersion", json!("")));
    bodies.push(with("/metadata/resourceVersion", json!(7)));
    bodies.push(json!({"kind": "Status", "status": "Success"}).to_string().into_bytes());
    bodies
}

#[tokio::test]
async fn an_answer_that_is_not_the_requested_object_is_an_error() {
    let read = ObjectVersion { write: "7".into(), content: 1 };
    for body in malformed() {
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
async fn an_answer_that_is_not_the_requested_list_is_an_error() {
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

/// A byte every three seconds does not extend the time limit.
#[tokio::test(start_paused = true)]
async fn an_answer_that_drips_byte_by_byte_times_out_after_half_a_minute() {
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

/// An invalid name is refused with a reason, and no request is sent.
#[tokio::test]
async fn an_invalid_name_is_never_sent() {
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
                    error.contains("is not a DNS name") && error.contains("write lowercase letters"),
                    "{error}"
                );
            }
        }
        // The empty text means all namespaces.
        if !text.is_empty() {
            assert!(requests.list(&in_namespace, "").await.is_err(), "{text:?}");
        }
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_query_value_is_encoded_as_one_value() {
    let (client, seen) = server(|_| Answer::ok(json!({"items": []})));
    let requests = Requests::new(client, "a team&dryRun=All");
    requests.list(&service(""), "a=b&watch=true").await.unwrap();
    assert!(requests.merge(&service("web"), &json!({})).await.is_err(), "the answer is not a Service");
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
async fn a_taken_name_is_not_a_conflict() {
    let (client, _) = server(|_| Answer::taken());
    let error = Requests::new(client, "us").create(&service("web"), &good()).await.unwrap_err();
    assert_eq!(error, StoreError::AlreadyExists(service("web")));
}

#[tokio::test]
async fn a_patch_that_succeeds_and_changes_nothing_is_refused() {
    let (client, _) = server(|_| Answer::ok(good()));
    let patch = json!({"metadata": {"resourceVersion": "7", "labels": {"a": "b"}}});
    let error = Requests::new(client, "us").merge(&service("web"), &patch).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}
