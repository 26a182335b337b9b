use super::object::{hashed, object};
use alloc::{collections::BTreeMap, string::String, vec::Vec};

hashed! {
    /// An analysis that a step waits for.
    ///
    /// The engine does not run analyses: a strategy with one is refused.
    ///
    /// ```
    /// use rollout_core::argo::{self, wire::Rollout};
    /// use serde_json::json;
    /// let hash = json!({"podTemplateHashValue": "Latest"});
    /// let name = json!({"fieldRef": {"fieldPath": "metadata.name"}});
    /// let canary = json!({"steps": [{"analysis": {
    ///     "templates": [{"templateName": "success-rate", "clusterScope": true}],
    ///     "args": [{"name": "hash", "valueFrom": hash}, {"name": "name", "valueFrom": name}],
    ///     "dryRun": [{"metricName": ".*"}],
    ///     "measurementRetention": [{"metricName": ".*", "limit": 10}],
    ///     "analysisRunMetadata": {"labels": {"team": "shop"}},
    /// }}]});
    /// assert!(argo::strategy(&canary).unwrap_err()[0].what.ends_with("is not supported yet"));
    ///
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": canary}}}));
    /// let steps = rollout.canary().and_then(|canary| canary.steps.clone()).unwrap();
    /// let analysis = steps[0].analysis.clone().unwrap();
    /// assert_eq!(analysis.templates.unwrap()[0].cluster_scope, Some(true));
    /// let sources: Vec<_> = analysis.args.unwrap().into_iter().filter_map(|arg| arg.value_from).collect();
    /// assert_eq!(sources[0].pod_template_hash_value.as_deref(), Some("Latest"));
    /// assert_eq!(sources[1].field_ref.as_ref().unwrap().field_path.as_deref(), Some("metadata.name"));
    /// assert_eq!(analysis.dry_run.unwrap()[0].metric_name.as_deref(), Some(".*"));
    /// assert_eq!(analysis.measurement_retention.unwrap()[0].limit, Some(10));
    /// assert_eq!(analysis.analysis_run_metadata.unwrap().labels.unwrap()["team"], "shop");
    /// ```
    StepAnalysis like "templates: [{templateName: success-rate}]", absent "{}" {
        templates: Vec<AnalysisTemplateRef> = "templates" filled,
        args: Vec<AnalysisArgument> = "args" filled,
        dry_run: Vec<DryRun> = "dryRun" filled,
        measurement_retention: Vec<MeasurementRetention> = "measurementRetention" filled,
        analysis_run_metadata: Metadata = "analysisRunMetadata" given,
    }
}

object! {
    /// An analysis in the background of the steps.
    ///
    /// The engine does not run analyses: a strategy with one is refused.
    ///
    /// ```
    /// use rollout_core::argo;
    /// use serde_json::json;
    /// let analysis = json!({"templates": [{"templateName": "success-rate"}]});
    /// let findings = argo::strategy(&json!({"analysis": analysis})).unwrap_err();
    /// assert_eq!(findings[0].path, "analysis");
    /// ```
    BackgroundAnalysis like "templates: [{templateName: success-rate}]" {
        templates: Vec<AnalysisTemplateRef> = "templates",
        args: Vec<AnalysisArgument> = "args",
        dry_run: Vec<DryRun> = "dryRun",
        measurement_retention: Vec<MeasurementRetention> = "measurementRetention",
        analysis_run_metadata: Metadata = "analysisRunMetadata",
        starting_step: i32 = "startingStep",
    }
}

hashed! {
    /// A reference to an analysis template.
    ///
    /// See [`StepAnalysis`] for an example.
    AnalysisTemplateRef like "templateName: success-rate", absent "{}" {
        template_name: String = "templateName" always,
        cluster_scope: bool = "clusterScope" given,
    }
}

hashed! {
    /// An argument of an analysis.
    ///
    /// See [`StepAnalysis`] for an example.
    AnalysisArgument like "{name: service, value: demo}", absent "{}" {
        name: String = "name" always,
        value: String = "value" filled,
        value_from: ValueFrom = "valueFrom" given,
    }
}

hashed! {
    /// The source of an argument's value.
    ///
    /// See [`StepAnalysis`] for an example.
    ValueFrom like "podTemplateHashValue: Latest", absent "{}" {
        pod_template_hash_value: String = "podTemplateHashValue" given,
        field_ref: FieldRef = "fieldRef" given,
    }
}

hashed! {
    /// A field of the Rollout.
    ///
    /// See [`StepAnalysis`] for an example.
    FieldRef like "fieldPath: metadata.name", absent "{}" {
        field_path: String = "fieldPath" always,
    }
}

hashed! {
    /// Metrics that are measured without consequences.
    ///
    /// See [`StepAnalysis`] for an example.
    DryRun like "metricName: .*", absent "{}" {
        metric_name: String = "metricName" always,
    }
}

hashed! {
    /// The number of measurements to keep.
    ///
    /// See [`StepAnalysis`] for an example.
    MeasurementRetention like "{metricName: .*, limit: 10}", absent "{}" {
        metric_name: String = "metricName" always,
        limit: i32 = "limit" always,
    }
}

hashed! {
    /// Labels and annotations.
    ///
    /// See [`StepAnalysis`] for an example.
    Metadata like "labels: {role: canary}", absent "{}" {
        labels: BTreeMap<String, String> = "labels" filled,
        annotations: BTreeMap<String, String> = "annotations" filled,
    }
}
