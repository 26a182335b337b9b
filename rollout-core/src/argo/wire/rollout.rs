use super::{Selector, StrategyField, object::object};
use alloc::{collections::BTreeMap, string::String};
use serde_json::Value;

object! {
    /// A Rollout: what a user wrote, and what the controller stored in it.
    Rollout like "kind: Rollout" {
        api_version: String = "apiVersion",
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: RolloutSpec = "spec",
        status: Value = "status",
    }
}

object! {
    /// The part of a Rollout's metadata that the engine reads.
    Meta like "name: demo" ignoring [
        "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
        "managedFields", "ownerReferences", "resourceVersion", "selfLink",
    ] {
        name: String = "name",
        namespace: String = "namespace",
        uid: String = "uid",
        generation: Value = "generation",
        labels: BTreeMap<String, String> = "labels",
        annotations: BTreeMap<String, String> = "annotations",
    }
}

object! {
    /// What the user wants.
    RolloutSpec like "replicas: 1" {
        replicas: i32 = "replicas",
        selector: Selector = "selector",
        template: Value = "template",
        workload_ref: WorkloadRef = "workloadRef",
        min_ready_seconds: i32 = "minReadySeconds",
        rollback_window: RollbackWindow = "rollbackWindow",
        strategy: StrategyField = "strategy",
        revision_history_limit: i32 = "revisionHistoryLimit",
        paused: bool = "paused",
        progress_deadline_seconds: i32 = "progressDeadlineSeconds",
        progress_deadline_abort: bool = "progressDeadlineAbort",
        restart_at: String = "restartAt",
        analysis: HistoryLimits = "analysis",
    }
}

object! {
    /// The object that holds the pod template.
    WorkloadRef like "{apiVersion: apps/v1, kind: Deployment, name: demo}" {
        api_version: String = "apiVersion",
        kind: String = "kind",
        name: String = "name",
        scale_down: String = "scaleDown",
    }
}

object! {
    /// How far back the steps are skipped.
    RollbackWindow like "revisions: 2" {
        revisions: i32 = "revisions",
    }
}

object! {
    /// How many finished analyses are kept.
    HistoryLimits like "successfulRunHistoryLimit: 5" {
        successful_run_history_limit: i32 = "successfulRunHistoryLimit",
        unsuccessful_run_history_limit: i32 = "unsuccessfulRunHistoryLimit",
    }
}
