use super::publish::KubeEvent;
use rollout_core::{Waiting, waiting::WaitReason};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How long a wait lasts before an event reports it.
const REPORTED_AFTER: Duration = Duration::from_secs(60);

/// What a rollout is waiting for, since when, and whether an event has reported it. A new process reports it again.
#[derive(Debug, Default)]
pub(crate) struct Waits(BTreeMap<(&'static str, bool), (Instant, bool)>);

impl Waits {
    /// Returns the events to publish now: one for each wait, and another only if it ended in between or became urgent.
    pub(super) fn due_events(&mut self, waiting: &[Waiting], now: Instant) -> Vec<KubeEvent> {
        let notable: Vec<_> = waiting.iter().filter(|waiting| waiting.reason.is_news()).collect();
        self.0.retain(|key, _| notable.iter().any(|waiting| Self::key(&waiting.reason) == *key));
        let mut events = Vec::new();
        for waiting in notable {
            let (since, reported) = self.0.entry(Self::key(&waiting.reason)).or_insert((now, false));
            let urgent = Self::is_urgent(&waiting.reason);
            if *reported || !urgent && now.saturating_duration_since(*since) < REPORTED_AFTER {
                continue;
            }
            *reported = true;
            let note = waiting.to_string();
            events.push(if urgent {
                KubeEvent::warning("RolloutWaiting", note)
            } else {
                KubeEvent::normal("RolloutWaiting", note)
            });
        }
        events
    }

    /// Returns when the next report is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().filter(|(_, reported)| !reported).map(|(since, _)| *since + REPORTED_AFTER).min()
    }

    fn key(reason: &WaitReason) -> (&'static str, bool) {
        (reason.guard(), Self::is_urgent(reason))
    }

    /// Returns whether only a person can help.
    fn is_urgent(reason: &WaitReason) -> bool {
        matches!(reason, WaitReason::StableGone { .. } | WaitReason::Settling { long: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollout_core::{
        Range,
        waiting::{Ending, EndsBy},
    };

    fn pods(seen: u32) -> Waiting {
        let reason = WaitReason::Pods { revision: "v2".into(), need: 2, seen: Range::exact(seen) };
        Waiting::new(reason, None, EndsBy::Event(Ending::PodsReady))
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_reported_once_after_a_minute() {
        let (mut waits, began) = (Waits::default(), Instant::now());
        let mut reported = |secs, waiting: &[Waiting]| {
            let events = waits.due_events(waiting, began + Duration::from_secs(secs));
            (events.into_iter().map(|event| event.note).collect::<Vec<_>>(), waits.next().is_some())
        };
        assert_eq!(reported(0, &[pods(0)]), (vec![], true));
        assert_eq!(reported(59, &[pods(1)]), (vec![], true));
        let note = "waiting for pods of v2: 2 needed, 1 there; ends when pods become ready".to_owned();
        assert_eq!(reported(60, &[pods(1)]), (vec![note], false));
        assert_eq!(reported(600, &[pods(0)]), (vec![], false), "it was reported");
        assert_eq!(reported(601, &[]), (vec![], false));
        assert_eq!(reported(602, &[pods(0)]), (vec![], true), "a new wait");
        let pause = Waiting::new(WaitReason::Pause, None, EndsBy::Command(vec![]));
        assert_eq!(reported(900, &[pause]), (vec![], false), "the phase shows it");
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_a_person_can_end_is_reported_at_once() {
        let gone = WaitReason::StableGone { revision: "v1".into() };
        let waiting = [Waiting::new(gone, None, EndsBy::Event(Ending::ManifestChanged))];
        let mut waits = Waits::default();
        assert!(waits.due_events(&waiting, Instant::now())[0].warns);
        assert_eq!(waits.due_events(&waiting, Instant::now()), []);
    }
}
