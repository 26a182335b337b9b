//! What is measured in a random history: drawn from its seed and the name of the run.

use crate::{
    Time,
    analysis::{Phase, RunSeen},
    sim::{Metrics, Truth},
    strategy::Analysis,
};
use alloc::{collections::BTreeMap, sync::Arc};
use core::time::Duration;

/// Each run looks a few times, with answers or without, and then ends in a phase of its own.
#[derive(Debug)]
pub(super) struct DrawnMetrics {
    seed: u64,
    looks: BTreeMap<Arc<str>, u64>,
}

impl DrawnMetrics {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, looks: BTreeMap::new() }
    }

    /// A number for a run and a look, the same every time.
    fn drawn(&self, name: &str, look: u64) -> u64 {
        let mut hash = self.seed ^ 0xcbf2_9ce4_8422_2325 ^ look.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash ^ hash >> 29
    }
}

impl Metrics for DrawnMetrics {
    fn look(&mut self, truth: &Truth, run: &mut RunSeen, _: &Analysis) -> Option<Time> {
        let look = self.looks.get(&run.name).copied().unwrap_or(0);
        self.looks.insert(run.name.clone(), look.saturating_add(1));
        let (whole, drawn) = (self.drawn(&run.name, u64::MAX), self.drawn(&run.name, look));
        if run.stopping || look >= whole % 5 {
            run.phase = match whole / 8 % 10 {
                _ if run.stopping => Phase::Successful,
                0..=5 => Phase::Successful,
                6 => Phase::Failed,
                7 => Phase::Error,
                _ => Phase::Inconclusive,
            };
            run.message = "drawn".into();
            return None;
        }
        run.phase = Phase::Running;
        run.newest = match drawn % 4 {
            0 => Some(Phase::Error),
            1 => run.newest,
            _ => Some(Phase::Successful),
        };
        let after = [0, 1, 20, 120].get(usize::try_from(drawn / 4 % 4).unwrap_or(0)).copied();
        Some(truth.now + Duration::from_secs(after.unwrap_or(0)))
    }
}
