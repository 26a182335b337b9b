use super::{Decision, Findings, Law};
use crate::{
    Store,
    sim::{Moment, What},
};
use alloc::{format, vec::Vec};

/// How many decisions back an action may still arrive.
const KEPT: usize = 64;

/// A status change is stored before any action of the same decision is carried out.
#[derive(Debug, Default)]
pub(super) struct StatusFirst {
    /// The decisions that change the status, and whether each change was stored.
    decisions: Vec<(u64, bool)>,
}

impl Law for StatusFirst {
    fn name(&self) -> &'static str {
        "status_first"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(decision) = Decision::of(moment) {
            if decision.plan.store == Store::Now {
                let excess = (self.decisions.len() + 1).saturating_sub(KEPT);
                self.decisions.drain(..excess);
                self.decisions.push((decision.number, false));
            }
            return;
        }
        match moment.what {
            What::Stored { by } => {
                if let Some(stored) = self.decisions.iter_mut().find(|(number, _)| *number == by.decision) {
                    stored.1 = true;
                }
            }
            // A late action may belong to any earlier turn.
            What::Acted { by, action, took_effect: true, .. } if !by.late => {
                let Some((_, is_stored)) = self.decisions.iter().find(|(number, _)| *number == by.decision)
                else {
                    return;
                };
                findings.premise();
                if !is_stored {
                    findings.broken(|| {
                        format!("decision {} acted before its status was stored: {action:?}", by.decision)
                    });
                }
            }
            _ => {}
        }
    }
}
