use super::ReplicaSet;
use rollout_core::Range;
use std::collections::{BTreeMap, HashMap};

/// The pods that each generation of a ReplicaSet asked for, as far as this process saw them. While the counts of its
/// status lag, the real number is somewhere between them all.
#[derive(Debug, Default)]
pub(crate) struct Counts(HashMap<String, BTreeMap<u64, u32>>);

/// How many changes of one ReplicaSet are remembered.
const REMEMBERED: usize = 50;

impl Counts {
    /// Turns a count in the status of a ReplicaSet into a range.
    pub(crate) fn range(&mut self, set: &ReplicaSet, shown: u32) -> Range {
        let asked = self.0.entry(set.entry.uid().to_owned()).or_default();
        asked.insert(set.generation, set.wanted);
        if set.counted >= set.generation {
            asked.retain(|generation, _| *generation >= set.counted);
            // Pods beyond the wanted number are terminating, whatever they show.
            return Range::new(shown.min(set.wanted), shown);
        }
        // If the counts never catch up, only the last changes are remembered.
        while asked.len() > REMEMBERED {
            asked.pop_first();
        }
        let from = set.counted.max(1);
        let since = asked.range(from..=set.generation).map(|(_, wanted)| *wanted);
        let changes = set.generation.saturating_sub(from).saturating_add(1);
        let all_known = u64::try_from(since.clone().count()).is_ok_and(|known| known == changes);
        let least = if all_known { since.clone().fold(shown, u32::min) } else { 0 };
        Range::new(least, since.fold(shown, u32::max))
    }

    /// Forgets ReplicaSets that are gone.
    pub(crate) fn keep(&mut self, sets: &[ReplicaSet]) {
        self.0.retain(|uid, _| sets.iter().any(|set| set.entry.uid() == uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use serde_json::json;

    fn set(generation: u64, counted: u64, wanted: u32) -> ReplicaSet {
        ReplicaSet::read(Entry::new(json!({
            "metadata": {
                "uid": "u", "name": "web-v1", "generation": generation, "resourceVersion": "1",
                "labels": {"rollouts-pod-template-hash": "v1"}
            },
            "spec": {"replicas": wanted}, "status": {"observedGeneration": counted}
        })))
        .unwrap()
    }

    #[test]
    fn a_lagging_count_is_a_range_over_all_wanted_counts() {
        let mut counts = Counts::default();
        assert_eq!(counts.range(&set(1, 1, 4), 4), Range::exact(4));
        assert_eq!(counts.range(&set(2, 1, 1), 4), Range::new(1, 4));
        assert_eq!(counts.range(&set(3, 1, 6), 4), Range::new(1, 6), "4 to 1 to 6: there may be only one");
        assert_eq!(counts.range(&set(3, 3, 6), 2), Range::exact(2));
    }

    /// The ReplicaSet controller still counts pods that it has just deleted, although it reports the new generation.
    #[test]
    fn pods_above_the_wanted_number_are_terminating() {
        let mut counts = Counts::default();
        assert_eq!(counts.range(&set(2, 2, 0), 2), Range::new(0, 2));
        assert_eq!(counts.range(&set(3, 3, 1), 2), Range::new(1, 2));
        assert_eq!(counts.range(&set(3, 3, 1), 1), Range::exact(1));
    }

    #[test]
    fn extreme_generations_neither_overflow_nor_accumulate() {
        let mut counts = Counts::default();
        assert_eq!(counts.range(&set(u64::MAX, 0, 4), 1), Range::new(0, 4));
        assert_eq!(counts.range(&set(u64::MAX, u64::MAX, 4), 4), Range::exact(4));
        for generation in 1..10_000 {
            counts.range(&set(generation, 0, 4), 1);
        }
        assert!(counts.0.values().all(|asked| asked.len() <= REMEMBERED + 1));
    }

    #[test]
    fn an_unseen_generation_may_have_asked_for_no_pods() {
        let mut counts = Counts::default();
        assert_eq!(counts.range(&set(5, 3, 4), 4), Range::new(0, 4));
        assert_eq!(counts.range(&set(1, 0, 4), 0), Range::new(0, 4), "it was created just now");
    }
}
