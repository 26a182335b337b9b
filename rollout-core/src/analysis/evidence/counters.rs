//! Raw counters of requests, by series, and what was counted between two looks at them.

use super::Window;
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};
use core::fmt::Write as _;

/// The most series of one query.
const SERIES: usize = 1_000;
/// The highest counter: up to here, each request counts.
const HIGHEST: f64 = 1e15;

/// One of the four things that are counted: the fields of a [`Window`].
///
/// ```
/// use rollout_core::analysis::Count;
/// assert_eq!(Count::CanaryBad.to_string(), "canary.bad", "as a metric names its query");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the fields of a window")]
pub enum Count {
    /// The canary's requests.
    Canary,
    /// Those of them that were bad.
    CanaryBad,
    /// Stable's requests.
    Stable,
    /// Those of them that were bad.
    StableBad,
}

impl Count {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Canary, Self::CanaryBad, Self::Stable, Self::StableBad];
}

impl core::fmt::Display for Count {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary.requests",
            Self::CanaryBad => "canary.bad",
            Self::Stable => "stable.requests",
            Self::StableBad => "stable.bad",
        })
    }
}

/// What all counters showed at one time: values that only rise until their process restarts, by series.
///
/// ```
/// use rollout_core::analysis::{Count, Counters, Window};
/// let mut before = Counters::new();
/// before.insert(Count::Stable, "pod=a", 1_000.0)?;
/// before.insert(Count::Stable, "pod=b", 500.0)?;
/// let mut now = Counters::new();
/// now.insert(Count::Stable, "pod=a", 1_100.0)?;
/// now.insert(Count::Stable, "pod=b", 20.0)?; // It has restarted.
/// now.insert(Count::Canary, "pod=c", 3.0)?; // It is new.
/// assert_eq!(now.since(&before), Window { stable: 120, canary: 3, ..Window::default() });
/// assert_eq!(Counters::read(&now.write()), Some(now));
/// # Ok::<(), rollout_core::analysis::InvalidCounter>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counters([BTreeMap<u64, f64>; 4]);

/// Why a counter cannot be used.
///
/// ```
/// use rollout_core::analysis::{Count, Counters};
/// let error = Counters::new().insert(Count::CanaryBad, "pod=a", -1.0).unwrap_err();
/// assert_eq!(error.to_string(), "canary.bad: the counter is -1; write a query for counters: numbers from 0 to 1e15");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCounter {
    /// A value that no counter has.
    #[error("{0}: the counter is {1}; write a query for counters: numbers from 0 to 1e15")]
    Value(Count, f64),
    /// Too many series.
    #[error("{0}: more than {SERIES} series; write a query that sums them, such as `sum by (pod) (…)`")]
    TooMany(Count),
}

impl Counters {
    /// Creates counters without any series.
    ///
    /// See [`Counters`] for an example.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the counter of one series. `series` is any text that tells it from the others of this query, and stays the
    /// same: only its hash is kept. What has the same text is added up.
    ///
    /// See [`Counters`] for an example.
    ///
    /// # Errors
    /// It is no number from 0 to 10^15, or the 1 001st series of its query.
    pub fn insert(&mut self, count: Count, series: &str, value: f64) -> Result<(), InvalidCounter> {
        if !(0.0..=HIGHEST).contains(&value) {
            return Err(InvalidCounter::Value(count, value));
        }
        let (all, key) = (self.of_mut(count), hash(series));
        if all.len() >= SERIES && !all.contains_key(&key) {
            return Err(InvalidCounter::TooMany(count));
        }
        let sum = all.entry(key).or_insert(0.0);
        *sum = (*sum + value).min(HIGHEST);
        Ok(())
    }

    /// Returns what was counted since an earlier look. A counter that fell has begun anew, and one that is new began at
    /// 0: all that it shows counts. One that has vanished counts nothing.
    ///
    /// See [`Counters`] for an example.
    #[must_use]
    pub fn since(&self, before: &Self) -> Window {
        let counted = |count: Count| {
            let earlier = before.of(count);
            let risen = self.of(count).iter().map(|(series, now)| match earlier.get(series) {
                Some(before) if before <= now => now - before,
                _ => *now,
            });
            whole(risen.sum())
        };
        Window {
            canary: counted(Count::Canary),
            canary_bad: counted(Count::CanaryBad),
            stable: counted(Count::Stable),
            stable_bad: counted(Count::StableBad),
        }
    }

    /// Keeps what series showed that have vanished since an earlier look: if one comes back, as after a scrape that
    /// failed, nothing counts twice. Where there is no room, they are forgotten.
    ///
    /// ```
    /// use rollout_core::analysis::{Count, Counters};
    /// let (mut before, mut back) = (Counters::new(), Counters::new());
    /// before.insert(Count::Canary, "pod=a", 1_000.0)?;
    /// let gone = Counters::new().remembering(&before);
    /// back.insert(Count::Canary, "pod=a", 1_010.0)?;
    /// assert_eq!(back.since(&gone).canary, 10);
    /// # Ok::<(), rollout_core::analysis::InvalidCounter>(())
    /// ```
    #[must_use]
    pub fn remembering(mut self, before: &Self) -> Self {
        for count in Count::ALL {
            let all = self.of_mut(count);
            for (series, value) in before.of(count) {
                if all.len() < SERIES {
                    all.entry(*series).or_insert(*value);
                }
            }
        }
        self
    }

    /// Writes them as a text.
    ///
    /// See [`Counters`] for an example.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = "1".to_string();
        for all in &self.0 {
            text.push(' ');
            for (index, (series, value)) in all.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{comma}{series:x}={value}");
            }
        }
        text
    }

    /// Reads what [`write`](Self::write) wrote; `None` for anything else.
    ///
    /// ```
    /// use rollout_core::analysis::Counters;
    /// assert_eq!(Counters::read("1    "), Some(Counters::new()));
    /// assert_eq!(Counters::read("1 a=-1   "), None);
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("1 ")?.split(' ');
        let mut counters = Self::new();
        for all in &mut counters.0 {
            let part = parts.next()?;
            for series in part.split(',').filter(|_| !part.is_empty()) {
                let (key, value) = series.split_once('=')?;
                let value = value.parse().ok().filter(|value| (0.0..=HIGHEST).contains(value))?;
                let is_new = all.insert(u64::from_str_radix(key, 16).ok()?, value).is_none();
                if !is_new || all.len() > SERIES {
                    return None;
                }
            }
        }
        parts.next().is_none().then_some(counters)
    }

    fn of(&self, count: Count) -> &BTreeMap<u64, f64> {
        let [canary, canary_bad, stable, stable_bad] = &self.0;
        match count {
            Count::Canary => canary,
            Count::CanaryBad => canary_bad,
            Count::Stable => stable,
            Count::StableBad => stable_bad,
        }
    }

    fn of_mut(&mut self, count: Count) -> &mut BTreeMap<u64, f64> {
        let [canary, canary_bad, stable, stable_bad] = &mut self.0;
        match count {
            Count::Canary => canary,
            Count::CanaryBad => canary_bad,
            Count::Stable => stable,
            Count::StableBad => stable_bad,
        }
    }
}

/// Rounds what was counted; what is too much is the most.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is too large becomes the most"
)]
fn whole(count: f64) -> u32 {
    libm::round(count) as u32
}

/// 64 bits of FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
