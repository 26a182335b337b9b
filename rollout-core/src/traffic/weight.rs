use core::fmt;
use serde::{Deserialize, Serialize};

/// A share of all requests: a number of parts out of a total. The total is 100, unless the strategy declares another
/// one ([`Strategy::max_weight`](crate::Strategy::max_weight)).
///
/// ```
/// use rollout_core::traffic::Weight;
/// let weight = Weight::new(5, 1000);
/// assert_eq!((weight.parts(), weight.of()), (5, 1000));
/// assert_eq!(Weight::new(150, 100), Weight::all(100), "never more than everything");
/// assert_eq!([Weight::new(5, 100).to_string(), weight.to_string()], ["5 %", "5 of 1000"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weight {
    #[serde(rename = "weight")]
    parts: u32,
    of: u32,
}

impl Weight {
    /// Creates a weight of `parts` out of `of`, at most all of them.
    #[must_use]
    pub const fn new(parts: u32, of: u32) -> Self {
        Self { parts: if parts < of { parts } else { of }, of }
    }

    /// Creates a weight of no requests.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert_eq!(Weight::none(1000).to_string(), "0 of 1000");
    /// assert_ne!(Weight::none(1000), Weight::none(100), "the total counts");
    /// ```
    #[must_use]
    pub const fn none(of: u32) -> Self {
        Self { parts: 0, of }
    }

    /// Creates a weight of all requests.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert_eq!(Weight::all(1000), Weight::new(1000, 1000));
    /// ```
    #[must_use]
    pub const fn all(of: u32) -> Self {
        Self { parts: of, of }
    }

    /// Returns the number of parts.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.parts
    }

    /// Returns the number of remaining parts.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert_eq!(Weight::new(5, 1000).rest(), 995, "what stable gets");
    /// ```
    #[must_use]
    pub const fn rest(self) -> u32 {
        self.of.saturating_sub(self.parts)
    }

    /// Returns the total that stands for all requests.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Returns whether the weight is no requests.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert!(Weight::none(100).is_none() && !Weight::new(1, 1000).is_none());
    /// ```
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.parts == 0
    }

    /// Returns this share of `n`, rounded up.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert_eq!([0, 5, 100].map(|parts| Weight::new(parts, 100).of_count(10)), [0, 1, 10]);
    /// assert_eq!(Weight::all(100).of_count(u32::MAX), u32::MAX);
    /// ```
    #[must_use]
    pub fn of_count(self, n: u32) -> u32 {
        let product = u64::from(n) * u64::from(self.parts);
        u32::try_from(product.div_ceil(u64::from(self.of.max(1)))).unwrap_or(u32::MAX)
    }

    /// Returns whether the weight is all requests.
    ///
    /// ```
    /// use rollout_core::traffic::Weight;
    /// assert!(Weight::new(100, 100).is_all());
    /// assert!(!Weight::new(100, 1000).is_all(), "a tenth");
    /// ```
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.parts >= self.of
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.of == 100 {
            write!(f, "{} %", self.parts)
        } else {
            write!(f, "{} of {}", self.parts, self.of)
        }
    }
}
