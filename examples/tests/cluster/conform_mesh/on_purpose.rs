//! In what the played mesh differs on purpose: each time with the reason, and shown of both, so that it stays true.

use super::{
    objects::Write,
    played::PlayedMesh,
    real::Real,
    sequence::{Change, Pod, Step},
    view::Answers,
};
use serde_json::{Value, json};

/// Each difference is there.
pub(super) async fn assert_all(real: &mut Real) {
    let mut objects = real.begin().await;
    let both = &mut Both { played: PlayedMesh::start(objects.first()), real };

    // Every Service is there from the beginning: no history makes or changes one.
    assert_eq!(both.played.services(), json!([]), "no Service is played");
    let services = both.real.services().await;
    assert!(services.as_array().is_some_and(|services| services.len() > 2), "{services}");

    // Every proxy may see everything, as without `exportTo` and Sidecars.
    let (path, virtual_service) = objects.first().swap_remove(0);
    let mut virtual_service = virtual_service.unwrap();
    virtual_service["spec"]["exportTo"] = json!(["."]);
    both.write((path.clone(), Some(virtual_service.clone())), |_| true).await;
    virtual_service["spec"]["http"][0]["timeout"] = json!("3s");
    let is_told = |said: &Value| said["number"] == "has risen";
    let [played, said] = both.write((path, Some(virtual_service)), is_told).await;
    assert_eq!(routes_of_a_sidecar(&played), "route sent anew, acknowledged", "every proxy sees it");
    assert_eq!(routes_of_a_sidecar(&said), "route as before, acknowledged", "none of another namespace does");

    // A pod that is deleted is gone, as if it had no time to end.
    let (path, pod) = objects.change(&Change::Pod(0, Pod::Ready)).swap_remove(0);
    let mut pod = pod.unwrap();
    pod["metadata"]["finalizers"] = json!(["conform.test/hold"]);
    let has_one = |said: &Value| said["endpoints"].as_object().is_some_and(|all| all.len() == 1);
    both.write((path.clone(), Some(pod)), has_one).await;
    let is_ending = |said: &Value| health(said) == Some(ENDING);
    let [played, said] = both.write((path.clone(), None), is_ending).await;
    assert_eq!((health(&played), health(&said)), (None, Some(ENDING)));
    both.real.patch(&path, &json!({"metadata": {"finalizers": null}})).await.unwrap();
}

/// How istiod calls the health of a pod that was told to end.
const ENDING: i64 = 4;

struct Both<'r> {
    played: PlayedMesh,
    real: &'r mut Real,
}

impl Both<'_> {
    /// What each says when the real one says this.
    async fn write(&mut self, write: Write, holds: impl Fn(&Value) -> bool) -> [Value; 2] {
        let (ours, theirs): (Answers, Answers) = (self.played.answers(), self.real.answers().await);
        let step = Step::Changes(Vec::new());
        self.played.step(&step, vec![write.clone()]);
        self.real.step(&step, vec![write]).await;
        let (_, said) = self.real.until(&theirs, &holds).await;
        assert!(holds(&said), "{said:#}");
        [self.played.answers().since(&ours, self.played.stored()), said]
    }
}

fn routes_of_a_sidecar(said: &Value) -> &str {
    said["proxies"]["sidecar-1.default (sidecar)"][3].as_str().unwrap_or_default()
}

fn health(said: &Value) -> Option<i64> {
    said["endpoints"].as_object()?.values().next()?.as_i64()
}
