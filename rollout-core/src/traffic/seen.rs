use super::{ByDestination, ManagedRoute, Selection, Settled, Version, version::fingerprint};
use crate::{Range, Revision};
use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The traffic manager's configuration, as it was read; proxies may not have all of it yet.
///
/// Objects may disagree, so every part can have more than one value.
///
/// ```
/// use rollout_core::{Range, Revision, traffic::{RoutesSeen, Seen}};
/// let mut seen = Seen::new();
/// seen.behind.canary = vec![Revision::from("v2").into()];
/// seen.routes = [5, 20].map(|weight| RoutesSeen::new(Range::exact(weight))).to_vec();
/// assert_eq!(seen.weight(), Range::new(5, 20), "two objects that disagree");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    /// The versions of the objects that were read.
    pub version: Version,
    /// The pods behind each destination: one entry for each different answer, none if no object says anything about it.
    pub behind: ByDestination<Vec<Selection>>,
    /// The routes, one entry for each object that has any of this rollout's.
    pub routes: Vec<RoutesSeen>,
    /// Whether a route outside this rollout's weighed routes leads to a destination.
    pub used_elsewhere: ByDestination<bool>,
    /// Changes with the content of the objects that hold the routes; 0 if the backend cannot tell.
    #[serde(default)]
    pub routes_content: u64,
    /// Changes with the content of the objects that hold the selectors; 0 if the backend cannot tell.
    #[serde(default)]
    pub selectors_content: u64,
    /// Whether every proxy has these routes.
    pub routes_settled: Settled,
    /// Whether every proxy has these selectors.
    pub selectors_settled: Settled,
    /// How long until every proxy is known that may still follow earlier writes; zero if all are. A proxy that has lost
    /// its connection cannot be asked, and a process that started afterwards has never heard of it.
    #[serde(default)]
    pub proxies_known_in: Duration,
    /// For each revision in the request, whether every proxy has its endpoints.
    pub endpoints: Vec<(Revision, Settled)>,
    /// The nonces on the objects, for the fence of the [`Driver`](crate::Driver). No decision depends on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nonces: Vec<Arc<str>>,
}

/// The routes of one object.
///
/// ```
/// use rollout_core::{Range, traffic::RoutesSeen};
/// let mut object = RoutesSeen::new(Range::exact(50)); // Half of the requests, if the total is 100.
/// object.written_for = Some("v2".into());
/// assert!(object.leads_to_canary() && object.in_order && object.takes_managed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoutesSeen {
    /// The canary's weight over all weighed routes of the object, in the strategy's total.
    pub weight: Range,
    /// The managed routes in the object.
    pub managed: Vec<ManagedSeen>,
    /// Whether all weighed and managed routes are in their places: managed ones in front, in the order of
    /// `managedRoutes`.
    pub in_order: bool,
    /// Whether the object can have managed routes at all (an object with only tcp routes cannot).
    pub takes_managed: bool,
    /// The revision for which the routes were last written, if the object records it.
    pub written_for: Option<Revision>,
}

/// One managed route in an object.
///
/// See [`drifted`](Self::drifted) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManagedSeen {
    /// Its name.
    pub name: Arc<str>,
    /// The route; `None` if it is not one that the engine would write (another client edited it).
    pub route: Option<Arc<ManagedRoute>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self::new()
    }
}

impl Seen {
    /// Creates an observation in which nothing is known yet: fill in what was read. Fields that are not set are not
    /// known to be settled, and [`Driver::see`](crate::Driver::see) fills in their age.
    ///
    /// ```
    /// use rollout_core::{Range, traffic::{RoutesSeen, Seen, Settled}};
    /// let mut seen = Seen::new();
    /// seen.routes = vec![RoutesSeen::new(Range::exact(5))];
    /// assert_eq!(seen.routes_settled, Settled::UNKNOWN);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { routes_settled: Settled::UNKNOWN, selectors_settled: Settled::UNKNOWN, ..Self::nothing() }
    }

    /// Creates the observation for a rollout without a traffic manager, or whose traffic manager has none of its
    /// objects: nothing leads anywhere, and that is settled. If there is a traffic manager, start from
    /// [`new`](Self::new).
    ///
    /// ```
    /// use rollout_core::{Range, traffic::{Seen, Settled}};
    /// let seen = Seen::nothing();
    /// assert_eq!((seen.weight(), seen.routes_settled), (Range::exact(0), Settled::Yes));
    /// ```
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            version: Version::NONE,
            behind: ByDestination { stable: Vec::new(), canary: Vec::new() },
            routes: Vec::new(),
            used_elsewhere: ByDestination { stable: false, canary: false },
            routes_content: 0,
            selectors_content: 0,
            routes_settled: Settled::Yes,
            selectors_settled: Settled::Yes,
            proxies_known_in: Duration::ZERO,
            endpoints: Vec::new(),
            nonces: Vec::new(),
        }
    }

    /// Merges what two backends see: Services and subset labels, for example.
    ///
    /// ```
    /// use rollout_core::{Range, Revision, traffic::{RoutesSeen, Seen, Settled}};
    /// let mut services = Seen::nothing();
    /// services.behind.stable = vec![Revision::from("v1").into()];
    /// let mut mesh = Seen::new();
    /// mesh.routes = vec![RoutesSeen::new(Range::exact(5))];
    /// let both = services.and(mesh);
    /// assert_eq!((both.behind.stable.len(), both.weight()), (1, Range::exact(5)));
    /// assert_eq!(both.routes_settled, Settled::UNKNOWN, "the worse of two answers");
    /// ```
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.version = self.version.and(&other.version);
        for (destination, others) in other.behind.iter() {
            let mine = &mut self.behind[destination];
            for selection in others {
                if !mine.contains(selection) {
                    mine.push(selection.clone());
                }
            }
            self.used_elsewhere[destination] |= other.used_elsewhere[destination];
        }
        self.routes.extend(other.routes);
        self.nonces.extend(other.nonces);
        self.routes_content = fingerprint([self.routes_content, other.routes_content]);
        self.selectors_content = fingerprint([self.selectors_content, other.selectors_content]);
        self.routes_settled = self.routes_settled.and(other.routes_settled);
        self.selectors_settled = self.selectors_settled.and(other.selectors_settled);
        self.proxies_known_in = self.proxies_known_in.max(other.proxies_known_in);
        for (revision, settled) in other.endpoints {
            match self.endpoints.iter_mut().find(|(mine, _)| *mine == revision) {
                Some((_, mine)) => *mine = core::mem::replace(mine, Settled::Yes).and(settled),
                None => self.endpoints.push((revision, settled)),
            }
        }
        self
    }

    /// Returns the canary's weight over all objects; exactly 0 if there are no routes.
    ///
    /// ```
    /// use rollout_core::{Range, traffic::{RoutesSeen, Seen}};
    /// let mut seen = Seen::new();
    /// assert_eq!(seen.weight(), Range::exact(0));
    /// seen.routes = [5, 20].map(|weight| RoutesSeen::new(Range::exact(weight))).to_vec();
    /// assert_eq!(seen.weight(), Range::new(5, 20));
    /// ```
    #[must_use]
    pub fn weight(&self) -> Range {
        self.routes.iter().map(|object| object.weight).reduce(Range::union).unwrap_or(Range::exact(0))
    }
}

impl Seen {
    /// Names the two destinations the other way round; `total` is the weight of all traffic.
    #[cfg(feature = "sim")]
    pub(crate) fn swap_roles(&mut self, total: u32) {
        core::mem::swap(&mut self.behind.stable, &mut self.behind.canary);
        self.routes.iter_mut().for_each(|routes| routes.swap_roles(total));
    }
}

impl RoutesSeen {
    /// Names the two destinations the other way round. Routes that no longer lead to the canary are written for no
    /// revision.
    #[cfg(feature = "sim")]
    pub(crate) fn swap_roles(&mut self, total: u32) {
        let rest = |weight| total.saturating_sub(weight);
        self.weight = Range::new(rest(self.weight.hi()), rest(self.weight.lo()));
        self.written_for = self.written_for.take().filter(|_| self.leads_to_canary());
    }

    /// Creates an object whose weighed routes all give the canary `weight`, without managed routes.
    #[must_use]
    pub fn new(weight: Range) -> Self {
        Self { weight, managed: Vec::new(), in_order: true, takes_managed: true, written_for: None }
    }

    /// Returns whether any request, or copy of one, may go to the canary through this object.
    ///
    /// ```
    /// use rollout_core::{Range, traffic::{ManagedSeen, RoutesSeen}};
    /// let mut object = RoutesSeen::new(Range::exact(0));
    /// assert!(!object.leads_to_canary());
    /// object.managed = vec![ManagedSeen::drifted("mirror".into())];
    /// assert!(object.leads_to_canary(), "without any weight");
    /// ```
    #[must_use]
    pub fn leads_to_canary(&self) -> bool {
        self.weight.hi() > 0 || !self.managed.is_empty()
    }
}

impl ManagedSeen {
    /// Creates a managed route as the engine wrote it.
    #[must_use]
    pub fn new(route: Arc<ManagedRoute>) -> Self {
        Self { name: route.name.clone(), route: Some(route) }
    }

    /// Creates a managed route that is no longer what the engine wrote.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rollout_core::traffic::{ManagedRoute, ManagedSeen, RouteMatch};
    /// let route = ManagedRoute { name: "beta".into(), matches: RouteMatch::Header(vec![]) };
    /// let (as_written, edited) = (ManagedSeen::new(Arc::new(route)), ManagedSeen::drifted("beta".into()));
    /// assert_eq!(as_written.name, edited.name);
    /// assert!(as_written.route.is_some() && edited.route.is_none());
    /// ```
    #[must_use]
    pub fn drifted(name: Arc<str>) -> Self {
        Self { name, route: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// No answer of a single backend may be lost.
    #[test]
    fn both_sides_count() {
        let (yes, waits) = (Settled::Yes, Settled::Unknown { age: Duration::from_secs(1) });
        let (one, other) = (Selection::Revision("v1".into()), Selection::Revision("v2".into()));
        let mut says = Seen::nothing();
        (says.behind.stable, says.behind.canary) = (vec![one.clone()], vec![other.clone()]);
        says.routes = vec![RoutesSeen::new(Range::exact(5))];
        (says.used_elsewhere.stable, says.used_elsewhere.canary) = (true, true);
        (says.routes_settled, says.selectors_settled) = (waits.clone(), waits.clone());
        says.proxies_known_in = Duration::from_secs(1);
        says.endpoints = vec![("v1".into(), waits.clone())];
        says.nonces = vec!["nonce".into()];
        assert_eq!(says.clone().and(Seen::nothing()), says);
        assert_eq!(Seen::nothing().and(says.clone()), says);

        let mut too = Seen::nothing();
        (too.behind.stable, too.endpoints) =
            (vec![one, other.clone()], vec![("v1".into(), yes.clone()), ("v2".into(), yes)]);
        let both = too.and(says);
        assert_eq!(
            (both.behind.stable.len(), both.behind.canary),
            (2, vec![other]),
            "what both say is said once"
        );
        assert_eq!(
            both.endpoints,
            [("v1".into(), waits), ("v2".into(), Settled::Yes)],
            "the worse answer counts"
        );
    }
}
