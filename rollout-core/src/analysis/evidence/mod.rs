//! The comparison of canary and stable: a test that may be looked at after every measurement.
//!
//! The question is whether the canary's share of bad requests is at most [`tolerance`](Comparison::tolerance) times
//! stable's. Each window adds to the evidence against that; the chance that it ever becomes
//! [enough](Comparison::alpha) although the canary is no worse is at most `alpha`, whatever the base rate does over time
//! and however the weight changes (`DESIGN.md` has the derivation). A metric asks it with [`Compare`].

mod advice;
mod compare;
mod comparison;
mod counters;
mod lacks;
mod process;
mod settings;
mod spread;
mod state;
mod written;

pub(super) use settings::block_of;
pub(super) use state::carry_over;

pub use advice::{Question, seconds_needed};
pub use comparison::{Comparison, Window};
pub use counters::{Count, Counters, InvalidCounter};
pub use lacks::Lacks;
pub use settings::Compare;

use super::Phase;
use lacks::Totals;
use process::{BETTER, Process, WORSE};
use spread::Spread;

/// The evidence so far.
///
/// ```
/// use rollout_core::analysis::{Comparison, Evidence, Phase, Window};
/// let comparison = Comparison::default();
/// let mut evidence = Evidence::new();
/// let bad = Window { canary: 50, canary_bad: 5, stable: 950, stable_bad: 5 };
/// let windows = (1..).find(|_| {
///     evidence.add(&comparison, &bad);
///     evidence.verdict(&comparison) == Some(Phase::Failed)
/// });
/// assert!(windows.is_some_and(|windows| windows < 10), "10 % against half a per cent");
/// let stored = evidence.write();
/// assert_eq!(Evidence::read(&stored), Some(evidence), "to the last bit");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    worse: Process<8>,
    above: Process<8>,
    better: Process<4>,
    spread: Spread,
    windows: u32,
    totals: Totals,
}

impl Default for Evidence {
    fn default() -> Self {
        Self::new()
    }
}

impl Evidence {
    /// Creates evidence of nothing.
    ///
    /// See [`Evidence`] for an example.
    #[must_use]
    pub fn new() -> Self {
        Self {
            worse: Process::new(),
            above: Process::new(),
            better: Process::new(),
            spread: Spread::new(),
            windows: 0,
            totals: Totals::default(),
        }
    }

    /// Adds a window. Bad requests beyond all requests count as all of them.
    ///
    /// See [`Evidence`] for an example.
    pub fn add(&mut self, comparison: &Comparison, window: &Window) {
        let (n_c, n_s) = (f64::from(window.canary), f64::from(window.stable));
        let (e_c, e_s) = (f64::from(window.canary_bad).min(n_c), f64::from(window.stable_bad).min(n_s));
        let (phi, most) = (self.phi(comparison), comparison.most());
        let share = if n_c + n_s > 0.0 { n_c / (n_c + n_s) } else { 0.5 };
        self.worse.compare(&WORSE, comparison.tolerance, (e_c, e_c + e_s), share, (phi, most));
        let careful = comparison.careful(phi);
        self.better.compare(&BETTER, comparison.pass_at, (e_c, e_c + e_s), share, careful);
        self.above.exceed(&WORSE, comparison.floor, (e_c, n_c), (phi, most));
        self.spread.add(e_s, n_s);
        self.windows = self.windows.saturating_add(1);
        self.totals.add(window);
    }

    fn phi(&self, comparison: &Comparison) -> f64 {
        comparison.dispersion.unwrap_or_else(|| self.spread.phi()).max(1.0)
    }

    /// Returns the verdict, if there is one: the canary is worse, or certainly not much worse.
    ///
    /// See [`Evidence`] for an example.
    #[must_use]
    pub fn verdict(&self, comparison: &Comparison) -> Option<Phase> {
        if self.against(comparison) >= comparison.enough() {
            return Some(Phase::Failed);
        }
        (self.better.evidence() >= comparison.enough_to_pass()).then_some(Phase::Successful)
    }

    /// Returns how much of the evidence for an alarm there is: 1 is enough.
    ///
    /// ```
    /// use rollout_core::analysis::{Comparison, Evidence};
    /// let comparison = Comparison::default();
    /// assert_eq!(Evidence::new().share(&comparison), 0.0);
    /// ```
    #[must_use]
    pub fn share(&self, comparison: &Comparison) -> f64 {
        (self.against(comparison) / comparison.enough()).max(0.0)
    }

    /// The canary must be worse than stable, and above the floor.
    fn against(&self, comparison: &Comparison) -> f64 {
        let worse = self.worse.evidence();
        if comparison.floor > 0.0 { worse.min(self.above.evidence()) } else { worse }
    }
}
