//! One history, played.

mod happen;
mod rest;
mod runs;

use crate::{
    apps,
    fetch::Asking,
    history::{Happening, History, MeshOf},
    judge::{Judge, Seen},
    laws::{Recorder, Recording},
    mesh::{Dice, Mesh, NAMESPACE, ProxyOf, Shape},
    pods::Pods,
    process::Process,
    provider::Moods,
    trouble::{Blind, ByChance, MOST, Refused},
};
use rollout_kube::testing::SimulatedApiServer;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// One history in so many is brought before the laws of the core: that takes longer than to play it.
const RECORDED: u64 = 3;

/// What the diary says when it ends.
pub(crate) const CALM: &str = "nothing goes wrong any more";
/// How often pods come and go, and the changes are judged.
const TICK: Duration = Duration::from_millis(250);
/// What came of a history.
pub(crate) struct Outcome {
    pub(crate) broken: Option<String>,
    pub(crate) seen: Seen,
    pub(crate) diary: Vec<String>,
}

pub(crate) fn play(history: &History) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(history);
        // A log that is asked for is printed; the decisions are not written down then.
        let is_recorded = history.seed.is_multiple_of(RECORDED) && env::var("LOG").is_err();
        if !is_recorded {
            let mut outcome = world.play().await.0;
            outcome.seen.tell_by_feature(&history.features());
            return outcome;
        }
        let recorder = Recorder::of(&world.server);
        let _guard = tracing::subscriber::set_default(recorder.clone());
        let (mut outcome, world) = world.play().await;
        outcome.seen.tell_by_feature(&history.features());
        if outcome.broken.is_none() {
            outcome.broken = world.recording().judge(&recorder, &mut outcome.seen);
        }
        outcome
    })
}

struct World<'h> {
    history: &'h History,
    server: SimulatedApiServer,
    judge: Judge,
    /// How far the server's changes have been judged.
    judged: u64,
    began: Instant,
    controllers: Vec<Process>,
    /// The server's tick when each was started, by its number.
    started: BTreeMap<u32, u64>,
    /// When each was killed, by its number, and the server's tick then.
    killed: BTreeMap<u32, (Instant, u64)>,
    /// When nothing went wrong any more, likewise.
    calm: Option<(Instant, u64)>,
    /// When the watches have missed too much to go on.
    expires: Option<Instant>,
    /// When the oldest of several controllers ends.
    ends: Vec<Instant>,
    pods: Pods,
    mesh: Option<Mesh>,
    /// What is created when, and where.
    arriving: Vec<(Instant, String, Value)>,
    /// How many requests there were.
    asked: Arc<AtomicU64>,
    refused: Refused,
    blind: Blind,
    /// Of a hundred questions to istiod, so many get no answer in time.
    silent: Arc<AtomicU64>,
    moods: Moods,
    /// How many runs people have applied.
    applied: u32,
    diary: Vec<String>,
}

impl<'h> World<'h> {
    fn new(history: &'h History) -> Self {
        let (server, began) = (SimulatedApiServer::start(), Instant::now());
        let mesh = history.mesh.as_ref().map(|of| Mesh::start(&server, shape(of, history.seed ^ 2), began));
        Self {
            history,
            judge: Judge::of(history, mesh.clone()),
            judged: 0,
            began,
            controllers: Vec::new(),
            started: BTreeMap::new(),
            killed: BTreeMap::new(),
            calm: None,
            expires: None,
            ends: Vec::new(),
            pods: Pods::new(history.seed, began),
            mesh,
            server,
            arriving: Vec::new(),
            asked: Arc::default(),
            refused: Refused::default(),
            blind: Blind::default(),
            silent: Arc::new(AtomicU64::new(history.mesh.as_ref().map_or(0, |of| of.silent.into()))),
            moods: Moods::default(),
            applied: 0,
            diary: Vec::new(),
        }
    }

    async fn play(mut self) -> (Outcome, Self) {
        for (number, (path, object)) in apps::objects(self.history).into_iter().enumerate() {
            let arrivals = &self.history.arrivals;
            let tenths = arrivals.get(number % arrivals.len().max(1)).copied().unwrap_or(0);
            self.later(Duration::from_millis(u64::from(tenths) * 100), path, object);
        }
        for (at, app) in self.history.apps.iter().enumerate() {
            if let Some(analysed) = app.analysed {
                self.moods.set(&apps::name(at), analysed.mood);
            }
        }
        let (often, lag) = (u64::from(self.history.trouble), u64::from(self.history.lag));
        self.disturb(often, lag);
        self.start();
        self.pass(Duration::from_secs(u64::from(self.history.deploys))).await;
        for (after, happening) in &self.history.happenings {
            self.pass(Duration::from_millis(u64::from(*after) * 100)).await;
            self.say(&format!("{happening:?}"));
            self.happen(happening).await;
        }
        self.disturb(0, 0);
        *self.refused.lock().unwrap() = None;
        *self.blind.lock().unwrap() = None;
        self.moods.calm();
        if let Some(mesh) = &self.mesh {
            mesh.now().calm();
        }
        let count = |all: usize| u64::try_from(all).unwrap();
        let happenings = &self.history.happenings;
        let costs = |what: &Happening| matches!(what, Happening::Overlap(_) | Happening::Refused(..));
        let costly = happenings.iter().filter(|(_, what)| costs(what)).count();
        let restarts = happenings.iter().filter(|(_, what)| matches!(what, Happening::Restart(_))).count();
        let steps: u64 = self.history.apps.iter().map(|app| count(app.steps.len())).sum();
        let trouble = u64::from(self.history.trouble) / 4;
        // Two controllers get in each other's way until one of them yields; what is refused, or gets no answer, is
        // tried again.
        let most = (60 + 40 * count(costly) + trouble) * count(self.history.apps.len())
            + 10 * count(happenings.len())
            + 20 * count(restarts)
            + 5 * steps;
        let (of_runs, others) = self.counted();
        self.judge.few(others, most);
        self.judge.unclear(self.moods.unclear());
        self.judge.runs_cost(of_runs, self.moods.asked());
        if self.judge.is_calm() {
            let changed = count(self.history.apps.len()) + count(happenings.len());
            let is_live = |what: &str| what.starts_with("GET") && !is_of_runs(what);
            let live = self.asked().into_iter().filter(|(what, _)| is_live(what));
            self.judge.few(live.map(|(_, count)| count).sum(), 8 * changed + steps);
            self.judge.few(others, 22 * changed + 5 * steps);
        }
        self.say(CALM);
        self.calm = Some((Instant::now(), self.server.tick()));
        self.until_at_rest().await;
        let (broken, seen) = (self.judge.broken.clone(), self.judge.seen.clone());
        (Outcome { broken, seen, diary: std::mem::take(&mut self.diary) }, self)
    }

    fn disturb(&self, often: u64, lag: u64) {
        let (dice, asked) = (Dice(self.history.seed ^ 1), Arc::clone(&self.asked));
        let (refused, blind) = (Arc::clone(&self.refused), Arc::clone(&self.blind));
        self.server.disturb(ByChance { dice, often, lag, asked, refused, blind });
    }

    fn say(&mut self, what: &str) {
        self.diary.push(format!("{:>8.2} {what}", self.began.elapsed().as_secs_f32()));
    }

    fn start(&mut self) {
        let number = u32::try_from(self.started.len()).unwrap() + 1;
        self.started.insert(number, self.server.tick());
        let answers = self.history.mesh.as_ref().map_or(0, |of| of.answers);
        let longest = Duration::from_millis(u64::from(answers));
        let asking = Asking { longest, silent: Arc::clone(&self.silent) };
        let mesh = (self.mesh.as_ref(), asking);
        let providers = self.history.has_analyses().then(|| (self.moods.clone(), self.history.seed));
        self.controllers.push(Process::start(number, &self.server, mesh, providers, self.began));
    }

    fn kill_oldest(&mut self) {
        let process = self.controllers.remove(0);
        self.killed.insert(process.number, (Instant::now(), self.server.tick()));
        process.kill();
    }

    /// What was recorded, for the laws.
    fn recording(&self) -> Recording<'_> {
        let Self { history, server, began, started, killed, calm, .. } = self;
        Recording { history, server, began: *began, started, killed, calm: *calm }
    }

    async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && self.judge.broken.is_none() {
            sleep(TICK.min(until - Instant::now())).await;
            self.arrive();
            if self.expires.take_if(|at| *at <= Instant::now()).is_some() {
                self.server.expire();
            }
            let ends = self.ends.extract_if(.., |at| *at <= Instant::now()).count();
            (0..ends).for_each(|_| self.kill_oldest());
            self.pods.run(&self.server);
            self.judge();
        }
    }

    fn later(&mut self, after: Duration, path: String, object: Value) {
        self.arriving.push((Instant::now() + after, path, object));
    }

    fn arrive(&mut self) {
        let now = Instant::now();
        for (_, path, object) in self.arriving.extract_if(.., |(at, ..)| *at <= now) {
            self.server.apply(&path, object);
        }
    }

    fn judge(&mut self) {
        self.judge.ends(self.asked.load(Ordering::Relaxed) < MOST);
        for change in self.server.since(self.judged) {
            self.judged = change.version;
            self.note(&change.object, change.is_deleted);
            self.judge.see(&change, self.began.elapsed());
        }
        self.judge.ask_mesh();
        self.judge.ask_runs();
    }

    /// Writes into the diary what changed.
    fn note(&mut self, object: &Value, is_deleted: bool) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let status = &object["status"];
        let what = match object["kind"].as_str().unwrap_or_default() {
            "ReplicaSet" | "AnalysisRun" if is_deleted => "deleted".to_owned(),
            "ReplicaSet" => format!(
                "wants {} has {} ready {}",
                object["spec"]["replicas"], status["replicas"], status["readyReplicas"]
            ),
            "VirtualService" => {
                let routes = object["spec"]["http"].as_array().cloned().unwrap_or_default();
                let weight = |route: &Value| format!("{}:{}", route["name"], route["route"][1]["weight"]);
                routes.iter().map(weight).collect::<Vec<_>>().join(" ")
            }
            "DestinationRule" => {
                format!("{} {}", object["spec"]["subsets"], object["metadata"]["annotations"])
            }
            "Service" => format!("{}", object["spec"]["selector"]),
            "AnalysisRun" => {
                let results = status["metricResults"].as_array().cloned().unwrap_or_default();
                let result = |of: &Value| format!("{} {} of {}", of["phase"], of["successful"], of["count"]);
                let results: Vec<String> = results.iter().map(result).collect();
                let (phase, ends) = (&status["phase"], &object["spec"]["terminate"]);
                format!("{phase} ends {ends} ({}): {}", status["message"], results.join(", "))
            }
            "Rollout" => format!(
                "{} step {} stable {} current {} abort {} ({})",
                status["phase"],
                status["currentStepIndex"],
                status["stableRS"],
                status["currentPodHash"],
                status["abort"],
                status["message"]
            ),
            _ => return,
        };
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        self.say(&format!("  {kind} {name}: {what}"));
    }

    fn app(&self, index: proptest::sample::Index) -> usize {
        index.index(self.history.apps.len())
    }

    fn patch(&self, app: usize, leaves: &Value) {
        self.server.patch(&apps::rollout_path(app), leaves);
    }

    /// Requests so far, by verb and kind: without watches and events.
    fn asked(&self) -> BTreeMap<String, u64> {
        let all = self.server.requests().into_iter();
        all.filter(|(what, _)| !what.starts_with("WATCH") && !what.ends_with("events")).collect()
    }

    /// How many of them are about runs, which cost what is measured, and how many are about anything else.
    fn counted(&self) -> (u64, u64) {
        let (of_runs, others): (Vec<_>, Vec<_>) =
            self.asked().into_iter().partition(|(what, _)| is_of_runs(what));
        let sum = |all: Vec<(String, u64)>| all.into_iter().map(|(_, count)| count).sum();
        (sum(of_runs), sum(others))
    }
}

fn is_of_runs(what: &str) -> bool {
    what.contains("analysisruns") || what.contains("analysistemplates")
}

fn shape(of: &MeshOf, seed: u64) -> Shape {
    let millis = |millis: u16| Duration::from_millis(u64::from(millis));
    let proxy = |(at, lag): (usize, &u16)| ProxyOf {
        name: format!("proxy-{at}.{NAMESPACE}"),
        of_type: "sidecar",
        lag: millis(*lag),
    };
    let proxies = of.proxies.iter().enumerate().map(proxy).collect();
    Shape { proxies, watches: millis(of.watches), endpoints: millis(of.endpoints), seed }
}
