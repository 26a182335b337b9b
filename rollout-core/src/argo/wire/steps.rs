use super::{Experiment, IntOrText, StepAnalysis, object::hashed};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde_json::Value;

hashed! {
    /// One step, of one of the eight kinds. A step of several kinds is invalid, but still has a hash.
    ///
    /// ```
    /// use rollout_core::argo::{check, wire::Rollout};
    /// use serde_json::json;
    /// let rollout = json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 20, "pause": {}}]}}}});
    /// let steps = Rollout::from_value(&rollout).canary().and_then(|canary| canary.steps.clone()).unwrap();
    /// assert!(steps[0].set_weight == Some(20) && steps[0].pause.is_some());
    /// assert!(check(&rollout).errors().any(|error| error.path.ends_with("steps[0]")), "two kinds in one step");
    /// ```
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
    ///
    /// ```
    /// use rollout_core::argo::wire::{IntOrText, Rollout};
    /// use serde_json::json;
    /// let steps = json!([{"pause": {"duration": "10m"}}, {"pause": {"duration": 600}}, {"pause": {}}]);
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"steps": steps}}}}));
    /// let steps = rollout.canary().and_then(|canary| canary.steps.as_ref()).unwrap();
    /// let durations: Vec<_> = steps.iter().map(|step| step.pause.clone().unwrap().duration).collect();
    /// let (text, seconds) = (IntOrText::Text("10m".into()), IntOrText::Int(600));
    /// assert_eq!(durations, [Some(text), Some(seconds), None], "without a duration, somebody must promote");
    /// ```
    Pause like "duration: 10m", absent "{}" {
        duration: IntOrText = "duration" given,
    }
}

hashed! {
    /// Gives the canary its own number of pods.
    ///
    /// ```
    /// use rollout_core::{CanaryScale, Step, argo};
    /// use serde_json::json;
    /// let scale = json!({"setCanaryScale": {"weight": 25}});
    /// let read = argo::strategy(&json!({
    ///     "steps": [scale],
    ///     "trafficRouting": {"istio": {"virtualService": {"name": "web"}}},
    ///     "canaryService": "web-canary",
    ///     "stableService": "web",
    /// }));
    /// let steps = read.map(|read| read.strategy.steps().to_vec());
    /// assert_eq!(steps, Ok(vec![Step::SetCanaryScale(CanaryScale::Weight(25))]), "25 % of `spec.replicas`");
    /// ```
    SetCanaryScale like "weight: 25", absent "{}" {
        weight: i32 = "weight" given,
        replicas: i32 = "replicas" given,
        match_traffic_weight: bool = "matchTrafficWeight" filled,
    }
}

hashed! {
    /// Sends requests with certain headers to the canary.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let header = json!({"headerName": "x-tester", "headerValue": {"exact": "yes"}});
    /// let route = json!({"setHeaderRoute": {"name": "testers", "match": [header]}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"steps": [route]}}}}));
    /// let steps = rollout.canary().and_then(|canary| canary.steps.clone()).unwrap();
    /// let header = steps[0].set_header_route.clone().unwrap().matches.unwrap().remove(0);
    /// assert_eq!(header.header_name.as_deref(), Some("x-tester"));
    /// assert_eq!(header.header_value.unwrap().exact.as_deref(), Some("yes"));
    /// ```
    SetHeaderRoute like "name: canary-header", absent "{}" {
        name: String = "name" filled,
        matches: Vec<HeaderRoutingMatch> = "match" filled,
    }
}

hashed! {
    /// A header and the condition on its value.
    ///
    /// See [`SetHeaderRoute`] for an example.
    HeaderRoutingMatch like "headerName: version", absent "{}" {
        header_name: String = "headerName" always,
        header_value: StringMatchField = "headerValue" always,
    }
}

hashed! {
    /// Mirrors certain requests to the canary.
    ///
    /// ```
    /// use rollout_core::argo::wire::Rollout;
    /// use serde_json::json;
    /// let searches = json!({"path": {"prefix": "/search"}});
    /// let route = json!({"setMirrorRoute": {"name": "mirror", "match": [searches], "percentage": 35}});
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": {"steps": [route]}}}}));
    /// let steps = rollout.canary().and_then(|canary| canary.steps.clone()).unwrap();
    /// let mirror = steps[0].set_mirror_route.clone().unwrap();
    /// assert_eq!(mirror.percentage, Some(35), "per cent of the requests that match");
    /// let path = mirror.matches.unwrap().remove(0).path.unwrap();
    /// assert_eq!(path.prefix.as_deref(), Some("/search"));
    /// ```
    SetMirrorRoute like "name: mirror", absent "{}" {
        name: String = "name" always,
        matches: Vec<MirrorRoutingMatch> = "match" filled,
        percentage: i32 = "percentage" given,
    }
}

hashed! {
    /// The conditions on a request to mirror.
    ///
    /// See [`SetMirrorRoute`] for an example.
    MirrorRoutingMatch like "path: {prefix: /}", absent "{}" {
        method: StringMatchField = "method" given,
        path: StringMatchField = "path" given,
        headers: BTreeMap<String, StringMatchField> = "headers" filled,
    }
}

hashed! {
    /// A text comparison: exactly one of the three.
    ///
    /// See [`SetHeaderRoute`] and [`SetMirrorRoute`] for examples.
    StringMatchField like "exact: v2", absent "null" {
        exact: String = "exact" filled,
        prefix: String = "prefix" filled,
        regex: String = "regex" filled,
    }
}

hashed! {
    /// A step that a plugin carries out.
    ///
    /// ```
    /// use rollout_core::argo;
    /// use serde_json::json;
    /// let findings = argo::strategy(&json!({"steps": [{"plugin": {"name": "org/approve"}}]})).unwrap_err();
    /// assert!(findings[0].what.ends_with("is not supported yet"), "{}", findings[0]);
    /// ```
    Plugin like "name: org/step", absent "{}" {
        name: String = "name" always,
        config: Value = "config" given,
    }
}
