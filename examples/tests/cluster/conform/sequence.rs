//! Random sequences of what is asked of an API server.

use super::kinds::Kind;
use proptest::{
    collection::vec as several,
    prelude::{Just, any, prop_oneof},
    sample::select,
    strategy::Strategy,
};
use rollout_core::testing::Numbered;

/// A few steps on objects of two kinds, so that they meet each other.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    pub(super) kinds: [Kind; 2],
    pub(super) steps: Vec<Step>,
}

impl Sequence {
    pub(super) fn kind(&self, step: &Step) -> Kind {
        self.kinds[usize::from(step.is_second)]
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Of the second kind.
    pub(super) is_second: bool,
    pub(super) name: Name,
    pub(super) ask: Ask,
}

/// Few names, and some that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    One,
    Two,
    Three,
    Odd(&'static str),
}

#[derive(Debug, Clone)]
pub(super) enum Ask {
    Create(Vec<Change>, Oddity),
    Get,
    List {
        everywhere: bool,
        labels: &'static str,
    },
    /// Page by page, each of so many.
    Pages(u8),
    /// From the version of the object that was last read; from that of a list if there is none.
    Watch {
        everywhere: bool,
        labels: &'static str,
    },
    /// From a version that is long gone.
    WatchFromLongAgo,
    Replace {
        part: Part,
        changes: Vec<Change>,
        version: Version,
        uid: Uid,
        oddity: Oddity,
    },
    Patch {
        part: Part,
        changes: Vec<Change>,
        version: Version,
        uid: Uid,
        oddity: Oddity,
    },
    Delete {
        version: Version,
        uid: Uid,
    },
    /// Only pods are evicted.
    Evict {
        uid: Uid,
        oddity: Oddity,
    },
}

impl Ask {
    /// What is not a pod is deleted instead of evicted.
    fn of(self, kind: Kind) -> Self {
        if let Self::Evict { uid, .. } = self
            && kind != Kind::Pod
        {
            return Self::Delete { version: Version::Missing, uid };
        }
        self
    }

    /// Its line in the table.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Create(..) => "create",
            Self::Get => "get",
            Self::List { .. } => "list",
            Self::Pages(_) => "list, page by page",
            Self::Watch { .. } => "watch",
            Self::WatchFromLongAgo => "watch from an expired version",
            Self::Replace { part: Part::Whole, .. } => "replace",
            Self::Replace { part: Part::Status, .. } => "replace the status",
            Self::Patch { part: Part::Whole, .. } => "merge patch",
            Self::Patch { part: Part::Status, .. } => "merge patch of the status",
            Self::Delete { .. } => "delete",
            Self::Evict { .. } => "evict",
        }
    }
}

/// What is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Status,
}

/// The version that a write depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// That of the object as it was last read.
    Read,
    /// An earlier one.
    Stale,
    Missing,
    Null,
    Text(&'static str),
}

/// The identity that a write depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uid {
    Read,
    Missing,
    Another,
}

/// What is changed in an object.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The value of a label; without one it is taken away.
    Label(&'static str, Option<u8>),
    Annotation(Option<u8>),
    /// All labels are taken away.
    NoLabels,
    /// It wants something else.
    Wants(u8),
    /// Its status is another one.
    Reports(u8),
    NoStatus,
    /// Somebody wants to be asked before it is gone, or has been.
    Finalizer(bool),
    Owner(bool),
    /// Fields that belong to the server.
    Generation(u8),
    CreationTime,
    DeletionTime,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    Nothing,
    /// A new object in place of the one that was read.
    Anew,
    OtherName,
    NoName,
    OtherNamespace,
    NoNamespace,
    OtherKind,
    NoKind,
    OtherApiVersion,
    NoApiVersion,
    NoMetadata,
    Version,
    Uid,
    Raw(&'static str),
}

/// All sequences, each drawn by a number.
pub(super) fn sequences() -> Numbered<Sequence> {
    let kind = || prop_oneof![5 => select(Kind::ALL.to_vec()), 1 => Just(Kind::Pod)];
    let whole = (kind(), kind(), several(step(), 1..16));
    Numbered::new(whole.prop_map(|(first, second, steps)| {
        let mut sequence = Sequence { kinds: [first, second], steps };
        for step in &mut sequence.steps {
            let kind = sequence.kinds[usize::from(step.is_second)];
            step.ask = step.ask.clone().of(kind);
        }
        sequence
    }))
}

fn step() -> impl Strategy<Value = Step> {
    let is_second = prop_oneof![4 => Just(false), 1 => Just(true)];
    (is_second, name(), ask()).prop_map(|(is_second, name, ask)| Step { is_second, name, ask })
}

fn name() -> impl Strategy<Value = Name> {
    let odd = vec!["", "UPPER", "a_b", "-a", "a..b", "a b", "ä", "a?watch=true"];
    prop_oneof![
        12 => Just(Name::One),
        5 => Just(Name::Two),
        2 => Just(Name::Three),
        1 => select(odd).prop_map(Name::Odd),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        6 => (changes(), oddity(false)).prop_map(|(changes, oddity)| Ask::Create(changes, oddity)),
        3 => Just(Ask::Get),
        2 => (any::<bool>(), labels()).prop_map(|(everywhere, labels)| Ask::List { everywhere, labels }),
        1 => (1..4_u8).prop_map(Ask::Pages),
        2 => (any::<bool>(), labels()).prop_map(|(everywhere, labels)| Ask::Watch { everywhere, labels }),
        1 => Just(Ask::WatchFromLongAgo),
        5 => (part(), changes(), version(), uid(), oddity(false)).prop_map(
            |(part, changes, version, uid, oddity)| Ask::Replace { part, changes, version, uid, oddity }
        ),
        6 => (part(), changes(), patched_version(), uid(), oddity(true)).prop_map(
            |(part, changes, version, uid, oddity)| Ask::Patch { part, changes, version, uid, oddity }
        ),
        3 => (condition(), uid()).prop_map(|(version, uid)| Ask::Delete { version, uid }),
        2 => (uid(), oddity(false)).prop_map(|(uid, oddity)| Ask::Evict { uid, oddity }),
    ]
}

fn labels() -> impl Strategy<Value = &'static str> {
    select(vec!["", "app=web", "app==web,tier=t1", "tier", "tier=t1", "tier!=t1", "!tier", "tier in (t1,t2)"])
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![3 => Just(Part::Whole), 2 => Just(Part::Status)]
}

fn version() -> impl Strategy<Value = Version> {
    let text = vec!["", "0", "1", "none", "-1", "99999999999999999999"];
    prop_oneof![
        10 => Just(Version::Read),
        3 => Just(Version::Stale),
        1 => Just(Version::Missing),
        1 => Just(Version::Null),
        1 => select(text).prop_map(Version::Text),
    ]
}

fn patched_version() -> impl Strategy<Value = Version> {
    prop_oneof![1 => version(), 1 => Just(Version::Missing)]
}

fn condition() -> impl Strategy<Value = Version> {
    prop_oneof![2 => Just(Version::Missing), 2 => Just(Version::Read), 1 => Just(Version::Stale)]
}

fn uid() -> impl Strategy<Value = Uid> {
    prop_oneof![6 => Just(Uid::Read), 6 => Just(Uid::Missing), 1 => Just(Uid::Another)]
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    several(change(), 0..4)
}

fn change() -> impl Strategy<Value = Change> {
    let some = || proptest::option::weighted(0.8, 1..4_u8);
    prop_oneof![
        3 => (select(vec!["app", "tier"]), some()).prop_map(|(label, value)| Change::Label(label, value)),
        2 => some().prop_map(Change::Annotation),
        1 => Just(Change::NoLabels),
        5 => (1..5_u8).prop_map(Change::Wants),
        5 => (1..4_u8).prop_map(Change::Reports),
        1 => Just(Change::NoStatus),
        2 => any::<bool>().prop_map(Change::Finalizer),
        1 => any::<bool>().prop_map(Change::Owner),
        1 => (0..4_u8).prop_map(Change::Generation),
        1 => Just(Change::CreationTime),
        1 => Just(Change::DeletionTime),
    ]
}

/// What is wrong with a body now and then. A patch that changes what an object is called is not drawn: the adapter sends
/// none, and each kind is answered in another way.
fn oddity(patches: bool) -> impl Strategy<Value = Oddity> {
    let mut odd = vec![Oddity::Version, Oddity::Uid];
    if !patches {
        odd.extend([
            Oddity::Anew,
            Oddity::OtherName,
            Oddity::NoName,
            Oddity::OtherNamespace,
            Oddity::NoNamespace,
            Oddity::OtherKind,
            Oddity::NoKind,
            Oddity::OtherApiVersion,
            Oddity::NoApiVersion,
            Oddity::NoMetadata,
        ]);
        // A real server never answers to a Service that is `null` or `{}`.
        odd.extend(["", "[]", "7", "\"text\"", "{", "<html>"].map(Oddity::Raw));
    }
    prop_oneof![9 => Just(Oddity::Nothing), 1 => select(odd)]
}
