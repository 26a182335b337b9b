//! The outcome of requests, integrated over time, from each proxy's own copy of everything.

use super::{Content, Proxy, Truth};
use crate::{
    Time,
    traffic::{Destination, RoutesSeen, Selection},
};
use alloc::{vec, vec::Vec};

/// The number of requests per unit of time that arrive at one object with routes.
pub(super) const ALL: u64 = 1_000_000;
/// How many of them match a managed header route, if there is one.
const BY_HEADER: u64 = 100_000;
/// How many of them take an unweighed route, for each destination that has one.
const ELSEWHERE: u64 = 100_000;

/// Sums over all proxies and their time.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    /// Of a million requests at each proxy; `None` if something has changed since.
    unserved: Vec<Option<u64>>,
    /// Whether counting has started: when every proxy first finds a ready pod behind stable.
    serving: bool,
    since: Time,
    unserved_sum: u128,
    time_sum: u128,
}

/// The number of requests that reached no ready pod.
///
/// See [`per_thousand`](Self::per_thousand) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UnservedRequests {
    /// The number of requests, out of [`of`](Self::of), that reached none. Both are sums over all proxies and their
    /// time.
    pub unserved: u128,
    /// The number of all requests, in the same unit.
    pub of: u128,
}

impl UnservedRequests {
    /// Returns the requests per thousand that reached no ready pod, rounded up: 0 only if there was none at all.
    ///
    /// ```
    /// use core::time::Duration;
    /// # use rollout_core::{Spec, Step, Strategy, sim::Sim};
    /// # let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
    /// # let spec = Spec::new(strategy, "v1".into()).replicas(2);
    /// # let mut world = Sim::new(spec).build();
    /// # world.run_to_rest(Duration::from_secs(60))?;
    /// world.restart_summary();
    /// world.run_for(Duration::from_secs(75))?;
    /// world.break_pods(&"v1".into());
    /// world.run_for(Duration::from_secs(25))?;
    /// let requests = world.summary().requests;
    /// assert_eq!(requests.per_thousand(), 250, "all requests of a quarter of the time");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn per_thousand(self) -> u32 {
        u32::try_from((self.unserved * 1_000).div_ceil(self.of.max(1))).unwrap_or(u32::MAX)
    }
}

impl Requests {
    pub(super) fn new(proxies: usize, now: Time) -> Self {
        Self { unserved: vec![None; proxies], serving: false, since: now, unserved_sum: 0, time_sum: 0 }
    }

    /// Records that something changed for one proxy.
    pub(super) fn changed_at(&mut self, proxy: usize) {
        if let Some(unserved) = self.unserved.get_mut(proxy) {
            *unserved = None;
        }
    }

    /// Records that something changed for all proxies.
    pub(super) fn changed(&mut self) {
        self.unserved.fill(None);
    }

    /// Advances to `to`; the world has been unchanged since its own time.
    pub(super) fn pass(&mut self, truth: &Truth, to: Time) {
        // If the user asks for no pods, requests that reach none have not failed.
        if truth.spec.replicas == 0 {
            return;
        }
        let mut sum = 0;
        for (unserved, proxy) in self.unserved.iter_mut().zip(&truth.proxies) {
            sum += *unserved.get_or_insert_with(|| unserved_of(truth, proxy));
        }
        self.serving |= sum == 0;
        if self.serving {
            let time = to.since(truth.now).as_millis();
            self.unserved_sum += time * u128::from(sum);
            self.time_sum += time * self.unserved.len() as u128 * u128::from(ALL);
        }
    }

    pub(super) fn so_far(&self) -> UnservedRequests {
        UnservedRequests { unserved: self.unserved_sum, of: self.time_sum }
    }

    pub(super) fn since(&self) -> Time {
        self.since
    }

    pub(super) fn restart(&mut self, now: Time) {
        (self.since, self.unserved_sum, self.time_sum) = (now, 0, 0);
    }
}

/// Returns how many of a million requests at this proxy would reach no ready pod.
fn unserved_of(truth: &Truth, proxy: &Proxy) -> u64 {
    let stable = unserved_behind(truth, proxy, Destination::Stable);
    let canary = unserved_behind(truth, proxy, Destination::Canary);
    if stable == 0 && canary == 0 {
        return 0;
    }
    let to_canary = to_canary(truth, proxy);
    (canary * to_canary + stable * (ALL - to_canary)).div_ceil(ALL)
}

/// Returns how many of a million requests at this proxy are sent to the canary's destination; without routes, none.
pub(super) fn to_canary(truth: &Truth, proxy: &Proxy) -> u64 {
    let total = u64::from(truth.spec.strategy.max_weight());
    let (mut sum, mut objects) = (0, 0);
    for (_, content) in &proxy.objects {
        if let Content::Routes { routes, stable_elsewhere, canary_elsewhere } = content {
            objects += 1;
            let of = |share: u64, there_is: bool| if there_is { share } else { 0 };
            let always = of(ELSEWHERE, *canary_elsewhere) + of(BY_HEADER, leads_by_header(routes));
            let weighed = ALL - of(ELSEWHERE, *stable_elsewhere) - always;
            let weight = u64::from(routes.weight.lo()) + u64::from(routes.weight.hi());
            sum += always + (ALL * weight / (2 * total.max(1))).min(ALL) * weighed / ALL;
        }
    }
    sum.checked_div(objects).unwrap_or(0)
}

fn leads_by_header(routes: &RoutesSeen) -> bool {
    routes.managed.iter().any(|managed| managed.route.as_ref().is_none_or(|route| !route.is_mirror()))
}

/// Returns how many of a million requests to a destination would reach no ready pod: objects may disagree.
fn unserved_behind(truth: &Truth, proxy: &Proxy, destination: Destination) -> u64 {
    let (mut unserved, mut answers) = (0, 0);
    for (_, content) in &proxy.objects {
        let Content::Selectors { stable, canary } = content else { continue };
        let selection = match destination {
            Destination::Stable => stable,
            Destination::Canary => canary,
        };
        if let Some(selection) = selection {
            answers += 1;
            unserved += u64::from(!leads_somewhere(truth, proxy, selection));
        }
    }
    if answers == 0 {
        return if leads_somewhere(truth, proxy, &Selection::Unpinned) { 0 } else { ALL };
    }
    ALL * unserved / answers
}

fn leads_somewhere(truth: &Truth, proxy: &Proxy, selection: &Selection) -> bool {
    proxy.endpoints.iter().zip(&truth.workloads).any(|(endpoints, workload)| {
        selection.revision().is_none_or(|revision| *revision == workload.revision)
            && workload.pods.iter().any(|pod| pod.ready && endpoints.pods.contains(&pod.id))
    })
}
