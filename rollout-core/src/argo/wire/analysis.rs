use super::object::{hashed, object};
use alloc::{collections::BTreeMap, string::String, vec::Vec};

hashed! {
    /// An analysis that a step waits for.
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
    AnalysisTemplateRef like "templateName: success-rate", absent "{}" {
        template_name: String = "templateName" always,
        cluster_scope: bool = "clusterScope" given,
    }
}

hashed! {
    /// An argument of an analysis.
    AnalysisArgument like "{name: service, value: demo}", absent "{}" {
        name: String = "name" always,
        value: String = "value" filled,
        value_from: ValueFrom = "valueFrom" given,
    }
}

hashed! {
    /// The source of an argument's value.
    ValueFrom like "podTemplateHashValue: Latest", absent "{}" {
        pod_template_hash_value: String = "podTemplateHashValue" given,
        field_ref: FieldRef = "fieldRef" given,
    }
}

hashed! {
    /// A field of the Rollout.
    FieldRef like "fieldPath: metadata.name", absent "{}" {
        field_path: String = "fieldPath" always,
    }
}

hashed! {
    /// Metrics that are measured without consequences.
    DryRun like "metricName: .*", absent "{}" {
        metric_name: String = "metricName" always,
    }
}

hashed! {
    /// The number of measurements to keep.
    MeasurementRetention like "{metricName: .*, limit: 10}", absent "{}" {
        metric_name: String = "metricName" always,
        limit: i32 = "limit" always,
    }
}

hashed! {
    /// Labels and annotations.
    Metadata like "labels: {role: canary}", absent "{}" {
        labels: BTreeMap<String, String> = "labels" filled,
        annotations: BTreeMap<String, String> = "annotations" filled,
    }
}
