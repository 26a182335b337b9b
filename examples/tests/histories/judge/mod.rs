//! What must hold of every write, whoever made it, and at the end.

mod apart;
mod end;
mod evictions;
mod hand_over;
mod heard;
mod runs;
mod seen;
mod shown;
mod traffic;

pub(crate) use seen::Seen;

use evictions::{EVICTED, Evictions};
use hand_over::{HAND_OVER, HandOvers};
use heard::{HEARD, heard};
use runs::Runs;
use shown::SHOWN;

use crate::{
    apps,
    history::History,
    mesh::{Mesh, said},
    workload,
};
use rollout_kube::testing::Change;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const WHOLE: &str = "weights_sum";
const UNSERVED: &str = "no_unserved_write";
const ALONE: &str = "no_pods_taken_from_traffic";
const ABORTED: &str = "aborted_never_rises";
const FOREIGN: &str = "what_is_foreign_stays";
const REST: &str = "comes_to_rest";
const QUIET: &str = "quiet_at_rest";
const FEW: &str = "few_requests";
const PROXY_UNSERVED: &str = "no_proxy_is_unserved";
const PROXY_ALONE: &str = "no_pods_taken_from_a_proxy";
const KEPT: &str = "no_unserved_weight_kept";
const RIGHT: &str = "healthy_is_right";
const LIVES: &str = "live_service_keeps_its_pods";
const APART: &str = "pods_keep_apart_in_an_update";
const RULES: [&str; 29] = [
    WHOLE,
    UNSERVED,
    ALONE,
    ABORTED,
    FOREIGN,
    REST,
    QUIET,
    FEW,
    PROXY_UNSERVED,
    PROXY_ALONE,
    KEPT,
    RIGHT,
    EVICTED,
    LIVES,
    APART,
    HAND_OVER,
    runs::FINAL,
    runs::OFTEN,
    runs::WRITES,
    runs::ONE,
    runs::ENDS,
    runs::EVIDENCE,
    runs::UNDECIDED,
    runs::ABORTS,
    runs::OVER,
    runs::KEPT,
    runs::WAITS,
    runs::COST,
    SHOWN,
];

#[derive(Debug, Clone, Default)]
struct Pods {
    hash: String,
    wanted: u64,
    ready: u64,
    /// When there was a ready one last.
    ready_at: Option<Duration>,
    /// Since when there has always been one.
    ready_since: Option<Duration>,
    /// Each number of ready ones, and since when there were so many.
    numbers: Vec<(Duration, u64)>,
    /// The revision whose nodes its pods avoid.
    avoids: Option<String>,
}

impl Pods {
    fn becomes(&mut self, ready: u64, now: Duration) {
        if ready > 0 || self.ready > 0 {
            self.ready_at = Some(now);
        }
        if self.ready != ready {
            self.numbers.push((now, ready));
        }
        self.ready = ready;
        self.ready_since = (ready > 0).then(|| self.ready_since.unwrap_or(now));
    }
}

/// What there is, as the server's changes tell it.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    now: Duration,
    /// A controller has heard of everything that happened longer ago than that.
    heard: Duration,
    apps: Vec<String>,
    mesh: Option<Mesh>,
    sets: BTreeMap<String, Pods>,
    /// The revision of each pod; all are ready.
    pods: BTreeMap<String, String>,
    evictions: Evictions,
    hand_overs: HandOvers,
    runs: Runs,
    argo_cd: crate::argo_cd::ArgoCd,
    /// The apps whose Services take turns, and those of them whose second one is stable now.
    by_turns: BTreeSet<String>,
    turned: BTreeSet<String>,
    /// The sum of the weights, where it is not 100, by app.
    totals: BTreeMap<String, u64>,
    /// The apps with `antiAffinity`.
    apart: BTreeSet<String>,
    /// The stable revision by the status, by app.
    stable: BTreeMap<String, String>,
    /// The canary's weight, by the name of the route, which is that of its Rollout.
    weights: BTreeMap<String, u64>,
    /// The VirtualServices in which requests with a header go to a canary, by its Rollout.
    headers: BTreeMap<String, String>,
    /// What stable and canary lead to, by Rollout.
    leads: BTreeMap<String, (String, String)>,
    /// Likewise, where they lead by Services.
    services: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The revision that each Rollout was given up at.
    aborted: BTreeMap<String, Option<String>>,
    /// The time-out that was last written into the route of nobody here, by VirtualService.
    pub(crate) foreign: BTreeMap<String, u64>,
    pub(crate) seen: Seen,
    pub(crate) broken: Option<String>,
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

impl Judge {
    pub(crate) fn of(history: &History, mesh: Option<Mesh>) -> Self {
        let apps = (0..history.apps.len()).map(apps::name).collect();
        Self { apps, mesh, heard: heard(history), ..Self::default() }
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.heard < HEARD
    }

    fn must(&mut self, rule: &'static str, holds: bool, why: impl FnOnce() -> String) {
        self.seen.count(rule);
        if !holds && self.broken.is_none() {
            self.broken = Some(format!("{rule}: at {:.1} s, {}", self.now.as_secs_f32(), why()));
        }
    }

    /// How many pods of a revision there are: a ReplicaSet counts them later.
    fn ready(&self, hash: &str) -> u64 {
        u64::try_from(self.pods.values().filter(|of| *of == hash).count()).unwrap()
    }

    /// Takes in a change, and judges it.
    pub(crate) fn see(&mut self, change: &Change, now: Duration) {
        self.see_by(change, change.by.is_some(), now);
    }

    /// `is_ours` says whether a controller made it.
    pub(crate) fn see_by(&mut self, change: &Change, is_ours: bool, now: Duration) {
        self.now = now;
        let object = &*change.object;
        let name = text(object, "/metadata/name").to_owned();
        match text(object, "/kind") {
            "ReplicaSet" if change.is_deleted && name.starts_with(workload::PREFIX) => {
                self.must(FOREIGN, !is_ours, || format!("a controller has deleted {name}"));
            }
            "ReplicaSet" if change.is_deleted => {
                // When it last had a ready pod still matters.
                if let Some(pods) = self.sets.get_mut(&name) {
                    pods.wanted = 0;
                    pods.becomes(0, self.now);
                }
            }
            "ReplicaSet" => self.set(&name, object, is_ours),
            "Pod" => self.pod(name, change, is_ours),
            "VirtualService" if change.is_deleted => {
                for route in items(object, "/spec/http") {
                    self.weights.remove(text(route, "/name"));
                }
                self.headers.retain(|_, of| *of != name);
                self.foreign.remove(&name);
            }
            "VirtualService" => self.routes(&name, object, is_ours),
            "DestinationRule" if change.is_deleted => {
                for app in said::leads(object).keys() {
                    self.leads.remove(app);
                }
            }
            "DestinationRule" => self.rule(&name, object, is_ours),
            "Service" => self.service(object, change.is_deleted, is_ours),
            "Deployment" => self.deployment(&name, change, is_ours),
            "AnalysisRun" => self.run(change, is_ours),
            "Rollout" if change.is_deleted => {
                self.analysed(&name, change, is_ours);
                self.aborted.remove(&name);
                self.hand_overs.forget(&name);
                if self.turned.remove(&name) {
                    self.swap_roles(&name);
                }
            }
            "Rollout" => {
                self.analysed(&name, change, is_ours);
                self.rollout(&name, object);
                self.shows(&name, object, is_ours);
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str, object: &Value, is_ours: bool) {
        if name.starts_with(workload::PREFIX) {
            return self.must(FOREIGN, !is_ours, || format!("a controller has written {name}"));
        }
        let hash = text(object, "/metadata/labels/rollouts-pod-template-hash").to_owned();
        let wanted = number(object, "/spec/replicas");
        let ready = self.ready(&hash);
        let is_new = !self.sets.contains_key(name);
        if is_ours {
            self.keeps_apart(&hash, object, is_new);
        }
        let pods = self.sets.entry(name.to_owned()).or_default();
        let before = std::mem::replace(&mut pods.wanted, wanted);
        pods.hash.clone_from(&hash);
        pods.avoids = apart::avoids(object);
        pods.becomes(ready, self.now);
        if is_ours && wanted < before {
            self.fewer_pods(&format!("{name} goes from {before} to {wanted} pods"), name, before);
        }
        if before > 0 && wanted == 0 {
            let meets = self.meets(&hash);
            self.must(ALONE, meets.is_none(), || {
                format!("{name} goes to 0 pods, and requests meet it: {}", meets.unwrap_or_default())
            });
            let Some(mesh) = self.mesh.clone() else { return };
            let mesh = mesh.now();
            let proxy = mesh.meets(&self.apps, &hash).filter(|_| !mesh.is_blind);
            self.must(PROXY_ALONE, proxy.is_none(), || {
                format!("{name} goes to 0 pods, and {} sends requests to it", proxy.unwrap_or_default())
            });
        }
    }

    /// Where a proxy began to send requests to pods that it does not know, they must have come just now, or gone.
    pub(crate) fn ask_mesh(&mut self) {
        let Some(mesh) = self.mesh.clone() else { return };
        let (unserved, is_blind) = {
            let mut mesh = mesh.now();
            (mesh.unserved(), mesh.is_blind)
        };
        for (proxy, app, to) in unserved {
            let since = self.sets.values().find(|pods| pods.hash == to).and_then(|pods| pods.ready_since);
            let is_served = since.is_some_and(|since| self.now.saturating_sub(since) > self.heard);
            self.must(PROXY_UNSERVED, is_blind || !is_served, || {
                format!("{proxy} sends requests for {app} to {to}, and knows none of its pods")
            });
        }
    }

    /// Which requests meet pods with this hash, if any do.
    fn meets(&self, hash: &str) -> Option<String> {
        self.leads.iter().find_map(|(app, (stable, canary))| {
            // What is not there sends nothing anywhere.
            let weight = *self.weights.get(app)?;
            let to_stable = (stable == hash && weight < 100).then(|| format!("stable of {app}"));
            let to_canary = canary == hash && (weight > 0 || self.headers.contains_key(app));
            to_stable.or_else(|| to_canary.then(|| format!("canary of {app}, {weight} %")))
        })
    }

    fn rollout(&mut self, app: &str, object: &Value) {
        self.evictions.rollout(app, object);
        self.hand_overs.rollout(app, object);
        self.stable.insert(app.to_owned(), text(object, "/status/stableRS").to_owned());
        let total = number(object, "/spec/strategy/canary/trafficRouting/maxTrafficWeight");
        if total > 0 {
            self.totals.insert(app.to_owned(), total);
        }
        let apart = object.pointer("/spec/strategy/canary/antiAffinity").is_some();
        if apart {
            self.apart.insert(app.to_owned())
        } else {
            self.apart.remove(app)
        };
        if object.pointer("/spec/strategy/canary/pingPong").is_some() {
            self.by_turns.insert(app.to_owned());
        }
        let is_turned = text(object, "/status/canary/stablePingPong") == "pong";
        if is_turned != self.turned.contains(app) {
            self.swap_roles(app);
            if is_turned {
                self.turned.insert(app.to_owned())
            } else {
                self.turned.remove(app)
            };
        }
        let is_aborted = object.pointer("/status/abort") == Some(&Value::Bool(true))
            && !text(object, "/status/abortedAt").is_empty();
        let revision = text(object, "/status/currentPodHash").to_owned();
        self.aborted.insert(app.to_owned(), is_aborted.then_some(revision));
    }
}
