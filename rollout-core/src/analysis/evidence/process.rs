//! Evidence that grows by a window: the logarithms of likelihood ratios over a grid, and their mean.

/// How many times worse the canary may be than it must not be.
pub(super) const WORSE: [f64; 8] = [1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0];
/// How many times better it may be than what would be too bad.
pub(super) const BETTER: [f64; 4] = [0.1, 0.25, 0.5, 0.75];

/// One non-negative martingale for each point of a grid, in logarithms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Process<const N: usize>([f64; N]);

impl<const N: usize> Process<N> {
    pub(super) fn new() -> Self {
        Self([0.0; N])
    }

    pub(super) fn of(logs: &[f64]) -> Option<Self> {
        logs.try_into().ok().map(Self)
    }

    pub(super) fn logs(&self) -> &[f64; N] {
        &self.0
    }

    /// Adds a window: `bad` of the canary and of both, `share` of the requests that are the canary's.
    ///
    /// Of the bad requests, the canary's share is θρ/(1 − ρ + θρ) if it is θ times as bad as stable. So this is the
    /// likelihood of another θ against that of `from`, divided by the dispersion; no window adds more than `most`.
    pub(super) fn compare(
        &mut self,
        grid: &[f64; N],
        from: f64,
        (bad, all): (f64, f64),
        share: f64,
        (phi, most): (f64, f64),
    ) {
        let mixed = |theta: f64| 1.0 + share * (theta - 1.0);
        for (log, point) in self.0.iter_mut().zip(grid) {
            let gain = bad * libm::log(*point) - all * libm::log(mixed(from * point) / mixed(from));
            *log += (gain / phi).min(most);
        }
    }

    /// Adds a window of one side alone: `bad` of `all`, against a share of `floor`.
    pub(super) fn exceed(
        &mut self,
        grid: &[f64; N],
        floor: f64,
        (bad, all): (f64, f64),
        (phi, most): (f64, f64),
    ) {
        for (log, point) in self.0.iter_mut().zip(grid) {
            let gain = bad * libm::log(*point) - all * floor * (point - 1.0);
            *log += (gain / phi).min(most);
        }
    }

    /// The logarithm of the mean over the grid.
    pub(super) fn evidence(&self) -> f64 {
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.0.iter().map(|log| libm::exp(log - most)).sum();
        let count = u32::try_from(N).unwrap_or(u32::MAX);
        most + libm::log(sum) - libm::log(f64::from(count))
    }
}
