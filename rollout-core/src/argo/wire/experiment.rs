use super::{AnalysisArgument, DryRun, Metadata, Selector, object::hashed};
use alloc::{string::String, vec::Vec};

hashed! {
    /// An experiment that a step waits for.
    Experiment like "templates: [{name: canary, specRef: canary}]", absent "{}" {
        templates: Vec<ExperimentTemplate> = "templates" always,
        duration: String = "duration" filled,
        analyses: Vec<ExperimentAnalysis> = "analyses" filled,
        dry_run: Vec<DryRun> = "dryRun" filled,
        analysis_run_metadata: Metadata = "analysisRunMetadata" always,
        scale_down_delay_seconds: i32 = "scaleDownDelaySeconds" given,
    }
}

hashed! {
    /// The pods of an experiment.
    ExperimentTemplate like "{name: canary, specRef: canary}", absent "{}" {
        name: String = "name" always,
        spec_ref: String = "specRef" always,
        replicas: i32 = "replicas" given,
        metadata: Metadata = "metadata" always,
        selector: Selector = "selector" given,
        weight: i32 = "weight" given,
        service: TemplateService = "service" given,
    }
}

hashed! {
    /// The Service of an experiment's pods.
    TemplateService like "name: demo", absent "{}" {
        name: String = "name" filled,
    }
}

hashed! {
    /// An analysis of an experiment.
    ExperimentAnalysis like "{name: rate, templateName: success-rate}", absent "{}" {
        name: String = "name" always,
        template_name: String = "templateName" always,
        cluster_scope: bool = "clusterScope" given,
        args: Vec<AnalysisArgument> = "args" filled,
        required_for_completion: bool = "requiredForCompletion" filled,
    }
}
