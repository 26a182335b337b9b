//! Plays one Rollout: the first deploy, the update, the script, and what the simulation itself must say.

use super::{
    args::{Args, Lose, Side},
    change::Change,
    clock::Clock,
    clusters::Member,
    happening::{By, Kind, Rest},
    metrics::{self, SimulatedMetrics},
    model::{in_a_namespace, revision},
    script::Said,
    setup::{Played, readiness},
    specs::spec,
    traffic::{Answers, Places, Traffic},
    update::Update,
};
use rollout_core::{
    Answer, CommandKind, Revision, Spec, Time, Waiting,
    command::Edit,
    sim::{Health, Stuck, Truth},
    waiting::{Ending, EndsBy, WaitReason},
};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

/// One Rollout on its way.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    pub(crate) name: String,
    pub(crate) args: &'a Args,
    pub(crate) world: Played,
    /// The user's object as it stands, with what commands edited in it.
    pub(crate) live: Value,
    /// The user's manifest: what GitOps would apply again.
    pub(crate) manifest: Value,
    /// What an update brings, checked before anything is played.
    pub(crate) update: Update,
    pub(crate) clock: Clock,
    /// Its part in a release of several clusters.
    pub(crate) member: Option<Member>,
    /// Whether anything changes for it: the update, or what the script does to it.
    pub(crate) is_updated: bool,
    /// What the first manifest asks for.
    pub(crate) first: Spec,
    templates: BTreeMap<Revision, Value>,
    agenda: Vec<(Duration, Task)>,
    /// The templates of its analyses.
    analyses: Arc<metrics::Given>,
    /// The requests that are drawn.
    traffic: Option<Rc<RefCell<Traffic>>>,
}

#[derive(Debug, Clone)]
enum Task {
    Update,
    Say(Said),
    Lose(Lose),
    Freeze,
    Thaw,
}

impl<'a> Play<'a> {
    /// Before the first deploy.
    pub(crate) fn new(
        (name, member): (String, Option<Member>),
        args: &'a Args,
        world: Played,
        manifest: Value,
        update: Update,
    ) -> Self {
        let is_about = |about: Option<&String>| is_about(about, &name, member.as_ref());
        let mut agenda = vec![(Duration::ZERO, Task::Update)];
        for scripted in &args.script.said {
            if is_about(scripted.about().map(str::to_owned).as_ref()) {
                agenda.push((scripted.at, Task::Say(scripted.what.clone())));
            }
        }
        let lose = args.world.lose.iter().filter(|lose| is_about(lose.rollout.as_ref()));
        agenda.extend(lose.map(|lose| (lose.at, Task::Lose(lose.clone()))));
        let frozen = args.world.freeze.iter().filter(|freeze| is_about(freeze.about.as_ref()));
        let frozen: Vec<_> = frozen.map(|freeze| (freeze.from, freeze.to)).collect();
        for (from, to) in merged(&frozen) {
            agenda.extend([(from, Task::Freeze), (to, Task::Thaw)]);
        }
        // The update comes first of what is at time 0, and a stable sort keeps the user's order.
        agenda.sort_by_key(|(at, _)| *at);
        let (clock, first) = (Clock { zero: world.now() }, world.truth().spec.clone());
        let (live, templates) = (manifest.clone(), BTreeMap::new());
        let is_updated =
            !update.words.is_empty() || agenda.iter().any(|(_, task)| matches!(task, Task::Say(_)));
        Self {
            name,
            args,
            world,
            live,
            manifest,
            update,
            clock,
            member,
            is_updated,
            first,
            templates,
            agenda,
            analyses: Arc::default(),
            traffic: None,
        }
    }

    /// With these templates of analyses.
    pub(crate) fn with_templates(self, analyses: Arc<metrics::Given>) -> Self {
        Self { analyses, ..self }
    }

    /// The first deploy begins.
    pub(crate) fn begin(&mut self) {
        self.remember_template();
        self.world.watcher_mut().set_roles(&self.live);
        let first = revision(&self.live);
        self.name_revision(&first);
        self.note(Kind::FirstDeploy(first));
    }

    /// The first deploy is over: `zero` is the time of the update.
    pub(crate) fn start(&mut self, zero: Time) -> Result<(), Stuck> {
        self.clock = Clock { zero };
        let (rollout, templates) = (in_a_namespace(&self.live), self.analyses.clone());
        let scripted = self.args.script.metrics.clone();
        self.traffic = self.args.script.traffic.as_ref().map(|settings| {
            let base = self.world.truth().status.stable.clone();
            let places = Places::of(&rollout, &self.update.manifest);
            let seed = (self.args.world.seed, self.name.as_str());
            Rc::new(RefCell::new(Traffic::new(settings.clone(), seed, places, base, self.world.now())))
        });
        self.world.measure_with(SimulatedMetrics {
            rollout,
            templates,
            scripted,
            traffic: self.traffic.clone(),
            zero,
            runs: BTreeMap::new(),
        });
        self.world.run_until(zero)?;
        self.world.restart_summary();
        Ok(())
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<Time> {
        let end = self.clock.after(self.args.world.until);
        let own = [self.next_task(), self.promote_at(), self.restart_at()];
        let next = own.into_iter().chain([self.world.next_at()]).flatten().min();
        next.filter(|next| *next <= end)
    }

    /// Lets one thing happen.
    pub(crate) fn step(&mut self) -> Result<(), Stuck> {
        let Some(next) = self.next() else { return Ok(()) };
        if self.world.next_at().is_some_and(|at| at <= next) {
            return self.world.step().map(drop);
        }
        self.world.run_until(next)?;
        if self.next_task() == Some(next) {
            let (_, task) = self.agenda.remove(0);
            self.perform(task);
        } else if self.restart_at() == Some(next) {
            self.restart();
        } else if let Some(after) = self.args.script.promote_after {
            self.say(CommandKind::Promote, By::Simulation(after));
        }
        Ok(())
    }

    fn next_task(&self) -> Option<Time> {
        self.agenda.first().map(|(at, _)| self.clock.after(*at))
    }

    /// Says how it stands in the end.
    pub(crate) fn end(&mut self) -> Rest {
        let truth = self.world.truth().clone();
        self.world.watcher_mut().finish(&truth);
        let at_rest = self.world.is_at_rest();
        let rest = match Health::of(&truth.spec, &truth.status) {
            Health::Healthy | Health::Aborted if self.waits_for_reading() => Rest::Unreadable,
            Health::Healthy if at_rest && truth.spec.replicas == 0 => Rest::ScaledToZero,
            Health::Healthy if at_rest => Rest::Healthy,
            _ if at_rest && truth.spec.replicas == 0 => Rest::HeldAtZero,
            Health::Paused if at_rest => Rest::Paused,
            Health::Aborted if leads_to_canary(&truth) => Rest::AbortedInTraffic,
            Health::Aborted if at_rest => Rest::Aborted,
            Health::Degraded if at_rest => Rest::Degraded,
            _ => Rest::Unfinished,
        };
        self.note(Kind::Rest(rest));
        rest
    }

    /// Whether an analysis is part of its release, as far as the first manifest says.
    pub(crate) fn is_judged(&self) -> bool {
        self.first.strategy.analyses().next().is_some()
    }

    /// How the drawn requests ended.
    pub(crate) fn answers(&self) -> Option<Answers> {
        self.traffic.as_ref().map(|traffic| traffic.borrow().answers())
    }

    /// Whether the last decision waits for something that could not be read.
    fn waits_for_reading(&self) -> bool {
        let unread = |waiting: &Waiting| {
            matches!(waiting.reason, WaitReason::TrafficUnknown | WaitReason::RevisionsUnknown)
                || matches!(waiting.ends, EndsBy::Event(Ending::Readable))
        };
        self.world.waiting().iter().any(unread)
    }

    /// When the simulation itself ends the pause under way.
    fn promote_at(&self) -> Option<Time> {
        let after = self.args.script.promote_after?;
        let open =
            self.world.waiting().iter().any(|waiting| {
                waiting.reason == WaitReason::Pause && matches!(waiting.ends, EndsBy::Command(_))
            });
        let scripted =
            self.agenda.iter().any(|(_, task)| matches!(task, Task::Say(said) if said.ends_pauses()));
        let since = self.world.truth().status.paused_at.filter(|_| open && !scripted)?;
        Some((since + after).max(self.world.now()))
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Update => self.make_update(),
            Task::Say(Said::Command(kind)) => self.say(kind, By::Script),
            Task::Say(Said::Reapply) => self.reapply(),
            Task::Say(Said::Change(change)) => self.change(&change),
            Task::Lose(lose) => self.lose(&lose),
            Task::Freeze => {
                self.note(Kind::Fault("the mesh freezes: no proxy gets anything".to_owned()));
                self.world.freeze();
            }
            Task::Thaw => {
                self.note(Kind::Fault("the mesh thaws".to_owned()));
                self.world.thaw();
            }
        }
    }

    fn make_update(&mut self) {
        let update = std::mem::take(&mut self.update);
        self.manifest = update.manifest;
        self.live = self.manifest.clone();
        self.remember_template();
        let target = revision(&self.live);
        self.name_revision(&target);
        self.note_update(target, update.words);
        for (name, value) in update.objects {
            self.world.user_changes(&name, value);
        }
        self.objects_changed();
        self.pods_of_update();
        self.apply_live();
    }

    /// How the pods of a new revision come along.
    fn pods_of_update(&mut self) {
        let target = revision(&self.live);
        let stable = self.world.truth().status.stable.clone();
        let world = &self.args.world;
        let never = |side| {
            world.never_ready.iter().any(|never| {
                never.side == side && is_about(never.rollout.as_ref(), &self.name, self.member.as_ref())
            })
        };
        let (stable_never, canary_never) = (never(Side::Stable), never(Side::Canary));
        if stable.as_ref() != Some(&target) {
            let after = world.ready_after.unwrap_or_else(|| readiness(&self.live).into());
            self.world.pods_ready_after(&target, after);
            if canary_never {
                self.world.pods_never_ready(&target);
            }
        }
        if let Some(stable) = stable.filter(|_| stable_never) {
            self.world.pods_never_ready(&stable);
        }
    }

    fn change(&mut self, change: &Change) {
        if !is_about(change.rollout.as_ref(), &self.name, self.member.as_ref()) {
            return;
        }
        let mut live = self.live.clone();
        let result = change.apply(&mut live).and_then(|()| spec(&live, self.args));
        if let Err(why) = result {
            self.note(Kind::Command { what: change.to_string(), by: By::Script, answer: Err(why) });
            return;
        }
        // The manifest gets the same change; where commands edited the object, they may differ.
        let _ = change.apply(&mut self.manifest);
        self.live = live;
        self.remember_template();
        let target = revision(&self.live);
        self.name_revision(&target);
        self.note_update(target, vec![change.to_string()]);
        self.pods_of_update();
        self.apply_live();
    }

    fn reapply(&mut self) {
        self.note(Kind::Command { what: "reapply".to_owned(), by: By::Script, answer: Ok(()) });
        self.live = self.manifest.clone();
        self.apply_live();
        self.world.reapply();
        self.objects_changed();
    }

    fn say(&mut self, kind: CommandKind, by: By) {
        let answer = self.world.command(kind);
        let answer = match answer {
            Answer::Accepted { edits, .. } => {
                for edit in &edits {
                    self.edit(edit);
                }
                Ok(())
            }
            Answer::Rejected(rejection) => Err(rejection.to_string()),
        };
        self.note(Kind::Command { what: kind.to_string(), by, answer });
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Paused(paused) => {
                if let Some(spec) = self.live.get_mut("spec").and_then(Value::as_object_mut) {
                    spec.insert("paused".to_owned(), Value::Bool(*paused));
                }
            }
            Edit::Template(revision) => {
                let template = self.templates.get(revision).cloned();
                if let (Some(slot), Some(template)) = (self.live.pointer_mut("/spec/template"), template) {
                    *slot = template;
                }
            }
            Edit::Proceed(_) => {}
        }
    }

    fn lose(&mut self, lose: &Lose) {
        let status = &self.world.truth().status;
        let canary = status.canary.clone().filter(|canary| status.stable.as_ref() != Some(canary));
        let (side, revision) = match lose.side {
            Side::Stable => ("stable", status.stable.clone()),
            Side::Canary => ("canary", canary),
        };
        let Some(revision) = revision else {
            self.note(Kind::Fault(format!("no {side} pod to lose: there is no {side} revision now")));
            return;
        };
        let verb = if lose.pods == 1 { "dies" } else { "die" };
        self.note(Kind::Fault(format!("{} of {side} {verb}", super::words::count(lose.pods, "pod"))));
        self.world.lose_pods(&revision, usize::try_from(lose.pods).unwrap_or(usize::MAX));
    }

    /// The user's object as it stands now is what the engine sees.
    fn apply_live(&mut self) {
        self.world.watcher_mut().set_roles(&self.live);
        if let Ok(spec) = spec(&self.live, self.args) {
            self.world.set_spec(|seen| *seen = spec);
        }
    }

    fn remember_template(&mut self) {
        if let Some(template) = self.live.pointer("/spec/template") {
            self.templates.insert(revision(&self.live), template.clone());
        }
    }

    fn name_revision(&mut self, revision: &Revision) {
        self.world.watcher_mut().names.add(revision);
    }

    pub(super) fn note(&mut self, kind: Kind) {
        let truth = self.world.truth().clone();
        self.world.watcher_mut().note(&truth, kind);
    }

    fn note_update(&mut self, revision: Revision, changes: Vec<String>) {
        let another = self.world.truth().spec.target != revision;
        self.note(Kind::Update { revision, changes, another });
    }

    fn objects_changed(&mut self) {
        let truth = self.world.truth().clone();
        self.world.watcher_mut().note_objects(&truth);
    }
}

/// Spans that overlap or touch are one: the mesh thaws when the last of them ends.
fn merged(spans: &[(Duration, Duration)]) -> Vec<(Duration, Duration)> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(Duration, Duration)> = Vec::new();
    for (from, to) in sorted {
        match merged.last_mut().filter(|(_, end)| from <= *end) {
            Some((_, end)) => *end = to.max(*end),
            None => merged.push((from, to)),
        }
    }
    merged
}

/// Whether the objects still lead requests to the canary.
fn leads_to_canary(truth: &Truth) -> bool {
    let traffic = super::state::of(truth).traffic;
    traffic.is_some_and(|traffic| traffic.canary.hi() > 0 || !traffic.managed.is_empty())
}

/// Whether something is about a Rollout: without a name, about all. In several clusters, a cluster may be named, the
/// Rollout, or both.
fn is_about(about: Option<&String>, name: &str, member: Option<&Member>) -> bool {
    let of_member = |about: &str| {
        member.is_some_and(|member| about == member.cluster.as_str() || about == member.rollout)
    };
    about.is_none_or(|about| about == name || of_member(about))
}
