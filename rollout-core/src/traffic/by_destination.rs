use core::{
    fmt,
    ops::{Index, IndexMut},
};
use serde::{Deserialize, Serialize};

/// The role that a route names, not the revision behind it.
///
/// ```
/// use rollout_core::traffic::Destination;
/// assert!(Destination::Stable < Destination::Canary, "stable comes first wherever both are listed");
/// assert_eq!(Destination::Canary.to_string(), "canary");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Destination {
    /// The users' front door.
    Stable,
    /// Where a share of requests, certain requests, or copies go.
    Canary,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        })
    }
}

/// One value for each destination.
///
/// ```
/// use rollout_core::traffic::{ByDestination, Destination};
/// let hosts = ByDestination { stable: "shop", canary: "shop-canary" };
/// assert_eq!(hosts[Destination::Canary], "shop-canary");
/// assert_eq!(hosts.map(str::len), ByDestination { stable: 4, canary: 11 });
/// assert!(hosts.iter().eq([(Destination::Stable, &"shop"), (Destination::Canary, &"shop-canary")]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a driver that cannot carry out a new destination must not compile"
)]
pub struct ByDestination<T> {
    /// The value of [`Destination::Stable`].
    pub stable: T,
    /// The value of [`Destination::Canary`].
    pub canary: T,
}

impl<T> ByDestination<T> {
    /// Builds the value of each destination, stable first.
    ///
    /// ```
    /// use rollout_core::traffic::ByDestination;
    /// let hosts = ByDestination::from_fn(|destination| format!("shop-{destination}"));
    /// assert_eq!(hosts.canary, "shop-canary");
    /// ```
    pub fn from_fn(mut of: impl FnMut(Destination) -> T) -> Self {
        Self { stable: of(Destination::Stable), canary: of(Destination::Canary) }
    }

    /// Iterates over each destination with its value, stable first.
    ///
    /// ```
    /// use rollout_core::traffic::ByDestination;
    /// let pods = ByDestination { stable: 9, canary: 1 };
    /// let lines: Vec<_> = pods.iter().map(|(destination, pods)| format!("{destination}: {pods}")).collect();
    /// assert_eq!(lines, ["stable: 9", "canary: 1"]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (Destination, &T)> {
        [(Destination::Stable, &self.stable), (Destination::Canary, &self.canary)].into_iter()
    }

    /// Applies `change` to each value.
    ///
    /// ```
    /// use rollout_core::traffic::{ByDestination, Weight};
    /// let weights = ByDestination { stable: 95, canary: 5 }.map(|parts| Weight::new(parts, 100).of_count(10));
    /// assert_eq!(weights, ByDestination { stable: 10, canary: 1 }, "each share rounded up");
    /// ```
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> ByDestination<U> {
        ByDestination { stable: change(self.stable), canary: change(self.canary) }
    }

    /// Borrows each value.
    ///
    /// ```
    /// use rollout_core::traffic::ByDestination;
    /// let hosts = ByDestination { stable: String::from("shop"), canary: String::from("shop-canary") };
    /// let lengths = hosts.as_ref().map(|host| host.len());
    /// assert_eq!((lengths.canary, hosts.canary.as_str()), (11, "shop-canary"), "`hosts` was only borrowed");
    /// ```
    pub const fn as_ref(&self) -> ByDestination<&T> {
        ByDestination { stable: &self.stable, canary: &self.canary }
    }

    /// Pairs each value with the other's value for the same destination.
    ///
    /// ```
    /// use rollout_core::traffic::ByDestination;
    /// let hosts = ByDestination { stable: "shop", canary: "shop-canary" };
    /// let weights = ByDestination { stable: 95, canary: 5 };
    /// assert_eq!(hosts.zip(weights).canary, ("shop-canary", 5));
    /// ```
    pub fn zip<U>(self, other: ByDestination<U>) -> ByDestination<(T, U)> {
        ByDestination { stable: (self.stable, other.stable), canary: (self.canary, other.canary) }
    }
}

impl<T> ByDestination<Option<T>> {
    /// Returns whether neither destination has a value.
    ///
    /// ```
    /// use rollout_core::{Revision, traffic::Selectors};
    /// assert!(Selectors::default().is_empty());
    /// let stable_only = Selectors { stable: Some(Revision::from("v2").into()), canary: None };
    /// assert!(!stable_only.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stable.is_none() && self.canary.is_none()
    }
}

impl<T> Index<Destination> for ByDestination<T> {
    type Output = T;

    fn index(&self, destination: Destination) -> &T {
        match destination {
            Destination::Stable => &self.stable,
            Destination::Canary => &self.canary,
        }
    }
}

impl<T> IndexMut<Destination> for ByDestination<T> {
    fn index_mut(&mut self, destination: Destination) -> &mut T {
        match destination {
            Destination::Stable => &mut self.stable,
            Destination::Canary => &mut self.canary,
        }
    }
}
