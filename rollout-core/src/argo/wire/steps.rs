use super::{Experiment, IntOrText, StepAnalysis, object::hashed};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde_json::Value;

hashed! {
    /// One step, of one of the eight kinds. A step of several kinds is invalid, but still has a hash.
    CanaryStep like "setWeight: 20", absent "{}" {
        set_weight: i32 = "setWeight" given,
        pause: Pause = "pause" given,
        experiment: Experiment = "experiment" given,
        analysis: StepAnalysis = "analysis" given,
        set_canary_scale: SetCanaryScale = "setCanaryScale" given,
        set_header_route: SetHeaderRoute = "setHeaderRoute" given,
        set_mirror_route: SetMirrorRoute = "setMirrorRoute" given,
        plugin: Plugin = "plugin" given,
    }
}

hashed! {
    /// Waits for a time, or until an operator promotes.
    Pause like "duration: 10m", absent "{}" {
        duration: IntOrText = "duration" given,
    }
}

hashed! {
    /// Gives the canary its own number of pods.
    SetCanaryScale like "weight: 25", absent "{}" {
        weight: i32 = "weight" given,
        replicas: i32 = "replicas" given,
        match_traffic_weight: bool = "matchTrafficWeight" filled,
    }
}

hashed! {
    /// Sends requests with certain headers to the canary.
    SetHeaderRoute like "name: canary-header", absent "{}" {
        name: String = "name" filled,
        matches: Vec<HeaderRoutingMatch> = "match" filled,
    }
}

hashed! {
    /// A header and the condition on its value.
    HeaderRoutingMatch like "headerName: version", absent "{}" {
        header_name: String = "headerName" always,
        header_value: StringMatchField = "headerValue" always,
    }
}

hashed! {
    /// Mirrors certain requests to the canary.
    SetMirrorRoute like "name: mirror", absent "{}" {
        name: String = "name" always,
        matches: Vec<MirrorRoutingMatch> = "match" filled,
        percentage: i32 = "percentage" given,
    }
}

hashed! {
    /// The conditions on a request to mirror.
    MirrorRoutingMatch like "path: {prefix: /}", absent "{}" {
        method: StringMatchField = "method" given,
        path: StringMatchField = "path" given,
        headers: BTreeMap<String, StringMatchField> = "headers" filled,
    }
}

hashed! {
    /// A text comparison: exactly one of the three.
    StringMatchField like "exact: v2", absent "null" {
        exact: String = "exact" filled,
        prefix: String = "prefix" filled,
        regex: String = "regex" filled,
    }
}

hashed! {
    /// A step that a plugin carries out.
    Plugin like "name: org/step", absent "{}" {
        name: String = "name" always,
        config: Value = "config" given,
    }
}
