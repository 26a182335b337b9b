//! All set-ups, with istiod quick and stopped: `cargo xtask mesh --set-ups`.

use super::{
    deployment,
    kind::Kind,
    many, scaled,
    story::{Manner, Story},
};
use crate::{
    bed::{Answers, Bed},
    mesh::Outcome,
};
use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

/// Requests a second to each target.
const RATE: u32 = 100;

/// What a run is about.
#[derive(Debug, Clone, Copy)]
enum About {
    /// The story of a set-up.
    SetUp(Kind),
    /// An autoscaler in mid-canary.
    Scaled,
    /// To 0 pods and back.
    Zero,
    /// Twenty Rollouts at once.
    Many,
    /// No Rollout: what Kubernetes itself loses.
    Deployment,
}

/// One run.
#[derive(Debug, Clone, Copy)]
struct Run {
    about: About,
    manner: Manner,
}

impl Run {
    fn all() -> Vec<Self> {
        let about = Kind::ALL.map(About::SetUp).into_iter().chain([
            About::Scaled,
            About::Zero,
            About::Many,
            About::Deployment,
        ]);
        let manner = |istiod_stops| Manner { istiod_stops, rate: RATE };
        about.flat_map(|about| [false, true].map(|stops| Self { about, manner: manner(stops) })).collect()
    }

    fn name(&self) -> String {
        let about = match self.about {
            About::SetUp(kind) => kind.name(),
            About::Scaled => "autoscaler",
            About::Zero => "to-zero",
            About::Many => "twenty",
            About::Deployment => "deployment",
        };
        format!("{about}{}", if self.manner.istiod_stops { "-stopped" } else { "" })
    }

    /// Whether Kubernetes itself makes a gap: without a traffic manager, pods that serve are replaced, as those of a
    /// Deployment are; and while istiod is stopped, no proxy hears of it.
    const fn has_a_gap(&self) -> bool {
        matches!(self.about, About::SetUp(Kind::Basic | Kind::Services) | About::Deployment)
            && self.manner.istiod_stops
    }

    fn play(&self, bed: &Arc<Bed>) -> Answers {
        let space = bed.namespace(&self.name());
        match self.about {
            About::SetUp(kind) => Story::begin_in(bed, &space, kind.set_up(bed, &space), self.manner).play(),
            About::Scaled => scaled::by_an_autoscaler(bed, &space, self.manner),
            About::Zero => scaled::to_zero_and_back(bed, &space, self.manner),
            About::Many => many::at_once(bed, &space, self.manner),
            About::Deployment => deployment::rolling_updates(bed, &space, self.manner),
        }
    }
}

/// Those that are named, separated by commas; or all.
fn chosen(only: &str) -> Vec<Run> {
    let all = Run::all();
    let names: Vec<String> = all.iter().map(Run::name).collect();
    for name in only.split(',').filter(|name| !name.is_empty()) {
        let known = names.join(", ");
        assert!(names.iter().any(|one| one == name), "there is no run `{name}`; there are {known}");
    }
    all.into_iter().filter(|run| only.is_empty() || only.split(',').any(|name| name == run.name())).collect()
}

/// `cargo xtask mesh --set-ups` runs it; it takes three quarters of an hour.
#[test]
fn table_of_the_set_ups() {
    let runs = chosen(&env::var("MESH_ONLY").unwrap_or_default());
    // Two at a time: those that stop istiod have a cluster of their own.
    let (stopping, others): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.manner.istiod_stops);
    let outcomes: Vec<(Run, Outcome)> = thread::scope(|scope| {
        let lanes = [("stopping", stopping), ("others", others)];
        let lanes = lanes.map(|(name, runs)| scope.spawn(move || lane(name, &runs)));
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    println!("\n{}", Outcome::HEAD);
    for (run, outcome) in &outcomes {
        println!("{}", outcome.line(&run.name()));
    }
    let ours = || outcomes.iter().filter(|(run, _)| !run.has_a_gap());
    println!("{}", Outcome::total(ours().map(|(_, outcome)| outcome)));
    let bad: Vec<String> =
        ours().filter(|(_, outcome)| !outcome.is_good()).map(|(run, _)| run.name()).collect();
    assert!(bad.is_empty(), "not as it should be: {}", bad.join(", "));
}

/// Runs one after the other.
fn lane(name: &str, runs: &[Run]) -> Vec<(Run, Outcome)> {
    let Some(_) = runs.first() else { return Vec::new() };
    let bed = Bed::own(&format!("set-ups-{name}"), &["--mesh"]);
    let mut outcomes = Vec::new();
    for run in runs {
        let (mut outcome, began) = (Outcome::default(), Instant::now());
        match catch_unwind(AssertUnwindSafe(|| run.play(&bed))) {
            Ok(answers) => outcome.add(&answers),
            Err(_) => outcome.problems.push("it did not come to its end: see above".to_owned()),
        }
        outcome.seconds = began.elapsed().as_secs();
        println!("{}", outcome.line(&run.name()));
        if !outcome.is_good() {
            println!("{}\n{}", outcome.problems.join("\n"), outcome.details);
        }
        outcomes.push((*run, outcome));
    }
    outcomes
}
