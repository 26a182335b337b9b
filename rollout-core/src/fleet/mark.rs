use alloc::{format, string::String};
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// How far one cluster is with a release. Steps are counted from 0; the number of steps stands for the end, where the
/// canary gets all requests.
///
/// ```
/// use rollout_core::fleet::Mark;
/// let way = [Mark::Absent, Mark::Ready(0), Mark::Routed(0), Mark::Ready(1), Mark::Done];
/// assert!(way.is_sorted());
/// assert_eq!(Mark::Routed(0).next(), Mark::Ready(1));
/// assert_eq!(serde_json::to_value(Mark::Ready(1))?, "ready:1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::exhaustive_enums, reason = "the order of the marks is the protocol")]
pub enum Mark {
    /// It has not begun.
    #[default]
    Absent,
    /// The pods for this step are available, and the canary destination leads to them if the step needs it.
    Ready(u32),
    /// The routes are written as this step says, and every proxy of the cluster has them.
    Routed(u32),
    /// The revision is stable, no request depends on the canary destination, and every proxy knows.
    Done,
}

impl Mark {
    /// Returns the mark after this one: half a step further.
    ///
    /// Only a cluster itself knows which step is its last, so no mark but `Done` is followed by `Done`. To end the
    /// release, a cluster needs the permit for the step after its last one.
    ///
    /// See [`Mark`] for an example.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Absent => Self::Ready(0),
            Self::Ready(step) => Self::Routed(step),
            Self::Routed(step) => Self::Ready(step.saturating_add(1)),
            Self::Done => Self::Done,
        }
    }

    const fn rank(self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Ready(step) => 1 + 2 * step as u64,
            Self::Routed(step) => 2 + 2 * step as u64,
            Self::Done => u64::MAX,
        }
    }
}

impl Ord for Mark {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Mark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Absent => Self::from("absent"),
            Mark::Ready(step) => format!("ready:{step}"),
            Mark::Routed(step) => format!("routed:{step}"),
            Mark::Done => Self::from("done"),
        }
    }
}

impl TryFrom<String> for Mark {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let step = |step: &str| step.parse().ok();
        let mark = match text.split_once(':') {
            None if text == "absent" => Some(Self::Absent),
            None if text == "done" => Some(Self::Done),
            Some(("ready", at)) => step(at).map(Self::Ready),
            Some(("routed", at)) => step(at).map(Self::Routed),
            _ => None,
        };
        mark.ok_or_else(|| String::from("is no mark: absent, ready:STEP, routed:STEP or done"))
    }
}
