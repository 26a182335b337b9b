use super::{Decision, Findings, Law};
use crate::sim::{Moment, Truth, What};
use alloc::format;

/// After a crash after the store and any number of actions, the rollout is still safe (the other laws judge that) and
/// still comes to rest.
#[derive(Debug, Default)]
pub(super) struct PrefixSafe {
    left: usize,
    crashes: u32,
}

impl Law for PrefixSafe {
    fn name(&self) -> &'static str {
        "prefix_safe"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(decision) = Decision::of(moment) {
            self.left = decision.plan.actions.len();
        }
        match moment.what {
            What::Acted { by, .. } if !by.late => self.left = self.left.saturating_sub(1),
            What::Crashed if self.left > 0 => {
                findings.premise();
                self.crashes = self.crashes.saturating_add(1);
                self.left = 0;
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Truth, rested: bool, findings: &mut Findings) {
        if self.crashes > 0 && !rested {
            findings
                .broken(|| format!("{} crashes between actions, and it does not come to rest", self.crashes));
        }
    }
}
