//! The laws of the core, for each Rollout of a history: what they say to the core's own simulation, they say to the whole
//! controller, too.

use crate::{
    apps,
    history::History,
    judge,
    mesh::{clock, said::subset},
    recorded::{self, Seen, Write},
    workload,
};
use rollout_core::testing::laws::{Laws, all};
use rollout_kube::testing::{Change, SimulatedApiServer};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
    sync::{Arc, Mutex},
};
use tokio::time::Instant;
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record as Fields},
    subscriber::NoSubscriber,
};

/// What a decision rests on is at most so old: watches are late, and begin anew when requests fail. Milliseconds.
const OLD: i64 = 45_000;

/// A decision, as the controller writes it into its log.
#[derive(Debug)]
struct Decided {
    /// The name of its process, as nonces begin.
    process: String,
    rollout: String,
    tick: u64,
    record: String,
}

/// Writes down what the controllers decide.
#[derive(Clone)]
pub(crate) struct Recorder {
    server: SimulatedApiServer,
    decided: Arc<Mutex<Vec<Decided>>>,
}

impl Recorder {
    pub(crate) fn of(server: &SimulatedApiServer) -> Self {
        Self { server: server.clone(), decided: Arc::default() }
    }
}

/// While there is one listener only, a place in the code that is first reached in a thread without one is never heard
/// of again in any thread. As long as these are kept, there are more.
pub(crate) fn listeners() -> [Dispatch; 2] {
    [(); 2].map(|()| Dispatch::new(NoSubscriber::new()))
}

#[derive(Default)]
struct Found {
    process: String,
    rollout: String,
    record: Option<String>,
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "rollout" => value.clone_into(&mut self.rollout),
            "process" => value.clone_into(&mut self.process),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "record" {
            self.record = Some(format!("{value:?}"));
        }
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "rollout_kube::decision" && *of.level() == Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut found = Found::default();
        event.record(&mut found);
        let Some(record) = found.record.take() else { return };
        let (Found { process, rollout, .. }, tick) = (found, self.server.tick());
        self.decided.lock().unwrap().push(Decided { process, rollout, tick, record });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Fields<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Processes by their names. A process that cannot begin is started again, with another name.
type Numbers = BTreeMap<String, u32>;

/// From which tick to which each process lived.
type Lives = BTreeMap<u32, (u64, u64)>;

/// A name is first seen in what its process wrote.
fn numbers(changes: &[Change], decided: &[Decided], lives: &Lives) -> Numbers {
    let mut unknown: BTreeSet<&str> = decided.iter().map(|decided| decided.process.as_str()).collect();
    let mut numbers = Numbers::new();
    for change in changes {
        let (Some(by), Some(annotations)) = (&change.by, change.object.pointer("/metadata/annotations"))
        else {
            continue;
        };
        let annotations = annotations.to_string();
        unknown.retain(|name| {
            let is_named = annotations.contains(&format!("{name}-"));
            if is_named {
                numbers.insert((*name).to_owned(), by.client.parse().unwrap());
            }
            !is_named
        });
    }
    // One that had nothing to write a nonce into is the only one that there was.
    for decided in decided.iter().filter(|decided| unknown.contains(&*decided.process)) {
        let was_there = |(_, (from, until)): &(&u32, &(u64, u64))| (*from..*until).contains(&decided.tick);
        let mut those = lives.iter().filter(was_there);
        if let (Some((number, _)), None) = (those.next(), those.next()) {
            numbers.insert(decided.process.clone(), *number);
        }
    }
    // Of several, it is the one without a name.
    for decided in decided.iter().filter(|decided| unknown.contains(&*decided.process)) {
        let is_it = |(number, (from, until)): &(&u32, &(u64, u64))| {
            (*from..*until).contains(&decided.tick) && numbers.values().all(|known| known != *number)
        };
        let mut those = lives.iter().filter(is_it);
        if let (Some((number, _)), None) = (those.next(), those.next())
            && !numbers.contains_key(&decided.process)
        {
            numbers.insert(decided.process.clone(), *number);
        }
    }
    numbers
}

/// All laws but the one that asks for the answer to a command: only what came of it is recorded.
fn laws() -> Laws {
    Laws::new(all()).without(&["promote_once"])
}

/// What is known of a history beside what the server knows.
pub(crate) struct Recording<'h> {
    pub(crate) history: &'h History,
    pub(crate) server: &'h SimulatedApiServer,
    pub(crate) began: Instant,
    /// The server's tick when each process was started, by its number.
    pub(crate) started: &'h BTreeMap<u32, u64>,
    /// When each process was killed, and the server's tick.
    pub(crate) killed: &'h BTreeMap<u32, (Instant, u64)>,
    pub(crate) calm: Option<(Instant, u64)>,
}

impl Recording<'_> {
    /// What the laws have to say to each Rollout: how often, which is told, and what is broken.
    pub(crate) fn judge(&self, recorder: &Recorder, tell: &mut judge::Seen) -> Option<String> {
        let changes = self.server.since(0);
        let decided = recorder.decided.lock().unwrap();
        let numbers = numbers(&changes, &decided, &self.lives());
        for app in 0..self.history.apps.len() {
            let name = apps::name(app);
            let history = self.of(app, &changes, (&decided, &numbers));
            let Some(verdict) = recorded::judge(&history, laws()) else { continue };
            let findings = verdict.recorded.laws().findings();
            let premises: Vec<_> = findings.map(|(law, findings)| (law, findings.premises())).collect();
            tell.add(&self.history.apps[app].features(), &premises);
            if let Some(broken) = verdict.recorded.laws().violation() {
                if env::var("ONLY").is_ok() {
                    let again = recorded::judge(&history, laws().recording());
                    let timeline =
                        again.and_then(|again| again.recorded.laws().timeline().map(ToString::to_string));
                    println!("{}", timeline.unwrap_or_default());
                }
                return Some(format!("{}: {name}: {}", broken.law, broken.how));
            }
            if let Some(why) = verdict.unexplained.first() {
                return Some(format!("every_write_is_decided: {name}: {why}"));
            }
        }
        None
    }

    fn lives(&self) -> Lives {
        let until = |number| self.killed.get(number).map_or(u64::MAX, |(_, tick)| *tick);
        self.started.iter().map(|(number, from)| (*number, (*from, until(number)))).collect()
    }

    fn place(&self, at: Instant, tick: u64) -> recorded::Place {
        (clock(self.began, at).as_millis(), tick)
    }

    /// What was recorded of one Rollout, up to the first time that it was deleted.
    fn of(
        &self,
        app: usize,
        changes: &[Change],
        (decided, numbers): (&[Decided], &Numbers),
    ) -> recorded::History {
        let (name, mut history) = (apps::name(app), recorded::History { lag: OLD, ..Default::default() });
        let (route, rule) = (apps::route_of(self.history, app), apps::rule_of(self.history, app));
        let workload = workload::name(app);
        let mut end = u64::MAX;
        for change in changes {
            let text = |pointer| {
                change.object.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default()
            };
            let of = text("/metadata/name");
            let (kind, is_its) = match text("/kind") {
                "Rollout" => ("Rollout", of == name),
                "ReplicaSet" => ("ReplicaSet", text("/metadata/labels/app") == name || of == workload),
                "Deployment" => ("Deployment", of == workload),
                "PodTemplate" => ("PodTemplate", of == workload),
                "Pod" => ("Pod", text("/metadata/labels/app") == name),
                // Where a person took its name, it is none of the Rollout's.
                "AnalysisRun" => (
                    "AnalysisRun",
                    of.starts_with(&format!("{name}-")) && text("/metadata/labels/by").is_empty(),
                ),
                "VirtualService" => ("VirtualService", of == route),
                "DestinationRule" => ("DestinationRule", of == rule),
                "Service" => ("Service", ["stable", "canary"].iter().any(|role| of == subset(&name, role))),
                _ => continue,
            };
            if !is_its {
                continue;
            }
            if kind == "Rollout" && change.is_deleted {
                end = change.tick;
                break;
            }
            let at = self.place(change.at, change.tick);
            let (version, value) = (change.version, Arc::clone(&change.object));
            history.seen.push(Seen {
                at,
                version,
                kind,
                name: of.to_owned(),
                gone: change.is_deleted,
                value,
            });
            if let Some(by) = &change.by {
                let process = by.client.parse().unwrap();
                let late = self.killed.get(&process).is_some_and(|(_, killed)| *killed < change.tick);
                let (sent, path) = (self.place(by.at, by.tick), format!("{kind}/{of}"));
                history.writes.push(Write {
                    process,
                    sent,
                    answered: Some(at),
                    path,
                    version: Some(version),
                    late,
                });
            }
        }
        for decided in
            decided.iter().filter(|decided| decided.rollout == format!("shop/{name}") && decided.tick < end)
        {
            let record: rollout_core::testing::Record = serde_json::from_str(&decided.record).unwrap();
            let place = (record.now.as_millis(), decided.tick);
            // One that never wrote a nonce carried nothing out.
            let Some(process) = numbers.get(&decided.process) else { continue };
            history.decisions.entry(*process).or_default().push((place, record));
        }
        let killed = self.killed.values().filter(|(_, tick)| *tick < end);
        history.killed = killed.map(|(at, tick)| self.place(*at, *tick)).collect();
        history.calm = self.calm.filter(|(_, tick)| *tick < end).map(|(at, tick)| self.place(at, tick));
        (history.rested, history.is_cut) = (end == u64::MAX, end < u64::MAX);
        history
    }
}
