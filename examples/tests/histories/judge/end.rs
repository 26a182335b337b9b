//! What must hold when a history ends.

use super::{FEW, Judge, KEPT, QUIET, REST, RIGHT, number, text};
use serde_json::Value;
use std::collections::BTreeMap;

impl Judge {
    /// Why a Rollout is not at rest, if it is not.
    pub(crate) fn unrest(&self, object: &Value) -> Option<String> {
        let app = text(object, "/metadata/name");
        let phase = text(object, "/status/phase");
        let (stable, current) = (text(object, "/status/stableRS"), text(object, "/status/currentPodHash"));
        let message = text(object, "/status/message");
        if phase != "Healthy" || stable != current {
            return Some(format!("{app} is {phase} ({message}), stable {stable}, current {current}"));
        }
        let weight = self.weights.get(app).copied().unwrap_or(0);
        let (to_stable, to_canary) = self.leads.get(app).cloned().unwrap_or_default();
        if weight != 0 || to_stable != stable || self.headers.contains_key(app) {
            return Some(format!("{app}: {weight} % to {to_canary}, the rest to {to_stable}, not {stable}"));
        }
        if let Some(pods) = self.sets.values().find(|pods| pods.hash == stable && pods.avoids.is_some()) {
            return Some(format!(
                "{app}: stable avoids the nodes of {}",
                pods.avoids.as_deref().unwrap_or("")
            ));
        }
        let wanted = number(object, "/spec/replicas");
        if let Some(why) = self.hand_overs.unrest(app, wanted) {
            return Some(why);
        }
        let of_app = self.sets.iter().filter(|(name, _)| name.starts_with(&format!("{app}-")));
        let odd =
            of_app.map(|(name, pods)| (name, pods.wanted, if pods.hash == stable { wanted } else { 0 }));
        let odd = odd
            .filter(|(_, has, wants)| has != wants)
            .map(|(name, has, wants)| format!("{name} has {has} pods instead of {wants}"));
        let odd: Vec<_> = odd.collect();
        (!odd.is_empty()).then(|| odd.join(", "))
    }

    /// What is not as it has to be, although the Rollout says that it is.
    pub(crate) fn is_healthy_and_wrong(&self, object: &Value) -> Option<String> {
        let is_healthy = text(object, "/status/phase") == "Healthy";
        self.unrest(object).filter(|_| {
            is_healthy && text(object, "/status/stableRS") == text(object, "/status/currentPodHash")
        })
    }

    /// The canary's weight where it has a part of the requests and has to take the others, too: stable has no pods any
    /// more, and the canary has some.
    pub(crate) fn must_take_over(&self, object: &Value) -> Option<u64> {
        let app = text(object, "/metadata/name");
        let (stable, current) = (text(object, "/status/stableRS"), text(object, "/status/currentPodHash"));
        let weight = self.weights.get(app).copied().filter(|weight| *weight > 0)?;
        let leads_there = self.leads.get(app).is_some_and(|(one, other)| one == stable && other == current);
        let of = |hash: &str| self.sets.values().find(|pods| pods.hash == hash);
        let is_gone = of(stable).is_none_or(|pods| pods.ready == 0);
        let is_given_up = self.aborted.get(app).is_some_and(Option::is_some);
        let is_there = of(current).is_some_and(|pods| pods.ready > 0);
        (stable != current && leads_there && is_gone && is_there && !is_given_up).then_some(weight)
    }

    pub(crate) fn took_over(&mut self, weights: &[u64]) {
        for weight in weights {
            self.must(KEPT, *weight == 100, || format!("{weight} % to a canary; its stable has no pods"));
        }
    }

    pub(crate) fn is_right(&mut self, wrong: &[String]) {
        self.must(RIGHT, wrong.is_empty(), || format!("nobody helps, and {}", wrong.join("; ")));
    }

    pub(crate) fn rests(&mut self, why_not: &[String]) {
        self.must(REST, why_not.is_empty(), || why_not.join("; "));
    }

    pub(crate) fn quiet(&mut self, asked: &BTreeMap<String, u64>) {
        self.must(QUIET, asked.is_empty(), || format!("all are at rest, and there are requests: {asked:?}"));
    }

    /// Whether there are as few requests as any history needs.
    pub(crate) fn ends(&mut self, ends: bool) {
        if !ends {
            self.must(FEW, false, || "the requests do not end".to_owned());
        }
    }

    pub(crate) fn few(&mut self, asked: u64, most: u64) {
        self.must(FEW, asked <= most, || format!("{asked} requests, at most {most} are expected"));
    }
}
