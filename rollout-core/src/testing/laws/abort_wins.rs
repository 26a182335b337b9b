use super::{Decision, Findings, Law};
use crate::{
    Revision, Spec,
    sim::{Content, Moment, Truth, What},
    testing::reading::carrying,
    traffic::{RoutesSeen, Selection},
    waiting::{EndsBy, WaitReason},
};
use alloc::format;

/// The maximum number of turns of an abort, once stable can carry.
const TURNS: u64 = 12;

/// Once stable can carry the traffic, an aborted revision has none after at most twelve turns that knew the counts and
/// met no error. The largest number of turns is measured.
#[derive(Debug, Default)]
pub(super) struct AbortWins {
    aborted: Option<(Revision, u64)>,
}

impl Law for AbortWins {
    fn name(&self) -> &'static str {
        "abort_wins"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let truth = moment.truth;
        let given_up = truth
            .status
            .canary
            .as_ref()
            .filter(|_| truth.status.aborted.is_some() && !truth.status.is_done());
        match (&self.aborted, given_up) {
            (_, None) => self.aborted = None,
            (Some((of, _)), Some(revision)) if of == revision => {}
            (_, Some(revision)) => {
                findings.premise();
                self.aborted = Some((revision.clone(), 0));
            }
        }
        let Some((revision, turns)) = &mut self.aborted else { return };
        match moment.what {
            What::Acted { answer: Some(Err(_)) | None, .. } => *turns = turns.saturating_sub(1),
            What::ForeignWrite { .. } => *turns = 0,
            _ => {}
        }
        if !leads(truth, revision) {
            *turns = 0;
            return;
        }
        let Some(decision) = Decision::of(moment) else { return };
        if could(&decision) {
            *turns += 1;
            findings.measured(*turns);
            if *turns > TURNS {
                findings.broken(|| format!("{revision} is aborted and still has traffic after {TURNS} turns in which stable could carry it"));
            }
        }
    }
}

/// Returns whether stable can carry the traffic, as this decision knows for sure.
fn could(decision: &Decision<'_>) -> bool {
    let status = &decision.plan.status;
    let stable = status.stable.as_ref().and_then(|stable| decision.observed.revision(stable));
    decision.spec.replicas > 0
        && !keeps_its_pace(decision)
        && !status.scaled_to_zero
        && status.aborted.is_some()
        && decision.traffic().is_some()
        && stable.is_some_and(|seen| {
            seen.ready.is_exact()
                && seen.scale_down_deadline.is_none()
                && seen.ready.lo() >= enough(decision.spec)
                && decision.endpoints_settled(&seen.revision)
        })
}

/// Returns whether a gradual abort says that no more traffic is due to go back yet, or takes what is due.
fn keeps_its_pace(decision: &Decision<'_>) -> bool {
    let falls = decision.spec.gradual_abort.is_some() && decision.fall().is_some();
    falls
        || decision.plan.waiting.iter().any(|waiting| match (&waiting.reason, &waiting.ends) {
            (WaitReason::AbortingGradually { .. }, EndsBy::Time(at)) => *at > decision.now,
            _ => false,
        })
}

/// Returns how many ready pods stable needs for everything: all of them where it follows the weight.
fn enough(spec: &Spec) -> u32 {
    if spec.strategy.stable_follows_weight() { spec.replicas } else { carrying(spec) }
}

/// Returns whether the stored objects lead requests to a revision.
fn leads(truth: &Truth, revision: &Revision) -> bool {
    let selected = truth.traffic.iter().any(|object| {
        matches!(&object.content, Content::Selectors { canary: Some(Selection::Revision(of)), .. } if of == revision)
    });
    let routed = |routes: &RoutesSeen| routes.weight.hi() > 0 || !routes.managed.is_empty();
    selected
        && truth
            .traffic
            .iter()
            .any(|object| matches!(&object.content, Content::Routes { routes, .. } if routed(routes)))
}
