use super::{Findings, Law, Ledger, Met};
use crate::{
    sim::{Moment, Truth, What},
    traffic::Destination,
};
use alloc::{format, string::String, vec::Vec};

const BOTH: [Destination; 2] = [Destination::Stable, Destination::Canary];

/// No write by the engine makes a destination that receives requests lead to no ready pod, at any single proxy.
///
/// The law judges where requests arrive: when a proxy gets what the engine wrote, and when pods end that the engine
/// removed. The engine is not responsible for pods lost since the observation, for foreign writes, and for a
/// destination that was unavailable before and got no more weight.
#[derive(Debug, Default)]
pub(super) struct NoUnservedWrite {
    ledger: Ledger,
    met: Vec<[Met; 2]>,
}

impl Law for NoUnservedWrite {
    fn name(&self) -> &'static str {
        "no_unserved_write"
    }

    fn see(&mut self, moment: &Moment<'_>, findings: &mut Findings) {
        self.ledger.see(moment);
        let truth = moment.truth;
        if self.met.len() != truth.proxies.len() {
            self.met = truth.proxies.iter().map(|proxy| BOTH.map(|of| Met::at(truth, proxy, of))).collect();
        }
        match moment.what {
            What::DeliveredObject { proxy, object, from } => {
                let to = truth
                    .proxies
                    .get(proxy)
                    .and_then(|proxy| proxy.objects.get(object))
                    .map_or(0, |(to, _)| *to);
                self.judge(truth, Some(proxy), findings, |ledger, destination, met| {
                    let stable = destination == Destination::Stable;
                    ledger.blames((object, from, to), met.revision.as_ref(), stable)
                });
            }
            What::PodEnded(revision) => {
                let decision = self.ledger.shrinker(revision).filter(|_| truth.spec.replicas > 0);
                self.judge(truth, None, findings, |ledger, _, met| {
                    decision.is_some_and(|decision| !ledger.excuses(decision, met.revision.as_ref(), true))
                });
            }
            What::DeliveredEndpoints { proxy, .. } => {
                self.judge(truth, Some(proxy), findings, |_, _, _| false);
            }
            What::PodReady(_) | What::PodLost(_) => self.judge(truth, None, findings, |_, _, _| false),
            _ => {}
        }
    }
}

impl NoUnservedWrite {
    fn judge(
        &mut self,
        truth: &Truth,
        only: Option<usize>,
        findings: &mut Findings,
        ours: impl Fn(&Ledger, Destination, &Met) -> bool,
    ) {
        let all = truth.proxies.iter().zip(&mut self.met).enumerate();
        for (_, (proxy, before)) in all.filter(|(index, _)| only.is_none_or(|only| only == *index)) {
            let now = BOTH.map(|of| Met::at(truth, proxy, of));
            if now == *before {
                continue;
            }
            findings.premise();
            let more = unserved_share(&now) > unserved_share(before);
            for ((destination, now), before) in BOTH.into_iter().zip(&now).zip(&*before) {
                let newly = |leads: fn(&Met) -> bool| leads(now) && !(leads(before) && before.unavailable());
                let others = newly(|met| met.header) || newly(|met| met.elsewhere);
                let gains =
                    now.unavailable() && (!before.unavailable() || now.share > before.share || others);
                if gains && (more || others) && ours(&self.ledger, destination, now) {
                    findings.broken(|| said(&proxy.name, destination, before, now));
                }
            }
            *before = now;
        }
    }
}

/// Returns the share of requests that reach no pod, over both destinations: they may lead to the same pods.
fn unserved_share(met: &[Met; 2]) -> u32 {
    met.iter().filter(|met| met.unavailable()).map(|met| met.share).sum()
}

fn said(proxy: &str, destination: Destination, before: &Met, now: &Met) -> String {
    let behind = |met: &Met| match &met.revision {
        Some(revision) => format!("{revision}, {} ready", met.ready),
        None => format!("the user's own selector, {} ready", met.ready),
    };
    format!(
        "at {proxy}, requests for {destination} (share {}, header route: {}) meet no ready pod: it leads to {}; \
         before: share {}, {}",
        now.share,
        now.header,
        behind(now),
        before.share,
        behind(before)
    )
}
