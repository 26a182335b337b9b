//! What a Rollout says beside its steps, and what it tries with it.

use super::app::{App, ScaleDown, Step, WorkloadKind};
use proptest::{
    prelude::{Just, prop, prop_oneof},
    strategy::Strategy as _,
};
use rollout_core::pace::{GRADUAL_ABORT_ANNOTATION, WINDOWS_ANNOTATION};
use serde_json::{Value, json};

/// Settings that change how a release goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How many revisions back a rollback skips the steps; 0 is none.
    pub(crate) rollback_window: u8,
    /// How many old revisions keep their pods for the delay.
    pub(crate) old_with_pods: Option<u8>,
    /// Whether an update is aborted when its pods make no progress.
    pub(crate) deadline_aborts: bool,
    /// After so many seconds a ready pod is available.
    pub(crate) min_ready: u8,
    /// Whether weights are out of 1000.
    pub(crate) per_mille: bool,
    /// Whether steps begin only in some minutes.
    pub(crate) windows: bool,
    /// So many percent every so many seconds.
    pub(crate) gradual_abort: Option<(u8, u8)>,
}

/// The clock begins at eight o'clock.
const WINDOWS: &str = "08:01-08:02;08:04-08:06;08:08-23:59";

impl Settings {
    /// Writes them into a Rollout.
    pub(crate) fn write(self, rollout: &mut Value) {
        if self.rollback_window > 0 {
            rollout["spec"]["rollbackWindow"] = json!({"revisions": self.rollback_window});
        }
        if self.deadline_aborts {
            rollout["spec"]["progressDeadlineAbort"] = json!(true);
            rollout["spec"]["progressDeadlineSeconds"] = json!(40);
        }
        if self.min_ready > 0 {
            rollout["spec"]["minReadySeconds"] = json!(self.min_ready);
        }
        let canary = &mut rollout["spec"]["strategy"]["canary"];
        if let Some(revisions) = self.old_with_pods.filter(|_| !canary["scaleDownDelaySeconds"].is_null()) {
            canary["scaleDownDelayRevisionLimit"] = json!(revisions);
        }
        if self.per_mille {
            canary["trafficRouting"]["maxTrafficWeight"] = json!(1_000);
        }
        if self.windows {
            rollout["metadata"]["annotations"][WINDOWS_ANNOTATION] = json!(WINDOWS);
        }
        if let Some((percent, seconds)) = self.gradual_abort {
            let text = format!("{percent}% every {seconds}s");
            rollout["metadata"]["annotations"][GRADUAL_ABORT_ANNOTATION] = json!(text);
        }
    }
}

pub(crate) fn settings() -> impl proptest::strategy::Strategy<Value = Settings> {
    let seldom = || prop::bool::weighted(0.15);
    let revisions = (
        prop_oneof![5 => Just(0), 1 => 1..4_u8],
        prop_oneof![5 => Just(None), 1 => (0..2_u8).prop_map(Some)],
    );
    let min_ready = prop_oneof![5 => Just(0), 1 => 1..8_u8];
    let gradual_abort = (1..60_u8, 1..10_u8).prop_map(Some);
    let gradual_abort = prop_oneof![5 => Just(None), 1 => gradual_abort];
    (revisions, seldom(), min_ready, seldom(), seldom(), gradual_abort).prop_map(
        |(
            (rollback_window, old_with_pods),
            deadline_aborts,
            min_ready,
            per_mille,
            windows,
            gradual_abort,
        )| Settings {
            rollback_window,
            old_with_pods,
            deadline_aborts,
            min_ready,
            per_mille,
            windows,
            gradual_abort,
        },
    )
}

impl App {
    /// The names of the features that it tries, as those of the core's histories.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        let has = |wanted: fn(&Step) -> bool| self.steps.iter().any(wanted);
        let settings = &self.settings;
        let workload = self.workload;
        let scales =
            |how| workload.is_some_and(|of| of.kind == WorkloadKind::Deployment && of.scale_down == how);
        let is = |kind| workload.is_some_and(|of| of.kind == kind);
        let analysed = self.analysed.as_ref();
        let is_step = |step: &Step| matches!(step, Step::Analysis(_));
        [
            ("analysis beside the steps", analysed.is_some_and(|of| of.beside.is_some())),
            ("analysis of a step", analysed.is_some() && self.steps.iter().any(is_step)),
            ("antiAffinity", self.apart.is_some()),
            ("canaryMetadata, stableMetadata", self.labels),
            ("dynamicStableScale", self.follows),
            ("gradual abort", settings.gradual_abort.is_some()),
            ("maxTrafficWeight", settings.per_mille),
            ("minReadySeconds", settings.min_ready > 0),
            ("pingPong", self.swaps()),
            ("progressDeadlineAbort", settings.deadline_aborts),
            ("rollbackWindow", settings.rollback_window > 0),
            ("scaleDownDelayRevisionLimit", settings.old_with_pods.is_some() && !self.follows),
            ("setCanaryScale", has(|step| matches!(step, Step::Scale(_)))),
            ("setHeaderRoute", has(|step| matches!(step, Step::Header(_)))),
            ("shared DestinationRule", self.shares_rule && !self.has_services),
            ("shared VirtualService", self.shares),
            ("two Services", self.has_services),
            ("windows", settings.windows),
            ("workloadRef: never", scales(ScaleDown::Never)),
            ("workloadRef: onsuccess", scales(ScaleDown::OnSuccess)),
            ("workloadRef: progressively", scales(ScaleDown::Progressively)),
            ("workloadRef: PodTemplate", is(WorkloadKind::PodTemplate)),
            ("workloadRef: ReplicaSet", is(WorkloadKind::ReplicaSet)),
        ]
        .into_iter()
        .filter_map(|(name, is_tried)| is_tried.then_some(name))
        .collect()
    }
}
