use super::{Counts, ReplicaSet, ReplicaSets, highest, sets};
use crate::{
    entry::{Entry, controller_uid},
    store::Received,
};
use async_trait::async_trait;
use rollout_core::{
    Failure, RevisionSeen,
    backend::{Object, Scale, StoreError, Workload, Workloads},
    traffic::ObjectRef,
};
use serde_json::Value;

#[async_trait]
impl Workloads for ReplicaSets {
    async fn observe(&self) -> Result<Vec<Workload>, StoreError> {
        let object = &self.pattern.object;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let like = ObjectRef::new("apps", "ReplicaSet", text("/metadata/namespace"), "");
        let labels = super::labels(&self.pattern.selector());
        let found = self.requests().list(&like, &labels).await?;
        let owned = found.into_iter().filter(|set| controller_uid(&set.value) == Some(text("/metadata/uid")));
        let mut all: Vec<Workload> = owned.filter_map(|set| self.workload(set)).collect();
        all.sort_by(|a, b| (a.seen.number, &a.seen.revision).cmp(&(b.seen.number, &b.seen.revision)));
        Ok(all)
    }

    async fn scale(&self, to: &Scale, seen: &[Workload]) -> Result<Option<Workload>, Failure> {
        let all: Vec<ReplicaSet> = seen.iter().filter_map(|workload| self.read(workload)).collect();
        let current = self.revision();
        let (pods, nonce) = ((to.pods, to.scale_down_deadline), to.nonce.as_deref());
        let Some(set) = all.iter().find(|set| set.revision == to.revision) else {
            if to.revision != current {
                return Err(self.no_template(&to.revision));
            }
            let object = self.object(&current);
            let made = self.make(&object, (&current, sets::next(&all)), pods, nonce).await;
            let made = match made {
                Err(StoreError::AlreadyExists(object)) => return Err(self.name_conflict(&object).await),
                made => made.map_err(StoreError::into_failure)?,
            };
            return self.workload(made).map(Some).ok_or(Failure::Conflict);
        };
        let highest = (to.revision == current).then(|| highest(&all));
        let Some(now) = self.change(set, pods, highest).await.map_err(StoreError::into_failure)? else {
            return Ok(None);
        };
        let now = self.workload(now).ok_or(Failure::Conflict)?;
        self.read(&now).map_or(Ok(()), |set| sets::took_effect(&set, to.pods))?;
        Ok(Some(now))
    }

    async fn delete(&self, seen: &Workload) -> Result<(), Failure> {
        let set = self.read(seen).ok_or(Failure::Conflict)?;
        self.remove(&set).await
    }

    async fn fence(&self, nonce: &str, seen: &Workload) -> Result<Workload, Failure> {
        let set = self.read(seen).ok_or(Failure::Conflict)?;
        let written = self.sign(&set, nonce).await.map_err(StoreError::into_failure)?;
        self.workload(written).ok_or(Failure::Conflict)
    }
}

impl ReplicaSets {
    /// Reads a ReplicaSet; returns `None` if it holds no revision or is being deleted.
    fn workload(&self, set: Received) -> Option<Workload> {
        let value = set.value.clone();
        let set = ReplicaSet::read_as(set.into(), &self.pattern.names)?;
        let version = set.entry.version.clone();
        Some(Workload::new(set.object(), Object { value: value.into(), version }, seen(&set)))
    }

    fn read(&self, workload: &Workload) -> Option<ReplicaSet> {
        let value = (*workload.read.value).clone();
        let received = Received { value, managers: Vec::new() };
        ReplicaSet::read_as(Entry::from(received), &self.pattern.names)
    }

    /// Classifies a name conflict: a ReplicaSet already has the name of the one to create.
    async fn name_conflict(&self, object: &ObjectRef) -> Failure {
        let uid = self.pattern.object.pointer("/metadata/uid").and_then(Value::as_str);
        match self.requests().get(object).await {
            // It existed only for a moment: observe again.
            Err(StoreError::NotFound(_)) => Failure::Conflict,
            Err(error) => error.into_failure(),
            Ok(existing) if controller_uid(&existing.value) == uid => Failure::Conflict,
            Ok(_) => Failure::Refused(format!(
                "{object} already exists and has another owner, or none; delete it, or choose another name"
            )),
        }
    }
}

/// Observes a ReplicaSet for one turn. It remembers nothing of earlier turns: while the counts lag behind a change,
/// there may be no pods.
fn seen(set: &ReplicaSet) -> RevisionSeen {
    let mut counts = Counts::default();
    let (ready, available) = (counts.range(set, set.ready), counts.range(set, set.available));
    super::revision_seen(set, (ready, available), set.wanted > 0)
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::{Kind, KubeStore, Names, testing::SimulatedApiServer};
    use rollout_core::Time;
    use serde_json::json;

    fn sets(server: &SimulatedApiServer, image: &str) -> ReplicaSets {
        let template = json!({
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}
        });
        let canary =
            json!({"metadata": {"namespace": "shop", "name": "web", "uid": "u"}, "spec": {"replicas": 4}});
        let kind = Kind::new("example.com", "v1", "Canary", "canaries");
        let store = KubeStore::new(server.client(), "us");
        let names = Names::new().revision("example.com/revision").number("example.com/number");
        ReplicaSets::new(&store, &kind, canary).template(template).names(names)
    }

    /// Returns the only workload.
    async fn one(sets: &ReplicaSets) -> Workload {
        let mut all = sets.observe().await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[tokio::test]
    async fn a_revision_is_created_gets_a_deadline_and_is_deleted_by_compare_and_swap() {
        let server = SimulatedApiServer::start();
        let sets = sets(&server, "web:v1");
        let to = Scale::new(sets.revision(), 4).nonce(Some("me-1"));
        sets.scale(&to, &[]).await.unwrap();
        let made = one(&sets).await;
        let owner = &made.read.value["metadata"]["ownerReferences"][0];
        assert_eq!((&owner["kind"], &owner["apiVersion"]), (&json!("Canary"), &json!("example.com/v1")));
        assert_eq!(
            made.read.value["spec"]["selector"]["matchLabels"]["example.com/revision"],
            *to.revision.as_str()
        );
        assert_eq!((made.seen.number, made.seen.nonce.as_deref()), (1, Some("me-1")));
        assert_eq!(sets.scale(&to, &[]).await, Err(Failure::Conflict), "it exists");

        let fenced = sets.fence("me-2", &made).await.unwrap();
        assert_eq!(fenced.seen.nonce.as_deref(), Some("me-2"));
        let scaling_down = to.clone().scale_down_deadline(Some(Time::from_secs(60)));
        assert_eq!(sets.scale(&scaling_down, &[made]).await, Err(Failure::Conflict), "read before the fence");
        let scaling_down = sets.scale(&scaling_down, &[fenced]).await.unwrap().unwrap();
        assert_eq!(scaling_down.seen.scale_down_deadline, Some(Time::from_secs(60)));
        let why = sets.delete(&scaling_down).await.unwrap_err().to_string();
        assert!(why.contains("still has pods"), "{why}");
        let empty = sets.scale(&Scale::new(sets.revision(), 0), &[scaling_down]).await.unwrap().unwrap();
        assert_eq!((empty.seen.wanted, empty.seen.scale_down_deadline), (0, None));
        assert_eq!(sets.delete(&empty).await, Ok(()));
        assert_eq!(sets.delete(&empty).await, Ok(()), "it is gone");
        assert_eq!(sets.observe().await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn only_the_current_revision_is_created_and_it_has_the_highest_number() {
        let server = SimulatedApiServer::start();
        let (old, new) = (sets(&server, "web:v1"), sets(&server, "web:v2"));
        old.scale(&Scale::new(old.revision(), 1), &[]).await.unwrap();
        let seen = new.observe().await.unwrap();
        new.scale(&Scale::new(new.revision(), 1), &seen).await.unwrap();
        let seen = new.observe().await.unwrap();
        assert_eq!(seen.iter().map(|one| one.seen.number).collect::<Vec<_>>(), [1, 2]);
        let back = old.scale(&Scale::new(old.revision(), 2), &seen).await.unwrap().unwrap();
        assert_eq!(back.seen.number, 3);
        assert_eq!(back.read.value["metadata"]["annotations"]["example.com/number-history"], "1");
        let why = new.scale(&Scale::new("gone".into(), 1), &seen).await.unwrap_err().to_string();
        assert!(why.ends_with("its template is not the Canary's"), "{why}");
    }

    #[tokio::test]
    async fn a_foreign_replica_set_is_left_alone() {
        let server = SimulatedApiServer::start();
        let sets = sets(&server, "web:v1");
        let path = format!("/apis/apps/v1/namespaces/shop/replicasets/web-{}", sets.revision());
        server.apply(&path, json!({"metadata": {"labels": {"app": "web"}}, "spec": {"replicas": 1}}));
        assert_eq!(sets.observe().await, Ok(Vec::new()));
        let why = sets.scale(&Scale::new(sets.revision(), 1), &[]).await.unwrap_err().to_string();
        assert!(why.contains("already exists and has another owner"), "{why}");
    }
}
