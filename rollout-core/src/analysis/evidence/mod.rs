//! The comparison of canary and stable: a test that may be looked at after every measurement.
//!
//! The question is whether the canary's share of bad requests is at most [`tolerance`](Comparison::tolerance) times
//! stable's. Each window adds to the evidence against that; the chance that it ever becomes
//! [enough](Comparison::alpha) although the canary is no worse is at most `alpha`, whatever the base rate does over time
//! and however the weight changes (`DESIGN.md` has the derivation).

mod advice;
mod process;
mod spread;

pub use advice::{Question, seconds_needed};

use super::Phase;
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;
use process::{BETTER, Process, WORSE};
use spread::Spread;

/// What is compared, and how sure the answer must be.
///
/// ```
/// use rollout_core::analysis::Comparison;
/// let comparison = Comparison::default();
/// assert_eq!((comparison.alpha, comparison.tolerance), (0.01, 1.25));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "settings that are written out")]
pub struct Comparison {
    /// The greatest chance of a false alarm in a rollout; divide it by the number of compared metrics.
    pub alpha: f64,
    /// How many times stable's share of bad requests the canary may have.
    pub tolerance: f64,
    /// A share of bad requests that never counts, whatever stable's is.
    pub floor: f64,
    /// By how much counts vary more than independent requests would; `None` learns it from stable.
    pub dispersion: Option<f64>,
    /// The canary passes early once it is certainly less than so many times as bad as stable.
    pub pass_at: f64,
    /// The greatest chance that a canary that bad passes early.
    pub beta: f64,
}

impl Default for Comparison {
    fn default() -> Self {
        Self { alpha: 0.01, tolerance: 1.25, floor: 0.001, dispersion: None, pass_at: 2.0, beta: 0.05 }
    }
}

/// What was counted in one window.
///
/// See [`Evidence`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "four counts")]
pub struct Window {
    /// The canary's requests.
    pub canary: u32,
    /// Those of them that were bad.
    pub canary_bad: u32,
    /// Stable's requests.
    pub stable: u32,
    /// Those of them that were bad.
    pub stable_bad: u32,
}

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
        }
    }

    /// Adds a window. Bad requests beyond all requests count as all of them.
    ///
    /// See [`Evidence`] for an example.
    pub fn add(&mut self, comparison: &Comparison, window: &Window) {
        let (n_c, n_s) = (f64::from(window.canary), f64::from(window.stable));
        let (e_c, e_s) = (f64::from(window.canary_bad).min(n_c), f64::from(window.stable_bad).min(n_s));
        let phi = comparison.dispersion.unwrap_or_else(|| self.spread.phi()).max(1.0);
        let share = if n_c + n_s > 0.0 { n_c / (n_c + n_s) } else { 0.5 };
        let enough = -libm::log(comparison.alpha);
        // Where the spread is only estimated, no single window may decide.
        let most = if comparison.dispersion.is_none() { enough / 3.0 } else { f64::INFINITY };
        self.worse.compare(&WORSE, comparison.tolerance, (e_c, e_c + e_s), share, (phi, most));
        self.better.compare(&BETTER, comparison.pass_at, (e_c, e_c + e_s), share, (phi, most));
        self.above.exceed(&WORSE, comparison.floor, (e_c, n_c), (phi, most));
        self.spread.add(e_s, n_s);
        self.windows = self.windows.saturating_add(1);
    }

    /// Returns the verdict, if there is one: the canary is worse, or certainly not much worse.
    ///
    /// See [`Evidence`] for an example.
    #[must_use]
    pub fn verdict(&self, comparison: &Comparison) -> Option<Phase> {
        let enough = -libm::log(comparison.alpha);
        let above = comparison.floor <= 0.0 || self.above.evidence() >= enough;
        if self.worse.evidence() >= enough && above {
            return Some(Phase::Failed);
        }
        (self.better.evidence() >= -libm::log(comparison.beta)).then_some(Phase::Successful)
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
        (self.worse.evidence() / -libm::log(comparison.alpha)).max(0.0)
    }

    /// Writes the evidence as a text that is kept with a measurement.
    ///
    /// See [`Evidence`] for an example.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("1 {}", self.windows);
        let spread = self.spread.numbers();
        let numbers =
            self.worse.logs().iter().chain(self.above.logs()).chain(self.better.logs()).chain(&spread);
        for number in numbers {
            // Writing to a `String` cannot fail.
            let _ = write!(text, " {:016x}", number.to_bits());
        }
        text
    }

    /// Reads what [`write`](Self::write) wrote; `None` for anything else.
    ///
    /// ```
    /// assert_eq!(rollout_core::analysis::Evidence::read("1 0 0"), None);
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("1 ")?.split(' ');
        let windows = words.next()?.parse().ok()?;
        let numbers: Option<Vec<f64>> =
            words.map(|word| u64::from_str_radix(word, 16).ok().map(f64::from_bits)).collect();
        let numbers = numbers?;
        Some(Self {
            worse: Process::of(numbers.get(..8)?)?,
            above: Process::of(numbers.get(8..16)?)?,
            better: Process::of(numbers.get(16..20)?)?,
            spread: Spread::of(numbers.get(20..)?)?,
            windows,
        })
    }
}
