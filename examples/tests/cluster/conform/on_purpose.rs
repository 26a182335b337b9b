//! In what the played server differs on purpose, as its documentation says: asked of both, so that it stays true.

use super::{
    compare::Real,
    kinds::{Kind, merge},
    request::Request,
    server::Server,
};
use crate::bed::RUNTIME;
use serde_json::{Value, json};

/// Each difference is there.
pub(super) fn assert_all(real: &Real) {
    RUNTIME.block_on(async {
        let [mut played, mut real] = real.both(0);
        assert_eq!(in_no_namespace(&mut played).await, 201, "every namespace is there");
        assert_eq!(in_no_namespace(&mut real).await, 404);
        assert_eq!(against_the_schema(&mut played).await, 201, "no schema is checked");
        assert_eq!(against_the_schema(&mut real).await, 422);
        assert_eq!(unknown(&mut played).await, json!("a field"), "what no schema knows is kept");
        assert_eq!(unknown(&mut real).await, Value::Null);
        assert_eq!(completed(&mut played).await, Value::Null, "nothing is completed");
        assert_eq!(completed(&mut real).await, json!("ClusterIP"));
        assert!(!is_new_version(&mut played).await, "who manages what is not recorded");
        assert!(is_new_version(&mut real).await);
        assert_eq!(strategic(&mut played).await, 415, "only merge patches are read");
        assert_eq!(strategic(&mut real).await, 200);
        real.clean_all().await;
    });
}

async fn create(server: &mut Server, kind: Kind, name: &str, more: Value) -> (u16, Value) {
    let mut object = kind.object(server.namespace(), name);
    merge(&mut object, &more);
    server.send(&Request::create(kind, &object)).await
}

async fn in_no_namespace(server: &mut Server) -> u16 {
    let object = Kind::Service.object("nowhere", "one");
    server.send(&Request::create(Kind::Service, &object)).await.0
}

async fn against_the_schema(server: &mut Server) -> u16 {
    create(server, Kind::Rollout, "schema", json!({"spec": {"replicas": "many"}})).await.0
}

async fn unknown(server: &mut Server) -> Value {
    let more = json!({"spec": {"unknown": "a field"}});
    create(server, Kind::VirtualService, "unknown", more).await.1["spec"]["unknown"].clone()
}

async fn completed(server: &mut Server) -> Value {
    create(server, Kind::Service, "default", json!({"spec": {"type": null}})).await.1["spec"]["type"].clone()
}

/// Whether a status that is as it was makes a new version: it is written as the adapter does, without the labels that
/// another wrote.
async fn is_new_version(server: &mut Server) -> bool {
    let (_, there) = create(server, Kind::Rollout, "managed", json!({})).await;
    let version = &there["metadata"]["resourceVersion"];
    let namespace = server.namespace().to_owned();
    let bare = json!({
        "apiVersion": there["apiVersion"], "kind": "Rollout",
        "metadata": {"namespace": namespace, "name": "managed", "resourceVersion": version}
    });
    let (code, written) = server.send(&Request::status(Kind::Rollout, &namespace, "managed", &bare)).await;
    assert_eq!(code, 200, "{written}");
    assert_eq!(written["metadata"]["labels"], there["metadata"]["labels"], "labels are no part of it");
    &written["metadata"]["resourceVersion"] != version
}

async fn strategic(server: &mut Server) -> u16 {
    create(server, Kind::ReplicaSet, "patched", json!({})).await;
    let namespace = server.namespace().to_owned();
    let patch = json!({"spec": {"replicas": 2}});
    server.send(&Request::patch(Kind::ReplicaSet, &namespace, "patched", &patch).strategic()).await.0
}
