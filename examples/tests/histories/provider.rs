//! The metric providers: they answer as those who are asked about feel.

use crate::{analyses::Mood, mesh::Dice};
use async_trait::async_trait;
use rollout_core::analysis::{Answer, Ask, Metric, Phase, Value as Measured};
use rollout_kube::testing::SimulatedProvider;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What all providers know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moods {
    of: Arc<Mutex<BTreeMap<String, Mood>>>,
    /// Who was asked again at once, although nobody knows what came of the question.
    hasty: Arc<Mutex<Vec<String>>>,
    /// How many questions had an unknown outcome.
    unclear: Arc<Mutex<u64>>,
    /// How often each was asked about.
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Moods {
    pub(crate) fn set(&self, about: &str, mood: Mood) {
        self.of.lock().unwrap().insert(about.to_owned(), mood);
    }

    /// From now on all is well.
    pub(crate) fn calm(&self) {
        self.of.lock().unwrap().values_mut().for_each(|mood| *mood = Mood::Good);
    }

    /// How many questions there were.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.lock().unwrap().values().sum()
    }

    /// How many questions had an unknown outcome, and which of them were asked again at once.
    pub(crate) fn unclear(&self) -> (u64, Vec<String>) {
        (*self.unclear.lock().unwrap(), self.hasty.lock().unwrap().clone())
    }

    /// Another question; how many there were about the same before.
    fn ask(&self, about: &str) -> u64 {
        let mut asked = self.asked.lock().unwrap();
        let asked = asked.entry(about.to_owned()).or_default();
        *asked += 1;
        *asked - 1
    }
}

/// One process asks; what it is answered depends on what it asks, and not on who asks meanwhile.
#[derive(Debug)]
pub(crate) struct PlayedProvider {
    moods: Moods,
    seed: u64,
    /// The questions with an unknown outcome, and when that was.
    unclear: Mutex<BTreeMap<String, Instant>>,
}

/// So long it waits at least to ask again what has no known outcome.
const WAITS: Duration = Duration::from_millis(900);

const PATIENCE: Duration = Duration::from_secs(10);

fn number(number: f64) -> Answer {
    Answer::Value(Measured::Numbers(vec![number]))
}

fn nothing(after: Option<Duration>) -> Answer {
    Answer::Unanswered { why: "no answer".to_owned(), after }
}

impl PlayedProvider {
    pub(crate) fn new(moods: Moods, seed: u64) -> Self {
        Self { moods, seed, unclear: Mutex::default() }
    }

    /// Chances that are the same whenever this is asked again.
    fn dice(&self, run: &Value, metric: &Metric) -> Dice {
        let name = run["metadata"]["name"].as_str().unwrap_or_default();
        let results = run["status"]["metricResults"].as_array().into_iter().flatten();
        let result = results.into_iter().find(|result| result["name"] == metric.name());
        let of = |field: &str| result.and_then(|result| result[field].as_u64()).unwrap_or(0);
        let number = 100 * of("count") + of("error");
        let seed = name
            .bytes()
            .chain(metric.name().bytes())
            .fold(self.seed ^ number, |seed, byte| Dice(seed ^ u64::from(byte)).roll(u64::MAX));
        Dice(seed)
    }
}

#[async_trait]
impl SimulatedProvider for PlayedProvider {
    async fn ask(&self, run: &Value, metric: &Metric, ask: &Ask) -> Option<Answer> {
        let question = format!("{} of {}", metric.name(), run["metadata"]["name"]);
        let unclear = self.unclear.lock().unwrap().remove(&question);
        if unclear.is_some_and(|at| at.elapsed() < WAITS) {
            self.moods.hasty.lock().unwrap().push(question.clone());
        }
        let answer = self.answer(run, metric, ask).await;
        if answer.is_none() {
            *self.moods.unclear.lock().unwrap() += 1;
            self.unclear.lock().unwrap().insert(question, Instant::now());
        }
        answer
    }
}

impl PlayedProvider {
    async fn answer(&self, run: &Value, metric: &Metric, ask: &Ask) -> Option<Answer> {
        let provider = metric.provider();
        let job = provider.pointer("/job/spec/template/spec/containers/0/image");
        let about = provider.pointer("/prometheus/query").or(job).and_then(Value::as_str).unwrap_or_default();
        // One question of three about the same gets an answer in the end.
        let is_lost = !self.moods.ask(about).is_multiple_of(3);
        let mood = self.moods.of.lock().unwrap().get(about).copied().unwrap_or(Mood::Good);
        let mut dice = self.dice(run, metric);
        sleep(Duration::from_millis(dice.roll(300))).await;
        let often = dice.roll(10) < 7;
        let mood = match (mood, dice.roll(10)) {
            (Mood::Mixed, 0) => Mood::Bad,
            (Mood::Mixed, 1) => Mood::Unsure,
            (Mood::Mixed, 2) => Mood::Silent,
            (Mood::Mixed, _) => Mood::Good,
            (mood, _) => mood,
        };
        if job.is_some() {
            return if mood == Mood::Unclear && is_lost { None } else { Some(job_is(mood, ask, &mut dice)) };
        }
        match mood {
            Mood::Bad => Some(number(0.5)),
            Mood::Unsure => Some(number(0.93)),
            Mood::Slow => {
                sleep(Duration::from_millis(dice.roll(30_000))).await;
                Some(number(0.99))
            }
            Mood::Silent => {
                sleep(PATIENCE).await;
                Some(nothing(None))
            }
            Mood::Wrong => Some(Answer::Value(Measured::Text("<html>".to_owned()))),
            Mood::Busy if often => Some(nothing(Some(Duration::from_secs(1 + dice.roll(6))))),
            Mood::Unclear if is_lost => None,
            Mood::Good | Mood::Mixed | Mood::Busy | Mood::Unclear => Some(number(0.99)),
        }
    }
}

/// A Job runs for a while.
fn job_is(mood: Mood, ask: &Ask, dice: &mut Dice) -> Answer {
    if matches!(ask, Ask::Measure { .. }) {
        let resume = Some(Duration::from_secs(1 + dice.roll(5)));
        return Answer::Running { resume, metadata: BTreeMap::new() };
    }
    let phase = match mood {
        Mood::Wrong | Mood::Silent => return nothing(None),
        Mood::Bad => Phase::Failed,
        Mood::Unsure => Phase::Inconclusive,
        Mood::Good | Mood::Mixed | Mood::Slow | Mood::Busy | Mood::Unclear => Phase::Successful,
    };
    let (value, message, metadata) = (String::new(), String::new(), BTreeMap::new());
    Answer::Verdict { phase, value, message, metadata, is_last: false }
}
