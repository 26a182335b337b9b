//! Whether enough was counted to call a canary good.

use super::{
    Comparison, Evidence, Window,
    advice::{needed, requests_needed},
};
use alloc::string::String;
use core::fmt;

/// What is missing before the absence of an alarm means something.
///
/// ```
/// use rollout_core::analysis::{Comparison, Evidence, Window};
/// let comparison = Comparison::default();
/// let mut evidence = Evidence::new();
/// evidence.add(&comparison, &Window { canary: 100, canary_bad: 0, stable: 1_900, stable_bad: 10 });
/// let lacks = evidence.lacks(&comparison).unwrap();
/// assert!(lacks.requests < lacks.requests_needed.unwrap(), "{lacks}");
///
/// let busy = Window { canary: 200_000, canary_bad: 1_000, stable: 200_000, stable_bad: 1_000 };
/// (0..5).for_each(|_| evidence.add(&comparison, &busy));
/// assert_eq!(evidence.lacks(&comparison), None, "twice as many would have raised an alarm");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lacks {
    /// How many requests were counted, of canary and stable.
    pub requests: u64,
    /// About how many are needed; `None` if no number is enough, as without requests to the canary.
    pub requests_needed: Option<u64>,
    /// How many windows there were.
    pub windows: u32,
    /// How many are needed.
    pub windows_needed: u32,
}

impl fmt::Display for Lacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of ", self.requests)?;
        match self.requests_needed {
            Some(needed) => write!(f, "about {needed} requests needed")?,
            None => f.write_str("an unknown number of requests needed")?,
        }
        write!(f, ", {} of {} windows needed", self.windows, self.windows_needed)
    }
}

impl Evidence {
    /// Returns what is missing before the absence of an alarm means something: with so much counted, a canary that is
    /// [`pass_at`](Comparison::pass_at) times as bad as stable would have raised an alarm in nine of ten rollouts.
    /// A share of bad requests below the [`floor`](Comparison::floor) is taken to be the floor.
    ///
    /// See [`Lacks`] for an example.
    #[must_use]
    pub fn lacks(&self, comparison: &Comparison) -> Option<Lacks> {
        let totals = &self.totals;
        let weight = share(totals.canary, totals.canary.saturating_add(totals.stable));
        let stable = share(totals.stable_bad, totals.stable);
        let canary = comparison.pass_at * stable.max(comparison.floor);
        let least = requests_needed(comparison, weight, (canary.min(1.0), stable));
        let lacks = Lacks {
            requests: totals.canary.saturating_add(totals.stable),
            // Where counts vary more, so many times as many are needed.
            requests_needed: least.map(|least| rounded_up(least * self.phi(comparison))),
            windows: self.windows,
            windows_needed: comparison.windows_needed(),
        };
        let is_enough = lacks.requests_needed.is_some_and(|needed| needed <= lacks.requests)
            && lacks.windows_needed <= lacks.windows;
        (!is_enough).then_some(lacks)
    }
}

impl Comparison {
    /// Returns how many windows an alarm needs at least: where the dispersion is learned, no window decides alone.
    ///
    /// ```
    /// use rollout_core::analysis::Comparison;
    /// let comparison = Comparison::default();
    /// assert_eq!(comparison.windows_needed(), 5);
    /// assert_eq!(Comparison { dispersion: Some(1.0), ..comparison }.windows_needed(), 1);
    /// ```
    #[must_use]
    pub fn windows_needed(&self) -> u32 {
        let windows = needed(self.alpha) / self.most();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
        let windows = libm::ceil(windows) as u32;
        windows.max(1)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is too large becomes the most"
)]
fn rounded_up(number: f64) -> u64 {
    libm::ceil(number) as u64
}

/// A share of a count; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What was counted in all windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    canary: u64,
    canary_bad: u64,
    stable: u64,
    stable_bad: u64,
}

impl Totals {
    pub(super) fn add(&mut self, window: &Window) {
        let add = |total: &mut u64, count: u32| *total = total.saturating_add(count.into());
        add(&mut self.canary, window.canary);
        add(&mut self.canary_bad, window.canary_bad.min(window.canary));
        add(&mut self.stable, window.stable);
        add(&mut self.stable_bad, window.stable_bad.min(window.stable));
    }

    pub(super) fn numbers(&self) -> [u64; 4] {
        [self.canary, self.canary_bad, self.stable, self.stable_bad]
    }

    pub(super) fn of(numbers: [u64; 4]) -> Option<Self> {
        let [canary, canary_bad, stable, stable_bad] = numbers;
        let is_possible = canary_bad <= canary && stable_bad <= stable;
        is_possible.then_some(Self { canary, canary_bad, stable, stable_bad })
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        let Self { canary, canary_bad, stable, stable_bad } = self;
        alloc::format!("canary {canary_bad} of {canary} bad, stable {stable_bad} of {stable} bad")
    }
}
