//! Where requests go: routes, subsets and Services.

use super::{ABORTED, FOREIGN, Judge, LIVES, UNSERVED, WHOLE, items, text};
use crate::{apps, mesh::said};
use serde_json::Value;

impl Judge {
    /// `is_ours` says whether a controller has written it: whatever a person does is right.
    pub(super) fn routes(&mut self, of: &str, object: &Value, is_ours: bool) {
        self.headers(of, object, is_ours);
        for route in items(object, "/spec/http").filter(|route| said::header_of(route).is_none()) {
            let name = text(route, "/name").to_owned();
            if name == "theirs" {
                let wanted = apps::foreign(self.foreign.get(of).copied().unwrap_or(1));
                self.must(FOREIGN, *route == wanted, || format!("{of} has {route} instead of {wanted}"));
                continue;
            }
            let (canary, stable) = said::weights(route).unwrap_or_default();
            let (canary, stable) =
                if self.turned.contains(&name) { (stable, canary) } else { (canary, stable) };
            let totals = [100, self.totals.get(&name).copied().unwrap_or(100)];
            let is_whole = totals.contains(&(stable + canary));
            self.must(WHOLE, is_whole, || format!("{name} has {stable} and {canary}"));
            let canary = said::percent((canary, stable));
            let kept = route.pointer("/retries/attempts") == Some(&Value::from(2));
            self.must(FOREIGN, kept, || format!("{name} has lost its retries: {route}"));
            let before = self.weights.insert(name.clone(), canary).unwrap_or(0);
            if !is_ours {
                continue;
            }
            // Where somebody deleted the rule, requests go nowhere, whatever the weight is.
            let Some((to_stable, to_canary)) = self.leads.get(&name).cloned() else { continue };
            if canary > before {
                self.raised(&name, canary, &to_stable);
                let is_served = self.is_served(&name, &to_canary);
                self.must(UNSERVED, is_served, || {
                    format!("{name} goes from {before} to {canary} %, and {to_canary} has no ready pod")
                });
                let given_up = self.aborted.get(&name).cloned().flatten();
                self.must(ABORTED, given_up.as_ref() != Some(&to_canary), || {
                    format!("{name} goes from {before} to {canary} %, and {to_canary} was given up")
                });
            } else if canary < before {
                // Where neither has a ready pod, it makes no difference.
                let holds = self.is_served(&name, &to_stable) || !self.is_served(&name, &to_canary);
                self.must(UNSERVED, holds, || {
                    format!("{name} goes from {before} to {canary} %, and {to_stable} has no ready pod")
                });
            }
        }
    }

    /// A route by which requests with a header go to a canary is like a weight of its own.
    fn headers(&mut self, of: &str, object: &Value, is_ours: bool) {
        let now: Vec<_> = items(object, "/spec/http").filter_map(said::header_of).collect();
        self.headers.retain(|app, route| route != of || now.contains(&app.as_str()));
        for app in now {
            let is_new = self.headers.insert(app.to_owned(), of.to_owned()).is_none();
            let Some((_, to)) = self.leads.get(app).cloned().filter(|_| is_new && is_ours) else { continue };
            let is_served = self.is_served(app, &to);
            self.must(UNSERVED, is_served, || format!("{app} has a header route, and {to} has no ready pod"));
            let given_up = self.aborted.get(app).cloned().flatten();
            self.must(ABORTED, given_up.as_ref() != Some(&to), || {
                format!("{app} has a header route, and {to} was given up")
            });
        }
    }

    /// Whether a revision has a ready pod, or had one until a moment ago; without a revision, any pod of its Rollout
    /// counts: a rule that somebody made again does not tell them apart.
    pub(super) fn is_served(&self, app: &str, hash: &str) -> bool {
        let is_its = |name: &str| name.strip_prefix(app).is_some_and(|rest| rest.starts_with('-'));
        self.sets.iter().filter(|(name, pods)| pods.hash == hash || hash.is_empty() && is_its(name)).any(
            |(_, pods)| {
                pods.ready > 0 || pods.ready_at.is_some_and(|at| self.now.saturating_sub(at) < self.heard)
            },
        ) || hash.is_empty() && self.hand_overs.serves(app)
    }

    pub(super) fn rule(&mut self, name: &str, object: &Value, is_ours: bool) {
        let is_kept = items(object, "/spec/subsets").any(|subset| *subset == apps::foreign_subset());
        self.must(FOREIGN, is_kept, || format!("{name} has lost a subset: {}", object["spec"]));
        let leads = said::leads(object);
        for (app, (stable, _)) in leads.iter().filter(|_| is_ours) {
            self.leaves_deployment(app, stable);
        }
        self.leads.extend(leads);
    }

    pub(super) fn service(&mut self, object: &Value, is_deleted: bool, is_ours: bool) {
        let Some((app, role, hash)) = said::selects(object) else { return };
        let is_stables = (role == "stable") != self.turned.contains(app);
        if is_ours && is_stables {
            self.leaves_deployment(app, hash);
        }
        if is_ours && self.by_turns.contains(app) {
            self.lives(app, is_stables, hash);
        }
        let is_kept = object["spec"]["ports"] == apps::ports() && object["spec"]["selector"]["app"] == *app;
        self.must(FOREIGN, is_kept, || format!("a Service of {app} has lost something: {}", object["spec"]));
        let services = self.services.entry(app.to_owned()).or_default();
        let to = if is_stables { &mut services.0 } else { &mut services.1 };
        *to = (!is_deleted).then(|| hash.to_owned());
        // Where one is missing, requests go nowhere.
        match services.clone() {
            (Some(stable), Some(canary)) => _ = self.leads.insert(app.to_owned(), (stable, canary)),
            _ => _ = self.leads.remove(app),
        }
    }

    /// Of two Services that take turns, one that has requests leads to the same pods for as long as there are any. Without
    /// a revision it is released: its Rollout is gone.
    fn lives(&mut self, app: &str, is_stables: bool, next: &str) {
        let Some((stable, canary)) = self.leads.get(app).cloned() else { return };
        let weight = self.weights.get(app).copied().unwrap_or(0);
        let (before, share) = if is_stables { (&stable, 100 - weight) } else { (&canary, weight) };
        let since = self.sets.values().find(|pods| pods.hash == *before).and_then(|pods| pods.ready_since);
        let serves = since.is_some_and(|since| self.now.saturating_sub(since) > self.heard);
        let leaves = !before.is_empty() && !next.is_empty() && before != next;
        let must_stay = share > 0 && serves && self.is_served(app, &stable);
        self.must(LIVES, !(leaves && must_stay), || {
            format!("{app}: a Service with {share} % of the requests leaves {before} for {next}")
        });
    }

    /// The two Services of a Rollout have taken each other's role.
    pub(super) fn swap_roles(&mut self, app: &str) {
        if let Some(weight) = self.weights.get_mut(app) {
            *weight = 100 - *weight;
        }
        if let Some((stable, canary)) = self.services.get_mut(app) {
            std::mem::swap(stable, canary);
        }
        if let Some((stable, canary)) = self.leads.get_mut(app) {
            std::mem::swap(stable, canary);
        }
    }
}
