use super::{Experiment, IntOrText, StepAnalysis, object::hashed};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde_json::Value;

hashed! {
    /// One step: one of the eight kinds. With several of them it is invalid, but still has a hash.
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
    /// Waits for a time, or for a person.
    Pause like "duration: 10m", absent "{}" {
        duration: IntOrText = "duration" given,
    }
}

hashed! {
    /// Gives the canary a number of pods of its own.
    SetCanaryScale like "weight: 25", absent "{}" {
        weight: i32 = "weight" given,
        replicas: i32 = "replicas" given,
        match_traffic_weight: bool = "matchTrafficWeight" filled,
    }
}

hashed! {
    /// Leads requests with certain headers to the canary.
    SetHeaderRoute like "name: canary-header", absent "{}" {
        name: String = "name" filled,
        matches: Vec<HeaderMatch> = "match" filled,
    }
}

hashed! {
    /// One header and what its value must be.
    HeaderMatch like "headerName: version", absent "{}" {
        header_name: String = "headerName" always,
        header_value: StringMatch = "headerValue" always,
    }
}

hashed! {
    /// Copies certain requests to the canary.
    SetMirrorRoute like "name: mirror", absent "{}" {
        name: String = "name" always,
        matches: Vec<MirrorMatch> = "match" filled,
        percentage: i32 = "percentage" given,
    }
}

hashed! {
    /// One kind of request that is copied.
    MirrorMatch like "path: {prefix: /}", absent "{}" {
        method: StringMatch = "method" given,
        path: StringMatch = "path" given,
        headers: BTreeMap<String, StringMatch> = "headers" filled,
    }
}

hashed! {
    /// How a text is compared: exactly one of the three.
    StringMatch like "exact: v2", absent "null" {
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
