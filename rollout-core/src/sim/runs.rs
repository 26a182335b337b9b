//! Runs of analyses in the virtual world.

use super::{Watcher, What, mesh::Mesh, queue::Happening, truth::Truth, world::World};
use crate::{
    Outcome, Time,
    action::RunChange,
    analysis::{Phase, RunId, RunRole, RunSeen},
    strategy::Analysis,
};
use alloc::{boxed::Box, format, string::String, sync::Arc};
use core::fmt;

/// What is measured in the virtual world: it takes a run from one look to the next.
///
/// Without one, every run is successful at once.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Spec, Step, Strategy, Time, analysis::Analysis};
/// use rollout_core::{analysis::{Phase, RunSeen}, sim::{Metrics, Sim, Truth}};
///
/// /// Every run fails after a minute.
/// #[derive(Debug)]
/// struct Bad;
///
/// impl Metrics for Bad {
///     fn look(&mut self, truth: &Truth, run: &mut RunSeen, _: &Analysis) -> Option<Time> {
///         if run.phase == Phase::Pending {
///             run.phase = Phase::Running;
///             return Some(truth.now + Duration::from_secs(60));
///         }
///         run.phase = Phase::Failed;
///         None
///     }
/// }
///
/// let steps = [Step::SetWeight(20), Step::Analysis(Analysis::of("success-rate").into())];
/// let strategy = Strategy::builder().traffic_routing(true).steps(steps).build()?;
/// let mut world = Sim::new(Spec::new(strategy, "v1".into()).replicas(2)).build();
/// world.measure_with(Bad);
/// world.run_to_rest(Duration::from_secs(60))?;
/// world.update_to("v2");
/// world.run_to_rest(Duration::from_secs(600))?;
/// let aborted = world.truth().status.aborted.clone().expect("the run failed");
/// assert_eq!(world.summary().requests.unserved, 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait Metrics: fmt::Debug {
    /// Takes one look at a run: when it begins, when it is due, and when it is told to end ([`RunSeen::stopping`]).
    /// Returns when to look again; `None` if the run is over, or waits for nothing.
    fn look(&mut self, truth: &Truth, run: &mut RunSeen, analysis: &Analysis) -> Option<Time>;

    /// Time passes until `to`; the world has been as it is since [`Truth::now`]. For metrics that count requests.
    ///
    /// See [`Truth::shares`] for where these go.
    fn pass(&mut self, _truth: &Truth, _to: Time) {}
}

/// Every run is successful at once.
#[derive(Debug)]
pub(super) struct AlwaysGood;

impl Metrics for AlwaysGood {
    fn look(&mut self, _: &Truth, run: &mut RunSeen, _: &Analysis) -> Option<Time> {
        run.phase = Phase::Successful;
        None
    }
}

/// A run of an analysis, as stored.
///
/// See [`Metrics`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimulatedRun {
    /// The run, as a rollout sees it.
    pub seen: RunSeen,
    /// What it analyses.
    pub analysis: Arc<Analysis>,
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Sets what is measured. See [`Metrics`] for an example.
    pub fn measure_with(&mut self, metrics: impl Metrics + 'static) {
        self.metrics = Box::new(metrics);
    }

    /// Sets whether the runs of analyses can be read.
    ///
    /// ```
    /// use rollout_core::{Spec, Strategy, sim::Sim};
    /// let mut world = Sim::new(Spec::new(Strategy::builder().build()?, "v1".into())).build();
    /// world.runs_fail(true);
    /// assert_eq!(world.observed().runs, None);
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn runs_fail(&mut self, fail: bool) {
        self.runs_fail = fail;
        self.runs_changed();
    }

    /// Deletes the newest run, as a foreign client.
    ///
    /// ```
    /// use rollout_core::{Spec, Strategy, sim::Sim};
    /// let mut world = Sim::new(Spec::new(Strategy::builder().build()?, "v1".into())).build();
    /// world.delete_run();
    /// assert!(world.truth().runs.is_empty(), "there is none");
    /// # Ok::<(), rollout_core::InvalidStrategy>(())
    /// ```
    pub fn delete_run(&mut self) {
        if self.truth.runs.pop().is_some() {
            self.runs_changed();
        }
    }

    fn runs_changed(&mut self) {
        self.rest_is_over();
        self.process.wake(self.truth.now);
    }

    pub(super) fn perform_run(&mut self, change: &RunChange) -> Outcome {
        match change {
            RunChange::Start { id, analysis } => {
                if self.truth.runs.iter().any(|run| run.seen.id == *id) {
                    return Outcome::Unchanged;
                }
                let seen = RunSeen::new(&name(id), id.clone());
                self.truth.runs.push(SimulatedRun { seen, analysis: analysis.clone() });
                self.look_at(self.truth.runs.len().saturating_sub(1));
            }
            RunChange::Stop { name } => {
                let Some(index) = self.truth.runs.iter().position(|run| run.seen.name == *name) else {
                    return Outcome::Unchanged;
                };
                if let Some(run) = self.truth.runs.get_mut(index) {
                    run.seen.stopping = true;
                }
                self.look_at(index);
            }
            RunChange::Prune { name } => self.truth.runs.retain(|run| run.seen.name != *name),
        }
        self.runs_changed();
        Outcome::Changed
    }

    /// A run is due.
    pub(super) fn run_is_due(&mut self, at: u64) {
        let due = self.due_runs.iter().position(|(number, _)| *number == at);
        let Some((_, name)) = due.map(|due| self.due_runs.swap_remove(due)) else { return };
        let index = self.truth.runs.iter().position(|run| run.seen.name == name && run.seen.is_live());
        if let Some(index) = index {
            self.look_at(index);
            self.runs_changed();
        }
    }

    fn look_at(&mut self, index: usize) {
        let Some(mut run) = self.truth.runs.get(index).cloned() else { return };
        if run.seen.is_live() {
            let next = self.metrics.look(&self.truth, &mut run.seen, &run.analysis);
            if let Some(next) = next.filter(|_| run.seen.is_live()) {
                self.run_looks = self.run_looks.saturating_add(1);
                self.due_runs.push((self.run_looks, run.seen.name.clone()));
                self.queue.schedule(next.max(self.truth.now), Happening::Run(self.run_looks));
            }
        }
        if let Some(stored) = self.truth.runs.get_mut(index) {
            *stored = run.clone();
        }
        self.see(What::Measured(&run.seen));
    }
}

fn name(id: &RunId) -> String {
    let role = match id.role {
        RunRole::Step(index) => format!("-{index}"),
        RunRole::Background => String::new(),
    };
    format!("{}-{}{role}.{}", id.revision, id.step_hash, id.attempt)
}
