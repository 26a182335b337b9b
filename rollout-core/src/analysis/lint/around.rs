//! The strategy around a run: for how long it may measure, and at which weights.

use crate::{Step, Strategy, analysis::RunRole};
use alloc::vec::Vec;
use core::time::Duration;

/// The strategy around a run, as far as it is known before it is played.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::{Step, Strategy, analysis::{Analysis, Around, Background, RunRole}};
/// let background = Background { analysis: Analysis::of("errors").into(), starting_step: 0 };
/// let pause = |minutes: u64| Step::Pause(Some(Duration::from_secs(60 * minutes)));
/// let steps = [Step::SetWeight(5), pause(10), Step::SetWeight(50), pause(5)];
/// let strategy = Strategy::builder().steps(steps).background(Some(background)).build()?;
/// let around = Around::of(&strategy, RunRole::Background);
/// let stays: Vec<_> = around.stays.iter().map(|stay| (stay.weight, stay.time.unwrap().as_secs())).collect();
/// assert_eq!(stays, [(0.05, 600), (0.5, 300)]);
/// assert_eq!(around.time(), Some(Duration::from_secs(900)));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Around {
    /// What the run is for.
    pub role: RunRole,
    /// For how long the canary has had requests when the run begins; `None` if that is not known.
    pub before: Option<Duration>,
    /// The weights of the canary while the run measures, in order. Of a step, only the weight is known: the run itself
    /// says how long it takes.
    pub stays: Vec<Stay>,
}

/// A time at one weight.
///
/// See [`Around`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Stay {
    /// The canary's share of the requests, from 0 to 1.
    pub weight: f64,
    /// For how long; `None` if a person or another run ends it.
    pub time: Option<Duration>,
}

impl Around {
    /// Returns what a strategy says about the run of one of its analyses.
    ///
    /// See [`Around`] for an example.
    #[must_use]
    pub fn of(strategy: &Strategy, role: RunRole) -> Self {
        let beside = strategy.background().map_or(0, |background| background.starting_step);
        let most = f64::from(strategy.max_weight().max(1));
        let mut around = Self { role, before: None, stays: Vec::new() };
        let (mut weight, mut routed) = (0.0, false);
        for (index, step) in (0_u32..).zip(strategy.steps()) {
            let runs = role == RunRole::Background && index >= beside;
            match step {
                _ if role == RunRole::Step(index) => break,
                Step::SetWeight(parts) => {
                    let had_none = weight <= 0.0;
                    weight = f64::from(*parts) / most;
                    if had_none && around.stays.is_empty() {
                        around.before = (weight > 0.0 && !routed).then_some(Duration::ZERO);
                    }
                }
                Step::Pause(time) if runs => around.stay(weight, *time),
                Step::Analysis(_) if runs => around.stay(weight, None),
                Step::Pause(Some(time)) => around.before = around.before.map(|before| before + *time),
                Step::Pause(None) | Step::Analysis(_) => around.before = None,
                Step::SetHeaderRoute { .. } | Step::SetMirrorRoute { .. } => routed = true,
                Step::SetCanaryScale(_) => {}
            }
        }
        if let RunRole::Step(_) = role {
            around.stays = Vec::from([Stay { weight, time: None }]);
        }
        around
    }

    /// Returns how long the run may measure beside the steps; `None` if that is not known.
    ///
    /// See [`Around`] for an example.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.stays.iter().map(|stay| stay.time).sum()
    }

    fn stay(&mut self, weight: f64, time: Option<Duration>) {
        // Without requests, the run has not begun yet.
        if weight > 0.0 {
            self.stays.push(Stay { weight, time });
        }
    }
}
