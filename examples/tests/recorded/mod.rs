//! What was written down while controllers were at work, brought before the laws of `rollout_core::testing`: every version
//! of every object, every write, and every decision.

mod judge;
pub(crate) mod world;

pub(crate) use judge::judge;

use rollout_core::testing::Record;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// When something was: milliseconds UTC, and its place among what was in the same millisecond, where that is known.
pub(crate) type Place = (i64, u64);

/// One version of one object.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// When the recorder was told.
    pub(crate) at: Place,
    /// Its resource version: one order over all kinds.
    pub(crate) version: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// It was deleted; `value` is as it was last.
    pub(crate) gone: bool,
    pub(crate) value: Arc<Value>,
}

/// One write of a controller.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// The process that sent it: 1 for the first.
    pub(crate) process: u32,
    /// When it came from the controller, and when the API server had answered.
    pub(crate) sent: Place,
    pub(crate) answered: Option<Place>,
    /// The path below the namespace: `replicasets/demo-abc`.
    pub(crate) path: String,
    /// The resource version that it left, if it was not refused.
    pub(crate) version: Option<u64>,
    /// It arrived after its process had died.
    pub(crate) late: bool,
}

/// Everything that was recorded of one Rollout.
#[derive(Default, Clone)]
pub(crate) struct History {
    /// In the order of the API server.
    pub(crate) seen: Vec<Seen>,
    pub(crate) writes: Vec<Write>,
    /// By process, from 1 on.
    pub(crate) decisions: BTreeMap<u32, Vec<(Place, Record)>>,
    /// By how many milliseconds what a decision saw may have been older than the decision.
    pub(crate) lag: i64,
    /// When a controller was killed.
    pub(crate) killed: Vec<Place>,
    /// From when on there were no more faults.
    pub(crate) calm: Option<Place>,
    pub(crate) rested: bool,
    /// It goes on, and the rest of it is not judged.
    pub(crate) is_cut: bool,
}
