use serde::{Deserialize, Serialize};

/// The value of `maxSurge` or `maxUnavailable`: a number of pods, or a percentage of `spec.replicas`.
///
/// ```
/// use rollout_core::{IntOrPercent, conformance::Fenceposts};
/// let posts = Fenceposts::resolve(10, IntOrPercent::Int(1), IntOrPercent::Percent(15));
/// assert_eq!((posts.surge, posts.unavailable), (1, 1), "15 % of 10 pods that may be unavailable, rounded down");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "manifests have exactly these two kinds")]
pub enum IntOrPercent {
    /// A number of pods.
    Int(i32),
    /// A percentage.
    Percent(i32),
}

impl IntOrPercent {
    /// The value used when the field is absent: 25 per cent (Argo Rollouts' accidental default, kept on purpose).
    ///
    /// ```
    /// use rollout_core::IntOrPercent;
    /// assert_eq!(IntOrPercent::DEFAULT, IntOrPercent::Percent(25));
    /// ```
    pub const DEFAULT: Self = Self::Percent(25);

    /// Parses the text form: a percentage, with or without `%`.
    ///
    /// ```
    /// use rollout_core::IntOrPercent;
    /// assert_eq!(IntOrPercent::parse("30%"), Some(IntOrPercent::Percent(30)));
    /// assert_eq!(IntOrPercent::parse("30"), Some(IntOrPercent::Percent(30)));
    /// assert_eq!(IntOrPercent::parse("many"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_suffix('%').unwrap_or(text).parse().ok().map(Self::Percent)
    }

    fn resolve(self, replicas: u32, round_up: bool) -> u32 {
        match self {
            Self::Int(pods) => u32::try_from(pods).unwrap_or(0),
            Self::Percent(percent) => {
                let percent = u64::try_from(percent).unwrap_or(0);
                let product = u64::from(replicas).saturating_mul(percent);
                let share = if round_up { product.div_ceil(100) } else { product / 100 };
                u32::try_from(share).unwrap_or(u32::MAX)
            }
        }
    }
}

/// The limits on the number of pods while a canary without traffic routing is rolled out.
///
/// ```
/// use rollout_core::{IntOrPercent, conformance::Fenceposts};
/// let posts = Fenceposts::resolve(4, IntOrPercent::Int(0), IntOrPercent::Int(0));
/// assert_eq!((posts.surge, posts.unavailable), (0, 1), "or no pod could ever be replaced");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fenceposts {
    /// The maximum number of pods above `spec.replicas`.
    pub surge: u32,
    /// The maximum number of pods below `spec.replicas` that may be unavailable.
    pub unavailable: u32,
}

impl Fenceposts {
    /// Rounds surge up and unavailable down. If both are 0, one pod may be unavailable. Unavailable is at most the
    /// number of replicas.
    ///
    /// ```
    /// use rollout_core::{IntOrPercent, conformance::Fenceposts};
    /// let posts = Fenceposts::resolve(10, IntOrPercent::DEFAULT, IntOrPercent::DEFAULT);
    /// assert_eq!((posts.surge, posts.unavailable), (3, 2));
    /// ```
    #[must_use]
    pub fn resolve(replicas: u32, max_surge: IntOrPercent, max_unavailable: IntOrPercent) -> Self {
        let surge = max_surge.resolve(replicas, true);
        let mut unavailable = max_unavailable.resolve(replicas, false);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self { surge, unavailable: unavailable.min(replicas) }
    }
}
