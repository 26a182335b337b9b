//! Draws requests: how many arrive, how many of them end badly, and how long they take.

use super::settings::Quality;
use rand_distr::{Binomial, Distribution as _, Poisson};
use rand_xorshift::XorShiftRng;

/// The upper bounds of the buckets of a histogram, in milliseconds; one without a bound comes after them.
pub(super) const BOUNDS: [f64; 18] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6];

/// Requests that were answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Count {
    pub(super) good: f64,
    pub(super) bad: f64,
    /// How many of all took at most so long; cumulative, as Prometheus has it.
    pub(super) within: [f64; BOUNDS.len()],
    /// How long all took together, in milliseconds.
    pub(super) millis: f64,
}

impl Count {
    pub(super) fn all(&self) -> f64 {
        self.good + self.bad
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.good += more.good;
        self.bad += more.bad;
        self.millis += more.millis;
        for (sum, more) in self.within.iter_mut().zip(more.within) {
            *sum += more;
        }
    }
}

/// Draws what happens to `expected` requests, on average, whose bad ones come in bursts of this length.
pub(super) fn count(random: &mut XorShiftRng, expected: f64, quality: Quality, burst: f64) -> Count {
    let all = Poisson::new(expected).map_or(0.0, |requests| requests.sample(random));
    let bad = (binomial(random, all, quality.bad / burst) * burst).min(all).floor();
    let mut count = Count { good: all - bad, bad, ..Count::default() };
    let (mut left, mut before, mut from) = (all, 0.0, 0.0);
    for (within, bound) in count.within.iter_mut().zip(BOUNDS) {
        let until = quality.latency.within(bound);
        let rest = 1.0 - before;
        let here =
            if rest > 0.0 { binomial(random, left, ((until - before) / rest).clamp(0.0, 1.0)) } else { 0.0 };
        left -= here;
        *within = all - left;
        count.millis += here * f64::midpoint(from, bound);
        (before, from) = (until, bound);
    }
    count.millis += left * from;
    count
}

fn binomial(random: &mut XorShiftRng, of: f64, share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of requests")]
    let trials = of as u64;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Binomial::new(trials, share.clamp(0.0, 1.0)).map_or(0.0, |hits| hits.sample(random) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::traffic::settings::Latency;
    use rand::SeedableRng as _;
    use std::time::Duration;

    #[test]
    fn shares_are_as_asked_for_also_in_bursts() {
        let latency = Latency { median: Duration::from_millis(80), spread: 0.6 };
        for burst in [1.0, 3.0] {
            let mut random = XorShiftRng::seed_from_u64(1);
            let mut sum = Count::default();
            for _ in 0..1_000 {
                sum.add(&count(&mut random, 1_000.0, Quality { bad: 0.02, latency }, burst));
            }
            assert!((sum.all() / 1e6 - 1.0).abs() < 0.005, "{}", sum.all());
            assert!((sum.bad / sum.all() - 0.02).abs() < 0.001, "{}", sum.bad);
            let within_100 = sum.within[6] / sum.all();
            assert!((within_100 - latency.within(100.0)).abs() < 0.005, "{within_100}");
            assert!(sum.within.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    #[test]
    fn no_requests_have_no_answers() {
        let latency = Latency { median: Duration::from_millis(80), spread: 0.6 };
        let none = count(&mut XorShiftRng::seed_from_u64(1), 0.0, Quality { bad: 0.5, latency }, 1.0);
        assert_eq!(none, Count::default());
    }
}
