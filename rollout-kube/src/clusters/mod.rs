//! The other clusters that release the same applications: how far each is, read from its own Rollouts.
//!
//! Nothing is written to another cluster. Each is watched through a client of its own; what its Rollouts say becomes a
//! [`Reading`](rollout_core::fleet::Reading), and the decision computes from these how far this cluster may go.
//!
//! | file | answers |
//! |---|---|
//! | `secrets` | which clusters are there, and how is each reached? |
//! | `kubeconfig` | which kubeconfigs are accepted? |
//! | `other` | what does one other cluster say, and can it be read? |
//! | `known` | what is known about all of them, and which Rollouts wait for news? |

mod known;
mod kubeconfig;
mod other;
mod secrets;
#[cfg(test)]
mod tests;

pub(crate) use known::KnownClusters;
pub(crate) use secrets::SECRET_LABEL;

use crate::{cache::Caches, controller::Waker, rollout::Clock, store::Requests};
use kube::Client;
use rollout_core::fleet::ClusterName;
use std::{fmt, sync::Arc};
use tokio::task::JoinSet;

/// Which cluster this is, and how the other clusters of the mesh are reached.
///
/// A Rollout with the annotation `rollout-core/fleet` is released together with the Rollouts of the same namespace and
/// name in the other clusters. In each, the controller needs to `get`, `list` and `watch` Rollouts, nothing else.
///
/// ```
/// use rollout_core::fleet::ClusterName;
/// use rollout_kube::{Clusters, Controller, testing::SimulatedApiServer};
/// # use serde_json::json;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (a, b) = (SimulatedApiServer::start(), SimulatedApiServer::start());
/// # let pods = json!({"containers": [{"name": "web", "image": "web:v1"}]});
/// # let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pods});
/// # let selector = json!({"matchLabels": {"app": "web"}});
/// # let spec = json!({"replicas": 2, "selector": selector, "template": template, "strategy": {"canary": {}}});
/// let policy = r#"{"waves": [["a"], ["b"]]}"#;
/// let rollout = json!({"metadata": {"annotations": {"rollout-core/fleet": policy}}, "spec": spec});
/// for server in [&a, &b] {
///     server.run_pods();
///     server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web", rollout.clone());
/// }
/// let clusters = Clusters::new(ClusterName::new("b")?).cluster(ClusterName::new("a")?, a.client());
/// let controller = Controller::builder(b.client()).clusters(clusters);
/// controller.run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
/// let web = &b.all("/apis/argoproj.io/v1alpha1/rollouts")[0];
/// assert_eq!(web["status"]["phase"], "Healthy", "a first deploy waits for nobody");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Clusters {
    me: ClusterName,
    secrets: Option<String>,
    others: Vec<(ClusterName, Client)>,
}

impl Clusters {
    /// Names the cluster that this controller is in, as the policies of its Rollouts name it.
    ///
    /// See [`Clusters`] for an example.
    #[must_use]
    pub fn new(me: ClusterName) -> Self {
        Self { me, secrets: None, others: Vec::new() }
    }

    /// Adds a cluster that is reached through this client.
    ///
    /// See [`Clusters`] for an example.
    #[must_use]
    pub fn cluster(mut self, name: ClusterName, client: Client) -> Self {
        self.others.push((name, client));
        self
    }

    /// Finds the other clusters, at any time, in the Secrets of this namespace that have the label
    /// `rollout-core/cluster: "true"`. They have the format of Istio's remote secrets: each key is the name of a cluster,
    /// and its value is a kubeconfig. A kubeconfig that runs a program or names a file is refused.
    ///
    /// ```
    /// use rollout_core::fleet::ClusterName;
    /// use rollout_kube::Clusters;
    /// let clusters = Clusters::new(ClusterName::new("a")?).secrets_in("rollouts");
    /// assert_eq!(format!("{clusters:?}"), r#"Clusters { me: a, secrets: Some("rollouts"), others: [] }"#);
    /// # Ok::<(), rollout_core::fleet::NotAClusterName>(())
    /// ```
    #[must_use]
    pub fn secrets_in(mut self, namespace: impl Into<String>) -> Self {
        self.secrets = Some(namespace.into());
        self
    }

    /// Starts to watch the other clusters: their Rollouts of this namespace, or of all.
    pub(crate) fn start(
        self,
        requests: &Requests,
        namespace: Option<&str>,
        (clock, waker): (Clock, Waker),
        tasks: &mut JoinSet<()>,
    ) -> Arc<KnownClusters> {
        let known = KnownClusters::new(self.me, namespace, requests.manager(), clock, waker);
        for (name, client) in self.others {
            known.join(name, client);
        }
        if let Some(secrets) = self.secrets {
            let (caches, changes) = Caches::new(requests.clone(), Some(secrets.clone()));
            tasks.spawn(secrets::follow(Arc::clone(&known), caches, changes, secrets));
        }
        known
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<&ClusterName> = self.others.iter().map(|(name, _)| name).collect();
        f.debug_struct("Clusters")
            .field("me", &self.me)
            .field("secrets", &self.secrets)
            .field("others", &others)
            .finish()
    }
}
