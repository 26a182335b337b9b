//! What is known of one replica of istiod.

use super::{
    dump::Dumps,
    wire::{Proxy, push},
};
use rollout_core::{Time, backend::NoAnswer};
use std::time::Duration;

/// From a reading older than this nothing is concluded about a push that came since.
const JUST_BEFORE: Duration = Duration::from_secs(1);

/// The longest name of a proxy: a pod, a dot, and a namespace.
const LONGEST_NAME: usize = 253 + 1 + 63;

#[derive(Debug)]
pub(super) struct Replica {
    pub(super) dumps: Dumps,
    /// Its proxies, as they were last told.
    pub(super) connections: Vec<Connection>,
    /// When they were asked for, and told.
    pub(super) told: (Duration, Duration),
    /// The newest push that any proxy was sent since the replica started.
    pub(super) newest: u64,
    newest_began: Option<Time>,
    /// The newest in the last reading alone.
    last: (u64, Option<Time>),
    /// It has restarted, and nobody has been told yet.
    pub(super) has_begun_anew: bool,
    /// The newest push in the reading before this one, if that was just before.
    pub(super) just_before: Option<u64>,
    /// Whether it answered in the last round.
    pub(super) answers: Result<(), NoAnswer>,
    /// Why it has not answered since it last did.
    pub(super) gap: Option<NoAnswer>,
    /// When it last answered before the last time.
    pub(super) answered_before: Duration,
    /// Whether it has been asked for its uptime since it last failed to answer.
    pub(super) knows_uptime: bool,
    /// The push whose routes even the slowest of its proxies has acknowledged.
    pub(super) all_acked: u64,
}

/// One connection of a proxy.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) is_gateway: bool,
    /// For each type: whether the last one sent is acknowledged, and the push of the last one acknowledged.
    acked: [(bool, u64); 4],
}

impl Connection {
    fn new(proxy: &Proxy<'_>) -> Self {
        let acked = proxy
            .sent_and_acked()
            .map(|(sent, acked)| (sent == acked, push(acked).map_or(0, |(number, _)| number)));
        Self { id: shown(&proxy.id), is_gateway: proxy.of_type == "router", acked }
    }

    /// Whether all that was sent to it is acknowledged.
    pub(super) fn is_in_step(&self) -> bool {
        self.acked.iter().all(|(in_step, _)| *in_step)
    }

    /// Whether anything that it has not acknowledged came after this push.
    pub(super) fn has(&self, push: u64) -> bool {
        self.acked.iter().all(|(in_step, acked)| *in_step || *acked >= push)
    }

    /// Differs when it has acknowledged anything more.
    pub(super) fn progress(&self) -> [u64; 4] {
        self.acked.map(|(_, acked)| acked)
    }

    /// Of which types it has acknowledged anything.
    pub(super) fn speaks(&self) -> [bool; 4] {
        self.acked.map(|(_, acked)| acked > 0)
    }

    /// Routes come last in a push: whoever has acknowledged them has been sent the rest of it before.
    fn routes(&self) -> u64 {
        let [.., (_, routes)] = self.acked;
        routes
    }
}

/// A proxy chooses its own name, so the name is made harmless for a log.
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

    /// Takes in what it says of its proxies.
    ///
    /// # Errors
    /// It makes no sense.
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

    /// It has restarted: it numbers its pushes anew, and reads everything again.
    pub(super) fn begin_anew(&mut self) {
        (self.newest, self.newest_began) = self.last;
        self.just_before = None;
        self.has_begun_anew = true;
        self.dumps.forget();
    }
}
