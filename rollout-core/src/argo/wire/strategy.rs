use super::{BackgroundAnalysis, CanaryStep, IntOrText, Metadata, TrafficRouting, object::object};
use alloc::{string::String, vec::Vec};
use serde_json::Value;

object! {
    /// Exactly one of the two strategies.
    StrategyField like "canary: {steps: [{setWeight: 20}]}" {
        canary: Canary = "canary",
        blue_green: Value = "blueGreen",
    }
}

object! {
    /// The canary strategy.
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
    AntiAffinity like "requiredDuringSchedulingIgnoredDuringExecution: {}" {
        preferred: PreferredAntiAffinity = "preferredDuringSchedulingIgnoredDuringExecution",
        required: Value = "requiredDuringSchedulingIgnoredDuringExecution",
    }
}

object! {
    /// The weight of the preference.
    PreferredAntiAffinity like "weight: 1" {
        weight: i32 = "weight",
    }
}

object! {
    /// Two Services that alternate as stable.
    PingPong like "{pingService: demo-ping, pongService: demo-pong}" {
        ping_service: String = "pingService",
        pong_service: String = "pongService",
    }
}

object! {
    /// How many pods are enough to continue.
    ProgressThreshold like "{type: Percent, value: 90}" {
        kind: String = "type",
        value: i32 = "value",
    }
}
