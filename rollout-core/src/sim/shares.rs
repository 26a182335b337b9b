//! Where requests go at one moment, by each proxy's own copy of everything.

use super::{
    Content, Proxy, Truth,
    requests::{ALL, to_canary},
};
use crate::{
    Revision,
    traffic::{Destination, Selection},
};
use alloc::vec::Vec;

/// The part of all requests that reaches one revision through one destination.
///
/// See [`Truth::shares`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// The destination that the routes name.
    pub destination: Destination,
    /// The revision whose pods answer.
    pub revision: Revision,
    /// How many of a million requests, on average over the proxies.
    pub of_a_million: u64,
}

impl Truth {
    /// Returns where requests go at this moment. Requests that reach no ready pod are in none of the shares.
    ///
    /// A managed header route gets a tenth of the requests, as if so many carried the header.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rollout_core::{Spec, Step, Strategy, sim::Sim, traffic::Destination};
    /// let steps = [Step::SetWeight(20), Step::Pause(None)];
    /// let strategy = Strategy::builder().traffic_routing(true).steps(steps).build()?;
    /// let mut world = Sim::new(Spec::new(strategy, "v1".into()).replicas(4)).build();
    /// world.run_to_rest(Duration::from_secs(60))?;
    /// world.update_to("v2");
    /// world.run_to_rest(Duration::from_secs(600))?;
    /// let shares = world.truth().shares();
    /// let of = |revision: &str| shares.iter().find(|share| share.revision.as_str() == revision).unwrap();
    /// assert_eq!((of("v1").of_a_million, of("v2").of_a_million), (800_000, 200_000));
    /// assert_eq!(of("v2").destination, Destination::Canary);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let proxies = u64::try_from(self.proxies.len()).unwrap_or(u64::MAX).max(1);
        let mut shares: Vec<Share> = Vec::new();
        for proxy in &self.proxies {
            let canary = to_canary(self, proxy);
            for (destination, requests) in
                [(Destination::Stable, ALL.saturating_sub(canary)), (Destination::Canary, canary)]
            {
                behind(self, proxy, destination, requests, &mut shares);
            }
        }
        for share in &mut shares {
            share.of_a_million /= proxies;
        }
        shares.retain(|share| share.of_a_million > 0);
        shares
    }
}

/// Adds where the requests to a destination go: to the pods behind it alike. Objects may disagree.
fn behind(truth: &Truth, proxy: &Proxy, destination: Destination, requests: u64, shares: &mut Vec<Share>) {
    let selections = proxy.objects.iter().filter_map(|(_, content)| match content {
        Content::Selectors { stable, canary } => match destination {
            Destination::Stable => stable.as_ref(),
            Destination::Canary => canary.as_ref(),
        },
        Content::Routes { .. } => None,
    });
    let mut selections: Vec<&Selection> = selections.collect();
    if selections.is_empty() {
        selections.push(&Selection::Unpinned);
    }
    let each = requests / u64::try_from(selections.len()).unwrap_or(u64::MAX);
    for selection in selections {
        let pods: Vec<(&Revision, u64)> = pods(truth, proxy, selection).collect();
        let all: u64 = pods.iter().map(|(_, pods)| pods).sum();
        for (revision, pods) in pods.into_iter().filter(|(_, pods)| *pods > 0) {
            let part = each.saturating_mul(pods) / all.max(1);
            let same = |share: &&mut Share| share.destination == destination && share.revision == *revision;
            match shares.iter_mut().find(same) {
                Some(share) => share.of_a_million = share.of_a_million.saturating_add(part),
                None => {
                    shares.push(Share { destination, revision: revision.clone(), of_a_million: part });
                }
            }
        }
    }
}

/// The ready pods that a proxy reaches through a selection, by revision.
fn pods<'t>(
    truth: &'t Truth,
    proxy: &'t Proxy,
    selection: &'t Selection,
) -> impl Iterator<Item = (&'t Revision, u64)> {
    let both = proxy.endpoints.iter().zip(&truth.workloads);
    let selected = both
        .filter(|(_, workload)| selection.revision().is_none_or(|revision| *revision == workload.revision));
    selected.map(|(endpoints, workload)| {
        let reached = workload.pods.iter().filter(|pod| pod.ready && endpoints.pods.contains(&pod.id));
        (&workload.revision, u64::try_from(reached.count()).unwrap_or(u64::MAX))
    })
}
