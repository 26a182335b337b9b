//! Draws requests: how many arrive, how many of them end badly, and how long they take.

use super::settings::{Latency, Quality};
use rand_distr::{Binomial, Distribution as _, Poisson};
use rand_xorshift::XorShiftRng;

/// The upper bounds of the buckets of a histogram, in milliseconds; one without a bound comes after them.
pub(super) const BOUNDS: [f64; 18] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6];

/// Requests that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Answered {
    pub(super) all: f64,
    /// How many of them took at most so long; cumulative, as Prometheus has it.
    pub(super) within: [f64; BOUNDS.len()],
    /// How long all took together, in milliseconds.
    pub(super) millis: f64,
}

/// Requests that were answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Count {
    pub(super) good: Answered,
    pub(super) bad: Answered,
    /// How many bad answers of a burst are still to come.
    pending: f64,
}

impl Count {
    pub(super) fn all(&self) -> f64 {
        self.good.all + self.bad.all
    }

    /// Draws what happens to `expected` more requests, on average, whose bad ones come in bursts of this length.
    pub(super) fn draw(&mut self, random: &mut XorShiftRng, expected: f64, quality: Quality, burst: f64) {
        let all = poisson(random, expected);
        let due = if burst > 1.0 {
            self.pending + poisson(random, all * quality.bad / burst) * burst.round()
        } else {
            binomial(random, all, quality.bad)
        };
        let bad = due.min(all);
        self.pending = due - bad;
        self.good.draw(random, all - bad, quality.latency);
        self.bad.draw(random, bad, quality.latency);
    }
}

impl Answered {
    fn draw(&mut self, random: &mut XorShiftRng, all: f64, latency: Latency) {
        if all <= 0.0 {
            return;
        }
        let (mut left, mut before) = (all, 0.0);
        for (within, bound) in self.within.iter_mut().zip(BOUNDS) {
            let until = latency.within(bound);
            let rest = 1.0 - before;
            if rest > 0.0 && left > 0.0 {
                left -= binomial(random, left, ((until - before) / rest).clamp(0.0, 1.0));
            }
            *within += all - left;
            before = until;
        }
        self.all += all;
        self.millis += all * latency.mean();
    }
}

fn poisson(random: &mut XorShiftRng, mean: f64) -> f64 {
    Poisson::new(mean).map_or(0.0, |count| count.sample(random))
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
    use rand::SeedableRng as _;
    use std::time::Duration;

    const LATENCY: Latency = Latency { median: Duration::from_millis(80), spread: 0.6 };

    fn drawn(times: u32, expected: f64, bad: f64, burst: f64) -> Count {
        let (mut random, mut count) = (XorShiftRng::seed_from_u64(1), Count::default());
        for _ in 0..times {
            count.draw(&mut random, expected, Quality { bad, latency: LATENCY }, burst);
        }
        count
    }

    #[test]
    fn shares_are_as_asked_for_also_in_bursts() {
        for (times, expected, bad, burst) in [
            (1_000, 1_000.0, 0.02, 1.0),
            (1_000, 1_000.0, 0.02, 3.0),
            // A burst is longer than what arrives at once.
            (100_000, 1.0, 0.1, 100.0),
            (10_000, 10.0, 0.5, 1_000.0),
            (1_000, 100.0, 1.0, 1.0),
        ] {
            let count = drawn(times, expected, bad, burst);
            let share = count.bad.all / count.all();
            assert!((count.all() / (f64::from(times) * expected) - 1.0).abs() < 0.02, "{}", count.all());
            assert!((share / bad - 1.0).abs() < 0.25, "{share} instead of {bad}, bursts of {burst}");
        }
    }

    #[test]
    fn answers_take_as_long_as_asked_for() {
        let count = drawn(1_000, 1_000.0, 0.001, 1.0);
        let within_100 = count.good.within[6] / count.good.all;
        assert!((within_100 - LATENCY.within(100.0)).abs() < 0.005, "{within_100}");
        assert!((count.good.millis / count.good.all - 95.8).abs() < 0.1, "{}", count.good.millis);
        for answered in [count.good, count.bad] {
            assert!(answered.within.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(answered.within.iter().all(|within| *within <= answered.all));
        }
    }

    #[test]
    fn no_counter_ever_falls() {
        let (mut random, mut count) = (XorShiftRng::seed_from_u64(1), Count::default());
        for _ in 0..1_000 {
            let before = count;
            count.draw(&mut random, 20.0, Quality { bad: 0.01, latency: LATENCY }, 3.0);
            for (before, after) in [(before.good, count.good), (before.bad, count.bad)] {
                let rises = before.within.iter().zip(after.within).all(|(before, after)| *before <= after);
                assert!(rises && before.all <= after.all && before.millis <= after.millis);
            }
        }
    }

    #[test]
    fn no_requests_have_no_answers() {
        assert_eq!(drawn(10, 0.0, 0.5, 1.0), Count::default());
    }
}
