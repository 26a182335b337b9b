//! The proxies, connected or not, and those that rollouts no longer wait for.

use super::replica::{Connection, Replica};
use std::{collections::BTreeMap, time::Duration};

/// How long to wait for a disconnected proxy whose pod is unknown: twice Envoy's longest pause between two attempts.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);
/// If no round took place for longer than this, nothing is known about the time between.
pub(super) const GAP: Duration = Duration::from_secs(10);
/// The time within which a reconnected proxy has asked for everything.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);
/// The maximum number of pods looked up in one round, and how often each is looked up.
const LOOKS: usize = 10;
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pod of a connected proxy is looked up less often, since not every proxy has one.
const LOOK_FOR_ONE_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Proxies {
    known: BTreeMap<String, KnownProxy>,
    /// Since when every replica that ever existed has answered, without a gap.
    answering_since: Duration,
    last_round: Option<Duration>,
    /// Until this time, unknown proxies may still be connecting.
    pub(super) all_known_at: Duration,
}

/// A proxy that was connected at least once.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct KnownProxy {
    pub(super) is_gateway: bool,
    /// The replica to which it was last connected, and when.
    replica: String,
    last: Duration,
    pub(super) is_connected: bool,
    since: Duration,
    /// The types of which it has ever acknowledged anything.
    speaks: [bool; 4],
    /// Whether its pod was seen to exist.
    has_pod: bool,
    looked_for: Option<Duration>,
    /// What it has acknowledged, and since when that has not changed while more was sent to it.
    stuck: Option<([u64; 4], Duration)>,
    /// Whether rollouts of other namespaces no longer wait for it.
    pub(super) is_given_up: bool,
}

/// Returns the namespace of a proxy: its name consists of its pod's name, a dot, and the namespace.
pub(super) fn namespace(id: &str) -> &str {
    pod(id).map_or("", |(namespace, _)| namespace)
}

/// Returns the namespace and name of a proxy's pod.
fn pod(id: &str) -> Option<(&str, &str)> {
    id.rsplit_once('.').map(|(name, namespace)| (namespace, name))
}

impl Proxies {
    /// Takes in the connections of the replicas that answer.
    pub(super) fn take_in(&mut self, replicas: &BTreeMap<String, Replica>, now: Duration) {
        let all_answer = replicas.values().all(|replica| replica.answers.is_ok());
        let in_a_row = self.last_round.is_some_and(|last| now.saturating_sub(last) <= GAP);
        if !all_answer || !in_a_row {
            self.answering_since = now;
            self.known.values_mut().for_each(|proxy| proxy.stuck = None);
        }
        let last = self.last_round.replace(now);
        let mut were_connected = Vec::new();
        for (id, proxy) in self.known.iter_mut().filter(|(_, proxy)| proxy.is_connected) {
            proxy.is_connected = false;
            were_connected.push(id.clone());
        }
        for (name, replica) in replicas.iter().filter(|(_, replica)| replica.answers.is_ok()) {
            for connection in &replica.connections {
                self.connected(name, connection, |seen| Some(seen) == last, now);
            }
        }
        // Proxies of a replica that does not answer are judged together with it.
        for proxy in self.known.values_mut() {
            proxy.is_connected |= replicas.get(&proxy.replica).is_some_and(|last| last.answers.is_err());
        }
        for id in were_connected {
            if let Some(proxy) = self.known.get_mut(&id).filter(|proxy| !proxy.is_connected) {
                // Its pod may have just ended.
                proxy.looked_for = None;
            }
        }
    }

    fn connected(
        &mut self,
        replica: &str,
        connection: &Connection,
        in_a_row: impl Fn(Duration) -> bool,
        now: Duration,
    ) {
        if !self.known.contains_key(&connection.id) {
            let known = KnownProxy {
                is_gateway: connection.is_gateway,
                replica: replica.to_owned(),
                last: now,
                is_connected: true,
                since: now,
                speaks: [false; 4],
                has_pod: false,
                looked_for: None,
                stuck: None,
                is_given_up: false,
            };
            self.known.insert(connection.id.clone(), known);
        }
        let Some(proxy) = self.known.get_mut(&connection.id) else { return };
        if proxy.replica != replica {
            replica.clone_into(&mut proxy.replica);
            proxy.since = now;
        }
        if !in_a_row(proxy.last) {
            proxy.since = now;
        }
        proxy.speaks.iter_mut().zip(connection.speaks()).for_each(|(ever, now)| *ever |= now);
        (proxy.last, proxy.is_connected, proxy.is_gateway) = (now, true, connection.is_gateway);
        let progress = connection.progress();
        if connection.is_in_step() {
            (proxy.stuck, proxy.is_given_up) = (None, false);
        } else if proxy.stuck.is_none_or(|(then, _)| then != progress) {
            proxy.stuck = Some((progress, now));
        }
    }

    /// Returns the connected proxies whose pods are unknown.
    pub(super) fn without_pod(&self) -> Vec<String> {
        let is_asked_for =
            |(id, proxy): &(&String, &KnownProxy)| proxy.is_connected && !proxy.has_pod && pod(id).is_some();
        self.known.iter().filter(is_asked_for).map(|(id, _)| id.clone()).collect()
    }

    /// Returns the pods to look up in the cluster: of disconnected proxies, to find out whether they are gone; of
    /// connected ones, until a pod is found. A few at a time, disconnected ones first.
    pub(super) fn pods_to_find(&mut self, now: Duration) -> Vec<String> {
        let is_due = |proxy: &KnownProxy| {
            let every = if proxy.is_connected { LOOK_FOR_ONE_EVERY } else { LOOK_EVERY };
            proxy.looked_for.is_none_or(|last| now.saturating_sub(last) >= every)
        };
        let mut found = Vec::new();
        for are_connected in [false, true] {
            for (id, proxy) in &mut self.known {
                let is_asked_for = proxy.is_connected == are_connected && !(are_connected && proxy.has_pod);
                if found.len() < LOOKS && is_asked_for && is_due(proxy) && pod(id).is_some() {
                    found.push(id.clone());
                    proxy.looked_for = Some(now);
                }
            }
        }
        found
    }

    /// Takes in whether the pods of these proxies exist. A missing pod counts only if there was one: not every proxy
    /// has a pod.
    pub(super) fn looked_for(&mut self, ids: &[String], exist: &[Option<bool>]) {
        for (id, exists) in ids.iter().zip(exist) {
            let Some(proxy) = self.known.get_mut(id) else { continue };
            match exists {
                Some(true) => proxy.has_pod = true,
                Some(false) if proxy.has_pod && !proxy.is_connected => {
                    self.known.remove(id);
                }
                // The pod may not be known yet while the proxy is connected.
                Some(false) | None => {}
            }
        }
    }

    /// Gives up proxies after a long wait, and reports them: a proxy without a pod that does not return, for all
    /// rollouts; one that has not kept up for `patience`, for rollouts of other namespaces.
    pub(super) fn give_up(&mut self, patience: Option<Duration>, now: Duration) -> Vec<(String, String)> {
        let mut said = Vec::new();
        let answering_since = self.answering_since;
        self.known.retain(|id, proxy| {
            let absent = now.saturating_sub(proxy.last.max(answering_since));
            if !proxy.is_connected && !proxy.has_pod && absent >= GIVEN_UP_AFTER {
                said.push((
                    id.clone(),
                    format!(
                        "the proxy {id} has not been connected to istiod for {} s and no pod of it is known, so \
                         rollouts no longer wait for it",
                        absent.as_secs()
                    ),
                ));
                return false;
            }
            let behind = if proxy.is_connected {
                proxy.stuck.map(|(_, since)| now.saturating_sub(since))
            } else {
                Some(absent)
            };
            if let (Some(behind), Some(patience)) = (behind, patience)
                && behind >= patience
                && !proxy.is_given_up
            {
                proxy.is_given_up = true;
                said.push((
                    id.clone(),
                    format!(
                        "the proxy {id} has not acknowledged what istiod sent to it for {} s: rollouts of other \
                         namespaces no longer wait for it, and its requests may fail; check its pod",
                        behind.as_secs()
                    ),
                ));
            }
            true
        });
        said
    }

    /// Returns the disconnected proxies.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, &KnownProxy)> {
        self.known.iter().filter(|(_, proxy)| !proxy.is_connected).map(|(id, proxy)| (id.as_str(), proxy))
    }

    /// Returns whether the proxy has only just reconnected and has not caught up yet: it asks for one type after
    /// another, and keeps its old state of the rest.
    pub(super) fn is_arriving(&self, connection: &Connection, now: Duration) -> bool {
        self.known.get(&connection.id).is_some_and(|proxy| {
            now.saturating_sub(proxy.since) <= ARRIVES_WITHIN
                && proxy.speaks.iter().zip(connection.speaks()).any(|(ever, now)| *ever && !now)
        })
    }

    pub(super) fn get(&self, id: &str) -> Option<&KnownProxy> {
        self.known.get(id)
    }

    /// Returns the pods of these proxies.
    pub(super) fn pods(ids: &[String]) -> Vec<(&str, &str)> {
        ids.iter().filter_map(|id| pod(id)).collect()
    }
}
