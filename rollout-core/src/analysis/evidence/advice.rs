//! How long it takes to see a difference: before anything is played.

use super::{Comparison, process::WORSE};

/// What is asked.
///
/// See [`seconds_needed`] for an example.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "four numbers")]
pub struct Question {
    /// All requests a second.
    pub requests: f64,
    /// The canary's share of them.
    pub weight: f64,
    /// Stable's share of bad requests.
    pub bad: f64,
    /// How many times worse the canary is.
    pub times: f64,
}

/// Returns after how many seconds the comparison finds the difference in nine of ten rollouts; `None` if it never does.
/// Requests are taken to be independent: with bursts, it takes longer.
///
/// ```
/// use rollout_core::analysis::{Comparison, Question, seconds_needed};
/// let exact = Comparison { tolerance: 1.0, ..Comparison::default() };
/// let minutes = |requests, weight| {
///     let question = Question { requests, weight, bad: 0.005, times: 3.0 };
///     seconds_needed(&exact, &question).map(|seconds| (seconds / 60.0).round())
/// };
/// assert_eq!(minutes(100.0, 0.05), Some(8.0), "ten minutes at 5 % will do");
/// assert_eq!(minutes(10.0, 0.05), Some(77.0), "ten minutes will not");
/// assert_eq!(minutes(10.0, 0.5), Some(16.0), "at 50 % they nearly will");
/// ```
#[must_use]
pub fn seconds_needed(comparison: &Comparison, question: &Question) -> Option<f64> {
    const Z90: f64 = 1.2816;
    let (rho, from) = (question.weight, comparison.tolerance);
    let mixed = |theta: f64| 1.0 + rho * (theta - 1.0);
    let per_request = question.bad * mixed(question.times);
    let share = rho * question.times / mixed(question.times);
    let enough = -libm::log(comparison.alpha) + libm::log(f64::from(u32::try_from(WORSE.len()).unwrap_or(1)));
    let needed = WORSE.iter().filter_map(|point| {
        let (a, b) = (libm::log(*point), libm::log(mixed(from * point) / mixed(from)));
        let mean = share * a - b;
        let variance = share * (a - b) * (a - b) + (1.0 - share) * b * b;
        let root = (Z90 * libm::sqrt(variance) + libm::sqrt(Z90 * Z90 * variance + 4.0 * mean * enough))
            / (2.0 * mean);
        (mean > 0.0).then_some(root * root)
    });
    let least = needed.fold(f64::INFINITY, f64::min);
    let seconds = least / per_request / question.requests;
    seconds.is_finite().then_some(seconds)
}
