use crate::{
    Observed, Range, Revision, RevisionSeen,
    traffic::{RoutesSeen, Seen, Selection, Settled},
};
use alloc::vec::Vec;
use core::time::Duration;

/// The time since which this process has observed each unchanged state, for a data plane that cannot be asked.
///
/// Ages use the process's own clock, which only runs forward: a restart makes ages shorter and waits longer, never the
/// reverse.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    routes: Option<(Routes, Duration)>,
    selectors: Option<(Selectors, Duration)>,
    pods: Vec<(Revision, Pods, Duration)>,
}

/// The state of the routes.
#[derive(Debug, Clone)]
enum Routes {
    /// The content of the objects that hold the routes.
    Content(u64),
    /// The routes that were read, where the backend reports no content.
    Read(Vec<RoutesSeen>),
}

/// The state of the selectors.
#[derive(Debug, Clone)]
enum Selectors {
    Content(u64),
    Read(Vec<Selection>, Vec<Selection>),
}

/// The state of one revision's pods.
#[derive(Debug, Clone, PartialEq)]
enum Pods {
    Changes(u64),
    Counts(Range, Range),
}

impl Ages {
    /// Fills in the age of every answer that is unknown.
    pub(super) fn fill(&mut self, observed: &mut Observed, elapsed: Duration) {
        if let Some(revisions) = &observed.revisions {
            self.note_pods(revisions, elapsed);
        }
        let Some(seen) = &mut observed.traffic else { return };
        let routes = since(&mut self.routes, |known| known.is_of(seen), || Routes::of(seen), elapsed);
        set(&mut seen.routes_settled, routes, elapsed);
        let selectors =
            since(&mut self.selectors, |known| known.is_of(seen), || Selectors::of(seen), elapsed);
        set(&mut seen.selectors_settled, selectors, elapsed);
        // Revisions that the observation does not name must age as well, or waits for them would never end.
        let unnamed = |of: &&Revision| !seen.endpoints.iter().any(|(named, _)| named == *of);
        let revisions = observed.revisions.iter().flatten().map(|seen| &seen.revision);
        let unnamed: Vec<_> =
            revisions.filter(unnamed).map(|revision| (revision.clone(), Settled::UNKNOWN)).collect();
        seen.endpoints.extend(unnamed);
        for (revision, settled) in &mut seen.endpoints {
            let row = self.pods.iter().find(|(other, ..)| other == revision);
            set(settled, row.map_or(elapsed, |(_, _, since)| *since), elapsed);
        }
    }

    fn note_pods(&mut self, revisions: &[RevisionSeen], elapsed: Duration) {
        self.pods.retain(|(revision, ..)| revisions.iter().any(|seen| seen.revision == *revision));
        for seen in revisions {
            let now = match seen.changes {
                0 => Pods::Counts(seen.ready, seen.available),
                changes => Pods::Changes(changes),
            };
            match self.pods.iter_mut().find(|(revision, ..)| *revision == seen.revision) {
                Some((_, before, _)) if *before == now => {}
                Some(row) => (row.1, row.2) = (now, elapsed),
                None => self.pods.push((seen.revision.clone(), now, elapsed)),
            }
        }
    }
}

impl Routes {
    fn of(seen: &Seen) -> Self {
        match seen.routes_content {
            0 => Self::Read(seen.routes.clone()),
            content => Self::Content(content),
        }
    }

    /// The same as `*self == Self::of(seen)`, without a copy.
    fn is_of(&self, seen: &Seen) -> bool {
        match self {
            Self::Content(content) => *content == seen.routes_content,
            Self::Read(routes) => seen.routes_content == 0 && *routes == seen.routes,
        }
    }
}

impl Selectors {
    fn of(seen: &Seen) -> Self {
        match seen.selectors_content {
            0 => Self::Read(seen.behind.stable.clone(), seen.behind.canary.clone()),
            content => Self::Content(content),
        }
    }

    /// The same as `*self == Self::of(seen)`, without a copy.
    fn is_of(&self, seen: &Seen) -> bool {
        match self {
            Self::Content(content) => *content == seen.selectors_content,
            Self::Read(stable, canary) => {
                seen.selectors_content == 0 && *stable == seen.behind.stable && *canary == seen.behind.canary
            }
        }
    }
}

/// Returns the time since which the state has been unchanged.
fn since<T>(
    known: &mut Option<(T, Duration)>,
    is_same: impl Fn(&T) -> bool,
    now: impl Fn() -> T,
    elapsed: Duration,
) -> Duration {
    match known {
        Some((before, since)) if is_same(before) => *since,
        Some(_) | None => {
            *known = Some((now(), elapsed));
            elapsed
        }
    }
}

fn set(settled: &mut Settled, since: Duration, elapsed: Duration) {
    if let Settled::Unknown { age } = settled {
        *age = elapsed.saturating_sub(since);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn observed(weight: u32, ready: u32) -> Observed {
        let mut seen = Seen::nothing();
        seen.routes = vec![RoutesSeen::new(Range::exact(weight))];
        (seen.routes_settled, seen.selectors_settled) = (Settled::UNKNOWN, Settled::UNKNOWN);
        seen.endpoints = vec![("v1".into(), Settled::UNKNOWN)];
        let pods = RevisionSeen::new("v1".into()).ready(Range::exact(ready));
        Observed::new().revisions([pods]).traffic(seen)
    }

    /// Returns the ages of the routes, the selectors and the endpoints, in seconds.
    fn ages(ages: &mut Ages, mut observed: Observed, elapsed: u64) -> [Option<u64>; 3] {
        ages.fill(&mut observed, Duration::from_secs(elapsed));
        let seen = observed.traffic.as_ref().unwrap();
        let age = |settled: &Settled| match settled {
            Settled::Unknown { age } => Some(age.as_secs()),
            Settled::Yes | Settled::NotYet { .. } => None,
        };
        [age(&seen.routes_settled), age(&seen.selectors_settled), age(&seen.endpoints[0].1)]
    }

    #[test]
    fn each_answer_is_as_old_as_what_it_is_about() {
        let mut known = Ages::default();
        assert_eq!(ages(&mut known, observed(5, 1), 10), [Some(0); 3]);
        assert_eq!(ages(&mut known, observed(5, 1), 13), [Some(3); 3]);
        assert_eq!(ages(&mut known, observed(20, 1), 14), [Some(0), Some(4), Some(4)]);
        assert_eq!(ages(&mut known, observed(20, 2), 15), [Some(1), Some(5), Some(0)]);
    }

    #[test]
    fn content_and_changes_count_before_what_was_read() {
        let with = |content, changes, weight| {
            let mut observed = observed(weight, 1);
            observed.traffic.as_mut().unwrap().routes_content = content;
            observed.revisions.as_mut().unwrap()[0].changes = changes;
            observed
        };
        let mut known = Ages::default();
        ages(&mut known, with(7, 1, 5), 0);
        assert_eq!(ages(&mut known, with(7, 1, 20), 2), [Some(2), Some(2), Some(2)]);
        assert_eq!(ages(&mut known, with(8, 2, 20), 3), [Some(0), Some(3), Some(0)]);
    }

    #[test]
    fn what_is_known_has_no_age() {
        let mut settled = observed(5, 1);
        settled.traffic.as_mut().unwrap().routes_settled = Settled::Yes;
        assert_eq!(ages(&mut Ages::default(), settled, 9), [None, Some(0), Some(0)]);
    }
}
