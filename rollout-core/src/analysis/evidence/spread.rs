//! By how much counts vary more than those of independent requests: errors come in bursts.

/// The prior: so many windows with twice the variance.
const WINDOWS: f64 = 5.0;
const PRIOR: f64 = 2.0;
/// What is added for safety.
const SAFETY: f64 = 1.5;

/// The spread of stable's counts, from neighbouring windows. Only the past counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    sum: f64,
    count: f64,
    /// The bad requests and all requests of the last window.
    last: (f64, f64),
    any: bool,
}

impl Spread {
    pub(super) fn new() -> Self {
        Self { sum: WINDOWS * PRIOR, count: WINDOWS, last: (0.0, 0.0), any: false }
    }

    pub(super) fn phi(&self) -> f64 {
        (SAFETY * self.sum / self.count).max(1.0)
    }

    pub(super) fn add(&mut self, bad: f64, all: f64) {
        let (bad_before, all_before) = self.last;
        let pooled = (bad + bad_before) / (all + all_before).max(1.0);
        let variance = pooled * (1.0 / all.max(1.0) + 1.0 / all_before.max(1.0));
        if self.any && variance > 0.0 && all > 0.0 && all_before > 0.0 {
            let step = bad / all - bad_before / all_before;
            self.sum += step * step / variance;
            self.count += 1.0;
        }
        (self.last, self.any) = ((bad, all), true);
    }

    pub(super) fn numbers(&self) -> [f64; 5] {
        [self.sum, self.count, self.last.0, self.last.1, if self.any { 1.0 } else { 0.0 }]
    }

    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let [sum, count, bad, all, any] = *numbers else { return None };
        Some(Self { sum, count, last: (bad, all), any: any > 0.0 })
    }
}
