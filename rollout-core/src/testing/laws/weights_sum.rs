use super::{Findings, Law};
use crate::{
    Action,
    sim::{Content, Moment, What},
    traffic::WeightChange,
};
use alloc::format;

/// Weights are out of the declared total, in every write and in every object after it.
#[derive(Debug, Default)]
pub(super) struct WeightsSum;

impl Law for WeightsSum {
    fn name(&self) -> &'static str {
        "weights_sum"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let What::Acted { action: Action::Route(routes), .. } = moment.what else { return };
        let WeightChange::To(weight) = routes.weight else { return };
        findings.premise();
        let total = moment.truth.spec.strategy.max_weight();
        if weight.of() != total {
            findings.broken(|| format!("a weight of {weight} is written, and the total is {total}"));
        }
        for object in &moment.truth.traffic {
            if let Content::Routes { routes, .. } = &object.content
                && routes.weight.hi() > total
            {
                findings.broken(|| format!("{} has weight {} out of {total}", object.name, routes.weight));
            }
        }
    }
}
