//! What a comparison keeps between its measurements.

use super::{Counters, Evidence};
use crate::analysis::{Measurement, MetricResult};
use alloc::{collections::BTreeMap, string::String};

const EVIDENCE: &str = "rollout-core/evidence";
const COUNTERS: &str = "rollout-core/counters";
pub(super) const KEYS: [&str; 2] = [EVIDENCE, COUNTERS];

/// The evidence so far, and the counters that the next window begins with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) evidence: Evidence,
    pub(super) counters: Counters,
}

/// What is there is no state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl State {
    /// Returns the state of a metric, if there is one.
    ///
    /// # Errors
    /// Somebody has changed it, and it cannot be read.
    pub(super) fn of(result: Option<&MetricResult>) -> Result<Option<Self>, Unreadable> {
        let has_one =
            |measurement: &&Measurement| KEYS.iter().any(|key| measurement.metadata.contains_key(*key));
        let mut newest_first = result.into_iter().flat_map(|result| result.measurements.iter().rev());
        let Some(newest) = newest_first.find(has_one) else { return Ok(None) };
        let text = |key: &str| newest.metadata.get(key).map(String::as_str).unwrap_or_default();
        let (evidence, counters) = (Evidence::read(text(EVIDENCE)), Counters::read(text(COUNTERS)));
        match (evidence, counters) {
            (Some(evidence), Some(counters)) => Ok(Some(Self { evidence, counters })),
            _ => Err(Unreadable),
        }
    }

    /// Writes it as the metadata of a measurement.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        [(EVIDENCE.into(), self.evidence.write()), (COUNTERS.into(), self.counters.write())].into()
    }
}

/// Moves the state to the newest measurement: it is stored once, and no retention drops it.
pub(in crate::analysis) fn carry_over(result: &mut MetricResult, newest: &mut Measurement) {
    for key in KEYS {
        for earlier in result.measurements.iter_mut().rev() {
            if let Some(kept) = earlier.metadata.remove(key) {
                newest.metadata.entry(key.into()).or_insert(kept);
            }
        }
    }
}
