//! Random sequences of what happens to a mesh.

use proptest::{
    collection::vec as several,
    prelude::{any, prop_oneof},
    sample::select,
    strategy::{Just, Strategy},
};
use rollout_core::testing::Numbered;

/// After each step both meshes come to rest.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// One right after the other, so that one push has them all.
    Changes(Vec<Change>),
    /// A proxy does nothing any more, and keeps its connection.
    Stop(usize),
    GoOn(usize),
    /// Istiod ends, this changes meanwhile, and another process begins.
    Restart(Vec<Change>),
}

impl Step {
    /// Its lines in the table.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Changes(changes) => {
                let mut names: Vec<_> = changes.iter().map(Change::name).collect();
                if changes.len() > 1 {
                    names.push("several at once");
                }
                names
            }
            Self::Stop(_) => vec!["a proxy stops"],
            Self::GoOn(_) => vec!["a proxy goes on"],
            Self::Restart(_) => vec!["istiod restarts"],
        }
    }
}

/// Which of two apps.
pub(super) type App = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    VirtualService,
    DestinationRule,
}

/// What somebody writes; where there is nothing to write it into, nothing.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The canary's.
    Weight(App, u8),
    /// An annotation, and nothing else.
    Note(Part, App, u8),
    /// A route by header is there or not.
    Header(App, bool),
    /// The revision that a subset of a role selects.
    Lead(App, &'static str, &'static str),
    /// The whole object is there or not.
    There(Part, App, bool),
    /// A pod is not there, is there, or is ready.
    Pod(usize, Pod),
    /// Something that concerns no proxy.
    Elsewhere(u8),
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Weight(..) => "another weight",
            Self::Note(Part::VirtualService, ..) => "another annotation of a VirtualService",
            Self::Note(Part::DestinationRule, ..) => "another annotation of a DestinationRule",
            Self::Header(_, true) => "a route is added",
            Self::Header(_, false) => "a route is taken out",
            Self::Lead(..) => "another label of a subset",
            Self::There(_, _, true) => "an object is made",
            Self::There(_, _, false) => "an object is deleted",
            Self::Pod(_, Pod::Gone) => "a pod is deleted",
            Self::Pod(_, Pod::Unready) => "a pod is not ready",
            Self::Pod(_, Pod::Ready) => "a pod is ready",
            Self::Elsewhere(_) => "what concerns no proxy",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pod {
    Gone,
    Unready,
    Ready,
}

/// How many pods there are at most: the last is of the second app, the others are of the first.
pub(super) const PODS: usize = 3;
/// How many proxies there are.
pub(super) const PROXIES: usize = 3;

/// All sequences, each drawn by a number.
pub(super) fn sequences() -> Numbered<Sequence> {
    Numbered::new(several(step(), 3..9).prop_map(|steps| Sequence { steps }))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => change().prop_map(|change| Step::Changes(vec![change])),
        4 => several(change(), 2..5).prop_map(Step::Changes),
        2 => (0..PROXIES).prop_map(Step::Stop),
        2 => (0..PROXIES).prop_map(Step::GoOn),
        1 => several(change(), 0..3).prop_map(Step::Restart),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let app = || 0..2_usize;
    let part = || select(vec![Part::VirtualService, Part::DestinationRule]);
    let pod = prop_oneof![1 => Just(Pod::Gone), 1 => Just(Pod::Unready), 3 => Just(Pod::Ready)];
    let role = select(vec!["stable", "canary"]);
    let revision = select(vec!["v1", "v2", "v3"]);
    prop_oneof![
        4 => (app(), select(vec![0, 5, 50, 100])).prop_map(|(app, weight)| Change::Weight(app, weight)),
        2 => (part(), app(), 1..4_u8).prop_map(|(part, app, note)| Change::Note(part, app, note)),
        2 => (app(), any::<bool>()).prop_map(|(app, there)| Change::Header(app, there)),
        3 => (app(), role, revision).prop_map(|(app, role, revision)| Change::Lead(app, role, revision)),
        1 => (part(), app(), any::<bool>()).prop_map(|(part, app, there)| Change::There(part, app, there)),
        5 => (0..PODS, pod).prop_map(|(at, pod)| Change::Pod(at, pod)),
        1 => (1..4_u8).prop_map(Change::Elsewhere),
    ]
}
