//! Everything that a manifest may contain, as it was written: structs of options.
//!
//! An absent field and an explicit `null` are `None`; there are no defaults here. The documentation of each field gives
//! its name on the wire. Foreign parts (the pod template, other traffic managers, blue-green) are kept as JSON values.
//!
//! See [`Rollout`] and [`Canary`] for examples.

mod analysis;
mod belongs;
mod experiment;
pub(in crate::argo) mod object;
mod rollout;
mod routing;
mod scalar;
mod selector;
mod steps;
mod strategy;

pub(crate) use super::reader::Wire;
pub use analysis::{
    AnalysisArgument, AnalysisTemplateRef, BackgroundAnalysis, DryRun, FieldRef, MeasurementRetention,
    Metadata, StepAnalysis, ValueFrom,
};
pub(crate) use belongs::belongs;
pub use experiment::{Experiment, ExperimentAnalysis, ExperimentTemplate, TemplateService};
pub use rollout::{HistoryLimits, Meta, RollbackWindow, Rollout, RolloutSpec, WorkloadRef};
pub use routing::{
    DestinationRule, Istio, ManagedRouteName, TcpRoute, TlsRoute, TrafficRouting, VirtualService,
};
pub use scalar::{IntOrText, Port};
pub use selector::{Requirement, Selector};
pub use steps::{
    CanaryStep, HeaderRoutingMatch, MirrorRoutingMatch, Pause, Plugin, SetCanaryScale, SetHeaderRoute,
    SetMirrorRoute, StringMatchField,
};
pub use strategy::{AntiAffinity, Canary, PingPong, PreferredAntiAffinity, ProgressThreshold, StrategyField};
