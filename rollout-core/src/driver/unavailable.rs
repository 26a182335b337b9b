use crate::{Observed, Revision};
use alloc::vec::Vec;
use core::time::Duration;

/// Series of live readings that show a revision without a ready pod, each for one version of its workload.
#[derive(Debug, Clone, Default)]
pub(super) struct UnavailableRows(Vec<Row>);

#[derive(Debug, Clone)]
struct Row {
    revision: Revision,
    /// `None` if there is no workload.
    version: Option<u64>,
    since: Duration,
    last: Duration,
}

/// The gap between readings that breaks a series. Readings are requested every 5 s, with some time added for the read.
const ROW_BREAKS: Duration = Duration::from_millis(5_500);

impl UnavailableRows {
    /// Fills in how long each revision has been without a ready pod.
    pub(super) fn fill(&mut self, observed: &mut Observed, elapsed: Duration) {
        let mut rows = Vec::new();
        for seen in observed.revisions.iter_mut().flatten() {
            let version = seen.live.filter(|_| seen.ready.hi() == 0);
            seen.unavailable =
                version.map(|version| self.go_on(&seen.revision, Some(version), elapsed, &mut rows));
        }
        if let Some(gone) = &mut observed.gone {
            gone.age = self.go_on(&gone.revision, None, elapsed, &mut rows);
        }
        self.0 = rows;
    }

    fn go_on(&self, of: &Revision, version: Option<u64>, elapsed: Duration, into: &mut Vec<Row>) -> Duration {
        let goes_on = |row: &&Row| {
            row.revision == *of && row.version == version && elapsed.saturating_sub(row.last) <= ROW_BREAKS
        };
        let since = self.0.iter().find(goes_on).map_or(elapsed, |row| row.since);
        into.push(Row { revision: of.clone(), version, since, last: elapsed });
        elapsed.saturating_sub(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gone, Range, RevisionSeen};

    /// Reads the revision at `millis`, live in this version, with `ready` ready pods.
    fn unavailable(rows: &mut UnavailableRows, millis: u64, live: Option<u64>, ready: u32) -> Option<u64> {
        let seen = RevisionSeen::new("v1".into()).wanted(2).ready(Range::exact(ready)).live(live);
        let mut observed = Observed::new().revisions([seen]);
        rows.fill(&mut observed, Duration::from_millis(millis));
        let age = observed.revisions.unwrap()[0].unavailable;
        age.map(|age| u64::try_from(age.as_millis()).unwrap())
    }

    #[test]
    fn a_row_is_of_live_readings_of_one_version_without_a_gap() {
        let mut rows = UnavailableRows::default();
        assert_eq!(unavailable(&mut rows, 0, Some(1), 0), Some(0));
        assert_eq!(unavailable(&mut rows, 5_000, Some(1), 0), Some(5_000));
        assert_eq!(unavailable(&mut rows, 10_500, Some(1), 0), Some(10_500), "a little is for the way");
        assert_eq!(unavailable(&mut rows, 16_001, Some(1), 0), Some(0), "a gap");
        assert_eq!(unavailable(&mut rows, 17_000, Some(2), 0), Some(0), "another version");
        assert_eq!(unavailable(&mut rows, 18_000, Some(2), 1), None, "a ready pod");
        assert_eq!(unavailable(&mut rows, 19_000, Some(2), 0), Some(0));
        assert_eq!(unavailable(&mut rows, 20_000, None, 0), None, "not read live");
        assert_eq!(unavailable(&mut rows, 21_000, Some(2), 0), Some(0));
    }

    #[test]
    fn a_workload_that_is_gone_has_a_row_of_its_own() {
        let mut rows = UnavailableRows::default();
        unavailable(&mut rows, 0, Some(1), 0);
        let mut gone = |millis| {
            let mut observed = Observed::new().gone(Some(Gone::new("v1".into(), Duration::ZERO)));
            rows.fill(&mut observed, Duration::from_millis(millis));
            observed.gone.unwrap().age.as_millis()
        };
        assert_eq!([gone(1_000), gone(4_000)], [0, 3_000]);
    }
}
