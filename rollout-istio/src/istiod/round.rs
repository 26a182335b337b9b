//! One round: asks every replica once, and judges everything that rollouts wait for.

use super::{
    Inner, Istiod, dump,
    judge::Judge,
    proxies::{GAP, GIVEN_UP_AFTER, Proxies},
    replica::Replica,
    wire::uptime,
};
use rollout_core::{
    Time,
    backend::{Fetch, Fetched, NoAnswer, Round},
};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// The pushes are requested last, so that they are never older than the configuration to be pushed.
const PUSHED: &str = "/debug/syncz";
const METRICS: &str = "/metrics";

/// When a request was sent, and answered.
type Span = (Duration, Duration);

pub(super) async fn round<F: Fetch>(istiod: &Istiod<F>) -> Round {
    let fetch = &istiod.fetch;
    let begun = fetch.elapsed();
    let needs = istiod.inner().needs(istiod, begun);
    let mut paths: Vec<(usize, &str)> = dump::PATHS.into_iter().enumerate().collect();
    paths.retain(|(index, _)| needs.get(*index).is_some_and(|needs| *needs));
    let asked: Vec<&str> = paths.iter().map(|(_, path)| *path).collect();
    let dumps = if asked.is_empty() { Vec::new() } else { fetch.fetch(&asked).await };
    let dumped = fetch.elapsed();
    let pushed = fetch.fetch(&[PUSHED]).await;
    let ended = fetch.elapsed();
    let indexes: Vec<usize> = paths.into_iter().map(|(index, _)| index).collect();
    istiod.inner().take_in(&Told {
        indexes,
        dumps,
        pushed,
        dumping: (begun, dumped),
        telling: (dumped, ended),
    });
    if istiod.inner().replicas.values().any(|replica| !replica.knows_uptime && replica.answers.is_ok()) {
        let metrics = fetch.fetch(&[METRICS]).await;
        istiod.inner().take_in_uptime(metrics, fetch.elapsed());
    }
    let unknown = istiod.inner().connected(ended);
    let exist = fetch.pods(&Proxies::pods(&unknown), false).await;
    istiod.inner().proxies.looked_for(&unknown, &exist);
    let unknown = istiod.inner().proxies.pods_to_find(ended);
    if !unknown.is_empty() {
        let exist = fetch.pods(&Proxies::pods(&unknown), true).await;
        istiod.inner().proxies.looked_for(&unknown, &exist);
    }
    let (ended, now) = (fetch.elapsed(), fetch.now());
    let mut inner = istiod.inner();
    inner.last = Some((ended, ended.saturating_sub(begun)));
    inner.rounds += 1;
    inner.judge(istiod, needs, ended, now)
}

/// All answers of a round.
struct Told {
    /// The dumps that were requested.
    indexes: Vec<usize>,
    dumps: Vec<Fetched>,
    pushed: Vec<Fetched>,
    dumping: Span,
    telling: Span,
}

impl Inner {
    fn needs<F>(&self, istiod: &Istiod<F>, now: Duration) -> dump::Which {
        self.judging(istiod, [false; 3], now).needs(self.watches.lately(), self.verify)
    }

    fn judging<'j, F>(&'j self, istiod: &'j Istiod<F>, read: dump::Which, now: Duration) -> Judge<'j> {
        Judge {
            replicas: &self.replicas,
            strangers: &self.strangers,
            proxies: &self.proxies,
            debounce: istiod.debounce,
            trusted: &istiod.gateways,
            read,
            now,
        }
    }

    fn take_in(&mut self, told: &Told) {
        if self.last.is_some_and(|(last, _)| told.dumping.0.saturating_sub(last) > GAP) {
            // No round took place meanwhile: any of the replicas may be another process.
            for replica in self.replicas.values_mut() {
                replica.knows_uptime = false;
                replica.gap.get_or_insert(NoAnswer::Silent);
            }
        }
        // If there is no replica, the known ones may be frozen and not gone.
        let there: HashSet<&String> = told.pushed.iter().map(|fetched| &fetched.replica).collect();
        if there.is_empty() {
            self.replicas.values_mut().for_each(|replica| replica.answers = Err(NoAnswer::Silent));
        } else {
            self.replicas.retain(|name, _| there.contains(name));
            self.strangers.retain(|name, _| there.contains(name));
        }
        for fetched in &told.pushed {
            let name = &fetched.replica;
            let mut replica = self.replicas.remove(name);
            let is_known = replica.is_some();
            let taken = take_in_one(replica.get_or_insert_with(Replica::new), fetched, told);
            if let (Some(replica), true) = (&mut replica, is_known || taken.is_ok()) {
                replica.answers = taken;
                if let Err(why) = taken {
                    // A closed port is the most conclusive.
                    replica.gap = replica.gap.filter(|gap| *gap == NoAnswer::Closed).or(Some(why));
                    replica.knows_uptime = false;
                }
            }
            match (replica, taken) {
                (Some(replica), Ok(())) => {
                    self.strangers.remove(name);
                    self.replicas.insert(name.clone(), replica);
                }
                (Some(replica), Err(_)) if is_known => {
                    self.replicas.insert(name.clone(), replica);
                }
                (_, Err(why)) => {
                    self.strangers.insert(name.clone(), why);
                }
                (None, Ok(())) => {}
            }
        }
        let all_answer = self.strangers.is_empty()
            && !self.replicas.is_empty()
            && self.replicas.values().all(|replica| replica.answers.is_ok());
        self.unanswered = if all_answer { 0 } else { self.unanswered.saturating_add(1) };
    }

    /// Takes in the uptime of each new or returned replica: whether it has restarted, and whether its proxies may still
    /// be connecting.
    fn take_in_uptime(&mut self, metrics: Vec<Fetched>, now: Duration) {
        let mut of: BTreeMap<String, Option<f64>> = BTreeMap::new();
        for Fetched { replica, answers } in metrics {
            let body = answers.into_iter().next().and_then(Result::ok);
            of.insert(replica, body.and_then(|body| uptime(&body)));
        }
        for (name, replica) in &mut self.replicas {
            if replica.knows_uptime || replica.answers.is_err() {
                continue;
            }
            replica.knows_uptime = true;
            let uptime = of.get(name).copied().flatten();
            let uptime = uptime.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            match replica.gap.take() {
                // A new replica: the proxies of its predecessor are unknown.
                None => {
                    let long_ago = uptime.unwrap_or(if replica.connections.is_empty() {
                        Duration::ZERO
                    } else {
                        GIVEN_UP_AFTER
                    });
                    let all_known_at = now.saturating_add(GIVEN_UP_AFTER.saturating_sub(long_ago));
                    self.proxies.all_known_at = self.proxies.all_known_at.max(all_known_at);
                }
                Some(why) => {
                    let out_of_touch = now.saturating_sub(replica.answered_before);
                    let is_another = uptime.map_or(why == NoAnswer::Closed, |uptime| uptime < out_of_touch);
                    if is_another {
                        replica.begin_anew();
                    }
                }
            }
        }
    }

    /// Takes in the connected proxies; returns those whose pods are unknown.
    fn connected(&mut self, now: Duration) -> Vec<String> {
        self.proxies.take_in(&self.replicas, now);
        self.proxies.without_pod()
    }

    fn judge<F>(&mut self, istiod: &Istiod<F>, read: dump::Which, ended: Duration, now: Time) -> Round {
        self.verify = false;
        for (name, replica) in &mut self.replicas {
            if std::mem::take(&mut replica.has_begun_anew) {
                self.watches.began_anew(name);
            }
        }
        let mut round = Round::default();
        let given_up = self.proxies.give_up(istiod.patience, ended);
        if !given_up.is_empty() {
            let waiting = self.watches.waiting(ended);
            round.notes.extend(given_up.into_iter().map(|(_, text)| (text, waiting.clone())));
        }
        let mut watches = std::mem::take(&mut self.watches);
        let judge = self.judging(istiod, read, ended);
        watches.each_lately(|subject, watch| {
            let answer = judge.judge(subject, watch);
            if watch.judged(answer, (ended, now)) {
                round.changed.extend(watch.askers.iter().cloned());
            }
        });
        watches.count(ended);
        self.watches = watches;
        round.changed.sort_unstable();
        round.changed.dedup();
        round.complaint = self.complaint();
        round
    }

    /// Returns why there are no answers, and what to open.
    fn complaint(&self) -> Option<String> {
        if self.replicas.is_empty() && self.strangers.is_empty() {
            let none = "no istiod was found; name one with its debug port (15014, or a port-forward)";
            return Some(none.to_owned());
        }
        self.strangers.iter().next().map(|(name, why)| complaint(name, *why))
    }
}

/// Takes in the answers of one replica.
fn take_in_one(replica: &mut Replica, pushed: &Fetched, told: &Told) -> Result<(), NoAnswer> {
    let answer =
        |fetched: &Fetched, at: usize| fetched.answers.get(at).cloned().unwrap_or(Err(NoAnswer::Silent));
    let dumps = told.dumps.iter().find(|fetched| fetched.replica == pushed.replica);
    let before = replica.told.1;
    replica.take_in(&answer(pushed, 0)?, told.telling).map_err(|_| NoAnswer::Silent)?;
    for (at, index) in told.indexes.iter().enumerate() {
        let dump = dumps.map_or(Err(NoAnswer::Silent), |dumps| answer(dumps, at))?;
        replica.dumps.take_in(*index, &dump, told.dumping).map_err(|_| NoAnswer::Silent)?;
    }
    replica.answered_before = before;
    Ok(())
}

fn complaint(name: &str, why: NoAnswer) -> String {
    let open = match why {
        NoAnswer::Status(401) => "give a token that it accepts, or reach it over a port-forward",
        NoAnswer::Status(403) => {
            "allow this namespace to read its debug paths, or reach it over a port-forward"
        }
        NoAnswer::Status(404) => "enable its debug interface (ENABLE_DEBUG_ON_HTTP)",
        NoAnswer::TooLarge(_) => "raise the size limit for its answers",
        NoAnswer::Closed | NoAnswer::Silent | NoAnswer::Status(_) | _ => {
            "open its debug port (15014) to this program"
        }
    };
    format!("{name}: {why}, so it is unknown whether the proxies have what was written; {open}")
}
