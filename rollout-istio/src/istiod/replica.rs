//! The knowledge about one replica of istiod.

use super::{
    dump::Dumps,
    wire::{Proxy, push},
};
use rollout_core::{Time, backend::NoAnswer};
use std::time::Duration;

/// A reading older than this allows no conclusion about a later push.
const JUST_BEFORE: Duration = Duration::from_secs(1);

/// The maximum length of a proxy's name: a pod, a dot, and a namespace.
const LONGEST_NAME: usize = 253 + 1 + 63;

#[derive(Debug)]
pub(super) struct Replica {
    pub(super) dumps: Dumps,
    /// Its proxies, as last reported.
    pub(super) connections: Vec<Connection>,
    /// When they were requested and reported.
    pub(super) told: (Duration, Duration),
    /// The newest push that any proxy was sent since the replica started.
    pub(super) newest: u64,
    newest_began: Option<Time>,
    /// The newest push in the last reading alone.
    last: (u64, Option<Time>),
    /// Whether it has restarted and that has not been handled yet.
    pub(super) has_begun_anew: bool,
    /// The newest push in the previous reading, if that was recent.
    pub(super) just_before: Option<u64>,
    /// Whether it answered in the last round.
    pub(super) answers: Result<(), NoAnswer>,
    /// Why it has not answered since its last answer.
    pub(super) gap: Option<NoAnswer>,
    /// When it gave the answer before the last one.
    pub(super) answered_before: Duration,
    /// Whether its uptime has been requested since it last failed to answer.
    pub(super) knows_uptime: bool,
    /// The push whose routes even the slowest of its proxies has acknowledged.
    pub(super) all_acked: u64,
}

/// One connection of a proxy.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) is_gateway: bool,
    /// For each type, whether the last message is acknowledged, and the push of the last one acknowledged.
    acked: [(bool, u64); 4],
}

impl Connection {
    fn new(proxy: &Proxy<'_>) -> Self {
        let acked = proxy
            .sent_and_acked()
            .map(|(sent, acked)| (sent == acked, push(acked).map_or(0, |(number, _)| number)));
        Self { id: shown(&proxy.id), is_gateway: proxy.of_type == "router", acked }
    }

    /// Returns whether all that was sent to it is acknowledged.
    pub(super) fn is_in_step(&self) -> bool {
        self.acked.iter().all(|(in_step, _)| *in_step)
    }

    /// Returns whether it has this push: whether nothing is unacknowledged, or it has acknowledged this push or a later
    /// one.
    pub(super) fn has(&self, push: u64) -> bool {
        self.acked.iter().all(|(in_step, acked)| *in_step || *acked >= push)
    }

    /// Returns a value that differs when it has acknowledged anything more.
    pub(super) fn progress(&self) -> [u64; 4] {
        self.acked.map(|(_, acked)| acked)
    }

    /// Returns the types of which it has acknowledged anything.
    pub(super) fn speaks(&self) -> [bool; 4] {
        self.acked.map(|(_, acked)| acked > 0)
    }

    /// Returns the last acknowledged push of routes. Routes come last in a push, so a proxy that has acknowledged them
    /// has been sent the rest.
    fn routes(&self) -> u64 {
        let [.., (_, routes)] = self.acked;
        routes
    }
}

/// Makes a name safe for a log, because a proxy chooses its own name.
fn shown(id: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    id.chars().take(LONGEST_NAME).map(shown).collect()
}

impl Replica {
    pub(super) fn new() -> Self {
        Self {
            dumps: Dumps::default(),
            connections: Vec::new(),
            told: (Duration::ZERO, Duration::ZERO),
            newest: 0,
            newest_began: None,
            last: (0, None),
            has_begun_anew: false,
            just_before: None,
            answers: Ok(()),
            gap: None,
            answered_before: Duration::ZERO,
            knows_uptime: false,
            all_acked: 0,
        }
    }

    /// Takes in the replica's report about its proxies.
    ///
    /// # Errors
    /// The report is invalid.
    pub(super) fn take_in(
        &mut self,
        syncz: &[u8],
        told: (Duration, Duration),
    ) -> Result<(), serde_json::Error> {
        let proxies: Vec<Proxy<'_>> = serde_json::from_slice(syncz)?;
        let sent = proxies.iter().flat_map(Proxy::sent_and_acked).filter_map(|(sent, _)| push(sent));
        let (newest, began) = sent.max_by_key(|(number, _)| *number).unwrap_or_default();
        self.last = (newest, began);
        // A later push with a smaller number was numbered by another process.
        if newest > 0 && newest < self.newest && began > self.newest_began {
            self.begin_anew();
        }
        let is_just_before = told.1.saturating_sub(self.told.1) <= JUST_BEFORE && self.newest > 0;
        self.just_before = (is_just_before && !self.has_begun_anew).then_some(self.newest);
        if newest > self.newest {
            (self.newest, self.newest_began) = self.last;
        }
        self.connections = proxies.iter().map(Connection::new).collect();
        self.all_acked = self.connections.iter().map(Connection::routes).min().unwrap_or(0);
        self.told = told;
        Ok(())
    }

    /// Handles a restart: the replica numbers its pushes anew, and reads everything again.
    pub(super) fn begin_anew(&mut self) {
        (self.newest, self.newest_began) = self.last;
        self.just_before = None;
        self.has_begun_anew = true;
        self.dumps.forget();
    }
}
