//! Which proxies there are, connected or not, and which are no longer waited for.

use super::replica::{Connection, Replica};
use std::{collections::BTreeMap, time::Duration};

/// A proxy that is not connected, and of whose pod nothing is known, is waited for so long: twice Envoy's longest
/// pause between two attempts.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);
/// If nobody has asked for longer than this, nothing is known about the time between.
pub(super) const GAP: Duration = Duration::from_secs(10);
/// A proxy that has reconnected has asked for everything within this time.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);
/// How many pods are looked for in one round, and how often each at most.
const LOOKS: usize = 10;
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The pod of a connected proxy is looked for less often, since not every proxy has one.
const LOOK_FOR_ONE_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Proxies {
    known: BTreeMap<String, Known>,
    /// Since when every replica that was ever there has answered, without a gap.
    answering_since: Duration,
    last_round: Option<Duration>,
    /// Until then, proxies that are not known yet may be on their way.
    pub(super) all_known_at: Duration,
}

/// One proxy that was connected once.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of which none follows from another")]
pub(super) struct Known {
    pub(super) is_gateway: bool,
    /// To which replica it was last connected, and when.
    replica: String,
    last: Duration,
    pub(super) is_connected: bool,
    since: Duration,
    /// Of which types it has ever acknowledged anything.
    speaks: [bool; 4],
    /// Whether its pod was seen to exist.
    has_pod: bool,
    looked_for: Option<Duration>,
    /// What it has acknowledged, and since when it has stayed at that while more was sent to it.
    stuck: Option<([u64; 4], Duration)>,
    /// The rollouts of other namespaces do not wait for it any more.
    pub(super) is_given_up: bool,
}

/// The namespace of a proxy: its name is that of its pod, a dot, and the namespace.
pub(super) fn namespace(id: &str) -> &str {
    pod(id).map_or("", |(namespace, _)| namespace)
}

/// Namespace and name of a proxy's pod.
fn pod(id: &str) -> Option<(&str, &str)> {
    id.rsplit_once('.').map(|(name, namespace)| (namespace, name))
}

impl Proxies {
    /// Takes in who is connected to the replicas that answer.
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
        // Who is connected to one that does not answer is judged with it.
        for proxy in self.known.values_mut() {
            proxy.is_connected |= replicas.get(&proxy.replica).is_some_and(|last| last.answers.is_err());
        }
        for id in were_connected {
            if let Some(proxy) = self.known.get_mut(&id).filter(|proxy| !proxy.is_connected) {
                // Its pod may have ended just now.
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
            let known = Known {
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

    /// The connected ones of which no pod is known.
    pub(super) fn without_pod(&self) -> Vec<String> {
        let is_asked_for =
            |(id, proxy): &(&String, &Known)| proxy.is_connected && !proxy.has_pod && pod(id).is_some();
        self.known.iter().filter(is_asked_for).map(|(id, _)| id.clone()).collect()
    }

    /// Which pods to ask the cluster for: of proxies that are not connected, whether they are gone; of those that are, until it is
    /// known that there is one. A few at a time, the missing ones first.
    pub(super) fn pods_to_find(&mut self, now: Duration) -> Vec<String> {
        let is_due = |proxy: &Known| {
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
                // It may not be known yet while it is connected.
                Some(false) | None => {}
            }
        }
    }

    /// Gives up those that have been waited for long enough, and says so: one without a pod that does not come back,
    /// for everybody; one that has not kept up for `patience`, for other namespaces than its own.
    pub(super) fn give_up(&mut self, patience: Option<Duration>, now: Duration) -> Vec<(String, String)> {
        let mut said = Vec::new();
        let answering_since = self.answering_since;
        self.known.retain(|id, proxy| {
            let absent = now.saturating_sub(proxy.last.max(answering_since));
            if !proxy.is_connected && !proxy.has_pod && absent >= GIVEN_UP_AFTER {
                said.push((
                    id.clone(),
                    format!(
                        "the proxy {id} has not been connected to istiod for {} s and no pod of it is known, so it \
                         is waited for no longer",
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
                         namespaces wait for it no longer, and its requests may fail; see to its pod",
                        behind.as_secs()
                    ),
                ));
            }
            true
        });
        said
    }

    /// Those that are not connected.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.known.iter().filter(|(_, proxy)| !proxy.is_connected).map(|(id, proxy)| (id.as_str(), proxy))
    }

    /// Whether it has only just connected again, and is not yet where it was: it asks for one type after the other,
    /// and keeps what it had of the rest.
    pub(super) fn is_arriving(&self, connection: &Connection, now: Duration) -> bool {
        self.known.get(&connection.id).is_some_and(|proxy| {
            now.saturating_sub(proxy.since) <= ARRIVES_WITHIN
                && proxy.speaks.iter().zip(connection.speaks()).any(|(ever, now)| *ever && !now)
        })
    }

    pub(super) fn get(&self, id: &str) -> Option<&Known> {
        self.known.get(id)
    }

    /// The pods of these proxies.
    pub(super) fn pods(ids: &[String]) -> Vec<(&str, &str)> {
        ids.iter().filter_map(|id| pod(id)).collect()
    }
}
