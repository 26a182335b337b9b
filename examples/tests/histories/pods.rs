//! What kubelets do, and who collects garbage: pods come and go some time after they are asked for, and what belongs to
//! a Rollout that is gone goes, too.

use crate::{apps, mesh::Dice};
use rollout_kube::testing::Played;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Pods {
    dice: Dice,
    /// Whether each pod is an object, for those who look at them.
    as_objects: bool,
    /// By ReplicaSet: how many pods it asked for, and when it has them.
    asked: BTreeMap<String, (u64, Instant)>,
    /// By Rollout, until when it has no pods.
    lost: BTreeMap<String, Instant>,
    /// The ReplicaSets whose Rollout is gone, and when each goes.
    garbage: BTreeMap<String, Instant>,
    /// By ReplicaSet, the pods that are objects.
    objects: BTreeMap<String, Vec<String>>,
    made: u32,
}

impl Pods {
    pub(crate) fn new(seed: u64, as_objects: bool) -> Self {
        Self {
            dice: Dice(seed),
            as_objects,
            asked: BTreeMap::new(),
            lost: BTreeMap::new(),
            garbage: BTreeMap::new(),
            objects: BTreeMap::new(),
            made: 0,
        }
    }

    /// A Rollout has no pods until then.
    pub(crate) fn lose(&mut self, app: String, until: Instant) {
        self.lost.insert(app, until);
    }

    pub(crate) fn lose_no_more(&mut self) {
        self.lost.clear();
    }

    pub(crate) fn run(&mut self, server: &Played) {
        let now = Instant::now();
        let mut sets = server.all("/apis/apps/v1/replicasets");
        let rollouts = server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let is_garbage = |set: &Value| {
            let uid = &set["metadata"]["ownerReferences"][0]["uid"];
            rollouts.iter().all(|rollout| rollout["metadata"]["uid"] != *uid)
        };
        let names: Vec<Value> = sets.iter().map(|set| set["metadata"]["name"].clone()).collect();
        for set in sets.extract_if(.., |set| is_garbage(set)) {
            let name = set["metadata"]["name"].as_str().unwrap_or_default();
            let at = now + Duration::from_millis(self.dice.roll(3_000));
            if *self.garbage.entry(name.to_owned()).or_insert(at) <= now {
                self.garbage.remove(name);
                server.delete(&apps::set_path(name));
            }
        }
        for set in &sets {
            let name = set["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let wanted = set["spec"]["replicas"].as_u64().unwrap_or_default();
            let (asked, at) = self.asked.get(&name).copied().unwrap_or((0, now));
            let at = if asked == wanted { at } else { now + Duration::from_millis(self.dice.roll(4_000)) };
            self.asked.insert(name.clone(), (wanted, at));
            let is_lost =
                self.lost.iter().any(|(app, until)| *until > now && name.starts_with(&format!("{app}-")));
            let image = set.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
            let is_bad = image == Some(&apps::image(apps::BAD));
            let ready = if is_lost || is_bad { 0 } else { wanted };
            if at > now && !is_lost {
                continue;
            }
            let status = json!({
                "observedGeneration": set["metadata"]["generation"], "replicas": wanted,
                "readyReplicas": ready, "availableReplicas": ready
            });
            if set["status"] != status {
                self.make(server, &name, set, ready);
                server.patch(&apps::set_path(&name), &json!({"status": status}));
            }
        }
        let is_gone = |of: &String| names.iter().all(|name| *name != **of);
        for of in self.objects.keys().filter(|of| is_gone(of)).cloned().collect::<Vec<_>>() {
            self.make(server, &of, &Value::Null, 0);
            self.objects.remove(&of);
        }
    }

    /// As many ready pods as that.
    fn make(&mut self, server: &Played, of: &str, set: &Value, ready: u64) {
        if !self.as_objects {
            return;
        }
        let there = self.objects.entry(of.to_owned()).or_default();
        let ready = usize::try_from(ready).unwrap();
        while there.len() > ready {
            if let Some(name) = there.pop() {
                server.delete(&apps::pod_path(&name));
            }
        }
        while there.len() < ready {
            self.made += 1;
            let name = format!("{of}-{}", self.made);
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"labels": set["spec"]["template"]["metadata"]["labels"]},
                "status": {
                    "podIP": format!("10.{}.{}.{}", self.made >> 16, (self.made >> 8) & 255, self.made & 255),
                    "conditions": [{"type": "Ready", "status": "True"}]
                }
            });
            server.apply(&apps::pod_path(&name), pod);
            there.push(name);
        }
    }
}
