//! A played mesh: istiod, which hears of changes late, waits until they rest and pushes; and proxies, each of which
//! takes its time, loses its connection and comes back. What istiod says of it is what the real one says.

mod answers;
mod fetch;
mod istiod;
mod proxy;

pub(crate) use fetch::PlayedFetch;
pub(crate) use istiod::QUIET as DEBOUNCE;

use crate::{history::MeshOf, process::clock, trouble::Dice};
use istiod::Istiod;
use proxy::{Proxy, Sent};
use rollout_kube::testing::{Change, Played};
use std::{
    collections::BTreeMap,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

/// A proxy without a connection tries again at the latest after so long, once there is somebody to connect to.
const BACK_OFF: u64 = 15_000;
/// Nobody has to wait longer for one that is away.
const GIVEN_UP: Duration = Duration::from_secs(55);

/// The first istiod has run for so long: nobody has to wait for proxies that have not found it yet.
const LONG_AGO: Duration = Duration::from_secs(3_600);

/// What is going to happen.
#[derive(Debug)]
enum Event {
    /// The watches of istiod show it.
    Heard(Change),
    /// The proxy of this number takes something in that came over this connection.
    Arrived(usize, u64, String, Sent),
    Connects(usize),
}

pub(crate) struct Inner {
    server: Played,
    dice: Dice,
    began: Instant,
    /// The most that the watches of istiod are late, and the most that an answer takes.
    lags: (Duration, Duration),
    /// Of a hundred questions to istiod, so many get no answer in time.
    silent: u64,
    /// The last version of the server that was looked at.
    version: u64,
    /// When its watches show that.
    heard: Instant,
    istiod: Istiod,
    proxies: Vec<Proxy>,
    events: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    nonces: u64,
    /// Where requests began to meet nothing: proxy, app and revision.
    dark: Vec<(String, String, String)>,
    /// A controller could not ask istiod from the start: its waits go by time.
    pub(crate) is_blind: bool,
}

/// Shared by the controllers, the judge and who makes things happen.
#[derive(Clone)]
pub(crate) struct Mesh(Arc<Mutex<Inner>>);

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mesh")
    }
}

impl Mesh {
    pub(crate) fn start(server: &Played, of: &MeshOf, seed: u64, began: Instant) -> Self {
        let now = Instant::now();
        let proxies = of.proxies.iter().enumerate();
        let proxies = proxies.map(|(at, lag)| Proxy::new(format!("proxy-{at}.shop"), millis(*lag), now));
        let mut inner = Inner {
            server: server.clone(),
            dice: Dice(seed),
            began,
            lags: (millis(of.watches), millis(of.answers)),
            silent: of.silent.into(),
            version: 0,
            heard: now,
            istiod: Istiod::new(now, LONG_AGO),
            proxies: proxies.collect(),
            events: BTreeMap::new(),
            scheduled: 0,
            nonces: 0,
            dark: Vec::new(),
            is_blind: false,
        };
        for at in 0..inner.proxies.len() {
            inner.schedule(now, Event::Connects(at));
        }
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The mesh as it is now.
    pub(crate) fn now(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.0.lock().unwrap();
        inner.pass(Instant::now());
        inner
    }
}

fn millis(millis: u16) -> Duration {
    Duration::from_millis(u64::from(millis))
}

impl Inner {
    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }

    /// Everything that has happened until now.
    fn pass(&mut self, now: Instant) {
        for change in self.server.since(self.version) {
            self.version = change.version;
            let late = Duration::from_millis(self.dice.roll(as_millis(self.lags.0) + 1));
            // A watch shows changes in their order.
            self.heard = self.heard.max(now + late);
            self.schedule(self.heard, Event::Heard(change));
        }
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let push = self.istiod.changed.filter(|_| self.istiod.answers()).map(|changed| changed.due());
            let over = [self.istiod.down_until, self.istiod.frozen_until].into_iter().flatten().min();
            let Some(at) = [event, push, over].into_iter().flatten().min().filter(|at| *at <= now) else {
                return;
            };
            if over == Some(at) {
                self.istiod_goes_on(at);
            } else if event == Some(at) {
                if let Some((_, event)) = self.events.pop_first() {
                    self.happen(event, at);
                }
            } else {
                self.push(at);
            }
        }
    }

    fn happen(&mut self, event: Event, now: Instant) {
        match event {
            Event::Heard(change) => {
                if let Some(frozen) = self.istiod.frozen_until {
                    self.schedule(frozen, Event::Heard(change));
                } else if self.istiod.down_until.is_none() {
                    self.istiod.hears(&change, now);
                }
            }
            Event::Arrived(at, connection, nonce, sent) => {
                let proxy = &mut self.proxies[at];
                if proxy.connection == connection && proxy.away.is_none() {
                    let (dark, name) = (proxy.take_in(nonce, sent), &proxy.name);
                    self.dark.extend(dark.into_iter().map(|(app, to)| (name.clone(), app, to)));
                }
            }
            Event::Connects(at) => self.connect(at, now),
        }
    }

    fn istiod_goes_on(&mut self, now: Instant) {
        self.istiod.frozen_until = None;
        if self.istiod.down_until.take().is_none() {
            return;
        }
        // Another process: it reads everything before it lets anybody connect.
        self.istiod = Istiod::new(now, Duration::ZERO);
        self.events.retain(|_, event| !matches!(event, Event::Heard(_)));
        for change in self.server.since(0) {
            self.version = change.version;
            self.istiod.known.take_in(&change);
        }
        self.istiod.pushed = (self.istiod.known.leads(), self.istiod.known.weights());
        for at in 0..self.proxies.len() {
            let after = Duration::from_millis(self.dice.roll(BACK_OFF));
            self.schedule(now + after, Event::Connects(at));
        }
    }

    fn connect(&mut self, at: usize, now: Instant) {
        if self.proxies[at].away.is_none() {
            return;
        }
        if !self.istiod.answers() {
            if let Some(frozen) = self.istiod.frozen_until {
                self.schedule(frozen, Event::Connects(at));
            }
            return;
        }
        let proxy = &mut self.proxies[at];
        proxy.away = None;
        proxy.connection += 1;
        (proxy.sent, proxy.acked) = Default::default();
        proxy.busy_until = now;
        let (leads, weights) = self.istiod.pushed.clone();
        let endpoints = self.istiod.known.endpoints();
        self.send(at, [Sent::Clusters, Sent::Endpoints(leads, endpoints), Sent::Routes(weights)].into(), now);
    }

    /// Sends it to every proxy that has a connection.
    fn push(&mut self, now: Instant) {
        let Some(changed) = self.istiod.changed.take() else { return };
        let endpoints = self.istiod.known.endpoints();
        if changed.everything {
            self.istiod.pushes += 1;
            self.istiod.pushed = (self.istiod.known.leads(), self.istiod.known.weights());
        }
        for at in 0..self.proxies.len() {
            let (leads, weights) = self.istiod.pushed.clone();
            let mut all = vec![Sent::Endpoints(leads, endpoints.clone())];
            if changed.everything {
                all.insert(0, Sent::Clusters);
                all.push(Sent::Routes(weights));
            }
            if self.proxies[at].away.is_none() {
                self.send(at, all, now);
            }
        }
    }

    /// In this order; each takes the proxy's time.
    fn send(&mut self, at: usize, all: Vec<Sent>, now: Instant) {
        let began = clock(self.began);
        for sent in all {
            self.nonces += 1;
            let uuid = format!("{:08x}-0000-4000-8000-{:012x}", self.nonces, self.nonces);
            let nonce = format!("{began}/{}{uuid}", self.istiod.pushes);
            let proxy = &mut self.proxies[at];
            proxy.sent[sent.kind()].clone_from(&nonce);
            // What comes later is never taken in earlier.
            proxy.busy_until = proxy.busy_until.max(now + proxy.lag) + Duration::from_millis(1);
            let (arrives, connection) = (proxy.busy_until, proxy.connection);
            self.schedule(arrives, Event::Arrived(at, connection, nonce, sent));
        }
    }

    /// There is no istiod for so long, and then another one.
    pub(crate) fn restart_istiod(&mut self, down: Duration) {
        let now = Instant::now();
        self.istiod.down_until = Some(now + down);
        self.istiod.frozen_until = None;
        for proxy in &mut self.proxies {
            proxy.away.get_or_insert(now);
        }
    }

    /// It neither answers nor hears anything for so long.
    pub(crate) fn freeze_istiod(&mut self, time: Duration) {
        if self.istiod.answers() {
            self.istiod.frozen_until = Some(Instant::now() + time);
        }
    }

    /// A proxy loses its connection, and has another one after so long.
    pub(crate) fn lose(&mut self, at: usize, time: Duration) {
        let now = Instant::now();
        self.proxies[at].away.get_or_insert(now);
        self.schedule(now + time, Event::Connects(at));
    }

    pub(crate) fn slow_down(&mut self, at: usize, lag: Duration) {
        self.proxies[at].lag = lag;
    }

    pub(crate) fn proxies(&self) -> usize {
        self.proxies.len()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&mut self) {
        let now = Instant::now();
        for at in 0..self.proxies.len() {
            self.proxies[at].lag = self.proxies[at].lag.min(Duration::from_millis(500));
            self.schedule(now, Event::Connects(at));
        }
    }

    /// No question to istiod stays without an answer any more.
    pub(crate) fn answer_always(&mut self) {
        self.silent = 0;
    }

    /// Where requests began to meet nothing since this was last asked for.
    pub(crate) fn dark(&mut self) -> Vec<(String, String, String)> {
        mem::take(&mut self.dark)
    }

    /// A proxy that counts and sends requests to this revision, if there is one.
    pub(crate) fn meets(&self, apps: &[String], revision: &str) -> Option<&str> {
        let now = Instant::now();
        let counts =
            |proxy: &&Proxy| proxy.away.is_none_or(|since| now.saturating_duration_since(since) < GIVEN_UP);
        let mut proxies = self.proxies.iter().filter(counts);
        let sends = |proxy: &Proxy| apps.iter().any(|app| proxy.sends(app).any(|to| to == revision));
        proxies.find(|proxy| sends(proxy)).map(|proxy| proxy.name.as_str())
    }
}

fn as_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}
