//! A played mesh: istiod, which hears of changes late, waits until they rest and pushes; and proxies, each of which
//! takes its time, loses its connection and comes back. What istiod says of it is what the real one says: tests on a
//! cluster compare the two (`examples/tests/cluster/conform_mesh/`).

mod answers;
mod dice;
pub(crate) mod istiod;
mod known;
mod proxy;
pub(crate) mod said;

pub(crate) use dice::Dice;

use istiod::Istiod;
use known::Known;
use proxy::{Proxy, Sent, Types};
use rollout_core::Time;
use rollout_kube::testing::{Change, SimulatedApiServer};
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

/// Where all Services are.
pub(crate) const NAMESPACE: &str = "shop";

/// What the clock says at the beginning.
const BEGIN: i64 = 1_800_000_000_000;

/// What the clock says now, if it began then.
pub(crate) fn clock(began: Instant, now: Instant) -> Time {
    let since = now.saturating_duration_since(began).as_millis();
    Time::from_millis(BEGIN + i64::try_from(since).unwrap())
}

/// A mesh as it begins.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) proxies: Vec<ProxyOf>,
    /// How late the watches of istiod are at most.
    pub(crate) watches: Duration,
    /// How late it hears of pods at most, beyond that: somebody else makes endpoints of them first.
    pub(crate) endpoints: Duration,
    pub(crate) seed: u64,
}

#[derive(Debug)]
pub(crate) struct ProxyOf {
    /// That of its pod, a dot, and the namespace.
    pub(crate) name: String,
    /// `sidecar`, or `router` for a gateway.
    pub(crate) of_type: &'static str,
    /// How long it takes to acknowledge.
    pub(crate) lag: Duration,
}

/// What is going to happen.
#[derive(Debug)]
enum Event {
    /// The watches of istiod show it.
    Heard(Change),
    /// The proxy of this number takes something in that came over this connection.
    Arrived(usize, u64, String, Sent),
    Connects(usize),
    /// A proxy that was stopped goes on.
    GoesOn(usize),
    /// Something changes that concerns no proxy here.
    Elsewhere,
}

pub(crate) struct Inner {
    server: SimulatedApiServer,
    pub(crate) dice: Dice,
    began: Instant,
    now: Instant,
    watches: Duration,
    endpoints: Duration,
    /// The last version of the server that was looked at.
    version: u64,
    /// When its watches show that, by kind: each kind has its own.
    heard: BTreeMap<String, Instant>,
    istiod: Istiod,
    proxies: Vec<Proxy>,
    events: BTreeMap<(Instant, u64), Event>,
    /// What proxies that are stopped will do.
    held: Vec<(usize, Event)>,
    scheduled: u64,
    nonces: u64,
    /// Where requests began to meet nothing: proxy, app and revision.
    unserved: Vec<(String, String, String)>,
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
    pub(crate) fn start(server: &SimulatedApiServer, shape: Shape, now: Instant) -> Self {
        let proxies = shape.proxies.into_iter();
        let proxies = proxies.map(|ProxyOf { name, of_type, lag }| Proxy::new(name, of_type, lag, now));
        let mut inner = Inner {
            server: server.clone(),
            dice: Dice(shape.seed),
            began: now,
            now,
            watches: shape.watches,
            endpoints: shape.endpoints,
            version: 0,
            heard: BTreeMap::new(),
            istiod: Istiod::new(Known::default(), now, LONG_AGO),
            proxies: proxies.collect(),
            events: BTreeMap::new(),
            held: Vec::new(),
            scheduled: 0,
            nonces: 0,
            unserved: Vec::new(),
            is_blind: false,
        };
        for at in 0..inner.proxies.len() {
            inner.schedule(now, Event::Connects(at));
        }
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The mesh as it is now.
    pub(crate) fn now(&self) -> MutexGuard<'_, Inner> {
        self.at(Instant::now())
    }

    /// The mesh as it is then.
    pub(crate) fn at(&self, now: Instant) -> MutexGuard<'_, Inner> {
        let mut inner = self.0.lock().unwrap();
        inner.pass(now);
        inner
    }
}

impl Inner {
    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }

    /// Everything that has happened until now.
    fn pass(&mut self, now: Instant) {
        self.now = now;
        for change in self.server.since(self.version) {
            self.version = change.version;
            let kind = change.object["kind"].as_str().unwrap_or_default();
            let most = self.watches + if kind == "Pod" { self.endpoints } else { Duration::ZERO };
            let late = Duration::from_millis(self.dice.roll(as_millis(most) + 1));
            // A watch shows changes in their order.
            let heard = self.heard.entry(kind.to_owned()).or_insert(now);
            *heard = (*heard).max(now + late);
            let at = *heard;
            self.schedule(at, Event::Heard(change));
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
            Event::Heard(_) | Event::Elsewhere if !self.istiod.answers() => {
                if let Some(frozen) = self.istiod.frozen_until {
                    self.schedule(frozen, event);
                }
            }
            Event::Heard(change) => self.istiod.hears(&change, now),
            Event::Elsewhere => self.istiod.has_to_push(Types::NONE, now),
            Event::Arrived(at, ..) | Event::Connects(at) if self.proxies[at].is_stopped => {
                self.held.push((at, event));
            }
            Event::Arrived(at, connection, nonce, sent) => {
                let proxy = &mut self.proxies[at];
                if proxy.connection == connection && proxy.away.is_none() {
                    let (unserved, name) = (proxy.take_in(nonce, sent), &proxy.name);
                    self.unserved.extend(unserved.into_iter().map(|(app, to)| (name.clone(), app, to)));
                }
            }
            Event::Connects(at) => self.connect(at, now),
            Event::GoesOn(at) => {
                self.proxies[at].is_stopped = false;
                for (_, event) in self.held.extract_if(.., |(of, _)| *of == at).collect::<Vec<_>>() {
                    self.schedule(now, event);
                }
            }
        }
    }

    fn istiod_goes_on(&mut self, now: Instant) {
        self.istiod.frozen_until = None;
        if self.istiod.down_until.take().is_none() {
            return;
        }
        // Another process: it reads everything before it lets anybody connect.
        self.events.retain(|_, event| !matches!(event, Event::Heard(_)));
        let changes = self.server.since(0);
        self.version = changes.last().map_or(0, |change| change.version);
        self.istiod = Istiod::new(Known::of(&changes), now, Duration::ZERO);
        // It may come to know some of that a little later than the rest.
        if self.dice.roll(4) == 0 {
            self.istiod.has_to_push(Types::ALL, now);
        }
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
        self.send(at, Types::ALL, now);
    }

    /// Sends what has changed to every proxy that has a connection.
    fn push(&mut self, now: Instant) {
        let Some(changed) = self.istiod.changed.take() else { return };
        self.istiod.pushes += 1;
        self.istiod.pushed = (self.istiod.known.leads(), self.istiod.known.weights());
        for at in 0..self.proxies.len() {
            if self.proxies[at].away.is_none() {
                self.send(at, changed.types, now);
            }
        }
    }

    /// One type after the other; each takes the proxy's time.
    fn send(&mut self, at: usize, types: Types, now: Instant) {
        let (leads, weights) = self.istiod.pushed.clone();
        let endpoints = self.istiod.known.endpoints();
        let all = [Sent::Clusters, Sent::Endpoints(leads, endpoints), Sent::Listeners, Sent::Routes(weights)];
        let time = clock(self.began, now);
        for sent in all.into_iter().filter(|sent| types.has(sent)) {
            self.nonces += 1;
            let uuid = format!("{:08x}-0000-4000-8000-{:012x}", self.nonces, self.nonces);
            let nonce = format!("{time}/{}{uuid}", self.istiod.pushes);
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
        self.istiod.down_until = Some(self.now + down);
        self.istiod.frozen_until = None;
        for proxy in &mut self.proxies {
            proxy.away.get_or_insert(self.now);
        }
    }

    /// It neither answers nor hears anything for so long.
    pub(crate) fn freeze_istiod(&mut self, time: Duration) {
        if self.istiod.answers() {
            self.istiod.frozen_until = Some(self.now + time);
        }
    }

    /// A proxy loses its connection, and has another one after so long.
    pub(crate) fn lose(&mut self, at: usize, time: Duration) {
        self.proxies[at].away.get_or_insert(self.now);
        self.schedule(self.now + time, Event::Connects(at));
    }

    /// A proxy does nothing for so long, and keeps its connection.
    pub(crate) fn stop(&mut self, at: usize, time: Duration) {
        self.proxies[at].is_stopped = true;
        self.schedule(self.now + time, Event::GoesOn(at));
    }

    /// It goes on at once.
    pub(crate) fn go_on(&mut self, at: usize) {
        self.schedule(self.now, Event::GoesOn(at));
    }

    /// So often, and so far apart, something changes that concerns no proxy here: istiod pushes it to nobody.
    pub(crate) fn change_elsewhere(&mut self, often: u32, apart: Duration) {
        for at in 0..often {
            self.schedule(self.now + apart * at, Event::Elsewhere);
        }
    }

    pub(crate) fn slow_down(&mut self, at: usize, lag: Duration) {
        self.proxies[at].lag = lag;
    }

    pub(crate) fn proxies(&self) -> usize {
        self.proxies.len()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&mut self) {
        for at in 0..self.proxies.len() {
            self.proxies[at].lag = self.proxies[at].lag.min(Duration::from_millis(500));
            self.go_on(at);
            self.schedule(self.now, Event::Connects(at));
        }
    }

    /// Whether istiod answers; a controller that it has never answered is blind.
    pub(crate) fn answers(&self) -> bool {
        self.istiod.answers()
    }

    /// Where requests began to meet nothing since this was last asked for.
    pub(crate) fn unserved(&mut self) -> Vec<(String, String, String)> {
        mem::take(&mut self.unserved)
    }

    /// A proxy that counts and sends requests to this revision, if there is one.
    pub(crate) fn meets(&self, apps: &[String], revision: &str) -> Option<&str> {
        let is_lately = |since| self.now.saturating_duration_since(since) < GIVEN_UP;
        let counts = |proxy: &&Proxy| proxy.away.is_none_or(is_lately);
        let mut proxies = self.proxies.iter().filter(counts);
        let sends = |proxy: &Proxy| apps.iter().any(|app| proxy.sends(app).any(|to| to == revision));
        proxies.find(|proxy| sends(proxy)).map(|proxy| proxy.name.as_str())
    }
}

fn as_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}
