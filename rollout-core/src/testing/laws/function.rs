//! Laws about the deciding function itself, which call it again with recorded inputs.

use super::{Decision, Findings, Law};
use crate::{
    Answer, CommandKind, Observed, Plan, Spec, Status, Time, apply,
    plan::WakeReason,
    reconcile,
    sim::{Moment, What},
    traffic::Settled,
    waiting::EndsBy,
};
use alloc::{format, string::ToString};
use core::time::Duration;

/// The same inputs give the same plan.
#[derive(Debug, Default)]
pub(super) struct Deterministic;

impl Law for Deterministic {
    fn name(&self) -> &'static str {
        "deterministic"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(d) = Decision::of(moment) else { return };
        if d.number % 4 != 0 {
            return;
        }
        findings.premise();
        if reconcile(d.spec, d.stored, d.observed, d.now) != *d.plan {
            findings.broken(|| "the same inputs gave another plan".to_string());
        }
    }
}

/// With an unchanged observation, deciding again before `wake` does nothing.
#[derive(Debug, Default)]
pub(super) struct EarlyIsHarmless;

impl Law for EarlyIsHarmless {
    fn name(&self) -> &'static str {
        "early_is_harmless"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(d) = Decision::of(moment).filter(Decision::is_still) else { return };
        let until = d.plan.wake.map_or(d.now + Duration::from_secs(86_400), |wake| wake.at);
        let half = d.now + until.since(d.now) / 2;
        if half <= d.now || half >= until {
            return;
        }
        findings.premise();
        let again = reconcile(d.spec, d.stored, d.observed, half);
        if let Some(how) = acts(&again, d.stored) {
            findings.broken(|| format!("decided again at {half}, before its wake-up at {until}: {how}"));
        }
    }
}

/// At its wake-up, with nothing else changed, the plan differs, unless the wake-up is a declared poll.
#[derive(Debug, Default)]
pub(super) struct WakeMeansChange;

impl Law for WakeMeansChange {
    fn name(&self) -> &'static str {
        "wake_means_change"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let Some(d) = Decision::of(moment).filter(Decision::is_still) else { return };
        let Some(wake) = d.plan.wake else { return };
        if wake.at <= d.now {
            return findings.broken(|| format!("nothing is to be done, and it wakes at once ({})", wake.why));
        }
        match wake.why {
            WakeReason::LookAgain | WakeReason::GracePeriodEnds | WakeReason::StableUnavailable => return,
            WakeReason::PauseEnds
            | WakeReason::ScaleDown
            | WakeReason::ProgressDeadline
            | WakeReason::WindowOpens
            | WakeReason::AbortContinues
            | WakeReason::SoakEnds
            | WakeReason::ClusterFails => {}
        }
        findings.premise();
        let then = reconcile(d.spec, d.stored, &older(d.observed, wake.at.since(d.now)), wake.at);
        // What it waited for may be over and something else hold it back.
        let is_over = d.plan.waiting.iter().any(|waiting| {
            waiting.ends == EndsBy::Time(wake.at)
                && then.waiting.iter().all(|other| other.reason != waiting.reason)
        });
        if acts(&then, d.stored).is_none() && !is_over {
            findings
                .broken(|| format!("it wakes at {} because {}, and then nothing differs", wake.at, wake.why));
        }
    }
}

/// At rest, no later decision does anything.
#[derive(Debug, Default)]
pub(super) struct Quiescent {
    last: Option<(Spec, Status, Observed, Time)>,
}

impl Law for Quiescent {
    fn name(&self) -> &'static str {
        "quiescent"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        if let Some(d) = Decision::of(moment) {
            let rests = d.is_still() && d.plan.wake.is_none();
            self.last = rests.then(|| (d.spec.clone(), d.stored.clone(), d.observed.clone(), d.now));
            return;
        }
        let (What::Rest, Some((spec, stored, observed, now))) = (moment.what, &self.last) else { return };
        findings.premise();
        for later in [0, 1, 3_600, 30 * 86_400].map(Duration::from_secs) {
            let again = reconcile(spec, stored, &older(observed, later), *now + later);
            if let Some(how) = acts(&again, stored) {
                findings.broken(|| format!("at rest, decided again {later:?} later: {how}"));
            }
            if again.wake.is_some() {
                let why = again.wake.map(|wake| wake.why);
                findings.broken(|| {
                    format!("at rest, decided again {later:?} later, it wants to be woken: {why:?}")
                });
            }
        }
    }
}

/// Repeating the same promote moves only one step.
#[derive(Debug, Default)]
pub(super) struct PromoteOnce;

impl Law for PromoteOnce {
    fn name(&self) -> &'static str {
        "promote_once"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        let What::Commanded { command, answer: Answer::Accepted { status, .. } } = moment.what else {
            return;
        };
        if !matches!(command.kind, CommandKind::Promote | CommandKind::Skip) {
            return;
        }
        findings.premise();
        let observed = Observed::new();
        if let Answer::Accepted { status: again, .. } =
            apply(command, &moment.truth.spec, status, &observed, moment.truth.now)
            && again.step > status.step
        {
            findings.broken(|| {
                format!(
                    "the same {} twice goes to step {} and then to step {}",
                    command.kind, status.step, again.step
                )
            });
        }
    }
}

/// A status survives its stored form unchanged, and so does everything in a decision record.
#[derive(Debug, Default)]
pub(super) struct WireRoundTrip;

impl Law for WireRoundTrip {
    fn name(&self) -> &'static str {
        "wire_round_trip"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        match moment.what {
            What::Stored { .. } => {
                findings.premise();
                if !round_trip(&moment.truth.status) {
                    findings.broken(|| format!("stored and read back it differs: {:?}", moment.truth.status));
                }
            }
            What::Decided { decision, spec, observed, plan, .. } if decision % 64 == 7 => {
                findings.premise();
                if !(round_trip(spec) && round_trip(observed) && round_trip(plan)) {
                    findings
                        .broken(|| "a decision record differs after it was stored and read back".to_string());
                }
            }
            _ => {}
        }
    }
}

fn round_trip<T: PartialEq + serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> bool {
    let text = serde_json::to_string(value);
    text.and_then(|text| serde_json::from_str::<T>(&text)).is_ok_and(|back| back == *value)
}

/// Returns the same observation at a later time: if the data plane cannot be asked, only ages grow.
fn older(observed: &Observed, by: Duration) -> Observed {
    let mut older = observed.clone();
    if let Some(seen) = &mut older.traffic {
        let endpoints = seen.endpoints.iter_mut().map(|(_, answer)| answer);
        for answer in endpoints.chain([&mut seen.routes_settled, &mut seen.selectors_settled]) {
            if let Settled::Unknown { age } = answer {
                *age = age.saturating_add(by);
            }
        }
        seen.proxies_known_in = seen.proxies_known_in.saturating_sub(by);
    }
    older
}

/// Describes what a plan does that a repeated one must not do.
fn acts(plan: &Plan, stored: &Status) -> Option<alloc::string::String> {
    if let Some(action) = plan.actions.first() {
        return Some(format!("{action:?}"));
    }
    (plan.status != *stored).then(|| format!("the status becomes {:?}", plan.status))
}
