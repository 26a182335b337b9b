//! The Secrets that say how other clusters are reached.

use super::{known::KnownClusters, kubeconfig};
use crate::cache::{Caches, Changed, Entry};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rollout_core::{Escaped, fleet::ClusterName, traffic::ObjectRef};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc::UnboundedReceiver, time::sleep};

/// Secrets with this label (`"true"`) hold kubeconfigs of other clusters.
pub(crate) const SECRET_LABEL: &str = "rollout-core/cluster";

/// The pause before the Secrets are read again after they could not be.
const AGAIN: Duration = Duration::from_secs(10);

/// Keeps the known clusters as the Secrets of a namespace name them, forever.
pub(super) async fn follow(
    known: Arc<KnownClusters>,
    caches: Caches,
    mut changes: UnboundedReceiver<Changed>,
    namespace: String,
) {
    let like = ObjectRef::new("", "Secret", &namespace, "");
    let mut joined = BTreeMap::new();
    let mut troubles = BTreeSet::new();
    loop {
        match caches.all(&like).await {
            Ok(secrets) => apply(&known, &secrets, &mut joined, &mut troubles).await,
            Err(why) => {
                tracing::warn!(%why, "the Secrets with the kubeconfigs of other clusters could not be read");
                sleep(AGAIN).await;
                continue;
            }
        }
        if changes.recv().await.is_none() {
            return;
        }
        // One look is enough for all changes so far.
        while changes.try_recv().is_ok() {}
    }
}

/// Joins and leaves clusters, so that those are known which the Secrets name.
async fn apply(
    known: &Arc<KnownClusters>,
    secrets: &[Entry],
    joined: &mut BTreeMap<ClusterName, String>,
    told: &mut BTreeSet<String>,
) {
    let (wanted, mut troubles) = wanted(secrets, known.me());
    let gone: Vec<ClusterName> = joined.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
    for name in gone {
        tracing::info!(cluster = %name, "no Secret names this cluster any more; it is read no longer");
        joined.remove(&name);
        known.leave(&name);
    }
    for (name, (secret, text)) in wanted {
        if joined.get(&name) == Some(&text) {
            continue;
        }
        match kubeconfig::client(&text).await {
            Ok(client) => {
                tracing::info!(cluster = %name, %secret, "the Rollouts of this cluster are read");
                known.join(name.clone(), client);
                joined.insert(name, text);
            }
            Err(why) => {
                troubles.insert(format!("Secret {secret}, key {name}: {why}"));
                if joined.remove(&name).is_some() {
                    known.leave(&name);
                }
            }
        }
    }
    for trouble in troubles.difference(told) {
        tracing::warn!("a cluster cannot be read: {trouble}");
    }
    *told = troubles;
}

/// Returns the kubeconfig of each other cluster, with the name of its Secret, and what is wrong with the Secrets.
fn wanted(
    secrets: &[Entry],
    me: &ClusterName,
) -> (BTreeMap<ClusterName, (String, String)>, BTreeSet<String>) {
    let mut wanted = BTreeMap::new();
    let mut troubles = BTreeSet::new();
    for secret in secrets.iter().filter(|secret| secret.label(SECRET_LABEL) == Some("true")) {
        let of = secret.name();
        for (key, value) in secret.value.get("data").and_then(Value::as_object).into_iter().flatten() {
            let place = format!("Secret {of}, key {}", Escaped(key));
            let name = match ClusterName::new(key) {
                // Istio's own Secrets may name every cluster of the mesh.
                Ok(name) if name == *me => continue,
                Ok(name) => name,
                Err(why) => {
                    troubles.insert(format!("{place}: the cluster's name {why}"));
                    continue;
                }
            };
            let Some(text) = text(value) else {
                troubles.insert(format!("{place}: it holds no text; store a kubeconfig"));
                continue;
            };
            if let Some((first, _)) = wanted.get(&name) {
                troubles.insert(format!(
                    "{place}: the Secret {first} names this cluster, too; remove one of them"
                ));
                continue;
            }
            wanted.insert(name, (of.to_owned(), text));
        }
    }
    (wanted, troubles)
}

fn text(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(name: &str, data: &Value) -> Entry {
        let metadata = json!({"name": name, "labels": {SECRET_LABEL: "true"}, "resourceVersion": "1"});
        Entry::new(json!({"kind": "Secret", "metadata": metadata, "data": data}))
    }

    #[test]
    fn the_others_are_read_and_what_is_wrong_is_said() {
        let text = |text: &str| STANDARD.encode(text);
        let mut unlabelled = secret("other", &json!({"d": text("of istiod alone")}));
        unlabelled.value =
            json!({"metadata": {"name": "other"}, "data": {"d": text("of istiod alone")}}).into();
        let secrets = [
            secret("one", &json!({"a": text("own"), "b": text("of b"), "c/../x": text("?")})),
            secret("two", &json!({"b": text("again"), "c": "%%%"})),
            unlabelled,
        ];
        let (wanted, troubles) = wanted(&secrets, &ClusterName::new("a").unwrap());
        let wanted: Vec<String> =
            wanted.iter().map(|(name, (of, text))| format!("{name} {of} {text}")).collect();
        assert_eq!(wanted, ["b one of b"]);
        let troubles: Vec<&str> = troubles.iter().map(String::as_str).collect();
        assert_eq!(
            troubles,
            [
                "Secret one, key c/../x: the cluster's name contains a character that a cluster's name cannot have; write \
                 the cluster's id in the mesh: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at \
                 both ends",
                "Secret two, key b: the Secret one names this cluster, too; remove one of them",
                "Secret two, key c: it holds no text; store a kubeconfig",
            ]
        );
    }
}
