use crate::replica_set::ReplicaSet;
use rollout_core::Revision;
use std::time::Duration;
use tokio::time::Instant;

/// A row of live readings that show one ReplicaSet without a ready pod, all of one version of it; or that there is
/// none.
#[derive(Debug, Default)]
pub(crate) struct DarkRows(Option<Row>);

#[derive(Debug)]
struct Row {
    uid: String,
    version: String,
    since: Instant,
    last: Instant,
}

/// A longer gap breaks the row. Readings are asked for every 5 s: a little is for the way.
const ROW_BREAKS: Duration = Duration::from_millis(5_500);

impl DarkRows {
    /// A live reading without a ready pod: for how long it has been so.
    pub(crate) fn read(&mut self, set: &ReplicaSet, now: Instant) -> Duration {
        self.row(set.entry.uid(), &set.entry.version.write, now)
    }

    /// A live reading that shows no ReplicaSet of a revision at all: for how long it has been so.
    pub(crate) fn read_none(&mut self, revision: &Revision, now: Instant) -> Duration {
        self.row("", revision.as_str(), now)
    }

    fn row(&mut self, uid: &str, version: &str, now: Instant) -> Duration {
        let goes_on = |row: &Row| {
            row.uid == uid && row.version == version && now.saturating_duration_since(row.last) <= ROW_BREAKS
        };
        let since = self.0.as_ref().filter(|row| goes_on(row)).map_or(now, |row| row.since);
        self.0 = Some(Row { uid: uid.to_owned(), version: version.to_owned(), since, last: now });
        now.saturating_duration_since(since)
    }

    /// It has a ready pod, or was not read live.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}
