//! All laws over random histories with real Istio objects, and two more about the objects themselves:
//! `cargo test --release -p rollout-istio --test laws -- --nocapture`.
//!
//! `HISTORIES=100000` plays more, `FROM=7` begins at another number, `ONLY=123` plays one and prints what
//! happened.
#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a test may stop where it stands")]

mod support;

use rollout_core::{
    sim::{Content, MeshStore, Moment, What},
    testing::{
        history::{Histories, History, play_over},
        laws::{Findings, Law, Laws, Violation, all},
    },
    traffic::{ObjectRef, StablePingPong},
};
use std::{
    collections::BTreeMap,
    env,
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};
use support::{
    meets::{Request, meets},
    played::{Played, foreign},
};

/// How many are played. Those without routing have no objects and are left out.
const HISTORIES: u64 = 10_000;

/// What is not the engine's in the objects stays as it is, byte for byte.
#[derive(Debug)]
struct ForeignUntouched {
    store: Arc<MeshStore>,
    at_first: BTreeMap<ObjectRef, String>,
    checked: BTreeMap<ObjectRef, Arc<str>>,
}

impl ForeignUntouched {
    fn new(store: &Arc<MeshStore>) -> Self {
        let at_first = store.all().into_iter().map(|(name, object)| (name, foreign(&object.value)));
        Self { store: store.clone(), at_first: at_first.collect(), checked: BTreeMap::new() }
    }
}

impl Law for ForeignUntouched {
    fn name(&self) -> &'static str {
        "foreign_untouched"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if !matches!(moment.what, What::Acted { took_effect: true, .. } | What::Fenced { .. }) {
            return;
        }
        for (name, object) in self.store.all() {
            let write = object.version.write;
            if self.checked.insert(name.clone(), write.clone()) == Some(write) {
                continue;
            }
            findings.premise();
            let now = foreign(&object.value);
            if self.at_first.get(&name) != Some(&now) {
                findings.broken(|| format!("{name} was {:?} and is {now}", self.at_first.get(&name)));
            }
        }
    }
}

/// The same with weights out of 100: a foreign destination keeps its own total, whatever `maxTrafficWeight` is.
fn of_hundred(mut history: History) -> History {
    history.recipe.max_weight = 100;
    history
}

/// The weight that the engine reads is the one that requests meet, as an interpreter finds that knows
/// nothing of the editor.
#[derive(Debug)]
struct ReadIsMet {
    store: Arc<MeshStore>,
}

impl Law for ReadIsMet {
    fn name(&self) -> &'static str {
        "read_is_met"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if !matches!(moment.what, What::Acted { took_effect: true, .. } | What::ForeignWrite { .. }) {
            return;
        }
        // With `pingPong`, the Service that was the canary's may be stable now.
        let (canary, stable) = match moment.truth.status.stable_ping_pong {
            Some(StablePingPong::Pong) => ("stable", "canary"),
            Some(StablePingPong::Ping) | None => ("canary", "stable"),
        };
        let all = self.store.all();
        let values: Vec<_> = all.values().map(|object| (*object.value).clone()).collect();
        for object in &moment.truth.traffic {
            let Content::Routes { routes, .. } = &object.content else { continue };
            let request =
                Request { method: "GET", path: "/x", headers: vec![("lane", "nobody")], query: vec![] };
            let Some(met) = meets(&values, &all[&object.name].value, &request) else { continue };
            findings.premise();
            let (canary, stable) = (met.share("role", canary), met.share("role", stable));
            let total = u64::from(moment.truth.spec.strategy.max_weight());
            let (met, about) = (canary * total / (canary + stable).max(1), total / 50);
            let (lo, hi) = (u64::from(routes.weight.lo()), u64::from(routes.weight.hi()));
            if met + about < lo || met > hi + about || (canary == 0) != (hi == 0) {
                findings
                    .broken(|| format!("{}: weight {} is read, {met} is met", object.name, routes.weight));
            }
        }
    }
}

fn play(history: &History, record: bool) -> Laws {
    let history = &of_hundred(history.clone());
    let played = Played::new(history);
    let mut laws = all();
    laws.push(Box::new(ForeignUntouched::new(&played.store)));
    laws.push(Box::new(ReadIsMet { store: played.store.clone() }));
    let laws = Laws::new(laws);
    play_over(history, played.mesh(), if record { laws.recording() } else { laws })
}

#[derive(Debug, Default)]
struct Found {
    played: u32,
    premises: BTreeMap<&'static str, u64>,
    broken: BTreeMap<&'static str, Vec<(usize, u64)>>,
}

fn some(next: &AtomicU64, until: u64, found: &Mutex<Found>) {
    let drawn = Histories::new();
    loop {
        let number = next.fetch_add(1, Relaxed);
        if number >= until {
            return;
        }
        let history = drawn.draw(number).expect("every number has a history");
        if !history.recipe.routed {
            continue;
        }
        let laws = play(&history, false);
        let mut found = found.lock().expect("no history panics");
        found.played += 1;
        for (law, findings) in laws.findings() {
            *found.premises.entry(law).or_default() += findings.premises();
        }
        if let Some(Violation { law, .. }) = laws.violation() {
            found.broken.entry(law).or_default().push((history.happenings.len(), number));
        }
    }
}

#[test]
fn every_law_holds_with_real_objects() {
    let (from, histories) = match number("ONLY") {
        Some(only) => (only, 1),
        None => (number("FROM").unwrap_or(0), number("HISTORIES").unwrap_or(HISTORIES)),
    };
    let drawn = Histories::new();
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    let found = Mutex::new(Found::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| some(&next, from + histories, &found));
        }
    });
    let Found { played, premises, mut broken } = found.into_inner().expect("no history panics");
    let took = began.elapsed();
    println!(
        "{played} histories from number {from} in {took:.1?}: {:.0} a second",
        f64::from(played) / took.as_secs_f64()
    );
    println!("how often each law had something to say: {premises:#?}");
    for (law, numbers) in &mut broken {
        numbers.sort_unstable();
        println!("BROKEN {law}: {} histories, the shortest: number {}", numbers.len(), numbers[0].1);
    }
    for numbers in broken.values().take(3) {
        smaller(&drawn, numbers[0].1);
    }
    assert!(broken.is_empty(), "laws are broken: {:?}", broken.keys());
    let idle = ["foreign_untouched", "read_is_met", "no_unserved_write", "header_stays_right"];
    let idle: Vec<_> = idle
        .iter()
        .filter(|law| histories > 1 && premises.get(**law).is_none_or(|held| *held == 0))
        .collect();
    assert!(idle.is_empty(), "laws that never had anything to say: {idle:?}");
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The smallest history from a failing one on, as a value and as it happened.
fn smaller(drawn: &Histories, number: u64) {
    let law = |laws: &Laws| laws.violation().map(|broken| broken.law);
    let first = law(&play(&drawn.draw(number).expect("it was drawn before"), false));
    let same = |history: &History| history.recipe.routed && law(&play(history, false)) == first;
    let history = drawn.shrink(number, same).expect("it was drawn before");
    let laws = play(&history, true);
    println!("\n===== history number {number}, made smaller =====\n{history:#?}");
    if let Some(timeline) = laws.timeline() {
        println!("{timeline}");
    }
    if let Some(broken) = laws.violation() {
        println!(
            "===== {broken}\n===== again: ONLY={number} cargo test --release -p rollout-istio --test laws -- --nocapture"
        );
    }
}
