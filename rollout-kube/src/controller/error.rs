/// Why a controller does not run.
///
/// ```
/// use rollout_core::Time;
/// use rollout_kube::{Controller, RunError, testing::SimulatedApiServer};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = SimulatedApiServer::start();
/// let lease = serde_json::json!({"spec": {"holderIdentity": "them", "renewTime": "2026-01-31T12:00:00.000000Z"}});
/// let name = "argo-rollouts-controller-lock";
/// server.apply(&format!("/apis/coordination.k8s.io/v1/namespaces/argo/leases/{name}"), lease);
/// let noon = || Time::from_secs(1_769_860_800);
/// let error = Controller::builder(server.client()).clock(noon).run().await.unwrap_err();
/// assert!(matches!(error, RunError::AnotherController { holder, .. } if holder == "them"));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another controller works on Rollouts here, and this one has no instance id of its own.
    #[error(
        "another controller holds the lease {lease} (holder {holder}): two controllers on one Rollout would \
         undo each other's work. Label the Rollouts that this controller should drive with \
         argo-rollouts.argoproj.io/controller-instance-id=ID, and start it with --instance-id ID"
    )]
    AnotherController {
        /// Namespace and name of the lease.
        lease: String,
        /// The holder.
        holder: String,
    },
    /// The API server does not show what is needed.
    #[error("{0}")]
    Unreadable(#[from] rollout_core::backend::StoreError),
    /// The control plane has an HTTPS address, and this machine has no trusted CA certificates.
    #[error(
        "no trusted CA certificates, so istiod cannot be queried over https: {0}; install the system's CA certificates"
    )]
    NoTrustedRoots(#[source] std::io::Error),
}
