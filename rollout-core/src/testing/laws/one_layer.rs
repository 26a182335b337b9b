use super::{Decision, Findings, Law};
use crate::{Action, sim::Moment};
use alloc::string::ToString;

/// A plan writes selectors or routes, never both.
#[derive(Debug, Default)]
pub(super) struct OneLayer;

impl Law for OneLayer {
    fn name(&self) -> &'static str {
        "one_layer"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(decision) = Decision::of(moment) else { return };
        let writes = decision.plan.actions.iter().filter(|action| action.is_traffic()).count();
        if writes == 0 {
            return;
        }
        findings.premise();
        let selects = decision.plan.actions.iter().any(|action| matches!(action, Action::Select(_)));
        if selects && decision.route().is_some() {
            findings.broken(|| "one plan writes selectors and routes".to_string());
        }
    }
}
