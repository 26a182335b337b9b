//! A proxy, with its own copy of everything.

use super::said;
use std::{
    array,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// What the routes of a push say: the canary's weight, by route.
pub(crate) type Weights = Arc<BTreeMap<String, u64>>;
/// What its subsets say: the revisions that stable and canary lead to, by app.
pub(crate) type Leads = Arc<BTreeMap<String, (String, String)>>;
/// The addresses of the ready pods, by revision.
pub(crate) type Endpoints = Arc<BTreeMap<String, BTreeSet<String>>>;

/// The types that a push sends, in the order in which it sends them: clusters, endpoints, listeners, routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types([bool; 4]);

impl Types {
    pub(super) const ALL: Self = Self([true; 4]);
    /// Where only routes have changed. Clusters come again because a gateway's may depend on its routes.
    pub(super) const ALL_BUT_ENDPOINTS: Self = Self([true, false, true, true]);
    pub(super) const ENDPOINTS: Self = Self([false, true, false, false]);
    /// What has changed concerns no proxy.
    pub(super) const NONE: Self = Self([false; 4]);

    pub(super) fn and(self, other: Self) -> Self {
        Self(array::from_fn(|at| self.0[at] || other.0[at]))
    }

    pub(super) fn has(self, sent: &Sent) -> bool {
        self.0[sent.kind()]
    }
}

/// What a proxy is sent, each type by itself. Which pods a subset selects comes with the endpoints: a cluster only has
/// the subset's name.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Clusters,
    Endpoints(Leads, Endpoints),
    Listeners,
    Routes(Weights),
}

impl Sent {
    pub(super) fn kind(&self) -> usize {
        match self {
            Self::Clusters => 0,
            Self::Endpoints(..) => 1,
            Self::Listeners => 2,
            Self::Routes(_) => 3,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) name: String,
    /// `sidecar`, or `router` for a gateway.
    pub(crate) of_type: &'static str,
    /// How long it takes to acknowledge.
    pub(crate) lag: Duration,
    /// Since when it has no connection.
    pub(crate) away: Option<Instant>,
    /// Which connection it is: what was sent over an earlier one never arrives.
    pub(crate) connection: u64,
    /// It does nothing, and goes on later where it was.
    pub(crate) is_stopped: bool,
    /// Nonces, by type.
    pub(crate) sent: [String; 4],
    pub(crate) acked: [String; 4],
    /// What was sent last is acknowledged then.
    pub(crate) busy_until: Instant,
    leads: Leads,
    endpoints: Endpoints,
    weights: Weights,
}

impl Proxy {
    pub(crate) fn new(name: String, of_type: &'static str, lag: Duration, now: Instant) -> Self {
        Self {
            name,
            of_type,
            lag,
            away: Some(now),
            connection: 0,
            is_stopped: false,
            sent: Default::default(),
            acked: Default::default(),
            busy_until: now,
            leads: Arc::default(),
            endpoints: Arc::default(),
            weights: Arc::default(),
        }
    }

    /// It takes this in, and answers that it has. To which revisions it sends requests from then on, and did not before,
    /// without knowing a pod of them; each with its app.
    pub(super) fn take_in(&mut self, nonce: String, sent: Sent) -> Vec<(String, String)> {
        let before = self.unserved();
        // An answer to anything but the last that was sent counts for nothing.
        if self.sent[sent.kind()] == nonce {
            self.acked[sent.kind()] = nonce;
        }
        match sent {
            Sent::Clusters | Sent::Listeners => {}
            Sent::Endpoints(leads, endpoints) => (self.leads, self.endpoints) = (leads, endpoints),
            Sent::Routes(weights) => self.weights = weights,
        }
        let mut unserved = self.unserved();
        unserved.retain(|one| !before.contains(one));
        unserved
    }

    fn unserved(&self) -> Vec<(String, String)> {
        let apps = self.weights.keys();
        let to = apps.flat_map(|app| self.sends(app).map(move |to| (app, to)));
        let unserved = to.filter(|(_, to)| !self.knows(to));
        unserved.map(|(app, to)| (app.clone(), to.to_owned())).collect()
    }

    /// To which revisions its requests for an app go.
    pub(crate) fn sends<'p>(&'p self, app: &str) -> impl Iterator<Item = &'p str> {
        let weight = self.weights.get(app).copied();
        let leads = weight.and_then(|weight| Some((weight, self.leads.get(app)?)));
        let both = leads.map(|(weight, (stable, canary))| {
            let is_led = weight > 0 || self.weights.contains_key(&said::header(app));
            [(weight < 100).then_some(stable.as_str()), is_led.then_some(canary.as_str())]
        });
        both.into_iter().flatten().flatten()
    }

    /// Whether it knows an address of a revision; without a revision, the subset matches every pod.
    fn knows(&self, revision: &str) -> bool {
        revision.is_empty() || self.endpoints.get(revision).is_some_and(|at| !at.is_empty())
    }
}
