//! What every proxy has, from what istiod says about itself.

mod memory;
mod reading;
mod wire;

use async_trait::async_trait;
use memory::{Replica, State, Subject};
use reading::{PATHS, Reading};
use rollout_core::{
    Revision, Time,
    backend::{DataPlane, Fetch, NoAnswer},
    traffic::{Settled, Version},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A round of questions serves all that is asked within this time.
const FRESH: Duration = Duration::from_millis(50);
/// A proxy that is no longer connected may connect again, with what it had; after this time it is gone.
const RECONNECTS_WITHIN: Duration = Duration::from_secs(10);

/// The data plane of Istio: asks every replica of istiod, over its debug paths, what it has seen and what
/// its proxies have acknowledged.
///
/// *Settled* needs evidence, because for a moment after a change nothing has been sent, so all that was sent
/// has been acknowledged. A state is settled when a replica has seen it, all its proxies have acknowledged
/// what they were sent, and either two pushes have come since (the first may have begun before), or one has
/// come and no other within the debounce, or nothing has changed for the debounce and a second. The last is
/// needed, too: a proxy that does not depend on an object gets no push for it. Beside each, a push is given
/// 100 ms, and 10 ms for each proxy, and ten times what the questions take, to reach all of them.
///
/// - A replica that once answered and does not any more is *not yet* for all that is new: it may be frozen, and so
///   its proxies. What all its proxies had before, they still have: an abort goes back to a stable that nobody has
///   touched, also while nobody answers.
/// - 401, 403, 404, silence or a closed port from the start is *unknown*, and [`complaint`](Self::complaint)
///   says what to open.
/// - Endpoints need the pods' addresses from [`Fetch::ready`]; a Service needs all its endpoints to be of
///   the revision that it selects.
///
/// Within 50 ms, questions are answered from the same round.
#[derive(Debug)]
pub struct Istiod<F> {
    fetch: F,
    namespace: String,
    debounce: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    round: Option<Round>,
    replicas: HashMap<String, Replica>,
    /// To which replica each proxy was last connected, and when.
    proxies: HashMap<String, (String, Duration)>,
    /// What is not settled, since when.
    waits: HashMap<Subject, (State, Time)>,
    complaint: Option<String>,
}

#[derive(Debug)]
struct Round {
    /// Nothing in it is older.
    begun: Duration,
    /// Nothing in it is newer.
    ended: Duration,
    replicas: Vec<(String, Result<Reading, NoAnswer>)>,
}

impl<F: Fetch> Istiod<F> {
    /// Asks through `fetch`, for a rollout in `namespace`.
    #[must_use]
    pub fn new(fetch: F, namespace: &str) -> Self {
        let debounce = Duration::from_secs(10);
        Self { fetch, namespace: namespace.into(), debounce, inner: Mutex::default() }
    }

    /// How long istiod waits for further changes before it pushes (`PILOT_DEBOUNCE_AFTER`). Default 10 s,
    /// the longest that it ever holds a push back; Istio's own default is 100 ms. A value that is too small
    /// lets traffic follow before every proxy knows the way.
    #[must_use]
    pub fn debounce(mut self, after: Duration) -> Self {
        self.debounce = after;
        self
    }

    /// Why nothing can be said, and what to open; `None` once every replica has answered.
    pub fn complaint(&self) -> Option<String> {
        self.inner().complaint.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all replicas, unless that was done a moment ago.
    async fn ask(&self) {
        let begun = self.fetch.elapsed();
        let is_fresh = |round: &Round| begun.saturating_sub(round.begun) < FRESH;
        if self.inner().round.as_ref().is_some_and(is_fresh) {
            return;
        }
        let mut bodies: BTreeMap<String, Result<Vec<Vec<u8>>, NoAnswer>> = BTreeMap::new();
        for path in PATHS {
            for fetched in self.fetch.fetch(path).await {
                let all = bodies.entry(fetched.replica).or_insert_with(|| Ok(Vec::new()));
                match (all, fetched.answer) {
                    (Ok(all), Ok(body)) => all.push(body),
                    (all @ Ok(_), Err(why)) => *all = Err(why),
                    (Err(_), _) => {}
                }
            }
        }
        let read = |bodies: Vec<Vec<u8>>| match bodies.as_slice() {
            [one, two, three, four] => Reading::parse([one, two, three, four]).map_err(|_| NoAnswer::Silent),
            _ => Err(NoAnswer::Silent),
        };
        let replicas = bodies.into_iter().map(|(name, bodies)| (name, bodies.and_then(read))).collect();
        self.inner().take_in(Round { begun, ended: self.fetch.elapsed(), replicas });
    }
}

impl Inner {
    fn take_in(&mut self, round: Round) {
        self.complaint = None;
        let mut alive: HashMap<String, Replica> = HashMap::new();
        for (name, reading) in &round.replicas {
            let known = self.replicas.remove(name);
            match reading {
                Ok(reading) => {
                    let mut replica = known.unwrap_or_default();
                    replica.read(reading, round.ended);
                    let connected = reading.proxies.iter();
                    self.proxies
                        .extend(connected.map(|(proxy, _)| (proxy.clone(), (name.clone(), round.ended))));
                    alive.insert(name.clone(), replica);
                }
                Err(why) => {
                    if let Some(mut replica) = known {
                        replica.silent();
                        alive.insert(name.clone(), replica);
                    } else {
                        self.complaint.get_or_insert_with(|| complaint(name, *why));
                    }
                }
            }
        }
        if round.replicas.is_empty() {
            // Nobody to ask: those that were there may be frozen, not gone.
            alive.extend(self.replicas.drain());
            self.complaint =
                Some("no istiod was found; name one with its debug port (15014, or a port-forward)".into());
        }
        self.replicas = alive;
        self.proxies.retain(|_, (_, last)| round.ended.saturating_sub(*last) <= RECONNECTS_WITHIN);
        self.round = Some(round);
    }

    fn judge(
        &mut self,
        asked: &[(Subject, State)],
        namespace: &str,
        debounce: Duration,
        now: Time,
    ) -> Settled {
        let mut settled = Settled::Yes;
        for (subject, state) in asked {
            let one = self.judge_one(subject, state, namespace, debounce);
            let answer = match one {
                Verdict::Yes => {
                    self.waits.remove(subject);
                    Settled::Yes
                }
                Verdict::Unknown => Settled::UNKNOWN,
                Verdict::NotYet(behind) => {
                    let wait = self.waits.entry(subject.clone()).or_insert_with(|| (state.clone(), now));
                    if !wait.0.is_same(state) {
                        *wait = (state.clone(), now);
                    }
                    Settled::NotYet { since: wait.1, behind }
                }
            };
            settled = settled.and(answer);
        }
        settled
    }

    fn judge_one(
        &mut self,
        subject: &Subject,
        state: &State,
        namespace: &str,
        debounce: Duration,
    ) -> Verdict {
        let Some(round) = &self.round else { return Verdict::Unknown };
        let mut verdict = Verdict::Yes;
        if round.replicas.is_empty() {
            let once_there = self.replicas.keys().cloned().collect::<Vec<_>>();
            return if once_there.is_empty() { Verdict::Unknown } else { Verdict::NotYet(once_there) };
        }
        for (name, reading) in &round.replicas {
            let one = match (reading, self.replicas.get_mut(name)) {
                (Err(_), Some(replica)) => {
                    if replica.had_last(subject, state) {
                        Verdict::Yes
                    } else {
                        Verdict::NotYet(vec![format!("{name} (does not answer)")])
                    }
                }
                (Err(_) | Ok(_), None) => Verdict::Unknown,
                (Ok(reading), Some(replica)) => {
                    let has = match (subject, state) {
                        (Subject::Object(name), State::Object(version)) => reading.has(name, version),
                        (Subject::Endpoints(revision), State::Endpoints(ready)) => {
                            reading.has_endpoints(namespace, revision, ready)
                        }
                        (Subject::Object(_), State::Endpoints(_))
                        | (Subject::Endpoints(_), State::Object(_)) => false,
                    };
                    if replica.had(subject, state) {
                        Verdict::Yes
                    } else if !has {
                        replica.forget(subject);
                        Verdict::NotYet(vec![format!("{name} (has not seen {subject})")])
                    } else if replica.has_pushed(
                        (subject, state),
                        reading,
                        (round.begun, round.ended),
                        debounce,
                    ) {
                        Verdict::Yes
                    } else {
                        let behind = reading.proxies.iter().filter(|(_, has_all)| !has_all);
                        Verdict::NotYet(behind.map(|(proxy, _)| proxy.clone()).collect())
                    }
                }
            };
            verdict = verdict.and(one);
        }
        let connected = |proxy: &String| {
            let mut readings = round.replicas.iter().filter_map(|(_, reading)| reading.as_ref().ok());
            readings.any(|reading| reading.proxies.iter().any(|(other, _)| other == proxy))
        };
        // Who is connected to one that does not answer has been judged with it.
        let silent = |replica: &String| {
            round.replicas.iter().any(|(name, reading)| name == replica && reading.is_err())
        };
        let lost = self.proxies.iter().filter(|(proxy, (last, _))| !connected(proxy) && !silent(last));
        let mut missing: Vec<_> = lost.map(|(proxy, _)| proxy.clone()).collect();
        if !missing.is_empty() && verdict == Verdict::Yes {
            missing.sort();
            return Verdict::NotYet(missing);
        }
        verdict
    }
}

/// What one replica's answer comes to.
#[derive(Debug, PartialEq)]
enum Verdict {
    Yes,
    NotYet(Vec<String>),
    Unknown,
}

impl Verdict {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotYet(mut all), Self::NotYet(others)) => {
                all.extend(others);
                Self::NotYet(all)
            }
            (not_yet @ Self::NotYet(_), _) | (_, not_yet @ Self::NotYet(_)) => not_yet,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(name) => write!(f, "{name}"),
            Self::Endpoints(revision) => write!(f, "the endpoints of {revision}"),
        }
    }
}

fn complaint(name: &str, why: NoAnswer) -> String {
    let open = match why {
        NoAnswer::Status(401) => "give a token that it accepts, or reach it over a port-forward",
        NoAnswer::Status(403) => {
            "allow this namespace to read its debug paths, or reach it over a port-forward"
        }
        NoAnswer::Status(404) => "enable its debug interface (ENABLE_DEBUG_ON_HTTP)",
        NoAnswer::Closed | NoAnswer::Silent | NoAnswer::Status(_) | _ => {
            "open its debug port (15014) to this program"
        }
    };
    format!("{name}: {why}, so nobody knows whether the proxies have what was written; {open}")
}

#[async_trait]
impl<F: Fetch> DataPlane for Istiod<F> {
    async fn settled(&self, of: &Version, endpoints: &[Revision]) -> Settled {
        self.ask().await;
        let object = |(name, version): &(rollout_core::traffic::ObjectRef, _)| {
            let version: &rollout_core::traffic::ObjectVersion = version;
            (Subject::Object(name.clone()), State::Object(version.clone()))
        };
        let mut asked: Vec<_> = of.objects().iter().map(object).collect();
        let mut unknown = false;
        for revision in endpoints {
            match self.fetch.ready(revision).await {
                Some(ready) => {
                    let state = State::Endpoints(ready.into_iter().collect());
                    asked.push((Subject::Endpoints(revision.clone()), state));
                }
                None => unknown = true,
            }
        }
        let settled = self.inner().judge(&asked, &self.namespace, self.debounce, self.fetch.now());
        if unknown { settled.and(Settled::UNKNOWN) } else { settled }
    }
}
