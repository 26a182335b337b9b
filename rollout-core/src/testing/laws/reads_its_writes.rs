use super::{Findings, Law};
use crate::sim::{Moment, What};
use alloc::format;

/// A process never decides on anything older than its own last write of that kind, or attempt to write.
#[derive(Debug, Default)]
pub(super) struct ReadsItsWrites;

impl Law for ReadsItsWrites {
    fn name(&self) -> &'static str {
        "reads_its_writes"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let What::Decided { process, decision, seen_at, misses_own_write, .. } = moment.what else { return };
        if seen_at >= moment.truth.now {
            return;
        }
        findings.premise();
        if misses_own_write {
            findings.broken(|| {
                format!("decision {decision} of process {process} rests on something older than its own last write")
            });
        }
    }
}
