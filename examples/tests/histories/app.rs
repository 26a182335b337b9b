//! The Rollouts that are played, before anything happens to them.

use super::{
    analyses::{Analysed, Template, analysed, ending},
    settings::{Settings, settings},
};
use proptest::{
    collection::vec as several,
    prelude::{Just, any, prop, prop_oneof},
    sample::select,
    strategy::Strategy as _,
};

/// A Rollout.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent choices, each of which shrinks alone")]
pub(crate) struct App {
    pub(crate) replicas: u8,
    /// Whether its route is one of several in one VirtualService.
    pub(crate) shares: bool,
    /// Whether its subsets are in one DestinationRule with those of others.
    pub(crate) shares_rule: bool,
    /// Whether it has two Services instead of subsets; never in a mesh.
    pub(crate) has_services: bool,
    /// Whether its two Services take turns as stable; without Services, it means nothing.
    pub(crate) by_turns: bool,
    /// Whether stable keeps only the pods that its share needs.
    pub(crate) follows: bool,
    /// Whether its pods have labels and annotations by role.
    pub(crate) labels: bool,
    /// Whether the pods of an update keep off the nodes of stable.
    pub(crate) apart: Option<Apart>,
    /// How many of its pods may be unavailable; without a number, a quarter.
    pub(crate) max_unavailable: Option<u8>,
    /// The object that has its pod template; without one, it has the template itself.
    pub(crate) workload: Option<Workload>,
    pub(crate) settings: Settings,
    /// How its analyses are run; without it, it has none.
    pub(crate) analysed: Option<Analysed>,
    pub(crate) steps: Vec<Step>,
}

impl App {
    /// Whether two Services take turns.
    pub(crate) fn swaps(&self) -> bool {
        self.has_services && self.by_turns
    }
}

/// How strictly the pods of two revisions keep apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    Required,
    /// With this weight.
    Preferred(u8),
}

/// An object with a pod template, which served before the Rollout did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) kind: WorkloadKind,
    /// How many pods it has at first.
    pub(crate) pods: u8,
    /// What becomes of them.
    pub(crate) scale_down: ScaleDown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkloadKind {
    Deployment,
    ReplicaSet,
    PodTemplate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScaleDown {
    Never,
    OnSuccess,
    Progressively,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Weight(u8),
    /// Seconds; 0 is without an end.
    Pause(u8),
    /// Whether requests with a header go to the canary.
    Header(bool),
    /// So many pods, whatever the weight is.
    Scale(u8),
    /// In a Rollout without analyses, there is none.
    Analysis(Template),
}

pub(crate) fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        3 => prop_oneof![Just(5), Just(50), Just(100), 0..101_u8].prop_map(Step::Weight),
        3 => prop_oneof![Just(0), 1..20_u8].prop_map(Step::Pause),
        1 => prop::bool::weighted(0.7).prop_map(Step::Header),
        1 => (0..3_u8).prop_map(Step::Scale),
        1 => ending().prop_map(Step::Analysis),
    ]
}

fn apart() -> impl proptest::strategy::Strategy<Value = Option<Apart>> {
    prop_oneof![
        6 => Just(None),
        1 => Just(Some(Apart::Required)),
        1 => (1..101_u8).prop_map(|weight| Some(Apart::Preferred(weight))),
    ]
}

fn workload() -> impl proptest::strategy::Strategy<Value = Option<Workload>> {
    let kind = prop_oneof![
        4 => Just(WorkloadKind::Deployment),
        1 => Just(WorkloadKind::ReplicaSet),
        1 => Just(WorkloadKind::PodTemplate),
    ];
    let scale_down = select(vec![ScaleDown::Never, ScaleDown::OnSuccess, ScaleDown::Progressively]);
    let some = (kind, 0..4_u8, scale_down);
    let some = some.prop_map(|(kind, pods, scale_down)| Some(Workload { kind, pods, scale_down }));
    prop_oneof![3 => Just(None), 1 => some]
}

pub(crate) fn app() -> impl proptest::strategy::Strategy<Value = App> {
    let shares = (any::<bool>(), any::<bool>());
    let services = (prop::bool::weighted(0.3), any::<bool>());
    let pods = (prop::bool::weighted(0.25), prop::bool::weighted(0.25), apart());
    let max_unavailable = prop_oneof![2 => Just(None), 1 => (1..3_u8).prop_map(Some)];
    // Mostly there is a step that is analysed.
    let step_of_it = prop_oneof![1 => Just(None), 3 => (0..4_usize, ending()).prop_map(Some)];
    let analysed = prop_oneof![2 => Just((None, None)), 1 => (analysed().prop_map(Some), step_of_it)];
    let settings = (workload(), settings(), analysed);
    let whole = (1..4_u8, shares, services, pods, max_unavailable, settings, several(step(), 0..5));
    whole.prop_map(
        |(
            replicas,
            (shares, shares_rule),
            (has_services, by_turns),
            (follows, labels, apart),
            max_unavailable,
            (workload, settings, (analysed, step_of_it)),
            mut steps,
        )| {
            if let Some((place, template)) = step_of_it {
                steps.insert(place.min(steps.len()), Step::Analysis(template));
            }
            App {
                replicas,
                shares,
                shares_rule,
                has_services,
                by_turns,
                follows,
                labels,
                apart,
                max_unavailable,
                workload,
                settings,
                analysed,
                steps,
            }
        },
    )
}
