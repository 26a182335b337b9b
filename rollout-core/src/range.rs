//! Numbers known only to lie between two bounds.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A number that lies in `lo..=hi`: a count that lags behind its workload, or objects that disagree.
///
/// Guards that open something use `lo`; guards that declare something unavailable use `hi`. Bounds given in the wrong
/// order are swapped.
///
/// ```
/// use rollout_core::Range;
/// let ready = Range::new(1, 3);
/// assert!(!ready.is_exact());
/// assert_eq!(Range::exact(2), Range::new(2, 2));
/// assert_eq!(Range::new(3, 1), ready);
/// assert_eq!(ready.to_string(), "1..3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Range {
    lo: u32,
    hi: u32,
}

impl Range {
    /// The range of a number about which nothing is known.
    ///
    /// ```
    /// use rollout_core::Range;
    /// assert_eq!((Range::UNKNOWN.lo(), Range::UNKNOWN.hi()), (0, u32::MAX));
    /// assert_eq!(Range::UNKNOWN.to_string(), "0 or more");
    /// ```
    pub const UNKNOWN: Self = Self { lo: 0, hi: u32::MAX };

    /// Creates the range between the smaller and the larger of two bounds.
    #[must_use]
    pub const fn new(lo: u32, hi: u32) -> Self {
        if lo <= hi { Self { lo, hi } } else { Self { lo: hi, hi: lo } }
    }

    /// Creates the range that holds exactly `n`.
    #[must_use]
    pub const fn exact(n: u32) -> Self {
        Self { lo: n, hi: n }
    }

    /// Returns the lower bound.
    #[must_use]
    pub const fn lo(self) -> u32 {
        self.lo
    }

    /// Returns the upper bound.
    #[must_use]
    pub const fn hi(self) -> u32 {
        self.hi
    }

    /// Returns whether the number is known exactly.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        self.lo == self.hi
    }

    /// Returns the smallest range that contains both.
    ///
    /// Objects that disagree about a weight, for example:
    ///
    /// ```
    /// use rollout_core::Range;
    /// assert_eq!(Range::exact(5).union(Range::exact(20)), Range::new(5, 20));
    /// ```
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }
}

impl From<(u32, u32)> for Range {
    fn from((lo, hi): (u32, u32)) -> Self {
        Self::new(lo, hi)
    }
}

impl From<Range> for (u32, u32) {
    fn from(range: Range) -> Self {
        (range.lo, range.hi)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact() {
            write!(f, "{}", self.lo)
        } else if self.hi == u32::MAX {
            write!(f, "{} or more", self.lo)
        } else {
            write!(f, "{}..{}", self.lo, self.hi)
        }
    }
}
