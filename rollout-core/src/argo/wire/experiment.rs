use super::{AnalysisArgument, DryRun, Metadata, Selector, object::hashed};
use alloc::{string::String, vec::Vec};

hashed! {
    /// An experiment that a step waits for.
    ///
    /// The engine does not run experiments: a strategy with one is refused.
    ///
    /// ```
    /// use rollout_core::argo::{self, wire::Rollout};
    /// use serde_json::json;
    /// let canary = json!({"steps": [{"experiment": {
    ///     "duration": "10m",
    ///     "templates": [{"name": "canary", "specRef": "canary", "replicas": 1, "service": {"name": "web-try"}}],
    ///     "analyses": [{"name": "rate", "templateName": "success-rate", "requiredForCompletion": true}],
    /// }}]});
    /// assert!(argo::strategy(&canary).unwrap_err()[0].what.ends_with("is not supported yet"));
    ///
    /// let rollout = Rollout::from_value(&json!({"spec": {"strategy": {"canary": canary}}}));
    /// let steps = rollout.canary().and_then(|canary| canary.steps.clone()).unwrap();
    /// let experiment = steps[0].experiment.clone().unwrap();
    /// let template = experiment.templates.unwrap().remove(0);
    /// assert_eq!((template.replicas, template.service.unwrap().name.as_deref()), (Some(1), Some("web-try")));
    /// assert_eq!(experiment.analyses.unwrap()[0].required_for_completion, Some(true));
    /// ```
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
    ///
    /// See [`Experiment`] for an example.
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
    ///
    /// See [`Experiment`] for an example.
    TemplateService like "name: demo", absent "{}" {
        name: String = "name" filled,
    }
}

hashed! {
    /// An analysis of an experiment.
    ///
    /// See [`Experiment`] for an example.
    ExperimentAnalysis like "{name: rate, templateName: success-rate}", absent "{}" {
        name: String = "name" always,
        template_name: String = "templateName" always,
        cluster_scope: bool = "clusterScope" given,
        args: Vec<AnalysisArgument> = "args" filled,
        required_for_completion: bool = "requiredForCompletion" filled,
    }
}
