use super::{BackgroundAnalysis, CanaryStep, IntOrText, Metadata, TrafficRouting, object::object};
use alloc::{string::String, vec::Vec};
use serde_json::Value;

object! {
    /// Exactly one of the two strategies.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"blueGreen": {"activeService": "web"}}}}));
    /// let strategy = rollout.spec.unwrap().strategy.unwrap();
    /// assert!(strategy.canary.is_none());
    /// assert_eq!(strategy.blue_green, Some(json!({"activeService": "web"})), "kept as JSON, and not interpreted");
    /// ```
    StrategyField like "canary: {steps: [{setWeight: 20}]}" {
        canary: Canary = "canary",
        blue_green: Value = "blueGreen",
    }
}

object! {
    /// The canary strategy.
    ///
    /// ```
    /// use rollout_core::argo::wire::{IntOrText, Rollout};
    /// use serde_json::json;
    /// let canary = json!({"steps": [{"setWeight": 20}, {"pause": {}}], "maxSurge": "20%"});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": canary}}}));
    /// let canary = rollout.canary().unwrap();
    /// assert_eq!(canary.max_surge, Some(IntOrText::Text("20%".into())));
    /// assert_eq!(canary.steps.as_ref().map(Vec::len), Some(2));
    /// ```
    Canary like "steps: [{setWeight: 20}]" {
        canary_service: String = "canaryService",
        stable_service: String = "stableService",
        steps: Vec<CanaryStep> = "steps",
        traffic_routing: TrafficRouting = "trafficRouting",
        max_unavailable: IntOrText = "maxUnavailable",
        max_surge: IntOrText = "maxSurge",
        analysis: BackgroundAnalysis = "analysis",
        anti_affinity: AntiAffinity = "antiAffinity",
        canary_metadata: Metadata = "canaryMetadata",
        stable_metadata: Metadata = "stableMetadata",
        scale_down_delay_seconds: i32 = "scaleDownDelaySeconds",
        scale_down_delay_revision_limit: i32 = "scaleDownDelayRevisionLimit",
        abort_scale_down_delay_seconds: i32 = "abortScaleDownDelaySeconds",
        dynamic_stable_scale: bool = "dynamicStableScale",
        ping_pong: PingPong = "pingPong",
        min_pods_per_replica_set: i32 = "minPodsPerReplicaSet",
        replica_progress_threshold: ProgressThreshold = "replicaProgressThreshold",
    }
}

object! {
    /// Keeps canary and stable pods on different nodes: exactly one of the two kinds.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let preferred = json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 50}});
    /// let rollout = json!({"spec": {"strategy": {"canary": {"antiAffinity": preferred}}}});
    /// let rollout = Rollout::from_value(&rollout);
    /// let affinity = rollout.canary().and_then(|canary| canary.anti_affinity.as_ref()).unwrap();
    /// assert_eq!(affinity.preferred.as_ref().unwrap().weight, Some(50), "from 1 to 100");
    /// assert_eq!(affinity.required, None);
    /// ```
    AntiAffinity like "requiredDuringSchedulingIgnoredDuringExecution: {}" {
        preferred: PreferredAntiAffinity = "preferredDuringSchedulingIgnoredDuringExecution",
        required: Value = "requiredDuringSchedulingIgnoredDuringExecution",
    }
}

object! {
    /// The weight of the preference.
    ///
    /// See [`AntiAffinity`] for an example.
    PreferredAntiAffinity like "weight: 1" {
        weight: i32 = "weight",
    }
}

object! {
    /// Two Services that alternate as stable.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let services = json!({"pingService": "web-ping", "pongService": "web-pong"});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"pingPong": services}}}}));
    /// let services = rollout.canary().and_then(|canary| canary.ping_pong.clone()).unwrap();
    /// assert_eq!(services.pong_service.as_deref(), Some("web-pong"));
    /// ```
    PingPong like "{pingService: demo-ping, pongService: demo-pong}" {
        ping_service: String = "pingService",
        pong_service: String = "pongService",
    }
}

object! {
    /// How many pods are enough to continue.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let threshold = json!({"replicaProgressThreshold": {"type": "Percent", "value": 90}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": threshold}}}));
    /// let threshold = rollout.canary().and_then(|canary| canary.replica_progress_threshold.clone()).unwrap();
    /// assert_eq!((threshold.kind.as_deref(), threshold.value), (Some("Percent"), Some(90)));
    /// ```
    ProgressThreshold like "{type: Percent, value: 90}" {
        kind: String = "type",
        value: i32 = "value",
    }
}
