//! Evidence as a text that is kept with a measurement.

use super::{Evidence, Process, Spread, lacks::Totals};
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

impl Evidence {
    /// Writes the evidence as a text that is kept with a measurement.
    ///
    /// See [`Evidence`] for an example.
    #[must_use]
    pub fn write(&self) -> String {
        let [canary, canary_bad, stable, stable_bad] = self.totals.numbers();
        let mut text = format!("2 {} {canary} {canary_bad} {stable} {stable_bad}", self.windows);
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
    /// assert_eq!(rollout_core::analysis::Evidence::read("2 0 0"), None);
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("2 ")?.split(' ');
        let windows = words.next()?.parse().ok()?;
        let mut count = || words.next()?.parse().ok();
        let totals = Totals::of([count()?, count()?, count()?, count()?])?;
        let numbers: Option<Vec<f64>> =
            words.map(|word| u64::from_str_radix(word, 16).ok().map(f64::from_bits)).collect();
        let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()))?;
        Some(Self {
            worse: Process::of(numbers.get(..8)?)?,
            above: Process::of(numbers.get(8..16)?)?,
            better: Process::of(numbers.get(16..20)?)?,
            spread: Spread::of(numbers.get(20..)?)?,
            windows,
            totals,
        })
    }
}
