//! The state that must survive a restart and cannot be observed.

mod transitions;

use crate::{
    Revision, Time,
    fleet::{ClusterName, Member},
    traffic::StablePingPong,
};
use alloc::{boxed::Box, string::String, sync::Arc};
use serde::{Deserialize, Serialize};

/// The state that must survive a restart and cannot be observed. Nothing else is stored.
///
/// A new rollout starts with [`Status::default`]. The stored form is `{"v":1,…}`; any other version is an error, never
/// a fresh start.
///
/// ```
/// use rollout_core::Status;
/// let stored = serde_json::to_string(&Status::default())?;
/// assert_eq!(stored, r#"{"v":1}"#);
/// assert!(serde_json::from_str::<Status>(r#"{"v":2}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "Stored"))]
#[serde(from = "Stored", into = "Stored")]
#[non_exhaustive]
pub struct Status {
    /// The revision that carries the users' traffic; `None` until the first deploy is done.
    pub stable: Option<Revision>,
    /// The revision that the steps roll out; equal to `stable` when the rollout is done.
    pub canary: Option<Revision>,
    /// The index of the current step, from 0; the number of steps when all are done.
    pub step: u32,
    /// The hash of the list of steps that `step` indexes.
    pub step_hash: Option<Arc<str>>,
    /// When the current pause step began. Whole seconds.
    pub paused_at: Option<Time>,
    /// When and why the update was aborted.
    pub aborted: Option<Box<Aborted>>,
    /// Whether the remaining steps are skipped.
    pub promote_full: bool,
    /// Whether the user scaled everything to 0; stays set until stable has a ready pod again.
    pub scaled_to_zero: bool,
    /// Which of the two Services of `pingPong` is stable; `None` before the first deploy is done, and without
    /// `pingPong`.
    pub stable_ping_pong: Option<StablePingPong>,
    /// The progress of the pods being waited for.
    pub progress: Option<Progress>,
    /// How often analyses were begun anew. Only with an analysis in the strategy.
    pub attempts: Attempts,
    /// This cluster's part in a release of several clusters. Only with a [policy](crate::fleet::Policy).
    pub fleet: Option<Box<Member>>,
}

/// Counters that rise whenever an analysis must be run again: for a new revision, edited steps, `retry`, and `resume` (for
/// the background analysis also `promote`) after an inconclusive run. They never fall, so an old run is never mistaken for
/// a new one.
///
/// ```
/// use rollout_core::analysis::Attempts;
/// assert_eq!(Attempts::default().background, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Attempts {
    /// The attempt of the runs that steps wait for.
    pub step: u32,
    /// The attempt of the run beside the steps.
    pub background: u32,
}

/// When and why an update was aborted.
///
/// ```
/// use rollout_core::{AbortReason, Aborted, Time};
/// let aborted = Aborted::new(Time::from_millis(1_200), AbortReason::Command);
/// assert_eq!(aborted.at, Time::from_secs(2), "rounded up");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Aborted {
    /// The time of the abort. Whole seconds.
    pub at: Time,
    /// The reason.
    pub why: AbortReason,
}

impl Aborted {
    /// Creates an abort at `at`, rounded up to a whole second.
    ///
    /// See [`Aborted`] for an example.
    #[must_use]
    pub fn new(at: Time, why: AbortReason) -> Self {
        Self { at: at.ceil_to_second(), why }
    }
}

/// The reason for an abort.
///
/// ```
/// assert_eq!(serde_json::to_value(rollout_core::AbortReason::ProgressDeadline)?, "progressDeadline");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AbortReason {
    /// An operator aborted the update.
    Command,
    /// The pods made no progress, and the strategy aborts in that case.
    ProgressDeadline,
    /// An analysis found the revision bad: its message, as Argo Rollouts words it.
    Analysis(Arc<str>),
    /// The update was aborted in another cluster of the fleet.
    Cluster(ClusterName),
}

/// The progress of the pods being waited for; the progress deadline counts from here.
///
/// ```
/// use rollout_core::{Progress, Time};
/// let progress = Progress::new(Time::from_millis(1_200), 3);
/// assert_eq!((progress.since, progress.ready), (Time::from_secs(2), 3));
/// assert!(!progress.exceeded);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Progress {
    /// When the number of ready pods last rose, or the wait began. Whole seconds.
    pub since: Time,
    /// How many of these pods were ready at that time.
    pub ready: u32,
    /// Whether the deadline has passed.
    pub exceeded: bool,
}

impl Progress {
    /// Starts a wait at `at`, rounded up to a whole second, with this many ready pods.
    ///
    /// See [`Progress`] for an example.
    #[must_use]
    pub fn new(at: Time, ready: u32) -> Self {
        Self { since: at.ceil_to_second(), ready, exceeded: false }
    }
}

impl Status {
    /// Returns whether the canary is the stable revision, so that no update is in progress.
    ///
    /// ```
    /// use rollout_core::Status;
    /// let mut status = Status::default();
    /// assert!(!status.is_done(), "nothing was ever deployed");
    /// status.canary = Some("v1".into());
    /// assert!(!status.is_done(), "the first deploy");
    /// status.stable = Some("v1".into());
    /// assert!(status.is_done());
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stable.is_some() && self.stable == self.canary
    }
}

/// The stored form of a status.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    v: V1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stable: Option<Revision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canary: Option<Revision>,
    #[serde(default, skip_serializing_if = "is_default")]
    step: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aborted: Option<Box<Aborted>>,
    #[serde(default, skip_serializing_if = "is_default")]
    promote_full: bool,
    #[serde(default, rename = "asleep", skip_serializing_if = "is_default")]
    scaled_to_zero: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stable_ping_pong: Option<StablePingPong>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "is_default")]
    attempts: Attempts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fleet: Option<Box<Member>>,
}

/// The version number 1; any other is an error.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "u32"))]
#[serde(try_from = "u32", into = "u32")]
#[derive(Clone, Copy)]
struct V1;

impl TryFrom<u32> for V1 {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == 1 {
            return Ok(Self);
        }
        Err(alloc::format!(
            "stored by another version of the engine (v{version}, this one reads v1); it is kept, not reset"
        ))
    }
}

impl From<V1> for u32 {
    fn from(_: V1) -> Self {
        1
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl From<Stored> for Status {
    fn from(stored: Stored) -> Self {
        Self {
            stable: stored.stable,
            canary: stored.canary,
            step: stored.step,
            step_hash: stored.step_hash.map(Into::into),
            paused_at: stored.paused_at,
            aborted: stored.aborted,
            promote_full: stored.promote_full,
            scaled_to_zero: stored.scaled_to_zero,
            stable_ping_pong: stored.stable_ping_pong,
            progress: stored.progress,
            attempts: stored.attempts,
            fleet: stored.fleet,
        }
    }
}

impl From<Status> for Stored {
    fn from(status: Status) -> Self {
        Self {
            v: V1,
            stable: status.stable,
            canary: status.canary,
            step: status.step,
            step_hash: status.step_hash.as_deref().map(String::from),
            paused_at: status.paused_at,
            aborted: status.aborted,
            promote_full: status.promote_full,
            scaled_to_zero: status.scaled_to_zero,
            stable_ping_pong: status.stable_ping_pong,
            progress: status.progress,
            attempts: status.attempts,
            fleet: status.fleet,
        }
    }
}
