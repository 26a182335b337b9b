use super::{Decision, Findings, Law};
use crate::{
    Action,
    sim::Moment,
    traffic::{Destination, Settled},
};
use alloc::{format, string::ToString};

/// Before a selector leaves pods, or pods are removed, the routes are settled, relative to the plan's observation.
/// (Leaving stable's pods needs only the new pods' endpoints; the user's own `replicas: 0` needs nothing; if the data
/// plane cannot be asked, the delay of the scale-down deadline replaces the check for pods.) If some pods stay, every
/// proxy must also know them; and a revision that a destination leads to is not deleted. No pods are removed while an
/// unknown proxy may return.
#[derive(Debug, Default)]
pub(super) struct DownGate;

impl Law for DownGate {
    fn name(&self) -> &'static str {
        "down_gate"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment).filter(Decision::routed) else { return };
        let Some(seen) = decision.traffic() else { return };
        if let Some(to) = decision.select().and_then(|to| to.canary.as_ref())
            && seen.behind[Destination::Canary].iter().any(|old| old != to)
        {
            findings.premise();
            if !decision.routes_settled() {
                findings
                    .broken(|| "canary's selector leaves pods while the routes are not settled".to_string());
            }
        }
        if decision.spec.replicas == 0 {
            return;
        }
        let behind = |answer: &Settled| matches!(answer, Settled::NotYet { .. }) && !decision.is_overridden();
        for action in &decision.plan.actions {
            let Action::Prune { revision } = action else { continue };
            findings.premise();
            let led = seen.behind.iter().flat_map(|(_, behind)| behind);
            if led.into_iter().any(|selection| selection.is(revision)) {
                findings.broken(|| format!("{revision} is deleted, and a destination leads to it"));
            }
        }
        for (of, pods) in decision.shrinks() {
            findings.premise();
            if !seen.proxies_known_in.is_zero() && !decision.is_overridden() {
                findings
                    .broken(|| format!("{} goes to {pods} pods while a proxy may come back", of.revision));
            }
            let endpoints = seen.endpoints.iter().find(|(revision, _)| *revision == of.revision);
            let endpoints = endpoints.filter(|_| pods > 0).map(|(_, answer)| ("endpoints", answer));
            let layers = [("routes", &seen.routes_settled), ("selectors", &seen.selectors_settled)];
            for (what, answer) in layers.into_iter().chain(endpoints) {
                if behind(answer) {
                    findings.broken(|| {
                        format!(
                            "{} goes from {} to {pods} pods while the {what} are not settled",
                            of.revision, of.wanted
                        )
                    });
                }
            }
        }
    }
}
