//! A sync of Argo CD that heals by itself, in every phase of both canaries of the guide.

use crate::{
    rules::{Rules, contains, printed},
    world::World,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const FOLDERS: [&str; 2] = ["weight", "header"];
/// Long enough for a release with its pauses.
const SECONDS: u32 = 1_800;

impl World {
    /// What differs from Git by these rules.
    fn different(&self, rules: &Rules) -> Vec<(String, Value, Value)> {
        let mut all = self.in_git();
        all.retain(|(_, git, live)| rules.differs(git, live));
        all
    }

    /// Puts everything back that differs and is of this kind; returns what it was.
    fn heal(&mut self, rules: &Rules, kind: &str) -> Vec<String> {
        let all = self.different(rules).into_iter().filter(|(_, git, _)| git["kind"] == kind || kind == "*");
        let all: Vec<_> = all.collect();
        for (path, git, live) in &all {
            self.change(path, &rules.target(git, live));
        }
        all.into_iter().map(|(path, ..)| path).collect()
    }

    fn is_over(&self, old: &Value) -> bool {
        let status = &self.rollout()["status"];
        status["phase"] == "Healthy"
            && status["stableRS"] == status["currentPodHash"]
            && status["stableRS"] != *old
    }

    /// Promotes at the pauses without an end.
    fn promote(&mut self) {
        let rollout = self.rollout();
        let is_paused = rollout["status"]["phase"] == "Paused";
        let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().unwrap();
        let step = rollout["status"]["currentStepIndex"].as_u64().and_then(|step| usize::try_from(step).ok());
        let is_endless =
            step.and_then(|step| steps.get(step)).is_some_and(|step| step["pause"]["duration"].is_null());
        if is_paused && is_endless {
            self.press("resume");
        }
    }
}

/// With the rules, Git and the cluster never differ in what is the engine's, and a sync for another reason leaves it
/// alone. Without them, they do differ.
#[tokio::test(start_paused = true)]
async fn the_rules_cover_what_the_engine_writes_and_nothing_else() {
    for folder in FOLDERS {
        let mut world = World::at_rest(folder).await;
        let (rules, none) = (Rules::of(folder), Rules::default());
        let old = world.rollout()["status"]["stableRS"].clone();
        let mut put_back = BTreeSet::new();
        let mut weights = BTreeSet::new();
        world.update("v2");
        for second in 0..SECONDS {
            world.pass(Duration::from_secs(1)).await;
            if second % 30 == 29 {
                world.promote();
            }
            let different: Vec<_> = world.different(&rules).into_iter().map(|(path, ..)| path).collect();
            assert!(different.is_empty(), "{folder}: {different:?} after {second} s");
            for (path, git, live) in world.in_git() {
                assert!(contains(&live, &rules.target(&git, &live)), "{folder}: a sync changes {path}");
            }
            let different = world.different(&none);
            put_back
                .extend(different.into_iter().map(|(_, git, _)| git["kind"].as_str().unwrap().to_owned()));
            weights.insert(world.rollout()["status"]["canary"]["weights"]["canary"]["weight"].to_string());
            if world.is_over(&old) {
                break;
            }
        }
        assert!(world.is_over(&old), "{folder}: {:#}", world.rollout()["status"]);
        assert!(put_back.contains("VirtualService"), "{folder}: {put_back:?}");
        assert_eq!(put_back.contains("DestinationRule"), folder == "weight", "{put_back:?}");
        assert!(folder == "header" || weights.len() > 2, "{weights:?}");
        // What is not the engine's is still healed.
        let (path, ..) =
            world.in_git().into_iter().find(|(_, git, _)| git["kind"] == "VirtualService").unwrap();
        world.change(&path, &json!({"spec": {"hosts": ["elsewhere"]}}));
        assert_eq!(world.heal(&rules, "*"), [path]);
        assert!(world.different(&rules).is_empty());
    }
}

/// Without rules, every object is put back as soon as it differs, all of them or those of one kind. The engine repairs
/// that, and the release ends.
#[tokio::test(start_paused = true)]
async fn without_rules_the_engine_repairs_what_a_sync_puts_back() {
    for folder in FOLDERS {
        for kind in ["*", "VirtualService", "DestinationRule", "Service", "Rollout"] {
            let mut world = World::at_rest(folder).await;
            let none = Rules::default();
            let old = world.rollout()["status"]["stableRS"].clone();
            world.update("v2");
            let mut healed = 0;
            for second in 0..SECONDS {
                world.pass(Duration::from_secs(1)).await;
                if second % 90 == 89 {
                    world.promote();
                }
                // Without an istiod to ask, a step waits for a while after each write.
                if second % 40 == 39 {
                    healed += world.heal(&none, kind).len();
                }
                if world.is_over(&old) {
                    break;
                }
            }
            assert!(world.is_over(&old), "{folder}, {kind}: {:#}", world.rollout()["status"]);
            let is_written =
                kind == "*" || kind == "VirtualService" || (kind, folder) == ("DestinationRule", "weight");
            assert_eq!(healed > 0, is_written, "{folder}, {kind}: {healed}");
        }
    }
}

/// The revision that was rejected is remembered, and said: Git still asks for it.
#[tokio::test(start_paused = true)]
async fn an_aborted_update_does_not_start_again_however_often_git_is_applied() {
    for folder in FOLDERS {
        let mut world = World::at_rest(folder).await;
        world.update("v2");
        world.until(|rollout| rollout["status"]["phase"] == "Paused").await;
        let rejected = world.rollout()["status"]["currentPodHash"].clone();
        world.press("abort");
        world.until(|rollout| rollout["status"]["phase"] == "Degraded").await;
        let said = "RolloutAborted: Rollout aborted update to revision 2";
        for _ in 0..60 {
            for (path, git, live) in world.in_git() {
                world.change(&path, &Rules::of(folder).target(&git, &live));
                world.change(&path, &git);
            }
            world.pass(Duration::from_secs(20)).await;
            let status = world.rollout()["status"].clone();
            assert_eq!(
                (&status["message"], &status["currentPodHash"]),
                (&said.into(), &rejected),
                "{folder}"
            );
            let conditions = status["conditions"].as_array().unwrap();
            let progressing = conditions.iter().find(|condition| condition["type"] == "Progressing").unwrap();
            assert_eq!(progressing["reason"], "RolloutAborted");
        }
        assert_eq!(world.argo_cd.health(&world.rollout()).0, "Degraded");
        world.update("v3");
        world.until(|rollout| rollout["status"]["phase"] == "Paused").await;
        assert_ne!(world.rollout()["status"]["currentPodHash"], rejected, "{folder}");
    }
}

/// In a hosted mesh, a copier fills the API server that the proxies' configuration is read from.
#[tokio::test(start_paused = true)]
async fn a_copy_that_no_proxy_reads_is_said_once() {
    let mut world = World::at_rest("weight").await;
    let all = world.in_git();
    let (path, ..) = all.iter().find(|(path, ..)| path.ends_with("virtualservices/provider")).unwrap();
    let labels = json!({"mspider.io/origin-cluster": "west", "mspider.io/synced-from": "west/shop"});
    world.change(path, &json!({"metadata": {"labels": labels}}));
    world.update("v2");
    world.until_paused_at(3).await;
    world.pass(Duration::from_secs(120)).await;
    let events = world.server.all("/api/v1/events");
    let said: Vec<_> = events.iter().filter(|event| event["reason"] == "CopiedObject").collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    let note = "VirtualService shop/provider is a copy of the one in \"west\": the proxies read what is copied from \
                there, and the copier writes over what is changed here; let the Rollout of that cluster drive it \
                there, or remove the label if no copier does this";
    assert_eq!((&said[0]["message"], &said[0]["count"]), (&json!(note), &json!(1)));
}

#[test]
fn the_rules_of_both_tools() {
    let argo_cd = printed("argo-cd", "weight");
    for line in [
        "    name: provider\n    jqPathExpressions:\n      - '.spec.http[] | select(.name == \"test-v1\") | .route[].weight'\n",
        "      - '.spec.subsets[] | select(.name == \"canary\") | .labels[\"rollouts-pod-template-hash\"]'\n",
        "    - RespectIgnoreDifferences=true\n",
    ] {
        assert!(argo_cd.contains(line), "{line}\n{argo_cd}");
    }
    let argo_cd = printed("argo-cd", "header");
    for line in [
        "      - '.spec.http[] | select(.name == \"test-v2\")'\n",
        "  - group: \"\"\n    kind: Service\n    name: dubbo3-provider-canary\n    jsonPointers:\n      - \
         '/spec/selector/rollouts-pod-template-hash'\n    managedFieldsManagers: [rollout-kube]\n",
    ] {
        assert!(argo_cd.contains(line), "{line}\n{argo_cd}");
    }
    let flux = printed("flux", "weight");
    let rule = "  - paths:\n      - '/spec/subsets'\n    target:\n      group: networking.istio.io\n      kind: \
                DestinationRule\n      name: dubbo-provider\n";
    assert!(flux.contains(rule), "{flux}");
    for (folder, text) in FOLDERS.map(|folder| (folder, printed("flux", folder))) {
        let rules: Value = serde_yaml::from_str(&text).unwrap();
        assert!(rules["ignore"].as_array().is_some_and(|rules| rules.len() >= 4), "{folder}: {text}");
    }
}
