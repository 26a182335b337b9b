//! One update with one crash.

use super::{
    proxy::{Proxy, Variant, Write, now},
    recorder::{Objects, Recorder},
    rest,
};
use crate::bed::{Bed, Canary, Controller, IMAGE, Load, Namespace, RUNTIME, Target, secs};
use crate::recorded::{self, History, Place};
use rollout_core::testing::Record;
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) const PROVIDER: &str = "dubbo3-provider";
/// In this time everything comes to rest.
const BOUND: Duration = secs(90);

/// What goes on when the controller is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// An update by its steps, the second pause ended by a person.
    Update,
    /// An update given up at half of the requests.
    Abort,
    /// The first deploy.
    FirstDeploy,
}

/// At which write the controller is killed, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) story: Story,
    /// From 1.
    pub(crate) at: usize,
    pub(crate) variant: Variant,
    /// Requests go through the Envoys meanwhile, and none may fail.
    pub(crate) load: bool,
}

/// How it went.
pub(crate) struct Ran {
    pub(crate) history: History,
    /// The write at which the controller was killed, if there was one with that number.
    pub(crate) struck: Option<Write>,
    /// How many writes it took.
    pub(crate) counted: usize,
    /// From the restart until it was at rest.
    pub(crate) rested_after: Duration,
    /// Requests sent and failed, if any were.
    pub(crate) requests: Option<(u64, u64)>,
}

/// Everything of one run.
struct Scene {
    space: Namespace,
    proxy: Proxy,
    recorder: Recorder,
    story: Story,
}

impl Scene {
    /// A controller that reaches the API server through the proxy only.
    fn controller(&self) -> Controller<'_> {
        let file = self.space.bed.file(&format!("{}.proxy.kubeconfig", self.space.name));
        self.proxy.write_kubeconfig(&file).unwrap();
        // Every proxy is connected from the beginning: nobody has to be waited for after each crash.
        let flags = ["--loglevel", "debug", "--log-format", "json", "--istiod-reconnects-within-s", "0"];
        self.space.controller().kubeconfig(file).flags(&flags).start()
    }

    /// Waits until the objects are like this; `false` when the controller was killed before.
    fn until(
        &self,
        what: &str,
        are: impl FnMut(&Objects) -> Result<(), String> + Send,
    ) -> Result<bool, String> {
        let reached = RUNTIME.block_on(async {
            tokio::select! {
                () = self.proxy.struck() => Ok(false),
                reached = self.recorder.until(BOUND, are) => reached.map(|()| true),
            }
        });
        reached.map_err(|why| format!("{what}: {why}\n{}", self.space.report()))
    }

    fn image(&self, version: &str) {
        self.space.plugin(&["set", "image", PROVIDER, &format!("container-1={IMAGE}:{version}")]).ok();
    }

    /// What comes before the controller can be killed.
    fn prepare(&self) -> Result<(), String> {
        if self.story == Story::FirstDeploy {
            return Ok(());
        }
        self.until("the first deploy", |objects| rest::is_released(objects, "v0.2"))?;
        if self.story == Story::Abort {
            self.image("v0.3");
            self.until("half of the requests", |objects| rest::is_paused(objects, 3))?;
        }
        Ok(())
    }

    /// What the person does when it begins.
    fn begin(&self) {
        match self.story {
            Story::Update => self.image("v0.3"),
            Story::Abort => drop(self.space.plugin(&["abort", PROVIDER]).ok()),
            Story::FirstDeploy => self.space.apply(&manifests()),
        }
    }

    /// Up to its rest, or the crash; `promoted` is whether the person has ended the pause already.
    fn go_on(&self, promoted: &mut bool) -> Result<bool, String> {
        if self.story == Story::Update && !*promoted {
            if !self.until("the second pause", |objects| rest::is_paused(objects, 3))? {
                return Ok(false);
            }
            self.space.plugin(&["promote", PROVIDER]).ok();
            *promoted = true;
        }
        self.until("the end", |objects| match self.story {
            Story::Update => rest::is_released(objects, "v0.3"),
            Story::Abort => rest::is_aborted(objects),
            Story::FirstDeploy => rest::is_released(objects, "v0.2"),
        })
    }

    /// Waits for a decision that changes nothing and wants nothing: all decisions up to it; `None` when the controller
    /// was killed before.
    fn until_still(&self, controller: &Controller<'_>) -> Result<Option<Vec<Record>>, String> {
        let still = |log: &str| {
            if self.proxy.is_struck() {
                return Some(None);
            }
            // Only the last one counts, and most are not it: the others are not read.
            let last = log.lines().rfind(|line| line.contains(RECORD))?;
            let last = records(last).pop()?;
            is_still(&last).then(|| Some(records(log)))
        };
        let found = controller.find_logged(secs(20), still);
        found.ok_or_else(|| format!("the controller does not come to rest\n{}", self.space.report()))
    }
}

fn is_still(record: &Record) -> bool {
    let plan = &record.plan;
    plan.actions.is_empty() && plan.wake.is_none() && plan.status == record.stored
}

/// What comes before, another process, the crash, and the restart. The error says what did not come.
pub(crate) fn run(bed: &Arc<Bed>, case: Case) -> Result<Ran, String> {
    let space = bed.namespace("crash");
    let recorder = RUNTIME.block_on(Recorder::start(bed.client(), &space.name));
    let recorder = recorder.map_err(|error| error.to_string())?;
    let proxy =
        RUNTIME.block_on(Proxy::start(bed.controllers_client())).map_err(|error| error.to_string())?;
    let scene = Scene { space, proxy, recorder, story: case.story };
    let mut history = History::default();
    let mut load = None;
    if case.story != Story::FirstDeploy {
        scene.space.apply(&manifests());
        let mut first = scene.controller();
        scene.prepare()?;
        load = case.load.then(|| requests(bed, &scene.space));
        first.kill();
        history.decisions.insert(1, placed(records(&first.log())));
    }
    // The process that is killed has not written anything yet.
    scene.proxy.next_process();
    let mut second = scene.controller();
    // As long as nobody is killed there is no fault.
    history.calm = Some((now(), 0));
    scene.proxy.kill_at(case.at, case.variant, second.killer());
    scene.begin();
    let mut promoted = false;
    let mut still = None;
    if scene.go_on(&mut promoted)? {
        still = scene.until_still(&second)?;
    }
    let counted = scene.proxy.disarm();
    let began = Instant::now();
    let is_struck = still.is_none();
    if is_struck {
        second.kill();
        history.killed.push((now(), 0));
        scene.proxy.next_process();
        history.calm = Some((now(), 0));
        let third = scene.controller();
        scene.go_on(&mut promoted)?;
        RUNTIME.block_on(scene.proxy.late_is_over());
        scene.go_on(&mut promoted)?;
        let decided = scene.until_still(&third)?.ok_or("the proxy killed nobody")?;
        history.decisions.insert(3, placed(decided));
    }
    let rested_after = began.elapsed();
    history.rested = true;
    history.decisions.insert(2, placed(records(&second.log())));
    let requests = load.map(|load: Load| {
        let answers = load.stop();
        (answers.requests(), answers.failed())
    });
    let writes = scene.proxy.writes();
    history.writes = writes.iter().map(recorded::Write::from).collect();
    history.seen = RUNTIME.block_on(scene.recorder.all())?;
    let struck = is_struck.then(|| struck(&writes, counted)).flatten();
    Ok(Ran { history, struck, counted, rested_after, requests })
}

/// The last write of the second process.
fn struck(writes: &[Write], counted: usize) -> Option<Write> {
    writes.iter().filter(|write| write.process == 2).nth(counted.checked_sub(1)?).cloned()
}

/// The provider of the weight canary with two pods, a short pause and one without an end, and short scale-down
/// delays.
fn manifests() -> String {
    let text = Canary::Weight.provider("1s");
    let text = text.replace("replicas: 1", "replicas: 2");
    let delays = "      scaleDownDelaySeconds: 1\n      abortScaleDownDelaySeconds: 1\n      steps:\n";
    let text = text.replace("      steps:\n", delays);
    let (first, last) = text.rsplit_once("pause: { duration: 1s }").unwrap();
    assert!(text.contains("replicas: 2") && text.contains("scaleDownDelaySeconds: 1"), "{text}");
    format!("{first}pause: {{}}{last}")
}

fn requests(bed: &Arc<Bed>, space: &Namespace) -> Load {
    let targets = ["sidecar-1", "sidecar-2"].map(|proxy| Target::service(proxy, space, PROVIDER, 20880));
    for target in &targets {
        space.until_answered(target, secs(20));
    }
    Load::start(bed, 50, secs(120), &targets)
}

fn placed(records: Vec<Record>) -> Vec<(Place, Record)> {
    records.into_iter().map(|record| ((record.now.as_millis(), 0), record)).collect()
}

/// How a decision's line is known.
const RECORD: &str = "\"record\":";

/// The decisions in a controller's log.
fn records(log: &str) -> Vec<Record> {
    let lines = log.lines().filter(|line| line.contains(RECORD));
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let texts = lines.filter_map(|line| line.pointer("/fields/record")?.as_str().map(str::to_owned));
    texts.map(|text| serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"))).collect()
}
