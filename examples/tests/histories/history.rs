use super::{
    analyses::{Analysed, Mood, Template, ending, mood},
    app::{App, Step, app, step},
    plots::{Plot, plot},
};
use proptest::{
    collection::vec as several,
    prelude::{Just, any, prop_oneof},
    sample::{Index, select},
    strategy::Strategy as _,
};
use rollout_core::testing::Numbered;

/// What happens to a few Rollouts.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) apps: Vec<App>,
    /// When the objects are created, in tenths of a second from the beginning, one after the other and over again.
    pub(crate) arrivals: Vec<u16>,
    /// So many seconds pass before anything happens: for a first deploy, it may be enough.
    pub(crate) deploys: u8,
    /// Each with the time since the one before, in tenths of a second.
    pub(crate) happenings: Vec<(u16, Happening)>,
    /// Of a thousand requests, so many go wrong.
    pub(crate) trouble: u16,
    /// The watches are at most so late, in milliseconds.
    pub(crate) lag: u16,
    /// Of what goes wrong, and how long pods take.
    pub(crate) seed: u64,
    /// The mesh whose istiod is asked what its proxies have; without one, waits go by time.
    pub(crate) mesh: Option<MeshOf>,
}

impl History {
    /// Whether controllers run AnalysisRuns.
    pub(crate) fn has_analyses(&self) -> bool {
        let by_hand = |(_, what): &(u16, Happening)| {
            matches!(what, Happening::RunApplied(..) | Happening::NameTaken(_))
        };
        self.apps.iter().any(|app| app.analysed.is_some()) || self.happenings.iter().any(by_hand)
    }

    /// What any of its Rollouts tries, and what happens to them beside updates.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        let happens = |wanted: fn(&Happening) -> bool| self.happenings.iter().any(|(_, what)| wanted(what));
        let mut features: Vec<_> = self.apps.iter().flat_map(App::features).collect();
        features.extend(self.mesh.as_ref().map(|_| "istiod is asked"));
        features.extend(happens(|what| matches!(what, Happening::Restart(_))).then_some("restartAt"));
        features.extend(happens(|what| matches!(what, Happening::Overlap(_))).then_some("two controllers"));
        features.sort_unstable();
        features.dedup();
        features
    }
}

/// All times are in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct MeshOf {
    /// How long each takes to acknowledge.
    pub(crate) proxies: Vec<u16>,
    /// How late the watches of istiod are at most.
    pub(crate) watches: u16,
    /// How late it hears of endpoints at most, beyond that.
    pub(crate) endpoints: u16,
    /// How long an answer of istiod takes at most.
    pub(crate) answers: u16,
    /// Of a hundred questions to istiod, so many get no answer in time, until everything is at rest.
    pub(crate) silent: u8,
}

#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// Another version; one in five never gets ready.
    Image(Index, u8),
    Abort(Index),
    Retry(Index),
    Promote(Index),
    PromoteFull(Index),
    Replicas(Index, u8),
    /// The steps are edited.
    Steps(Index, Vec<Step>),
    /// Its pods are restarted.
    Restart(Index),
    /// All pods of its ReplicaSets are lost for so many seconds.
    PodsLost(Index, u8),
    /// Somebody scales the object that has its pod template, if there is one.
    Scaled(Index, u8),
    /// Somebody else writes an annotation into its VirtualService, and another time-out into a route that is not ours.
    Touched(Index),
    /// The controller dies, and is started again after so many seconds.
    Killed(u8),
    /// A second controller is started beside it, and the first ends so many seconds later.
    Overlap(u8),
    /// An object of it is deleted, and made again after so many tenths of a second, unless the controller does that.
    Deleted(Index, Part, u16),
    /// Every write of this kind is refused with this code for so many seconds.
    Refused(&'static str, u16, u8),
    WatchesCut,
    VersionsExpire,
    /// Nothing can be watched or listed for so many seconds, and what happens meanwhile is never shown.
    Blind(u8),
    /// Its VirtualService or DestinationRule is applied again, as somebody wrote it.
    Reapplied(Index, Part),
    OfMesh(OfMesh),
    /// The providers answer another way about it.
    Mood(Index, Mood),
    /// Somebody applies a run, about which they answer this way.
    RunApplied(Template, Mood),
    /// Somebody ends the newest run of it that goes on, or one that is over.
    RunEnded(Index),
    /// Somebody deletes the newest run of it.
    RunDeleted(Index),
    /// Somebody makes runs with the names that those of its update would have.
    NameTaken(Index),
    /// Somebody goes on to the next step, as `kubectl argo rollouts promote` does beside an analysis.
    Passed(Index),
}

impl Happening {
    /// The Rollout that it happens to, if it is one.
    pub(crate) fn app(&self) -> Option<Index> {
        match self {
            Self::Image(app, _)
            | Self::Abort(app)
            | Self::Retry(app)
            | Self::Promote(app)
            | Self::PromoteFull(app)
            | Self::Replicas(app, _)
            | Self::Steps(app, _)
            | Self::Restart(app)
            | Self::PodsLost(app, _)
            | Self::Scaled(app, _)
            | Self::Touched(app)
            | Self::Deleted(app, ..)
            | Self::Mood(app, _)
            | Self::RunEnded(app)
            | Self::RunDeleted(app)
            | Self::NameTaken(app)
            | Self::Passed(app)
            | Self::Reapplied(app, _) => Some(*app),
            Self::Killed(_)
            | Self::Overlap(_)
            | Self::Refused(..)
            | Self::WatchesCut
            | Self::VersionsExpire
            | Self::Blind(_)
            | Self::RunApplied(..)
            | Self::OfMesh(_) => None,
        }
    }
}

/// What happens to the mesh, if there is one.
#[derive(Debug, Clone)]
pub(crate) enum OfMesh {
    /// There is no istiod for so many seconds, and then another one.
    Restarts(u8),
    /// Istiod neither hears nor answers anything for so many seconds.
    Freezes(u8),
    /// A proxy has no connection for so many seconds.
    LosesProxy(Index, u8),
    /// From now on a proxy takes so many milliseconds to acknowledge.
    SlowsDown(Index, u16),
    /// A proxy does nothing for so many seconds, and keeps its connection.
    StopsProxy(Index, u8),
    /// So often, and so many milliseconds apart, something changes that concerns no proxy here.
    ChangesElsewhere(u8, u16),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// What it owns is collected as garbage.
    Rollout,
    /// As `kubectl delete --cascade=orphan` does: its ReplicaSets stay, and belong to nobody.
    RolloutAlone,
    VirtualService,
    /// Its DestinationRule, or one of its Services.
    Destination,
    /// The object that has its pod template, if there is one.
    Workload,
    /// Its controller makes the newest one again; without the stable one in an update, a person decides.
    ReplicaSet(Which),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    Current,
    Stable,
}

impl Which {
    /// The field of the status that names it.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Current => "currentPodHash",
            Self::Stable => "stableRS",
        }
    }
}

/// All histories, each drawn by a number.
pub(crate) fn histories() -> Numbered<History> {
    Numbered::new(history())
}

fn history() -> impl proptest::strategy::Strategy<Value = History> {
    let trouble = prop_oneof![Just(0), 1..60_u16, 60..250_u16];
    let lag = prop_oneof![Just(0), 0..400_u16, 0..5_000_u16];
    let arrivals = several(prop_oneof![Just(0), 0..20_u16, 0..100_u16], 1..8);
    let mesh = prop_oneof![Just(None), mesh().prop_map(Some)];
    let deploys = prop_oneof![1 => Just(0), 3 => 20..90_u8];
    let whole = (several(app(), 1..4), arrivals, deploys, plot(), trouble, lag, any::<u64>(), mesh);
    whole.prop_map(|(mut apps, arrivals, deploys, plot, trouble, lag, seed, mesh)| {
        let Plot { steps, happenings, only_lag } = plot;
        for app in apps.iter_mut().filter(|_| !steps.is_empty()) {
            app.shares = true;
            app.steps.splice(0..0, steps.clone());
            if steps.iter().any(|step| matches!(step, Step::Analysis(_))) {
                app.analysed.get_or_insert(MIXED);
            }
        }
        for app in &mut apps {
            app.has_services &= mesh.is_none();
        }
        let (trouble, lag) = only_lag.map_or((trouble, lag), |lag| (0, lag));
        History { apps, arrivals, deploys, happenings, trouble, lag, seed, mesh }
    })
}

/// How the analyses of a Rollout are run that would have none.
const MIXED: Analysed = Analysed { beside: None, mood: Mood::Mixed, kept: Some((1, 1)) };

pub(crate) fn gap() -> impl proptest::strategy::Strategy<Value = u16> {
    prop_oneof![0..40_u16, 0..300_u16]
}

fn mesh() -> impl proptest::strategy::Strategy<Value = MeshOf> {
    let watches = prop_oneof![0..50_u16, 0..2_000_u16];
    let endpoints = prop_oneof![3 => 0..50_u16, 1 => 0..30_000_u16];
    let answers = prop_oneof![0..20_u16, 0..3_000_u16];
    let silent = prop_oneof![2 => Just(0), 1 => 1..60_u8];
    let whole = (several(lag(), 1..4), watches, endpoints, answers, silent);
    whole.prop_map(|(proxies, watches, endpoints, answers, silent)| MeshOf {
        proxies,
        watches,
        endpoints,
        answers,
        silent,
    })
}

fn lag() -> impl proptest::strategy::Strategy<Value = u16> {
    prop_oneof![0..50_u16, 0..2_000_u16, 0..20_000_u16]
}

fn of_mesh() -> impl proptest::strategy::Strategy<Value = OfMesh> {
    let index = any::<Index>;
    prop_oneof![
        (0..40_u8).prop_map(OfMesh::Restarts),
        (0..40_u8).prop_map(OfMesh::Freezes),
        (index(), 0..45_u8).prop_map(|(proxy, seconds)| OfMesh::LosesProxy(proxy, seconds)),
        (index(), lag()).prop_map(|(proxy, lag)| OfMesh::SlowsDown(proxy, lag)),
        (index(), 0..45_u8).prop_map(|(proxy, seconds)| OfMesh::StopsProxy(proxy, seconds)),
        (1..40_u8, 50..1_500_u16).prop_map(|(often, apart)| OfMesh::ChangesElsewhere(often, apart)),
    ]
}

pub(crate) fn part() -> impl proptest::strategy::Strategy<Value = Part> {
    let set = prop_oneof![2 => Just(Which::Current), 1 => Just(Which::Stable)].prop_map(Part::ReplicaSet);
    let whole = [Part::Rollout, Part::RolloutAlone, Part::VirtualService, Part::Destination, Part::Workload];
    prop_oneof![select(whole.to_vec()), set]
}

/// Where there are no analyses, little of this has an effect.
pub(crate) fn of_analyses() -> impl proptest::strategy::Strategy<Value = Happening> {
    let index = any::<Index>;
    prop_oneof![
        3 => (index(), mood()).prop_map(|(app, mood)| Happening::Mood(app, mood)),
        1 => (ending(), mood()).prop_map(|(template, mood)| Happening::RunApplied(template, mood)),
        1 => index().prop_map(Happening::RunEnded),
        1 => index().prop_map(Happening::RunDeleted),
        1 => index().prop_map(Happening::NameTaken),
        1 => index().prop_map(Happening::Passed),
    ]
}

/// What a controller writes beside events.
const WRITES: [&str; 14] = [
    "POST replicasets",
    "PATCH replicasets",
    "PUT virtualservices",
    "PUT destinationrules",
    "PUT services",
    "PATCH rollouts",
    "PATCH deployments",
    "PATCH pods",
    "POST pods/eviction",
    "PUT rollouts",
    "POST analysisruns",
    "PUT analysisruns",
    "PATCH analysisruns",
    "DELETE analysisruns",
];

pub(crate) fn happening() -> impl proptest::strategy::Strategy<Value = Happening> {
    let index = any::<Index>;
    prop_oneof![
        5 => (index(), 1..5_u8).prop_map(|(app, version)| Happening::Image(app, version)),
        1 => index().prop_map(Happening::Abort),
        1 => index().prop_map(Happening::Retry),
        2 => index().prop_map(Happening::Promote),
        1 => index().prop_map(Happening::PromoteFull),
        1 => (index(), 1..5_u8).prop_map(|(app, pods)| Happening::Replicas(app, pods)),
        1 => (index(), several(step(), 0..4)).prop_map(|(app, steps)| Happening::Steps(app, steps)),
        2 => index().prop_map(Happening::Restart),
        1 => (index(), 1..30_u8).prop_map(|(app, seconds)| Happening::PodsLost(app, seconds)),
        1 => (index(), 0..4_u8).prop_map(|(app, pods)| Happening::Scaled(app, pods)),
        1 => index().prop_map(Happening::Touched),
        1 => (0..40_u8).prop_map(Happening::Killed),
        1 => (1..20_u8).prop_map(Happening::Overlap),
        1 => (index(), part(), 0..100_u16).prop_map(|(app, part, after)| Happening::Deleted(app, part, after)),
        1 => (select(WRITES.to_vec()), select(vec![403, 409, 429, 500]), 1..60_u8)
            .prop_map(|(what, code, seconds)| Happening::Refused(what, code, seconds)),
        1 => Just(Happening::WatchesCut),
        1 => Just(Happening::VersionsExpire),
        1 => (1..20_u8).prop_map(Happening::Blind),
        1 => (index(), select(vec![Part::VirtualService, Part::Destination]))
            .prop_map(|(app, part)| Happening::Reapplied(app, part)),
        3 => of_mesh().prop_map(Happening::OfMesh),
        1 => of_analyses(),
    ]
}
