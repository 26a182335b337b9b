use super::{Findings, Law, Met};
use crate::{
    Status, Waiting,
    sim::{Moment, Truth, What},
    traffic::Destination,
    waiting::{Ending, EndsBy},
};
use alloc::{format, string::String, vec::Vec};

/// After any history, once the faults stop, the rollout comes to rest: done, waiting for an operator, or aborted with
/// no requests to the canary.
#[derive(Debug, Default)]
pub(super) struct EventuallyStable {
    waiting: Vec<Waiting>,
    /// The number of the newest process: an older one may end before it sees the last change.
    newest: u32,
    after_faults: bool,
}

impl Law for EventuallyStable {
    fn name(&self) -> &'static str {
        "eventually_stable"
    }

    fn see(&mut self, moment: &Moment<'_>, _: &mut Findings) {
        if let What::FaultsEnd = moment.what {
            self.after_faults = true;
        }
        let What::Decided { process, plan, .. } = moment.what else { return };
        if process >= self.newest {
            self.newest = process;
            if self.after_faults {
                self.waiting.clone_from(&plan.waiting);
            }
        }
    }

    fn end(&mut self, truth: &Truth, rested: bool, findings: &mut Findings) {
        if !self.after_faults {
            return;
        }
        findings.premise();
        if !rested {
            findings.broken(|| format!("it does not come to rest: {}", self.said()));
            return;
        }
        let status = &truth.status;
        if truth.spec.replicas == 0 {
            return;
        }
        let done = status.is_done() && status.canary.as_ref() == Some(&truth.spec.target);
        if (!done || !self.waiting.is_empty()) && !self.waiting.iter().any(needs_a_person) {
            findings.broken(|| format!("it rests, neither done nor waiting for a person: {}", self.said()));
        }
        if done && self.waiting.is_empty() {
            settled_down(truth, findings);
        }
        if status.aborted.is_some() && !self.stable_cannot_carry() {
            no_request_to(truth, status, findings);
        }
    }
}

impl EventuallyStable {
    fn said(&self) -> String {
        let said: Vec<String> = self.waiting.iter().map(|waiting| format!("{waiting}")).collect();
        if said.is_empty() { "nothing is waited for".into() } else { said.join(" | ") }
    }

    fn stable_cannot_carry(&self) -> bool {
        self.waiting
            .iter()
            .any(|waiting| matches!(waiting.reason, crate::waiting::WaitReason::StableCannotCarry { .. }))
    }
}

/// Returns whether only an operator, another cluster, or pods that never become ready, can end a wait.
fn needs_a_person(waiting: &Waiting) -> bool {
    match &waiting.ends {
        EndsBy::Command(_) => true,
        EndsBy::Event(ending) => {
            matches!(
                ending,
                Ending::ManifestChanged
                    | Ending::ReplicasAboveZero
                    | Ending::PodsReady
                    | Ending::StableCarries
                    | Ending::ClusterFollows
                    | Ending::NotNeededElsewhere
            )
        }
        EndsBy::Time(_) => false,
    }
}

fn settled_down(truth: &Truth, findings: &mut Findings) {
    let stable = truth.status.stable.as_ref().and_then(|stable| truth.workload(stable));
    if stable.is_none_or(|workload| workload.wanted != truth.spec.replicas) {
        let wanted = stable.map_or(0, |workload| workload.wanted);
        findings.broken(|| format!("it is done, and stable has {wanted} pods of {}", truth.spec.replicas));
    }
    for proxy in &truth.proxies {
        let met = Met::at(truth, proxy, Destination::Canary);
        if met.share > 0 || met.header {
            findings.broken(|| format!("it is done, and {} still sends requests to canary", proxy.name));
        }
        let met = Met::at(truth, proxy, Destination::Stable);
        if truth.spec.strategy.routing().is_some() && met.revision != truth.status.stable {
            findings.broken(|| {
                format!("it is done, and stable does not lead to the stable revision at {}", proxy.name)
            });
        }
    }
}

fn no_request_to(truth: &Truth, status: &Status, findings: &mut Findings) {
    for proxy in &truth.proxies {
        let met = Met::at(truth, proxy, Destination::Canary);
        if met.reached() && met.revision.is_some() && met.revision == status.canary && !status.is_done() {
            findings
                .broken(|| format!("it is aborted, and {} still sends requests to the canary", proxy.name));
        }
    }
}
