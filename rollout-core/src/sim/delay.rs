use core::time::Duration;

/// A duration that is either fixed or evenly distributed between two bounds.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::sim::Delay;
/// let lag = Delay::between(Duration::from_millis(100), Duration::from_secs(2));
/// assert_eq!(lag.longest(), Duration::from_secs(2));
/// assert_eq!(Delay::from(Duration::from_secs(1)).longest(), Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    lo: i64,
    hi: i64,
}

impl Delay {
    /// No delay.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::Delay;
    /// assert_eq!(Delay::NONE, Delay::from(Duration::ZERO));
    /// ```
    pub const NONE: Self = Self { lo: 0, hi: 0 };

    /// Creates a delay between the two durations, both included, in milliseconds.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::sim::Delay;
    /// let (one, ten) = (Duration::from_secs(1), Duration::from_secs(10));
    /// assert_eq!(Delay::between(ten, one), Delay::between(one, ten), "in any order");
    /// ```
    #[must_use]
    pub fn between(one: Duration, other: Duration) -> Self {
        let (one, other) = (millis(one), millis(other));
        Self { lo: one.min(other), hi: one.max(other) }
    }

    /// Returns the longest possible delay.
    #[must_use]
    pub fn longest(self) -> Duration {
        Duration::from_millis(u64::try_from(self.hi).unwrap_or(0))
    }

    pub(super) fn draw(self, random: &mut Random) -> i64 {
        if self.lo == self.hi { self.lo } else { self.lo + random.below(self.hi - self.lo + 1) }
    }
}

impl From<Duration> for Delay {
    fn from(always: Duration) -> Self {
        Self::between(always, always)
    }
}

/// Converts a duration to milliseconds; at most a year, so that sums cannot overflow.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(366 * 86_400_000)
}

/// Pseudo-random numbers, the same for the same seed (the generator `SplitMix64`).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 up to, not including, `n`; 0 if `n` is not above 0.
    pub(super) fn below(&mut self, n: i64) -> i64 {
        let n = u64::try_from(n).unwrap_or(0).max(1);
        i64::try_from(self.next() % n).unwrap_or(0)
    }
}
