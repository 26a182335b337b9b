use crate::{
    Revision,
    sim::{Content, Proxy, Truth},
    traffic::{Destination, Selection},
};
use alloc::vec::Vec;

/// The outcome of requests for a destination at one proxy, by that proxy's own copy and the real pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Met {
    /// The share of all requests, out of the strategy's total, summed over all objects with routes.
    pub(super) share: u32,
    /// Whether a header route also leads here.
    pub(super) header: bool,
    /// Whether an unweighed route also leads here.
    pub(super) elsewhere: bool,
    /// The number of really ready pods that the proxy knows here.
    pub(super) ready: u32,
    /// The revision that the destination leads to in this proxy's copy; `None` for the user's own selector.
    pub(super) revision: Option<Revision>,
}

impl Met {
    /// Computes the outcome of requests at `destination`.
    pub(super) fn at(truth: &Truth, proxy: &Proxy, destination: Destination) -> Self {
        let total = truth.spec.strategy.max_weight();
        let mut met = Self::default();
        let mut routed = false;
        let mut selections: Vec<&Selection> = Vec::new();
        for (_, content) in &proxy.objects {
            match content {
                Content::Selectors { stable, canary } => {
                    let of = if destination == Destination::Stable { stable } else { canary };
                    selections.extend(of.as_ref());
                }
                Content::Routes { routes, stable_elsewhere, canary_elsewhere } => {
                    routed = true;
                    if destination == Destination::Stable {
                        met.share += total.saturating_sub(routes.weight.lo());
                        met.elsewhere |= stable_elsewhere;
                    } else {
                        met.share += routes.weight.hi();
                        met.elsewhere |= canary_elsewhere;
                        let header = |seen: &crate::traffic::ManagedSeen| {
                            seen.route.as_ref().is_some_and(|route| !route.is_mirror())
                        };
                        met.header |= routes.managed.iter().any(header);
                    }
                }
            }
        }
        if !routed && destination == Destination::Stable {
            met.share = total;
        }
        if truth.spec.strategy.routing().is_none() {
            // Without a data plane to ask for endpoints, existing pods count.
            let there = |selection: &Selection| {
                let behind = |of: &Revision| selection.revision().is_none_or(|revision| revision == of);
                truth
                    .workloads
                    .iter()
                    .filter(|of| behind(&of.revision))
                    .map(crate::sim::SimulatedWorkload::ready)
                    .sum()
            };
            let fewest = selections.iter().map(|selection| there(selection)).min();
            met.ready = fewest.unwrap_or_else(|| there(&Selection::Unpinned));
            met.revision = selections.iter().find_map(|selection| selection.revision().cloned());
            return met;
        }
        if met.reached() {
            met.ready = selections.iter().map(|selection| ready(truth, proxy, selection)).min().unwrap_or(0);
            if selections.is_empty() {
                met.ready = ready(truth, proxy, &Selection::Unpinned);
            }
        }
        met.revision = selections.iter().find_map(|selection| selection.revision().cloned());
        met
    }

    /// Returns whether any request arrives here.
    pub(super) fn reached(&self) -> bool {
        self.share > 0 || self.header || self.elsewhere
    }

    /// Returns whether requests arrive here and find no ready pod.
    pub(super) fn unavailable(&self) -> bool {
        self.reached() && self.ready == 0
    }
}

/// Counts the really ready pods that the proxy has behind a selection.
fn ready(truth: &Truth, proxy: &Proxy, selection: &Selection) -> u32 {
    let mut sum = 0;
    for endpoints in &proxy.endpoints {
        let behind = selection.revision().is_none_or(|revision| *revision == endpoints.revision);
        let Some(workload) = truth.workload(&endpoints.revision).filter(|_| behind) else { continue };
        for pod in workload.pods.iter().filter(|pod| pod.ready) {
            sum += u32::from(endpoints.pods.contains(&pod.id));
        }
    }
    sum
}
