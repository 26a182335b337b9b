//! Runs a Job: its end is the verdict.
//!
//! The name of a Job follows from the run, the metric and the number of the measurement. So a crash, a lost write or a
//! second process never makes a second one, and nothing that the status says chooses which Job is deleted.

use super::provider::{Question, Told};
use crate::{entry::controller_uid, store::Requests};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Measurement, MetricResult, Phase},
    backend::StoreError,
    traffic::ObjectRef,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The longest name: it becomes a label.
const LONGEST: usize = 63;
const UID: &str = "analysisrun.argoproj.io/uid";

/// Creates the Job of a measurement, looks at it, or deletes it.
pub(super) async fn ask(requests: &Requests, metric: &Value, question: Question<'_>) -> Told {
    let job = Job::of(question);
    let answer = match question.ask {
        Ask::Measure { .. } => job.create(requests, metric).await,
        Ask::Resume { .. } => job.look(requests, question).await,
        Ask::Terminate { .. } => job.delete(requests).await,
    };
    match answer {
        Ok(answer) => Told::answer(answer),
        // Nobody knows what came of it, or it may be possible later.
        Err(StoreError::Ambiguous { .. } | StoreError::Unreadable { .. } | StoreError::Conflict(_)) => {
            None.into()
        }
        Err(error) => Told::nothing(error),
    }
}

struct Job<'q> {
    object: ObjectRef,
    run: &'q Value,
    metric: &'q str,
}

impl<'q> Job<'q> {
    fn of(question: Question<'q>) -> Self {
        let (run, metric) = (question.run, question.metric.name());
        let number = question.result.map_or(0, |result| result.count.saturating_add(result.error));
        let number = number.saturating_add(1).to_string();
        let uid = text(run, "/metadata/uid");
        let most = LONGEST.saturating_sub(uid.len() + number.len() + 2);
        let cut = (0..=most.min(metric.len())).rev().find(|at| metric.is_char_boundary(*at)).unwrap_or(0);
        let name = format!("{uid}.{}.{number}", metric.get(..cut).unwrap_or_default());
        let object = ObjectRef::new("batch", "Job", text(run, "/metadata/namespace"), &name);
        Self { object, run, metric }
    }

    fn uid(&self) -> &str {
        text(self.run, "/metadata/uid")
    }

    async fn create(&self, requests: &Requests, metric: &Value) -> Result<Answer, StoreError> {
        match requests.create(&self.object, &self.built(metric)).await {
            Ok(_) => {}
            // An earlier try took effect, or somebody else's Job has the name.
            Err(StoreError::AlreadyExists(_)) => drop(self.read(requests).await?),
            Err(error) => return Err(error),
        }
        Ok(Answer::Running { resume: Some(Duration::ZERO), metadata: self.metadata() })
    }

    /// Builds the Job: the spec of the metric, owned by the run.
    fn built(&self, metric: &Value) -> Value {
        let fields = |pointer: &str| -> Map<String, Value> {
            metric.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (mut labels, mut annotations) = (fields("/metadata/labels"), fields("/metadata/annotations"));
        labels.insert(UID.to_owned(), self.uid().into());
        for (key, value) in [
            ("analysisrun.argoproj.io/name", text(self.run, "/metadata/name")),
            ("analysisrun.argoproj.io/namespace", &*self.object.namespace),
            ("analysisrun.argoproj.io/metric-name", self.metric),
        ] {
            annotations.insert(key.to_owned(), value.into());
        }
        let owner = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "name": text(self.run, "/metadata/name"),
            "uid": self.uid(), "controller": true, "blockOwnerDeletion": true
        });
        let mut spec = metric.get("spec").cloned().unwrap_or_default();
        let mut pod_labels = fields("/spec/template/metadata/labels");
        pod_labels.insert(UID.to_owned(), self.uid().into());
        if let Some(template) = spec.get_mut("template").and_then(Value::as_object_mut) {
            let metadata = template.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("labels".to_owned(), Value::Object(pod_labels));
            }
        }
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "namespace": *self.object.namespace, "name": *self.object.name,
                "labels": labels, "annotations": annotations, "ownerReferences": [owner]
            },
            "spec": spec
        })
    }

    async fn look(&self, requests: &Requests, question: Question<'_>) -> Result<Answer, StoreError> {
        let job = self.read(requests).await?;
        let conditions = job.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
        let verdict = |phase, message: String| Answer::Verdict {
            phase,
            value: String::new(),
            message,
            metadata: BTreeMap::new(),
            is_last: false,
        };
        for condition in conditions.filter(|condition| text(condition, "/status") != "False") {
            match text(condition, "/type") {
                "Complete" => return Ok(verdict(Phase::Successful, String::new())),
                "Failed" => return Ok(verdict(Phase::Failed, String::new())),
                _ => {}
            }
        }
        if let Some(why) = self.stuck(requests, &job).await {
            return Ok(verdict(Phase::Inconclusive, why));
        }
        let resume = Some(pause(question.result, question.now));
        Ok(Answer::Running { resume, metadata: self.metadata() })
    }

    /// Returns why a pod of the Job can never start. Pods that cannot be listed are no reason.
    async fn stuck(&self, requests: &Requests, job: &Value) -> Option<String> {
        let like = ObjectRef::new("", "Pod", &self.object.namespace, "");
        let pods = requests.list(&like, &format!("{UID}={}", self.uid())).await.ok()?;
        let uid = text(job, "/metadata/uid");
        let own = pods.iter().map(|pod| &pod.value).filter(|pod| controller_uid(pod) == Some(uid));
        own.into_iter().find_map(|pod| {
            let containers = ["/status/initContainerStatuses", "/status/containerStatuses"];
            let containers = containers.iter().filter_map(|field| pod.pointer(field)?.as_array()).flatten();
            let mut waiting = containers.filter_map(|container| {
                let reason = text(container, "/state/waiting/reason");
                let ends = matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName");
                ends.then(|| {
                    format!(
                        "Pod {}, container {} has terminal error ({reason}): {}",
                        text(pod, "/metadata/name"),
                        text(container, "/name"),
                        text(container, "/state/waiting/message")
                    )
                })
            });
            waiting.next()
        })
    }

    async fn delete(&self, requests: &Requests) -> Result<Answer, StoreError> {
        let ended = Answer::Verdict {
            phase: Phase::Inconclusive,
            value: String::new(),
            message: "Metric Terminated".to_owned(),
            metadata: BTreeMap::new(),
            is_last: false,
        };
        let job = match self.read(requests).await {
            Ok(job) => job,
            // It is gone, or is not ours.
            Err(StoreError::NotFound(_) | StoreError::Refused { .. }) => return Ok(ended),
            Err(error) => return Err(error),
        };
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground",
            "preconditions": {"uid": text(&job, "/metadata/uid")}
        });
        match requests.delete(&self.object, &options).await {
            Ok(()) | Err(StoreError::NotFound(_)) => Ok(ended),
            Err(error) => Err(error),
        }
    }

    /// Reads the Job, which must belong to the run.
    async fn read(&self, requests: &Requests) -> Result<Value, StoreError> {
        let job = requests.get(&self.object).await?.value;
        if controller_uid(&job) == Some(self.uid()) {
            return Ok(job);
        }
        let why = "it belongs to something else than this AnalysisRun; delete it".to_owned();
        Err(StoreError::Refused { object: self.object.clone(), why })
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        [entry("job-name", &self.object.name), entry("job-namespace", &self.object.namespace)].into()
    }
}

/// Returns when to look again: less and less often, as Argo Rollouts does.
fn pause(result: Option<&MetricResult>, now: Time) -> Duration {
    let newest: Option<&Measurement> = result.and_then(MetricResult::newest);
    let elapsed =
        newest.and_then(|newest| newest.started_at).map_or(Duration::ZERO, |began| now.since(began));
    Duration::from_secs_f64((2.0 * elapsed.as_secs_f64()).sqrt().min(3_600.0))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
