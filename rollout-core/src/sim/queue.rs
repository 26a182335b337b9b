use crate::Time;
use alloc::collections::BinaryHeap;
use core::cmp::{Ordering, Reverse};

/// A scheduled event. Small, because the heap moves it about: its details are stored elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Pods that were created together become ready.
    PodsReady { workload: u64, first: u64, last: u64 },
    /// Pods of a workload have been ready for long enough to count as available.
    PodsAvailable,
    /// Terminating pods of a workload end.
    PodsEnd { workload: u64 },
    /// A workload's status catches up with its generation.
    Counted { workload: u64 },
    /// A traffic object's content arrives at a proxy.
    Object { proxy: usize, object: usize, generation: u64 },
    /// A revision's endpoints arrive at a proxy.
    Endpoints { proxy: usize, workload: u64, generation: u64 },
    /// A late write takes effect: an index into the list of late writes.
    Late(usize),
    /// An old process decides once more: an index into the list of old processes.
    OldProcess(usize),
    /// A look at a run of an analysis is due: its number.
    Run(u64),
}

/// The scheduled events, earliest first; at the same time, in the order of scheduling.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    at: Time,
    nth: u64,
    what: Happening,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.nth).cmp(&(other.at, other.nth))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Queue {
    pub(super) fn schedule(&mut self, at: Time, what: Happening) {
        self.scheduled += 1;
        self.heap.push(Reverse(Entry { at, nth: self.scheduled, what }));
    }

    pub(super) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<Happening> {
        self.heap.pop().map(|Reverse(entry)| entry.what)
    }
}
