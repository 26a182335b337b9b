/// Why a controller does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another controller works on Rollouts here, and this one was not told to keep to its own.
    #[error(
        "another controller holds the lease {lease} (holder {holder}): two controllers on one Rollout would \
         undo each other's work. Label the Rollouts that this one is to drive, \
         argo-rollouts.argoproj.io/controller-instance-id=ID, and start it with --instance-id ID"
    )]
    AnotherController {
        /// Namespace and name of the lease.
        lease: String,
        /// Who holds it.
        holder: String,
    },
    /// The API server does not show what is needed.
    #[error("{0}")]
    Unreadable(#[from] rollout_core::backend::StoreError),
    /// A control plane is to be asked over HTTPS, and this machine has no certificates of those whom it trusts.
    #[error(
        "nobody is trusted, so istiod cannot be asked over https: {0}; install the system's CA certificates"
    )]
    NoTrustedRoots(#[source] std::io::Error),
}
