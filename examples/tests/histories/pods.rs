//! What kubelets do, and who collects garbage: pods come and go some time after they are asked for, and what belongs to
//! a Rollout that is gone goes, too.

use crate::{
    analyses, apps,
    mesh::{Dice, clock},
    workload,
};
use rollout_core::Time;
use rollout_kube::testing::SimulatedApiServer;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// In milliseconds.
const COUNTED_WITHIN: u64 = 1_500;
/// At least so long after an eviction, there is another pod.
const REPLACED: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Pods {
    seed: u64,
    began: Instant,
    /// By ReplicaSet: how many pods it asked for, and when it has them.
    asked: BTreeMap<String, (u64, Instant)>,
    /// By ReplicaSet: how many pods there are, wanted and ready, and when they are counted.
    there: BTreeMap<String, ((u64, u64), Instant)>,
    /// By Rollout, until when it has no pods.
    lost: BTreeMap<String, Instant>,
    /// The ReplicaSets whose Rollout is gone, and when each goes.
    garbage: BTreeMap<String, Instant>,
    /// By name, which ReplicaSet it is: somebody may delete one, and a controller makes it again at once.
    uids: BTreeMap<String, Value>,
    /// By ReplicaSet, the pods that are objects.
    objects: BTreeMap<String, Vec<String>>,
    /// By ReplicaSet, when there is another pod for each that was evicted.
    evicted: BTreeMap<String, Vec<Instant>>,
    /// When each pod was made.
    made_at: BTreeMap<String, Instant>,
    /// When another pod has been ready for long enough.
    available_at: Option<Instant>,
    made: u32,
    /// The version of the server that was last looked at.
    version: u64,
    /// When something is due although nothing changes.
    due: Option<Instant>,
}

impl Pods {
    pub(crate) fn new(seed: u64, began: Instant) -> Self {
        Self {
            seed,
            began,
            asked: BTreeMap::new(),
            there: BTreeMap::new(),
            lost: BTreeMap::new(),
            garbage: BTreeMap::new(),
            uids: BTreeMap::new(),
            objects: BTreeMap::new(),
            evicted: BTreeMap::new(),
            made_at: BTreeMap::new(),
            available_at: None,
            made: 0,
            version: 0,
            due: None,
        }
    }

    /// A Rollout has no pods until then.
    pub(crate) fn lose(&mut self, app: String, until: Instant) {
        self.lost.insert(app, until);
        self.due = Some(Instant::now());
    }

    pub(crate) fn lose_no_more(&mut self) {
        self.lost.clear();
        self.due = Some(Instant::now());
    }

    /// Everything that is due now.
    pub(crate) fn run(&mut self, server: &SimulatedApiServer) {
        let (now, version) = (Instant::now(), server.version());
        if version == self.version && self.due.is_none_or(|due| due > now) {
            return;
        }
        self.version = version;
        self.act(server, now);
        let pods = self.asked.values().map(|(_, at)| at);
        let counted = self.there.values().map(|(_, at)| at);
        let replaced = self.evicted.values().flatten();
        let replaced = replaced.chain(&self.available_at);
        let all = pods.chain(counted).chain(replaced).chain(self.lost.values()).chain(self.garbage.values());
        self.due = all.filter(|at| **at > now).min().copied();
    }

    /// How long it takes to give a ReplicaSet so many pods, in milliseconds up to `most`: whatever else happens.
    fn takes(&self, name: &str, pods: u64, most: u64) -> Duration {
        let of = |seed: u64, byte| Dice(seed ^ u64::from(byte)).roll(u64::MAX);
        let seed = name.bytes().fold(self.seed ^ pods, of);
        Duration::from_millis(Dice(seed).roll(most))
    }

    fn act(&mut self, server: &SimulatedApiServer, now: Instant) {
        self.miss_evicted(server, now);
        self.available_at = None;
        let mut sets = server.all("/apis/apps/v1/replicasets");
        let rollouts = server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let is_garbage = |set: &Value| {
            let uid = &set["metadata"]["ownerReferences"][0]["uid"];
            // What belongs to nobody stays.
            !uid.is_null() && rollouts.iter().all(|rollout| rollout["metadata"]["uid"] != *uid)
        };
        sets.extend(server.all(workload::DEPLOYMENTS));
        let names: Vec<Value> = sets.iter().map(|set| set["metadata"]["name"].clone()).collect();
        for set in sets.extract_if(.., |set| is_garbage(set)) {
            let name = set["metadata"]["name"].as_str().unwrap_or_default();
            let at = now + self.takes(name, 0, 3_000);
            if *self.garbage.entry(name.to_owned()).or_insert(at) <= now {
                self.garbage.remove(name);
                server.delete(&apps::set_path(name));
            }
        }
        for run in server.all(analyses::RUNS).iter().filter(|run| is_garbage(run)) {
            server.delete(&analyses::run_path(run["metadata"]["name"].as_str().unwrap_or_default()));
        }
        for set in &sets {
            let name = set["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let uid = &set["metadata"]["uid"];
            if self.uids.insert(name.clone(), uid.clone()).is_some_and(|before| before != *uid) {
                self.collect(server, &name);
            }
            let wanted = set["spec"]["replicas"].as_u64().unwrap_or_default();
            let (asked, at) = self.asked.get(&name).copied().unwrap_or((0, now));
            let at = if asked == wanted { at } else { now + self.takes(&name, wanted, 4_000) };
            self.asked.insert(name.clone(), (wanted, at));
            let is_lost =
                self.lost.iter().any(|(app, until)| *until > now && name.starts_with(&format!("{app}-")));
            let image = set.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
            // Those of a Deployment stay until better ones are ready.
            let is_ours = !name.starts_with(workload::PREFIX);
            let is_bad = is_ours && image == Some(&apps::image(apps::BAD));
            let ready =
                if is_lost || is_bad { 0 } else { wanted.saturating_sub(self.missing(&name, wanted)) };
            if at > now && !is_lost {
                continue;
            }
            if self.there.get(&name).is_none_or(|(pods, _)| *pods != (wanted, ready)) {
                self.make(server, &name, set, ready);
                // They are counted a little later.
                let counted = now + self.takes(&name, wanted ^ ready, COUNTED_WITHIN);
                self.there.insert(name.clone(), ((wanted, ready), counted));
            }
            let status = json!({
                "observedGeneration": set["metadata"]["generation"], "replicas": wanted,
                "readyReplicas": ready, "availableReplicas": self.available(&name, set, now)
            });
            let is_counted = self.there.get(&name).is_some_and(|(_, counted)| *counted <= now);
            if is_counted && set["status"] != status {
                let is_set = set["kind"] == "ReplicaSet";
                let path = if is_set { apps::set_path(&name) } else { workload::deployment_path(&name) };
                server.patch(&path, &json!({"status": status}));
            }
        }
        let is_gone = |of: &String| names.iter().all(|name| *name != **of);
        for of in self.objects.keys().filter(|of| is_gone(of)).cloned().collect::<Vec<_>>() {
            self.collect(server, &of);
        }
    }

    /// How many pods of a ReplicaSet have been ready for long enough; and when another one will have been is kept.
    fn available(&mut self, of: &str, set: &Value, now: Instant) -> usize {
        let min_ready = Duration::from_secs(set["spec"]["minReadySeconds"].as_u64().unwrap_or(0));
        let pods = self.objects.get(of).into_iter().flatten();
        let at = pods.filter_map(|pod| self.made_at.get(pod)).map(|made| *made + min_ready);
        let (there, later): (Vec<_>, Vec<_>) = at.partition(|at| *at <= now);
        self.available_at = self.available_at.into_iter().chain(later).min();
        there.len()
    }

    /// The pods of a ReplicaSet that is gone go, too.
    fn collect(&mut self, server: &SimulatedApiServer, of: &str) {
        self.make(server, of, &Value::Null, 0);
        self.objects.remove(of);
        self.there.remove(of);
        self.evicted.remove(of);
        self.asked.remove(of);
    }

    /// Who evicted a pod says nothing here: it is not there any more.
    fn miss_evicted(&mut self, server: &SimulatedApiServer, now: Instant) {
        let pods = server.all("/api/v1/pods");
        let there: BTreeSet<_> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
        let mut gone = Vec::new();
        for (of, pods) in &mut self.objects {
            let missed = pods.extract_if(.., |pod| !there.contains(&**pod)).count();
            gone.extend((0..missed).map(|_| of.clone()));
        }
        for of in gone {
            let number = u64::try_from(self.evicted.get(&of).map_or(0, Vec::len)).unwrap();
            let at = now + REPLACED + self.takes(&of, 100 + number, 4_000);
            self.evicted.entry(of).or_default().push(at);
        }
        self.evicted.values_mut().for_each(|all| all.retain(|at| *at > now));
    }

    /// So many pods of a ReplicaSet were evicted, and there is no other yet. Fewer that are wanted need none.
    fn missing(&self, of: &str, wanted: u64) -> u64 {
        let evicted = self.evicted.get(of).map_or(0, Vec::len);
        let there = self.objects.get(of).map_or(0, Vec::len);
        u64::try_from(evicted).unwrap().min(wanted.saturating_sub(u64::try_from(there).unwrap()))
    }

    /// As many ready pods as that.
    fn make(&mut self, server: &SimulatedApiServer, of: &str, set: &Value, ready: u64) {
        let there = self.objects.entry(of.to_owned()).or_default();
        let ready = usize::try_from(ready).unwrap();
        let wanted =
            set["spec"]["replicas"].as_u64().map_or(usize::MAX, |pods| usize::try_from(pods).unwrap());
        while there.len() > ready {
            let Some(name) = there.pop() else { return };
            self.made_at.remove(&name);
            if wanted <= ready {
                // It was asked to go, and not lost.
                let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
                server.patch(&apps::pod_path(&name), &going);
            }
            server.delete(&apps::pod_path(&name));
        }
        let created = Time::from_secs(clock(self.began, Instant::now()).as_secs()).to_string();
        if there.len() < ready && !of.starts_with(workload::PREFIX) {
            make_foreign(server, of, set);
        }
        while there.len() < ready {
            self.made += 1;
            let name = format!("{of}-{}", self.made);
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "creationTimestamp": created,
                    "labels": set["spec"]["template"]["metadata"]["labels"],
                    "annotations": set["spec"]["template"]["metadata"]["annotations"],
                    "ownerReferences": [{"kind": "ReplicaSet", "uid": set["metadata"]["uid"], "controller": true}]
                },
                "status": {
                    "podIP": format!("10.{}.{}.{}", self.made >> 16, (self.made >> 8) & 255, self.made & 255),
                    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": created}]
                }
            });
            server.apply(&apps::pod_path(&name), pod);
            self.made_at.insert(name.clone(), Instant::now());
            there.push(name);
        }
    }
}

/// A pod that somebody else owns has the hash of this ReplicaSet's pods in a label, and is older than all of them.
fn make_foreign(server: &SimulatedApiServer, of: &str, set: &Value) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "labels": {
                "app": apps::THEIRS,
                "rollouts-pod-template-hash": set["metadata"]["labels"]["rollouts-pod-template-hash"]
            },
            "ownerReferences": [{"kind": "ReplicaSet", "uid": apps::THEIRS, "controller": true}]
        },
        "status": {"phase": "Running"}
    });
    server.apply(&apps::pod_path(&format!("{}-{of}", apps::THEIRS)), pod);
}
