//! A proxy, with its own copy of everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// What the routes of a push say: the canary's weight, by app.
pub(crate) type Weights = Arc<BTreeMap<String, u64>>;
/// What its subsets say: the revisions that stable and canary lead to, by app.
pub(crate) type Leads = Arc<BTreeMap<String, (String, String)>>;
/// The addresses of the ready pods, by revision.
pub(crate) type Endpoints = Arc<BTreeMap<String, BTreeSet<String>>>;

/// What a proxy is sent, each kind by itself. Which pods a subset selects comes with the endpoints: a cluster only has
/// the subset's name.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Clusters,
    Endpoints(Leads, Endpoints),
    Routes(Weights),
}

impl Sent {
    pub(super) fn kind(&self) -> usize {
        match self {
            Self::Clusters => 0,
            Self::Endpoints(..) => 1,
            Self::Routes(_) => 2,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) name: String,
    /// How long it takes to acknowledge.
    pub(crate) lag: Duration,
    /// Since when it has no connection.
    pub(crate) away: Option<Instant>,
    /// Which connection it is: what was sent over an earlier one never arrives.
    pub(crate) connection: u64,
    /// Nonces, by kind.
    pub(crate) sent: [String; 3],
    pub(crate) acked: [String; 3],
    /// What was sent last is acknowledged then.
    pub(crate) busy_until: Instant,
    leads: Leads,
    endpoints: Endpoints,
    weights: Weights,
}

impl Proxy {
    pub(crate) fn new(name: String, lag: Duration, now: Instant) -> Self {
        Self {
            name,
            lag,
            away: Some(now),
            connection: 0,
            sent: Default::default(),
            acked: Default::default(),
            busy_until: now,
            leads: Arc::default(),
            endpoints: Arc::default(),
            weights: Arc::default(),
        }
    }

    /// It takes this in, and acknowledges it. To which revisions it sends requests from then on, and did not before,
    /// without knowing a pod of them; each with its app.
    pub(super) fn take_in(&mut self, nonce: String, sent: Sent) -> Vec<(String, String)> {
        let before = self.dark();
        self.acked[sent.kind()] = nonce;
        match sent {
            Sent::Clusters => {}
            Sent::Endpoints(leads, endpoints) => (self.leads, self.endpoints) = (leads, endpoints),
            Sent::Routes(weights) => self.weights = weights,
        }
        let mut dark = self.dark();
        dark.retain(|one| !before.contains(one));
        dark
    }

    fn dark(&self) -> Vec<(String, String)> {
        let apps = self.weights.keys();
        let to = apps.flat_map(|app| self.sends(app).map(move |to| (app, to)));
        let dark = to.filter(|(_, to)| !self.knows(to));
        dark.map(|(app, to)| (app.clone(), to.to_owned())).collect()
    }

    /// To which revisions its requests for an app go.
    pub(crate) fn sends<'p>(&'p self, app: &str) -> impl Iterator<Item = &'p str> {
        let weight = self.weights.get(app).copied();
        let leads = weight.and_then(|weight| Some((weight, self.leads.get(app)?)));
        let both = leads.map(|(weight, (stable, canary))| {
            [(weight < 100).then_some(stable.as_str()), (weight > 0).then_some(canary.as_str())]
        });
        both.into_iter().flatten().flatten()
    }

    /// Whether it knows an address of a revision; without a revision, the subset matches every pod.
    fn knows(&self, revision: &str) -> bool {
        revision.is_empty() || self.endpoints.get(revision).is_some_and(|at| !at.is_empty())
    }
}
