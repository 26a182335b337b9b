use super::error::RunError;
use crate::store::{Kind, Requests};
use rollout_core::{Time, traffic::ObjectRef};
use serde_json::Value;
use std::time::Duration;

/// The lease of Argo Rollouts' controller; with an instance id, that follows as a suffix.
const LOCK: &str = "argo-rollouts-controller-lock";

/// Fails if another controller is running.
pub(super) async fn ensure_sole_controller(requests: &Requests, now: Time) -> Result<(), RunError> {
    let mut requests = requests.clone();
    requests.add(Kind::new("coordination.k8s.io", "v1", "Lease", "leases"));
    let leases = requests.list(&ObjectRef::new("coordination.k8s.io", "Lease", "", ""), "").await?;
    match leases.iter().find_map(|lease| held(&lease.value, now)) {
        Some((lease, holder)) => Err(RunError::AnotherController { lease, holder }),
        None => Ok(()),
    }
}

/// Returns the name and the holder of such a lease, if it has not expired.
fn held(lease: &Value, now: Time) -> Option<(String, String)> {
    let text = |pointer: &str| lease.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (name, holder) = (text("/metadata/name"), text("/spec/holderIdentity"));
    if !name.starts_with(LOCK) || holder.is_empty() {
        return None;
    }
    let seconds = lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_u64).unwrap_or(15);
    let renewed = Time::parse_rfc3339(text("/spec/renewTime"));
    // A lease with an unreadable time counts as held.
    let is_held = renewed.is_none_or(|renewed| renewed + Duration::from_secs(seconds) > now);
    is_held.then(|| (format!("{}/{name}", text("/metadata/namespace")), holder.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mock::{Answer, server};
    use serde_json::json;

    fn lease(name: &str, holder: &str, renewed: &str) -> Value {
        json!({
            "metadata": {"namespace": "argo", "name": name},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
        })
    }

    async fn check(lease: Value) -> Result<(), RunError> {
        let (client, _) = server(move |_| Answer::ok(json!({"items": [lease]})));
        let now = Time::parse_rfc3339("2026-01-01T00:00:20Z").unwrap();
        ensure_sole_controller(&Requests::new(client, "us"), now).await
    }

    #[tokio::test]
    async fn a_held_lease_is_an_error_that_says_what_to_do() {
        let (fresh, stale) = ("2026-01-01T00:00:10.000000Z", "2026-01-01T00:00:00Z");
        let error =
            check(lease("argo-rollouts-controller-lock", "them_1", fresh)).await.unwrap_err().to_string();
        for part in ["argo/argo-rollouts-controller-lock", "them_1", "--instance-id"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(check(lease("argo-rollouts-controller-lock-blue", "them_1", fresh)).await.is_err());
        assert!(check(lease("argo-rollouts-controller-lock", "them_1", "no time")).await.is_err());
        assert!(
            check(lease("argo-rollouts-controller-lock", "them_1", stale)).await.is_ok(),
            "it has expired"
        );
        assert!(check(lease("argo-rollouts-controller-lock", "", fresh)).await.is_ok(), "not held");
        assert!(check(lease("kube-scheduler", "them_1", fresh)).await.is_ok());
    }

    #[tokio::test]
    async fn unreadable_leases_are_an_error() {
        let (client, _) = server(|_| Answer::failure(403, "no"));
        let error =
            ensure_sole_controller(&Requests::new(client, "us"), Time::from_secs(0)).await.unwrap_err();
        assert!(matches!(error, RunError::Unreadable(_)));
    }
}
