use crate::{
    Range, Revision, RevisionSeen, Time,
    sim::process::observe::WorkloadState,
    traffic::{ObjectRef, Seen, Settled, Version},
};
use alloc::vec::Vec;
use core::time::Duration;

/// Rows of live readings that show a revision without a ready pod.
#[derive(Debug, Clone, Default)]
pub(super) struct DarkRows(Vec<Row>);

#[derive(Debug, Clone)]
struct Row {
    revision: Revision,
    /// `None` where there is no workload.
    version: Option<u64>,
    since: Time,
    last: Time,
}

const ROW_BREAKS: Duration = Duration::from_secs(5);

impl DarkRows {
    /// A live reading of one workload: for how long it has been dark.
    pub(super) fn read(&mut self, workload: &WorkloadState, now: Time) -> Option<Duration> {
        if workload.ready.hi() == 0 {
            return Some(self.row(&workload.revision, Some(workload.version), now));
        }
        let row = self.0.iter().position(|row| row.revision == workload.revision);
        row.map(|row| self.0.swap_remove(row));
        None
    }

    /// A live reading that shows no workload of a revision: for how long that has been so.
    pub(super) fn read_none(&mut self, revision: &Revision, now: Time) -> Duration {
        self.row(revision, None, now)
    }

    fn row(&mut self, revision: &Revision, version: Option<u64>, now: Time) -> Duration {
        let new = || Row { revision: revision.clone(), version, since: now, last: now };
        let Some(row) = self.0.iter_mut().find(|row| row.revision == *revision) else {
            self.0.push(new());
            return Duration::ZERO;
        };
        if row.version != version || now.since(row.last) > ROW_BREAKS {
            *row = new();
        }
        row.last = now;
        now.since(row.since)
    }
}

/// For a data plane that cannot be asked: since when this process has seen what it sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    routes: Vec<(u64, Time)>,
    selectors: Vec<(u64, Time)>,
    /// For each revision: how many pods were ready, which change of its endpoints that was, since when.
    ready: Vec<(Revision, (Range, u64), Time)>,
}

impl Ages {
    pub(super) fn fill(
        &mut self,
        seen: &mut Seen,
        is_route: impl Fn(&ObjectRef) -> bool,
        endpoints: impl Fn(&Revision) -> u64,
        revisions: &[RevisionSeen],
        now: Time,
    ) {
        seen.routes_settled = age(&mut self.routes, contents(&seen.version, &is_route), now);
        seen.selectors_settled =
            age(&mut self.selectors, contents(&seen.version, |name| !is_route(name)), now);
        seen.endpoints.clear();
        for workload in revisions {
            let row = self.ready.iter().position(|(revision, ..)| *revision == workload.revision);
            // A pod that is lost while another becomes ready is a change, too.
            let ready_now = (workload.ready, endpoints(&workload.revision));
            let since = if let Some((_, ready, since)) = row.and_then(|row| self.ready.get_mut(row)) {
                if *ready != ready_now {
                    (*ready, *since) = (ready_now, now);
                }
                *since
            } else {
                self.ready.push((workload.revision.clone(), ready_now, now));
                now
            };
            let age = now.since(since);
            seen.endpoints.push((workload.revision.clone(), Settled::Unknown { age }));
        }
    }
}

fn contents(version: &Version, wanted: impl Fn(&ObjectRef) -> bool) -> impl Iterator<Item = u64> {
    let objects = version.objects().iter().filter(move |(name, _)| wanted(name));
    objects.map(|(_, version)| version.content)
}

fn age(known: &mut Vec<(u64, Time)>, contents: impl Iterator<Item = u64>, now: Time) -> Settled {
    let mut youngest = None;
    for (nth, content) in contents.enumerate() {
        let since = if let Some((other, since)) = known.get_mut(nth) {
            if *other != content {
                (*other, *since) = (content, now);
            }
            *since
        } else {
            known.push((content, now));
            now
        };
        youngest = youngest.max(Some(since));
    }
    youngest.map_or(Settled::Yes, |since| Settled::Unknown { age: now.since(since) })
}
