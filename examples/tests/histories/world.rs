//! One history, played.

use crate::{
    apps,
    fetch::Asking,
    history::{Happening, History, MeshOf, OfMesh, Part},
    judge::{Judge, Seen},
    laws::{Recorder, Recording},
    mesh::{Dice, Mesh, NAMESPACE, ProxyOf, Shape},
    pods::Pods,
    process::Process,
    trouble::{Blind, ByChance, MOST, Refused},
};
use rollout_kube::testing::Played;
use serde_json::{Value, json};
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
/// All come to rest within this time once nothing goes wrong any more; a controller that had no luck backs off for up
/// to five minutes.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Where stable has no pods any more, the canary has its requests within this time, although no person helps.
const TAKEN_OVER: Duration = Duration::from_secs(420);
/// How long it has to be quiet at rest.
const REST: Duration = Duration::from_secs(120);

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
            return world.play().await.0;
        }
        let recorder = Recorder::of(&world.server);
        let _guard = tracing::subscriber::set_default(recorder.clone());
        let (mut outcome, world) = world.play().await;
        if outcome.broken.is_none() {
            let (premises, broken) = world.recording().judge(&recorder);
            outcome.seen.add(premises);
            outcome.broken = broken;
        }
        outcome
    })
}

struct World<'h> {
    history: &'h History,
    server: Played,
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
    diary: Vec<String>,
}

impl<'h> World<'h> {
    fn new(history: &'h History) -> Self {
        let (server, began) = (Played::start(), Instant::now());
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
            pods: Pods::new(history.seed),
            mesh,
            server,
            arriving: Vec::new(),
            asked: Arc::default(),
            refused: Refused::default(),
            blind: Blind::default(),
            silent: Arc::new(AtomicU64::new(history.mesh.as_ref().map_or(0, |of| of.silent.into()))),
            diary: Vec::new(),
        }
    }

    async fn play(mut self) -> (Outcome, Self) {
        for (number, (path, object)) in apps::objects(self.history).into_iter().enumerate() {
            let arrivals = &self.history.arrivals;
            let tenths = arrivals.get(number % arrivals.len().max(1)).copied().unwrap_or(0);
            self.later(Duration::from_millis(u64::from(tenths) * 100), path, object);
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
        if let Some(mesh) = &self.mesh {
            mesh.now().calm();
        }
        let count = |all: usize| u64::try_from(all).unwrap();
        let happenings = &self.history.happenings;
        let costs = |what: &Happening| matches!(what, Happening::Overlap(_) | Happening::Refused(..));
        let costly = happenings.iter().filter(|(_, what)| costs(what)).count();
        // Two controllers get in each other's way until one of them yields; what is refused is tried again.
        let most = (60 + 40 * count(costly)) * count(self.history.apps.len()) + 10 * count(happenings.len());
        self.judge.few(self.asked().values().sum(), most);
        if self.judge.is_calm() {
            let changed = count(self.history.apps.len()) + count(happenings.len());
            let live = self.asked().into_iter().filter(|(what, _)| what.starts_with("GET"));
            self.judge.few(live.map(|(_, count)| count).sum(), 8 * changed);
            self.judge.few(self.asked().values().sum(), 22 * changed);
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
        self.controllers.push(Process::start(number, &self.server, mesh, self.began));
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

    /// Somebody deletes an object, and makes it again.
    fn delete(&mut self, app: usize, part: Part, after: Duration) {
        let path = match part {
            Part::Rollout => apps::rollout_path(app),
            Part::RolloutAlone => {
                self.release(app);
                apps::rollout_path(app)
            }
            Part::VirtualService => apps::route_path(&apps::route_of(self.history, app)),
            Part::DestinationRule => apps::rule_path(&apps::rule_of(self.history, app)),
            Part::ReplicaSet(which) => {
                let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
                let hash = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
                let hash = hash.and_then(|rollout| rollout["status"][which.field()].as_str());
                let name = format!("{}-{}", apps::name(app), hash.unwrap_or_default());
                return self.server.delete(&apps::set_path(&name));
            }
        };
        if self.arriving.iter().all(|(_, arriving, _)| *arriving != path) {
            self.server.delete(&path);
            let again = apps::objects(self.history).into_iter().find(|(one, _)| *one == path);
            if let Some((path, object)) = again {
                self.later(after, path, object);
            }
        }
    }

    /// Somebody applies a manifest again, as it was written.
    fn reapply(&mut self, app: usize, part: Part) {
        let path = match part {
            Part::VirtualService => apps::route_path(&apps::route_of(self.history, app)),
            Part::DestinationRule => apps::rule_path(&apps::rule_of(self.history, app)),
            Part::Rollout | Part::RolloutAlone | Part::ReplicaSet(_) => return,
        };
        // One that is gone comes by itself.
        let is_there = |one: &&(String, Value)| {
            one.0 == path && self.arriving.iter().all(|(_, arriving, _)| *arriving != path)
        };
        if let Some((path, object)) = apps::objects(self.history).iter().find(is_there) {
            self.judge();
            if matches!(part, Part::VirtualService) {
                self.judge.foreign.remove(path.rsplit('/').next().unwrap_or_default());
            }
            self.server.apply(path, object.clone());
        }
    }

    /// The ReplicaSets of a Rollout belong to nobody from now on.
    fn release(&self, app: usize) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let rollout = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
        let uid = rollout.map(|rollout| &rollout["metadata"]["uid"]);
        for set in self.server.all("/apis/apps/v1/replicasets") {
            if uid == Some(&set["metadata"]["ownerReferences"][0]["uid"]) {
                let path = apps::set_path(set["metadata"]["name"].as_str().unwrap_or_default());
                self.server.patch(&path, &json!({"metadata": {"ownerReferences": null}}));
            }
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
    }

    /// Writes into the diary what changed.
    fn note(&mut self, object: &Value, is_deleted: bool) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let status = &object["status"];
        let what = match object["kind"].as_str().unwrap_or_default() {
            "ReplicaSet" if is_deleted => "deleted".to_owned(),
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

    async fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Image(app, version) => {
                let app = self.app(*app);
                self.patch(app, &json!({"spec": {"template": apps::template(&apps::name(app), *version)}}));
            }
            Happening::Abort(app) => self.patch(self.app(*app), &json!({"status": {"abort": true}})),
            Happening::Retry(app) => self.patch(self.app(*app), &json!({"status": {"abort": false}})),
            Happening::Promote(app) => {
                self.patch(self.app(*app), &json!({"status": {"pauseConditions": null}}));
            }
            Happening::PromoteFull(app) => {
                self.patch(self.app(*app), &json!({"status": {"promoteFull": true}}));
            }
            Happening::Replicas(app, pods) => {
                self.patch(self.app(*app), &json!({"spec": {"replicas": pods}}));
            }
            Happening::Steps(app, steps) => {
                let canary = json!({"steps": apps::steps(steps)});
                self.patch(self.app(*app), &json!({"spec": {"strategy": {"canary": canary}}}));
            }
            Happening::PodsLost(app, seconds) => {
                let until = Instant::now() + Duration::from_secs(u64::from(*seconds));
                self.pods.lose(apps::name(self.app(*app)), until);
            }
            Happening::Touched(app) => self.touch(self.app(*app)),
            Happening::Killed(seconds) => {
                while !self.controllers.is_empty() {
                    self.kill_oldest();
                }
                self.ends.clear();
                self.pass(Duration::from_secs(u64::from(*seconds))).await;
                self.start();
            }
            Happening::Overlap(seconds) => {
                self.start();
                self.ends.push(Instant::now() + Duration::from_secs(u64::from(*seconds)));
            }
            Happening::Deleted(app, part, tenths) => {
                self.delete(self.app(*app), *part, Duration::from_millis(u64::from(*tenths) * 100));
            }
            Happening::Refused(what, code, seconds) => {
                let until = Instant::now() + Duration::from_secs(u64::from(*seconds));
                *self.refused.lock().unwrap() = Some((what, *code, until));
            }
            Happening::WatchesCut => self.server.cut_watches(),
            Happening::VersionsExpire => {
                self.server.expire();
                self.server.cut_watches();
            }
            Happening::Blind(seconds) => {
                *self.blind.lock().unwrap() = Some(Instant::now() + Duration::from_secs(u64::from(*seconds)));
                self.server.cut_watches();
                self.expires = Some(Instant::now() + Duration::from_secs(u64::from(*seconds)));
            }
            Happening::Reapplied(app, part) => self.reapply(self.app(*app), *part),
            Happening::OfMesh(what) => self.happen_to_mesh(what),
        }
    }

    fn happen_to_mesh(&mut self, what: &OfMesh) {
        let Some(mesh) = &self.mesh else { return };
        let (mut mesh, seconds) = (mesh.now(), |seconds: &u8| Duration::from_secs(u64::from(*seconds)));
        let proxies = mesh.proxies();
        match what {
            OfMesh::Restarts(down) => mesh.restart_istiod(seconds(down)),
            OfMesh::Freezes(time) => mesh.freeze_istiod(seconds(time)),
            OfMesh::LosesProxy(which, time) => mesh.lose(which.index(proxies), seconds(time)),
            OfMesh::SlowsDown(which, lag) => {
                mesh.slow_down(which.index(proxies), Duration::from_millis(u64::from(*lag)));
            }
            OfMesh::StopsProxy(which, time) => mesh.stop(which.index(proxies), seconds(time)),
            OfMesh::ChangesElsewhere(often, apart) => {
                mesh.change_elsewhere(u32::from(*often), Duration::from_millis(u64::from(*apart)));
            }
        }
    }

    /// Somebody else writes into a VirtualService: on condition of its version, as everybody does.
    fn touch(&mut self, app: usize) {
        let name = apps::route_of(self.history, app);
        let all = self.server.all("/apis/networking.istio.io/v1alpha3/virtualservices");
        let Some(there) = all.iter().find(|there| there["metadata"]["name"] == *name) else { return };
        let mut next = (**there).clone();
        let seconds = self.judge.foreign.get(&name).copied().unwrap_or(1) + 1;
        let routes = next["spec"]["http"].as_array_mut().into_iter().flatten();
        for route in routes.filter(|route| route["name"] == "theirs") {
            *route = apps::foreign(seconds);
        }
        // What was written before belongs to the old text.
        self.judge();
        self.judge.foreign.insert(name.clone(), seconds);
        self.server.apply(&apps::route_path(&name), next);
    }

    /// A person helps wherever one is needed, until everything is at rest; then it has to be quiet.
    async fn until_at_rest(&mut self) {
        let (began, before) = (Instant::now(), self.asked());
        let until = began + LIMIT;
        self.pods.lose_no_more();
        self.until_taken_over().await;
        let mut why_not = vec!["nothing was looked at".to_owned()];
        while self.judge.broken.is_none() && !why_not.is_empty() && Instant::now() < until {
            self.help();
            self.pass(Duration::from_secs(20)).await;
            let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
            why_not = rollouts.iter().filter_map(|rollout| self.judge.unrest(rollout)).collect();
        }
        if self.judge.broken.is_some() {
            return;
        }
        self.judge.rests(&why_not);
        let during: u64 = self.asked().values().sum::<u64>() - before.values().sum::<u64>();
        let rollouts = u64::try_from(self.history.apps.len()).unwrap();
        // A mesh that hardly answers takes its time, and each wait is looked at now and then.
        let a_while = began.elapsed().as_secs() / 4;
        self.judge.few(during, (150 + a_while) * rollouts);
        self.silent.store(0, Ordering::Relaxed);
        // Bookkeeping may wait for half a minute, and a process that found another one at work for a whole one.
        self.pass(Duration::from_secs(180)).await;
        let before = self.asked();
        self.pass(REST).await;
        let asked = self.asked().into_iter().map(|(what, count)| {
            let more = count - before.get(&what).copied().unwrap_or(0);
            (what, more)
        });
        self.judge.quiet(&asked.filter(|(_, count)| *count > 0).collect());
    }

    /// Nobody has to help where the canary is all that there is, nor where the Rollout says that all is well.
    async fn until_taken_over(&mut self) {
        let until = Instant::now() + TAKEN_OVER;
        // Pods that were lost come back first.
        self.pass(Duration::from_secs(10)).await;
        let (mut weights, mut wrong) = self.owed();
        while (weights.iter().any(|weight| *weight < 100) || !wrong.is_empty()) && Instant::now() < until {
            self.pass(Duration::from_secs(5)).await;
            if self.judge.broken.is_some() {
                return;
            }
            (weights, wrong) = self.owed();
        }
        self.judge.took_over(&weights);
        self.judge.is_right(&wrong);
    }

    /// The weights of canaries that have to take over, and what is wrong although it is said to be right.
    fn owed(&self) -> (Vec<u64>, Vec<String>) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let weights = rollouts.iter().filter_map(|rollout| self.judge.must_take_over(rollout)).collect();
        (weights, rollouts.iter().filter_map(|rollout| self.judge.is_healthy_and_wrong(rollout)).collect())
    }

    /// Requests so far, by verb and kind: without watches and events.
    fn asked(&self) -> BTreeMap<String, u64> {
        let all = self.server.requests().into_iter();
        all.filter(|(what, _)| !what.starts_with("WATCH") && !what.ends_with("events")).collect()
    }

    fn help(&mut self) {
        for (app, rollout) in self.server.all("/apis/argoproj.io/v1alpha1/rollouts").iter().enumerate() {
            let image = rollout.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
            if image == Some(&apps::image(apps::BAD)) {
                self.patch(app, &json!({"spec": {"template": apps::template(&apps::name(app), 0)}}));
            } else if rollout.pointer("/status/abort") == Some(&Value::Bool(true)) {
                self.patch(app, &json!({"status": {"abort": false}}));
            } else if rollout["status"]["phase"] == "Paused" || is_without_stable(rollout) {
                self.patch(app, &json!({"status": {"promoteFull": true}}));
            }
        }
    }
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

/// Whether the update stands still because somebody deleted the pods of the stable revision: a person decides.
fn is_without_stable(rollout: &Value) -> bool {
    rollout["status"]["message"].as_str().is_some_and(|message| message.starts_with("StableGone"))
}
