//! What people, their tools and the cluster do.

use super::World;
use crate::{
    analyses,
    app::WorkloadKind,
    apps,
    history::{Happening, OfMesh, Part},
    mesh::clock,
    workload,
};
use rollout_core::Time;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

impl World<'_> {
    /// Somebody deletes an object, and makes it again.
    fn delete(&mut self, app: usize, part: Part, after: Duration) {
        let path = match part {
            Part::Rollout => apps::rollout_path(app),
            Part::RolloutAlone => {
                self.release(app);
                apps::rollout_path(app)
            }
            Part::VirtualService => apps::route_path(&apps::route_of(self.history, app)),
            Part::Destination => apps::destination_path(self.history, app),
            Part::Workload => {
                let Some(of) = self.history.apps[app].workload else { return };
                workload::path(of.kind, app)
            }
            Part::ReplicaSet(which) => {
                let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
                let hash = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
                let hash = hash.and_then(|rollout| rollout["status"][which.field()].as_str());
                let name = format!("{}-{}", apps::name(app), hash.unwrap_or_default());
                return self.server.delete(&apps::set_path(&name));
            }
        };
        if self.arriving.iter().all(|(_, arriving, _)| *arriving != path) {
            self.server.delete(&path);
            let again = apps::objects(self.history).into_iter().find(|(one, _)| *one == path);
            if let Some((path, object)) = again {
                self.later(after, path, object);
            }
        }
    }

    /// Somebody applies a manifest again, as it was written.
    fn reapply(&mut self, app: usize, part: Part) {
        let path = match part {
            Part::VirtualService => apps::route_path(&apps::route_of(self.history, app)),
            Part::Destination => apps::destination_path(self.history, app),
            Part::Rollout | Part::RolloutAlone | Part::Workload | Part::ReplicaSet(_) => return,
        };
        // One that is gone comes by itself.
        let is_there = |one: &&(String, Value)| {
            one.0 == path && self.arriving.iter().all(|(_, arriving, _)| *arriving != path)
        };
        if let Some((path, object)) = apps::objects(self.history).iter().find(is_there) {
            self.judge();
            if matches!(part, Part::VirtualService) {
                self.judge.foreign.remove(path.rsplit('/').next().unwrap_or_default());
            }
            self.server.apply(path, object.clone());
        }
    }

    /// The ReplicaSets and runs of a Rollout belong to nobody from now on.
    fn release(&self, app: usize) {
        let rollouts = self.server.all("/apis/argoproj.io/v1alpha1/rollouts");
        let rollout = rollouts.iter().find(|rollout| rollout["metadata"]["name"] == apps::name(app));
        let uid = rollout.map(|rollout| &rollout["metadata"]["uid"]);
        for set in self.server.all("/apis/apps/v1/replicasets") {
            if uid == Some(&set["metadata"]["ownerReferences"][0]["uid"]) {
                let path = apps::set_path(set["metadata"]["name"].as_str().unwrap_or_default());
                self.server.patch(&path, &json!({"metadata": {"ownerReferences": null}}));
            }
        }
        for run in self.server.all(analyses::RUNS) {
            if uid == Some(&run["metadata"]["ownerReferences"][0]["uid"]) {
                let path = analyses::run_path(run["metadata"]["name"].as_str().unwrap_or_default());
                self.server.patch(&path, &json!({"metadata": {"ownerReferences": null}}));
            }
        }
    }

    /// Somebody writes another version into the pod template, wherever it is.
    pub(super) fn update(&self, app: usize, version: u8) {
        if let Some(of) = self.history.apps[app].workload {
            let template = workload::with_version(of, app, version);
            return self.server.patch(&workload::path(of.kind, app), &template);
        }
        let template = apps::template(&apps::name(app), version);
        self.patch(app, &json!({"spec": {"template": template}}));
    }

    pub(super) async fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Image(app, version) => {
                self.update(self.app(*app), *version);
            }
            Happening::Abort(app) => self.patch(self.app(*app), &json!({"status": {"abort": true}})),
            Happening::Retry(app) => self.patch(self.app(*app), &json!({"status": {"abort": false}})),
            Happening::Promote(app) => {
                self.patch(self.app(*app), &json!({"status": {"pauseConditions": null}}));
            }
            Happening::PromoteFull(app) => {
                self.patch(self.app(*app), &json!({"status": {"promoteFull": true}}));
            }
            Happening::Replicas(app, pods) => {
                self.patch(self.app(*app), &json!({"spec": {"replicas": pods}}));
            }
            Happening::Steps(app, steps) => {
                let app = self.app(*app);
                let canary = json!({"steps": apps::steps(&apps::name(app), &self.history.apps[app], steps)});
                self.patch(app, &json!({"spec": {"strategy": {"canary": canary}}}));
            }
            Happening::Restart(app) => {
                let now = Time::from_secs(clock(self.began, Instant::now()).as_secs());
                self.patch(self.app(*app), &json!({"spec": {"restartAt": now.to_string()}}));
            }
            Happening::PodsLost(app, seconds) => {
                let until = Instant::now() + Duration::from_secs(u64::from(*seconds));
                self.pods.lose(apps::name(self.app(*app)), until);
            }
            Happening::Scaled(app, pods) => {
                let app = self.app(*app);
                let of = self.history.apps[app].workload;
                if let Some(of) = of.filter(|of| of.kind != WorkloadKind::PodTemplate) {
                    self.server.patch(&workload::path(of.kind, app), &json!({"spec": {"replicas": pods}}));
                }
            }
            Happening::Touched(app) => self.touch(self.app(*app)),
            Happening::Killed(seconds) => {
                while !self.controllers.is_empty() {
                    self.kill_oldest();
                }
                self.ends.clear();
                self.pass(Duration::from_secs(u64::from(*seconds))).await;
                self.start();
            }
            Happening::Overlap(seconds) => {
                self.start();
                self.ends.push(Instant::now() + Duration::from_secs(u64::from(*seconds)));
            }
            Happening::Deleted(app, part, tenths) => {
                self.delete(self.app(*app), *part, Duration::from_millis(u64::from(*tenths) * 100));
            }
            Happening::Refused(what, code, seconds) => {
                let until = Instant::now() + Duration::from_secs(u64::from(*seconds));
                *self.refused.lock().unwrap() = Some((what, *code, until));
            }
            Happening::WatchesCut => self.server.cut_watches(),
            Happening::VersionsExpire => {
                self.server.expire();
                self.server.cut_watches();
            }
            Happening::Blind(seconds) => {
                *self.blind.lock().unwrap() = Some(Instant::now() + Duration::from_secs(u64::from(*seconds)));
                self.server.cut_watches();
                self.expires = Some(Instant::now() + Duration::from_secs(u64::from(*seconds)));
            }
            Happening::Reapplied(app, part) => self.reapply(self.app(*app), *part),
            Happening::OfMesh(what) => self.happen_to_mesh(what),
            Happening::Mood(app, mood) => self.moods.set(&apps::name(self.app(*app)), *mood),
            Happening::RunApplied(template, mood) => self.apply_run(*template, *mood),
            Happening::RunEnded(app) => {
                let app = self.app(*app);
                if let Some(run) = self.newest_run(app, true).or_else(|| self.newest_run(app, false)) {
                    self.server.patch(&run, &json!({"spec": {"terminate": true}}));
                }
            }
            Happening::RunDeleted(app) => {
                if let Some(run) = self.newest_run(self.app(*app), false) {
                    self.server.delete(&run);
                }
            }
            Happening::NameTaken(app) => self.take_names(self.app(*app)),
            Happening::Passed(app) => self.promote(self.app(*app)),
        }
    }

    fn happen_to_mesh(&mut self, what: &OfMesh) {
        let Some(mesh) = &self.mesh else { return };
        let (mut mesh, seconds) = (mesh.now(), |seconds: &u8| Duration::from_secs(u64::from(*seconds)));
        let proxies = mesh.proxies();
        match what {
            OfMesh::Restarts(down) => mesh.restart_istiod(seconds(down)),
            OfMesh::Freezes(time) => mesh.freeze_istiod(seconds(time)),
            OfMesh::LosesProxy(which, time) => mesh.lose(which.index(proxies), seconds(time)),
            OfMesh::SlowsDown(which, lag) => {
                mesh.slow_down(which.index(proxies), Duration::from_millis(u64::from(*lag)));
            }
            OfMesh::StopsProxy(which, time) => mesh.stop(which.index(proxies), seconds(time)),
            OfMesh::ChangesElsewhere(often, apart) => {
                mesh.change_elsewhere(u32::from(*often), Duration::from_millis(u64::from(*apart)));
            }
        }
    }

    /// Somebody else writes into a VirtualService: on condition of its version, as everybody does.
    fn touch(&mut self, app: usize) {
        let name = apps::route_of(self.history, app);
        let all = self.server.all("/apis/networking.istio.io/v1alpha3/virtualservices");
        let Some(there) = all.iter().find(|there| there["metadata"]["name"] == *name) else { return };
        let mut next = (**there).clone();
        let seconds = self.judge.foreign.get(&name).copied().unwrap_or(1) + 1;
        let routes = next["spec"]["http"].as_array_mut().into_iter().flatten();
        for route in routes.filter(|route| route["name"] == "theirs") {
            *route = apps::foreign(seconds);
        }
        // What was written before belongs to the old text.
        self.judge();
        self.judge.foreign.insert(name.clone(), seconds);
        self.server.apply(&apps::route_path(&name), next);
    }
}
