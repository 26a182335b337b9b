//! Pods of the simulated API server.

use super::*;

pub(super) const PODS: &str = "/api/v1/namespaces/shop/pods";

impl World {
    /// Returns the path and the ReplicaSet with this image.
    pub(super) fn set_of(&self, image: &str) -> (String, Value) {
        let cluster = self.cluster();
        let mut sets = cluster.objects.iter().filter(|(path, _)| path.contains("/replicasets/"));
        let (path, set) = sets
            .find(|(_, set)| set["spec"]["template"]["spec"]["containers"][0]["image"] == image)
            .expect("there is no such ReplicaSet");
        (path.clone(), set.clone())
    }

    /// Creates the pods of the ReplicaSet with this image, from its template, and lets the next turn see them.
    pub(super) fn create_pods(&mut self, image: &str, names: impl IntoIterator<Item = String>) {
        let (_, set) = self.set_of(image);
        for name in names {
            let mut pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": set["spec"]["template"]["metadata"],
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            });
            pod["metadata"]["name"] = json!(name);
            pod["metadata"]["namespace"] = json!("shop");
            pod["metadata"]["ownerReferences"] =
                json!([{"kind": "ReplicaSet", "uid": set["metadata"]["uid"], "controller": true}]);
            self.show(&name, pod);
        }
    }

    /// Stores a pod, and shows it to the controller as a watch does.
    pub(super) fn show(&mut self, name: &str, pod: Value) {
        let stored = self.cluster().put(&format!("{PODS}/{name}"), pod);
        let entry = crate::cache::Entry::new(stored);
        self.context.caches.put(&ObjectRef::new("", "Pod", "shop", name), entry, None);
    }
}
