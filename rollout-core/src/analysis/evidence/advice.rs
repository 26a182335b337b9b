//! How much must be counted to see a difference.

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
    let bad = (question.bad * question.times, question.bad);
    let seconds = requests_needed(comparison, question.weight, bad)? / question.requests;
    seconds.is_finite().then_some(seconds)
}

/// Returns how many requests, of canary and stable together, show in nine of ten rollouts that the canary is worse, if
/// these are their shares of bad requests; `None` if no number does.
pub(super) fn requests_needed(
    comparison: &Comparison,
    weight: f64,
    (canary, stable): (f64, f64),
) -> Option<f64> {
    let (from, floor) = (comparison.tolerance, comparison.floor);
    let enough = needed(comparison.alpha);
    let mixed = |theta: f64| 1.0 + weight * (theta - 1.0);
    // Of each request, and of each bad one.
    let (of_canary, of_both) = (weight * canary, weight * canary + (1.0 - weight) * stable);
    let share = of_canary / of_both;
    let relative = WORSE.iter().map(|point| {
        let (a, b) = (libm::log(*point), libm::log(mixed(from * point) / mixed(from)));
        (share * a - b, share * (a - b) * (a - b) + (1.0 - share) * b * b)
    });
    let absolute = WORSE.iter().map(|point| {
        let a = libm::log(*point);
        (a - floor * (point - 1.0) / canary, a * a)
    });
    let relative = bad_needed(relative, enough) / of_both;
    let absolute = if floor > 0.0 { bad_needed(absolute, enough) / of_canary } else { 0.0 };
    let requests = relative.max(absolute);
    requests.is_finite().then_some(requests)
}

/// The logarithm of what one point of the grid alone must reach.
pub(super) fn needed(alpha: f64) -> f64 {
    -libm::log(alpha) + libm::log(f64::from(u32::try_from(WORSE.len()).unwrap_or(1)))
}

/// Returns how many bad requests are needed at the best point of the grid. Of each point: by how much a bad request raises
/// its logarithm in the mean, and the variance.
fn bad_needed(points: impl Iterator<Item = (f64, f64)>, enough: f64) -> f64 {
    const Z90: f64 = 1.2816;
    let needed = points.filter(|(mean, _)| *mean > 0.0).map(|(mean, variance)| {
        let root = (Z90 * libm::sqrt(variance) + libm::sqrt(Z90 * Z90 * variance + 4.0 * mean * enough))
            / (2.0 * mean);
        root * root
    });
    needed.fold(f64::INFINITY, f64::min)
}
