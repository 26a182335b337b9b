//! `workloadRef`: a Deployment hands its requests over to the pods of a Rollout.

use super::{FOREIGN, Judge, Pods, number, text};
use crate::workload;
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(super) const HAND_OVER: &str = "no_gap_at_the_hand_over";

/// The Deployments, by app.
#[derive(Debug, Default)]
pub(super) struct HandOvers(BTreeMap<String, HandOver>);

#[derive(Debug, Default)]
struct HandOver {
    /// Whether it is there.
    is_there: bool,
    /// How many pods it had when somebody else than a controller asked for them last.
    before: u64,
    pods: Pods,
    names: BTreeSet<String>,
    /// Of the Rollout, if it is there.
    rollout: Option<Rollout>,
}

#[derive(Debug, Default)]
struct Rollout {
    replicas: u64,
    /// Whether its first deploy is over.
    has_stable: bool,
    /// Whether it never scales the Deployment.
    is_careful: bool,
}

impl HandOvers {
    pub(super) fn rollout(&mut self, app: &str, object: &Value) {
        let reference = object.pointer("/spec/workloadRef").filter(|of| of["kind"] == "Deployment");
        let Some(reference) = reference else { return };
        self.0.entry(app.to_owned()).or_default().rollout = Some(Rollout {
            replicas: number(object, "/spec/replicas"),
            has_stable: !text(object, "/status/stableRS").is_empty(),
            is_careful: reference["scaleDown"] == "never",
        });
    }

    /// The Rollout is gone: it will have another identity.
    pub(super) fn forget(&mut self, app: &str) {
        if let Some(of) = self.0.get_mut(app) {
            (of.rollout, of.before) = (None, of.pods.wanted);
        }
    }

    pub(super) fn pod(&mut self, name: String, is_deleted: bool, now: Duration) {
        let Some(app) = workload::app_of(&name) else { return };
        let of = self.0.entry(app).or_default();
        if is_deleted {
            of.names.remove(&name)
        } else {
            of.names.insert(name)
        };
        of.pods.becomes(u64::try_from(of.names.len()).unwrap(), now);
    }

    /// Whether a Deployment has a ready pod.
    pub(super) fn serves(&self, app: &str) -> bool {
        self.0.get(app).is_some_and(|of| of.pods.ready > 0)
    }

    /// Why a Deployment is not at rest, although the Rollout is.
    pub(super) fn unrest(&self, app: &str, replicas: u64) -> Option<String> {
        let of = self.0.get(app).filter(|of| of.is_there && replicas > 0)?;
        let is_careful = of.rollout.as_ref()?.is_careful;
        let (has, right) = (of.pods.wanted, if is_careful { of.before } else { 0 });
        (has != right).then(|| format!("the Deployment of {app} has {has} pods instead of {right}"))
    }
}

impl Pods {
    /// The most ready ones that there were in this time.
    fn most(&self, from: Duration) -> u64 {
        let later = self.numbers.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
        let lately = self.numbers.iter().zip(later).filter(|(_, until)| *until >= from);
        lately.map(|((_, ready), _)| *ready).max().unwrap_or(0).max(self.ready)
    }
}

impl Judge {
    pub(super) fn deployment(&mut self, name: &str, change: &Change, is_ours: bool) {
        let Some(app) = workload::app_of(name) else { return };
        let of = self.hand_overs.0.entry(app.clone()).or_default();
        let wanted = if change.is_deleted { 0 } else { number(&change.object, "/spec/replicas") };
        let before = std::mem::replace(&mut of.pods.wanted, wanted);
        of.is_there = !change.is_deleted;
        if !is_ours {
            // Its status, or a person.
            if wanted != before {
                of.before = wanted;
            }
            return;
        }
        let may = !change.is_deleted && of.rollout.as_ref().is_none_or(|of| !of.is_careful);
        self.must(FOREIGN, may, || format!("a controller has written {name}"));
        if wanted < before {
            self.fewer_pods(&format!("{name} goes from {before} to {wanted} pods"), &app, before);
        }
    }

    /// A controller leads stable's requests to a revision. If they met the pods of a Deployment, too, there are as many of
    /// the revision as served before, or as the Rollout needs.
    pub(super) fn leaves_deployment(&mut self, app: &str, next: &str) {
        let is_unpinned = self.leads.get(app).is_some_and(|(stable, _)| stable.is_empty());
        let Some(hand_over) = self.hand_overs.0.get(app).filter(|_| is_unpinned && !next.is_empty()) else {
            return;
        };
        let from = self.now.saturating_sub(self.heard);
        let Some(rollout) = &hand_over.rollout else { return };
        let enough = hand_over.pods.ready.min(rollout.replicas);
        let set = self.sets.values().find(|pods| pods.hash == next);
        let ready = set.map_or(0, |pods| pods.most(from));
        self.must(HAND_OVER, ready >= enough, || {
            format!("{app} leads to {next}, which has {ready} ready pods; {enough} are needed")
        });
    }

    /// A controller has just asked for fewer pods of a Deployment, or of a ReplicaSet in the first deploy: those that are
    /// ready and stay are as many as served before, or as the Rollout needs.
    pub(super) fn fewer_pods(&mut self, what: &str, of: &str, before: u64) {
        let app = self.hand_overs.0.keys().find(|app| of == *app || of.starts_with(&format!("{app}-")));
        let Some(app) = app.cloned() else { return };
        let from = self.now.saturating_sub(self.heard);
        let hand_over = &self.hand_overs.0[&app];
        let Some(rollout) = &hand_over.rollout else { return };
        let is_deployment = app == of;
        if rollout.has_stable && !is_deployment {
            return;
        }
        let stay = |pods: &Pods, wanted: u64| pods.most(from).min(wanted);
        let sets = self.sets.iter().filter(|(name, _)| name.starts_with(&format!("{app}-")));
        let others: u64 =
            sets.clone().filter(|(name, _)| *name != of).map(|(_, pods)| stay(pods, pods.wanted)).sum();
        let others = others + if is_deployment { 0 } else { stay(&hand_over.pods, hand_over.pods.wanted) };
        let it = if is_deployment { &hand_over.pods } else { &self.sets[of] };
        let (left, was) = (others + stay(it, it.wanted), others + stay(it, before));
        let enough = hand_over.before.min(rollout.replicas).min(was);
        self.must(HAND_OVER, left >= enough, || {
            format!("{what}: {left} ready pods are left, and {enough} are needed")
        });
    }
}
