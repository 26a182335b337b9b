//! How a history ends: everything comes to rest, and stays there.

use super::World;
use crate::{apps, workload};
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

/// All come to rest within this time once nothing goes wrong any more; a controller that had no luck backs off for up
/// to five minutes.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Where stable has no pods any more, the canary has its requests within this time, although no person helps. A mesh that
/// often gives no answer may take five times as long.
const TAKEN_OVER: Duration = Duration::from_secs(420);
/// How long it has to be quiet at rest.
const REST: Duration = Duration::from_secs(120);

impl World<'_> {
    /// A person helps wherever one is needed, until everything is at rest; then it has to be quiet.
    pub(super) async fn until_at_rest(&mut self) {
        let (began, (_, before)) = (Instant::now(), self.counted());
        self.end_orphans();
        let until = began + LIMIT;
        self.pods.lose_no_more();
        self.until_taken_over().await;
        let mut why_not = vec!["nothing was looked at".to_owned()];
        while self.judge.broken.is_none() && !why_not.is_empty() && Instant::now() < until {
            self.help();
            self.pass(Duration::from_secs(20)).await;
            let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
            why_not = rollouts.iter().filter_map(|rollout| self.judge.unrest(rollout)).collect();
            why_not.extend(self.mislabelled());
            why_not.extend(self.not_restarted());
            why_not.extend(self.judge.unfinished_runs());
        }
        if self.judge.broken.is_some() {
            return;
        }
        self.judge.rests(&why_not);
        self.judge.runs_at_rest(&self.server.all("/apis/argoproj.io/v1alpha1/rollouts"));
        let during = self.counted().1 - before;
        let rollouts = u64::try_from(self.history.apps.len()).unwrap();
        // A mesh that hardly answers takes its time, and each wait is looked at now and then.
        let a_while = began.elapsed().as_secs() / 4;
        self.judge.few(during, (150 + a_while) * rollouts);
        self.silent.store(0, Ordering::Relaxed);
        // Bookkeeping may wait for half a minute, and a process that found another one at work for a whole one.
        self.pass(Duration::from_secs(180)).await;
        let before = self.asked();
        self.pass(REST).await;
        let asked = self.asked().into_iter().map(|(what, count)| {
            let more = count - before.get(&what).copied().unwrap_or(0);
            (what, more)
        });
        self.judge.quiet(&asked.filter(|(_, count)| *count > 0).collect());
    }

    /// Nobody has to help where the canary is all that there is, nor where the Rollout says that all is well.
    async fn until_taken_over(&mut self) {
        let answers = self.silent.load(Ordering::Relaxed) == 0;
        let until = Instant::now() + if answers { TAKEN_OVER } else { 5 * TAKEN_OVER };
        // Pods that were lost come back first.
        self.pass(Duration::from_secs(10)).await;
        let (mut weights, mut wrong) = self.owed();
        while (weights.iter().any(|weight| *weight < 100) || !wrong.is_empty()) && Instant::now() < until {
            self.pass(Duration::from_secs(5)).await;
            if self.judge.broken.is_some() {
                return;
            }
            (weights, wrong) = self.owed();
        }
        self.judge.took_over(&weights);
        self.judge.is_right(&wrong);
    }

    /// The weights of canaries that have to take over, and what is wrong although it is said to be right.
    fn owed(&self) -> (Vec<u64>, Vec<String>) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let weights = rollouts.iter().filter_map(|rollout| self.judge.must_take_over(rollout)).collect();
        (weights, rollouts.iter().filter_map(|rollout| self.judge.is_healthy_and_wrong(rollout)).collect())
    }

    /// The pods of stable revisions that do not have the labels and annotations of their role, and those of others that
    /// have them.
    fn mislabelled(&self) -> Vec<String> {
        let pods = self.server.all("/api/v1/pods");
        let apps = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let wrong = apps.iter().flat_map(|rollout| {
            let right = rollout.pointer("/spec/strategy/canary/stableMetadata").cloned();
            let right = right.unwrap_or_else(|| json!({"labels": {"role": "none"}}));
            let of = |pod: &&std::sync::Arc<Value>| {
                pod["metadata"]["labels"]["app"] == rollout["metadata"]["name"]
                    && pod["metadata"]["deletionTimestamp"].is_null()
            };
            pods.iter().filter(of).filter(move |pod| {
                let is_stable =
                    pod["metadata"]["labels"]["rollouts-pod-template-hash"] == rollout["status"]["stableRS"];
                let mut labels = pod["metadata"]["labels"].clone();
                if let Some(labels) = labels.as_object_mut() {
                    labels.retain(|key, _| key.contains("role") || key.starts_with("only-"));
                }
                let annotations = pod["metadata"]["annotations"]["role"] == right["annotations"]["role"];
                is_stable && (labels != right["labels"] || !annotations)
            })
        });
        wrong.map(|pod| format!("mislabelled: {}", pod["metadata"])).collect()
    }

    /// The restarts that are not recorded, and the pods that are older than theirs.
    fn not_restarted(&self) -> Vec<String> {
        let pods = self.server.all("/api/v1/pods");
        let apps = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let wrong = apps.iter().filter_map(|rollout| {
            let (name, asked) = (&rollout["metadata"]["name"], rollout["spec"]["restartAt"].as_str()?);
            let recorded = &rollout["status"]["restartedAt"];
            if recorded != asked {
                return Some(format!("{name} is not restarted: {asked} is asked for, {recorded} recorded"));
            }
            // The times are whole seconds, in the same form.
            let is_old = |pod: &&std::sync::Arc<Value>| {
                pod["metadata"]["labels"]["app"] == *name
                    && !pod["metadata"]["labels"]["rollouts-pod-template-hash"].is_null()
                    && pod["metadata"]["creationTimestamp"].as_str().is_none_or(|created| created < asked)
            };
            let old = pods.iter().find(is_old)?;
            Some(format!("{name} is restarted, and a pod is older: {}", old["metadata"]))
        });
        wrong.collect()
    }

    fn help(&mut self) {
        for (app, rollout) in self.server.all("/apis/argoproj.io/v1alpha1/rollouts").iter().enumerate() {
            let own = || rollout.pointer("/spec/template/spec/containers/0/image").cloned();
            let workload = self.history.apps[app].workload;
            let image = workload.map_or_else(own, |of| workload::image(&self.server, of, app));
            if image == Some(apps::image(apps::BAD).into()) {
                self.update(app, 0);
            } else if rollout.pointer("/status/abort") == Some(&Value::Bool(true)) {
                self.patch(app, &json!({"status": {"abort": false}}));
            } else if rollout["status"]["phase"] == "Paused" || is_without_stable(rollout) {
                self.patch(app, &json!({"status": {"promoteFull": true}}));
            }
        }
    }
}

/// Whether the update stands still because somebody deleted the pods of the stable revision: a person decides.
fn is_without_stable(rollout: &Value) -> bool {
    rollout["status"]["message"].as_str().is_some_and(|message| message.starts_with("StableGone"))
}
