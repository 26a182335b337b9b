use super::{Canary, PingPong, Selector, StrategyField, Wire, object::object};
use crate::argo::reader::Reader;
use crate::traffic::{ByDestination, StablePingPong};
use alloc::{collections::BTreeMap, string::String};
use serde_json::Value;

object! {
    /// A Rollout as a user wrote it. The `status` that a controller stored is [read
    /// separately](crate::argo::read_status).
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// let rollout = Rollout::from_value(&serde_json::json!({"kind": "Rollout", "spec": {"replicas": 4}}));
    /// let spec = rollout.spec.unwrap();
    /// assert_eq!(spec.replicas, Some(4));
    /// assert_eq!(spec.revision_history_limit, None, "there are no defaults here");
    /// ```
    Rollout like "kind: Rollout" ignoring ["status"] {
        api_version: String = "apiVersion",
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: RolloutSpec = "spec",
    }
}

impl Rollout {
    /// Reads a Rollout, without the parts of the wrong type: [`check`](crate::argo::check) reports those.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// let rollout = Rollout::from_value(&serde_json::json!({"spec": {"replicas": 4, "paused": "no"}}));
    /// assert_eq!(rollout.spec.as_ref().map(|spec| (spec.replicas, spec.paused)), Some((Some(4), None)));
    /// assert_eq!(rollout.canary(), None);
    /// ```
    #[must_use]
    pub fn from_value(rollout: &Value) -> Self {
        Self::read(rollout, &mut Reader::default()).unwrap_or_default()
    }

    /// Returns the canary strategy, if there is one.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let strategy = json!({"canary": {"steps": [{"setWeight": 20}]}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": strategy}}));
    /// assert_eq!(rollout.canary().and_then(|canary| canary.steps.as_ref()).map(Vec::len), Some(1));
    /// ```
    #[must_use]
    pub fn canary(&self) -> Option<&Canary> {
        self.spec.as_ref()?.strategy.as_ref()?.canary.as_ref()
    }

    /// Returns the Services of both roles, if they are named. Those of `pingPong` have the roles of a first deploy,
    /// unless [`with_roles`](Self::with_roles) gave them others.
    ///
    /// See [`with_roles`](Self::with_roles) for an example.
    #[must_use]
    pub fn services(&self) -> ByDestination<Option<&str>> {
        let Some(canary) = self.canary() else { return ByDestination::default() };
        match &canary.ping_pong {
            None => ByDestination {
                stable: canary.stable_service.as_deref(),
                canary: canary.canary_service.as_deref(),
            },
            Some(services) => ByDestination {
                stable: services.ping_service.as_deref(),
                canary: services.pong_service.as_deref(),
            },
        }
    }

    /// Gives the two Services of `pingPong` their roles: they become `stableService` and `canaryService`. Use it only
    /// to find the objects that split the traffic; a decision needs the Rollout as it is written.
    ///
    /// ```
    /// use rollout_core::{argo::wire::Rollout, traffic::StablePingPong};
    /// use serde_json::json;
    /// let services = json!({"pingService": "web-ping", "pongService": "web-pong"});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"pingPong": services}}}}));
    /// assert_eq!(rollout.services().stable, Some("web-ping"));
    /// assert_eq!(rollout.with_roles(StablePingPong::Pong).services().stable, Some("web-pong"));
    /// ```
    #[must_use]
    pub fn with_roles(mut self, stable: StablePingPong) -> Self {
        let canary = self.spec.as_mut().and_then(|spec| spec.strategy.as_mut()?.canary.as_mut());
        if let Some(canary) = canary
            && let Some(PingPong { ping_service, pong_service }) = canary.ping_pong.take()
        {
            (canary.stable_service, canary.canary_service) = match stable {
                StablePingPong::Ping => (ping_service, pong_service),
                StablePingPong::Pong => (pong_service, ping_service),
            };
        }
        self
    }

    /// Returns the value of an annotation.
    pub(in crate::argo) fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.as_ref()?.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Returns the namespace and the name, if they are given: empty texts count as absent.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// let rollout = Rollout::from_value(&serde_json::json!({"metadata": {"name": "web", "namespace": ""}}));
    /// assert_eq!(rollout.identity(), (None, Some("web")));
    /// ```
    #[must_use]
    pub fn identity(&self) -> (Option<&str>, Option<&str>) {
        let metadata = self.metadata.as_ref();
        let namespace = metadata.and_then(|metadata| metadata.namespace.as_deref());
        let name = metadata.and_then(|metadata| metadata.name.as_deref());
        (namespace.filter(|text| !text.is_empty()), name.filter(|text| !text.is_empty()))
    }
}

object! {
    /// The part of a Rollout's metadata that the engine reads.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let metadata = json!({"name": "web", "labels": {"team": "shop"}, "generation": 3});
    /// let metadata = Rollout::from_value(&json!({"metadata": metadata})).metadata.unwrap();
    /// assert_eq!(metadata.labels.unwrap()["team"], "shop");
    /// assert_eq!(metadata.generation, Some(json!(3)), "as JSON: the server counts it, not the user");
    /// ```
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
    /// The user's desired state.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let spec = json!({"replicas": -1, "progressDeadlineSeconds": 600, "paused": true});
    /// let spec = Rollout::from_value(&json!({"spec": spec})).spec.unwrap();
    /// assert_eq!(spec.replicas, Some(-1), "as it was written; `check` finds the mistake");
    /// assert_eq!((spec.progress_deadline_seconds, spec.paused), (Some(600), Some(true)));
    /// ```
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
    /// A reference to the object that holds the pod template.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    /// let rollout = json!({"spec": {"workloadRef": reference, "strategy": {"canary": {}}}});
    /// let rollout = Rollout::from_value(&rollout);
    /// let reference = rollout.spec.unwrap().workload_ref.unwrap();
    /// assert_eq!((reference.kind.as_deref(), reference.name.as_deref()), (Some("Deployment"), Some("web")));
    /// assert_eq!(reference.scale_down, None, "which means never");
    /// ```
    WorkloadRef like "{apiVersion: apps/v1, kind: Deployment, name: demo}" {
        api_version: String = "apiVersion",
        kind: String = "kind",
        name: String = "name",
        scale_down: String = "scaleDown",
    }
}

object! {
    /// The range of revisions for which a rollback skips the steps.
    ///
    /// ```
    /// use rollout_core::argo::{convert, wire::Rollout};
    /// let rollout = serde_json::json!({"spec": {"rollbackWindow": {"revisions": 2}, "strategy": {"canary": {}}}});
    /// let spec = convert(&Rollout::from_value(&rollout), "v1".into()).spec.unwrap();
    /// assert_eq!(spec.rollback_window, 2);
    /// ```
    RollbackWindow like "revisions: 2" {
        revisions: i32 = "revisions",
    }
}

object! {
    /// The number of finished analyses to keep.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let rollout = Rollout::from_value(&json!({"spec": {"analysis": {"successfulRunHistoryLimit": 3}}}));
    /// let limits = rollout.spec.unwrap().analysis.unwrap();
    /// assert_eq!(limits.successful_run_history_limit, Some(3));
    /// assert_eq!(limits.unsuccessful_run_history_limit, None);
    /// ```
    HistoryLimits like "successfulRunHistoryLimit: 5" {
        successful_run_history_limit: i32 = "successfulRunHistoryLimit",
        unsuccessful_run_history_limit: i32 = "unsuccessfulRunHistoryLimit",
    }
}
