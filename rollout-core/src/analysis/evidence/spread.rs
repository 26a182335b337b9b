//! By how much counts vary more than those of independent requests: errors come in bursts.

/// Before anything is known, requests are taken to be independent, with the weight of so many windows.
const WINDOWS: f64 = 5.0;

/// The spread of stable's counts, from neighbouring windows. Only the past counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    /// The squared differences, each scaled so that its mean is `bad` if requests are independent.
    squares: f64,
    /// The bad requests of the windows that were compared, each window with both of its neighbours.
    bad: f64,
    /// How many pairs of windows that is.
    pairs: f64,
    /// The bad requests and all requests of the last window.
    last: (f64, f64),
}

impl Spread {
    pub(super) fn new() -> Self {
        Self { squares: 0.0, bad: 0.0, pairs: 0.0, last: (0.0, 0.0) }
    }

    /// For bursts of a geometric length with mean b, it tends to 2b − 1; for independent requests, to 1.
    pub(super) fn phi(&self) -> f64 {
        let seen = if self.bad > 0.0 { self.squares / self.bad } else { 1.0 };
        ((WINDOWS + self.pairs * seen) / (WINDOWS + self.pairs)).max(1.0)
    }

    pub(super) fn add(&mut self, bad: f64, all: f64) {
        let (bad_before, all_before) = self.last;
        let both = bad + bad_before;
        if both > 0.0 && all > 0.0 && all_before > 0.0 {
            let step = bad / all - bad_before / all_before;
            self.squares += step * step * all * all_before;
            self.bad += both;
            self.pairs += 1.0;
        }
        self.last = (bad, all);
    }

    pub(super) fn numbers(&self) -> [f64; 5] {
        [self.squares, self.bad, self.pairs, self.last.0, self.last.1]
    }

    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let [squares, of_pairs, pairs, bad, all] = *numbers else { return None };
        let is_possible = numbers.iter().all(|number| *number >= 0.0);
        is_possible.then_some(Self { squares, bad: of_pairs, pairs, last: (bad, all) })
    }
}
