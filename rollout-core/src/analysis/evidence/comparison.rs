//! What is compared, and what is counted.

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

impl Comparison {
    /// The logarithm of the evidence that is enough for an alarm.
    pub(super) fn enough(&self) -> f64 {
        -libm::log(self.alpha)
    }

    /// By how much one window may raise it: where the dispersion is only estimated, none may decide alone.
    pub(super) fn most(&self) -> f64 {
        if self.dispersion.is_none() { self.enough() / 3.0 } else { f64::INFINITY }
    }

    /// The logarithm of the evidence that is enough for an early pass.
    pub(super) fn enough_to_pass(&self) -> f64 {
        -libm::log(self.beta)
    }

    /// How the dispersion and a window count for an early pass. It may be late, and an alarm may not: so it is more
    /// careful where the dispersion is only estimated.
    pub(super) fn careful(&self, phi: f64) -> (f64, f64) {
        const SAFETY: f64 = 1.5;
        if self.dispersion.is_none() {
            (phi * SAFETY, self.enough_to_pass() / 5.0)
        } else {
            (phi, f64::INFINITY)
        }
    }
}

/// What was counted in one window.
///
/// See [`Evidence`](super::Evidence) for an example.
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
