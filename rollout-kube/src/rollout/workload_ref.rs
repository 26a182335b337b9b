//! `workloadRef`: the pod template is in another object, usually a Deployment that served before the Rollout did.

use crate::cache::{Entry, View};
use rollout_core::{
    argo::{check, with_template, workload_ref},
    backend::StoreError,
    traffic::{ObjectRef, ObjectVersion},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The annotation of a Deployment that a Rollout scaled: [`Scaled`], as JSON.
const SCALED: &str = "rollout-core/scaled";
/// The annotation of a Rollout with the generation of the workload, for clients.
pub(super) const GENERATION: &str = "rollout.argoproj.io/workload-generation";

/// The object that holds a Rollout's pod template.
#[derive(Debug, Clone)]
pub(super) struct ReferencedWorkload {
    pub(super) object: ObjectRef,
    pub(super) version: ObjectVersion,
    pub(super) generation: u64,
    /// The pods that it asks for; `None` if it has none of its own (a PodTemplate).
    pub(super) replicas: Option<u32>,
    pub(super) scale_down: ScaleDown,
    /// The pods that it asked for before this Rollout scaled it down, if nobody else has scaled it since.
    pub(super) replicas_before: Option<u32>,
    /// The uid of the Rollout.
    rollout: String,
    template: Value,
    selector: Option<Value>,
}

/// When a Deployment is scaled down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScaleDown {
    Never,
    /// Once the Rollout serves all requests.
    OnSuccess,
    /// As the pods of the first deploy become available.
    Progressively,
}

impl ScaleDown {
    /// Reads the setting of a Rollout; only a Deployment is ever scaled.
    pub(super) fn of(rollout: &Value) -> Self {
        let text = |field: &str| rollout.pointer("/spec/workloadRef")?.get(field)?.as_str();
        match (text("kind"), text("scaleDown")) {
            (Some("Deployment"), Some("onsuccess")) => Self::OnSuccess,
            (Some("Deployment"), Some("progressively")) => Self::Progressively,
            _ => Self::Never,
        }
    }
}

/// How a Rollout scaled a Deployment. It counts only as long as the Deployment still asks for so many pods.
#[derive(Debug, Serialize, Deserialize)]
struct Scaled {
    /// The uid of the Rollout.
    by: String,
    from: u32,
    to: u32,
}

/// The result of looking for the workload.
#[derive(Debug)]
pub(super) enum Resolved {
    /// The Rollout has its own template.
    OwnTemplate,
    Workload(Box<ReferencedWorkload>),
    /// The reference leads nowhere: the reason, and what to do.
    Missing(String),
}

impl Resolved {
    /// Gives the Rollout its template; returns it with the workload, or with the reason why there is none.
    pub(super) fn with(self, rollout: Entry) -> (Entry, Option<ReferencedWorkload>, Option<String>) {
        match self {
            Self::OwnTemplate => (rollout, None, None),
            Self::Workload(workload) => (workload.give_template(rollout), Some(*workload), None),
            Self::Missing(why) => (rollout, None, Some(why)),
        }
    }
}

/// Reads the workload that a Rollout refers to: from the cache or, with `live`, from the server.
///
/// No version of the Rollout protects what is read here. So a process whose cache is older than what another one has
/// recorded in the Rollout reads it from the server: otherwise the two would overwrite each other's record, and each
/// would release its own version of the template.
///
/// # Errors
/// It cannot be read from the server.
pub(super) async fn resolve(view: &View, rollout: &Entry, live: bool) -> Result<Resolved, StoreError> {
    let object = match workload_ref(&rollout.value) {
        None => return Ok(Resolved::OwnTemplate),
        Some(Err(why)) => return Ok(Resolved::Missing(why.to_string())),
        Some(Ok(object)) => object,
    };
    let recorded = rollout.annotation(GENERATION).and_then(|text| text.parse::<u64>().ok());
    let mut read = view.referenced(&object).await;
    let is_older = |entry: &Entry| recorded.is_some_and(|recorded| generation(entry) < recorded);
    if live || read.as_ref().is_ok_and(is_older) {
        read = match view.workload_live(&object).await {
            Err(error) if !matches!(error, StoreError::NotFound(_)) => return Err(error),
            read => read,
        };
    }
    Ok(understand(rollout, object, read))
}

fn generation(workload: &Entry) -> u64 {
    workload.value.pointer("/metadata/generation").and_then(Value::as_u64).unwrap_or(0)
}

fn understand(rollout: &Entry, object: ObjectRef, read: Result<Entry, StoreError>) -> Resolved {
    if check(&rollout.value).errors().any(|error| error.path == "spec.template") {
        // It has a template, too, which is an error.
        return Resolved::OwnTemplate;
    }
    let entry = match read {
        Ok(entry) => entry,
        Err(StoreError::NotFound(_)) => {
            let why = format!("spec.workloadRef: {object} does not exist; create it, or correct the name");
            return Resolved::Missing(why);
        }
        Err(error) => return Resolved::Missing(format!("spec.workloadRef: {error}")),
    };
    if entry.owner().is_some() {
        let why = format!(
            "spec.workloadRef: {object} belongs to a Rollout, which changes it; name an object with a template of its own"
        );
        return Resolved::Missing(why);
    }
    let Some(template) = entry.pod_template() else {
        let why = format!("spec.workloadRef: {object} has no pod template; name another object");
        return Resolved::Missing(why);
    };
    let replicas = entry.value.pointer("/spec/replicas").and_then(Value::as_u64);
    Resolved::Workload(Box::new(ReferencedWorkload {
        generation: generation(&entry),
        replicas: replicas.map(|replicas| u32::try_from(replicas).unwrap_or(u32::MAX)),
        scale_down: ScaleDown::of(&rollout.value),
        replicas_before: entry
            .annotation(SCALED)
            .and_then(|text| serde_json::from_str::<Scaled>(text).ok())
            .filter(|scaled| scaled.by == rollout.uid() && Some(u64::from(scaled.to)) == replicas)
            .map(|scaled| scaled.from),
        rollout: rollout.uid().to_owned(),
        selector: entry.value.pointer("/spec/selector").cloned(),
        version: entry.version,
        object,
        template,
    }))
}

impl ReferencedWorkload {
    /// Returns the Rollout as if it had the template itself. Nothing of this is ever written to the Rollout.
    pub(super) fn give_template(&self, mut rollout: Entry) -> Entry {
        let whole = with_template(&rollout.value, self.template.clone(), self.selector.as_ref());
        rollout.value = Arc::new(whole);
        rollout
    }

    /// Builds the patch that changes its pod template.
    pub(super) fn template_patch(&self, template: &Value) -> Value {
        let metadata = json!({"resourceVersion": *self.version.write});
        if &*self.object.kind == "PodTemplate" {
            return json!({"metadata": metadata, "template": template});
        }
        json!({"metadata": metadata, "spec": {"template": template}})
    }

    /// Builds the patch that makes it ask for so many pods, and records how many it asked for before.
    pub(super) fn scale_patch(&self, pods: u32) -> Value {
        let scaled = Scaled { by: self.rollout.clone(), from: self.before(), to: pods };
        let scaled = serde_json::to_string(&scaled).unwrap_or_default();
        json!({
            "metadata": {"resourceVersion": *self.version.write, "annotations": {SCALED: scaled}},
            "spec": {"replicas": pods}
        })
    }

    /// Returns how many pods it asked for before this Rollout scaled it down.
    pub(super) fn before(&self) -> u32 {
        self.replicas_before.or(self.replicas).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_deployment_is_scaled_down() {
        let of = |kind: &str, scale_down: Option<&str>| {
            ScaleDown::of(&json!({"spec": {"workloadRef": {"kind": kind, "scaleDown": scale_down}}}))
        };
        assert_eq!(of("Deployment", None), ScaleDown::Never);
        assert_eq!(of("Deployment", Some("onsuccess")), ScaleDown::OnSuccess);
        assert_eq!(of("Deployment", Some("progressively")), ScaleDown::Progressively);
        assert_eq!(of("PodTemplate", Some("onsuccess")), ScaleDown::Never);
    }
}
