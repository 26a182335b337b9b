use super::{Happening, History, Target, metrics::DrawnMetrics, recipe::revision};
use crate::{
    Answer, CommandKind, Revision, Spec, Time,
    command::Position,
    fleet::{ClusterName, Policy, Reading},
    sim::{Delay, Mesh, Sim, World},
    testing::laws::Laws,
    waiting::WaitReason,
};
use alloc::{format, sync::Arc};
use core::time::Duration;

/// How long a world may take to come to rest once the faults have ended: longer than the sum of all pauses, delays and
/// deadlines that a history can have.
const HEALS_WITHIN: Duration = Duration::from_secs(6 * 3_600);
/// How often an operator ends a pause or resumes a stopped update.
const COMMANDS: u32 = 24;
/// More than all writes of the other Rollouts in a long history.
const WAKES: u32 = 10_000;

/// A history being played, one event at a time.
pub(in crate::testing) struct Player<'h, M> {
    world: World<M, Laws>,
    history: &'h History,
    phase: Phase,
    /// How often other Rollouts may still wake it after its end: Rollouts that wake each other forever must be
    /// detected.
    wakes: u32,
    /// How many commands an operator still gives when others have woken it.
    commands: u32,
}

/// The phase of a history.
#[derive(Clone, Copy)]
enum Phase {
    /// The first deploy, with this time limit.
    Deploys(Time),
    /// Waiting for the event with this index, due at this time.
    Happens(usize, Time),
    /// The faults have ended. The world has until this time to come to rest, and an operator has this many commands
    /// left.
    Rests(Time, u32),
    /// Over: whether it came to rest, and until when it may come to rest again if others wake it.
    Over(bool, Time),
    /// A law is broken.
    Stopped,
}

impl<'h, M: Mesh> Player<'h, M> {
    /// Starts a history.
    ///
    /// # Errors
    /// Returns the laws if the history has an invalid strategy.
    pub(in crate::testing) fn new(history: &'h History, mesh: M, mut laws: Laws) -> Result<Self, Laws> {
        let spec = match history.recipe.spec() {
            Ok(spec) => spec,
            Err(error) => {
                laws.broken("history", format!("no such strategy: {error}"));
                return Err(laws);
            }
        };
        let surroundings = &history.surroundings;
        let up_to = |longest| Delay::between(Duration::ZERO, longest);
        let mut world = Sim::new(spec)
            .seed(history.seed)
            .proxies(surroundings.proxies)
            .proxy_lag(up_to(surroundings.proxy_lag))
            .pods_ready_after(up_to(surroundings.pods_ready))
            .min_ready(history.recipe.min_ready)
            .pods_end_after(up_to(surroundings.pods_end))
            .counts_lag(surroundings.counts_lag)
            .writes_take(surroundings.writes_take)
            .data_plane_answers(surroundings.can_be_asked)
            .build_with(mesh, laws);
        world.measure_with(DrawnMetrics::new(history.seed));
        if let Some(number) = surroundings.never_ready {
            world.pods_never_ready(&revision(number));
        }
        let phase = Phase::Deploys(world.now() + HEALS_WITHIN);
        let mut player = Self { world, history, phase, wakes: WAKES, commands: COMMANDS };
        if !history.deployed {
            player.phase = player.happens(0);
        }
        Ok(player)
    }

    /// Returns whether nothing will happen any more, unless others wake it.
    pub(in crate::testing) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(..) | Phase::Stopped)
    }

    /// Returns whether a law is broken.
    pub(in crate::testing) fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }

    /// Returns when the next event happens; `None` if there is none.
    pub(in crate::testing) fn next_at(&self) -> Option<Time> {
        let within = |until: Time| self.world.next_at().filter(|at| *at <= until);
        match self.phase {
            Phase::Happens(_, at) => Some(within(at).unwrap_or(at)),
            Phase::Deploys(until) | Phase::Rests(until, _) => {
                Some(within(until).unwrap_or_else(|| self.world.now()))
            }
            Phase::Over(_, until) => within(until),
            Phase::Stopped => None,
        }
    }

    /// Processes the next event.
    pub(in crate::testing) fn step(&mut self) {
        let due = self.world.next_at();
        let is_due = |until: Time| due.is_some_and(|at| at <= until);
        match self.phase {
            Phase::Deploys(until) | Phase::Happens(_, until) | Phase::Rests(until, _) if is_due(until) => {
                self.step_world();
            }
            Phase::Over(_, until) if is_due(until) => self.step_world(),
            Phase::Deploys(_) => {
                self.sees_rest();
                if !self.is_stopped() {
                    self.phase = self.happens(0);
                }
            }
            Phase::Happens(index, at) => {
                if let Err(stuck) = self.world.run_until(at) {
                    return self.stopped(&stuck);
                }
                if let Some((_, happening)) = self.history.happenings.get(index) {
                    happen(&mut self.world, self.history, happening);
                }
                self.phase = self.happens(index + 1);
                if self.world.watcher().violation().is_some() {
                    self.phase = Phase::Stopped;
                }
            }
            Phase::Rests(until, commands) => self.rested(until, commands),
            Phase::Over(..) | Phase::Stopped => {}
        }
    }

    fn step_world(&mut self) {
        match self.world.step() {
            Ok(_) if self.world.watcher().violation().is_some() => self.phase = Phase::Stopped,
            Ok(_) => {}
            Err(stuck) => self.stopped(&stuck),
        }
    }

    /// Returns whether nothing is due any more; if so, reports the rest to the laws.
    fn sees_rest(&mut self) -> bool {
        let rests = self.world.is_at_rest();
        if rests {
            self.step_world();
        }
        rests
    }

    fn stopped(&mut self, stuck: &impl core::fmt::Display) {
        self.world.watcher_mut().broken("no_wedge", format!("{stuck}"));
        self.phase = Phase::Stopped;
    }

    /// Returns the next phase: the event with this index, or the end of the faults.
    fn happens(&mut self, index: usize) -> Phase {
        if let Some((after, _)) = self.history.happenings.get(index) {
            return Phase::Happens(index, self.world.now() + *after);
        }
        self.world.end_faults();
        if let Some(number) = self.history.surroundings.never_ready {
            self.world.pods_never_ready(&revision(number));
        }
        Phase::Rests(self.world.now() + HEALS_WITHIN, COMMANDS)
    }

    /// Handles a world at rest, or without further events in time: an operator may act; otherwise the history is over.
    fn rested(&mut self, until: Time, commands: u32) {
        let rested = self.sees_rest();
        if self.is_stopped() {
            return;
        }
        (self.phase, self.commands) = (Phase::Over(rested, until), commands);
        if !rested || !self.history.finished_by_a_person || commands == 0 {
            return;
        }
        let Some(kind) = says(&self.world) else { return };
        if !matches!(self.world.command(kind), Answer::Rejected(_)) {
            self.phase = Phase::Rests(self.world.now() + HEALS_WITHIN, commands - 1);
        }
    }

    /// Picks up foreign writes to shared objects.
    pub(in crate::testing) fn look_again(&mut self, now: Time) {
        self.world.look_again(now);
        if self.world.watcher().violation().is_some() {
            self.phase = Phase::Stopped;
        } else if let Phase::Over(_, until) = &mut self.phase
            && let Some(wakes) = self.wakes.checked_sub(1)
        {
            (*until, self.wakes) = (now + HEALS_WITHIN, wakes);
        }
    }

    /// Makes the world one cluster of a fleet.
    pub(in crate::testing) fn join(&mut self, me: &ClusterName, policy: &Policy) {
        let policy = Arc::new(policy.clone());
        self.world.set_spec(|spec| spec.fleet = Some(policy));
        self.world.join(me.clone());
    }

    /// Picks up what is known now about another cluster of the fleet.
    pub(in crate::testing) fn hear(&mut self, cluster: ClusterName, reading: Reading, now: Time) {
        if let Err(stuck) = self.world.run_until(now) {
            return self.stopped(&stuck);
        }
        self.world.hear(cluster, reading);
        if self.world.watcher().violation().is_some() {
            self.phase = Phase::Stopped;
        } else if matches!(self.phase, Phase::Over(..) | Phase::Rests(..))
            && let Some(wakes) = self.wakes.checked_sub(1)
        {
            self.wakes = wakes;
            let commands = if let Phase::Rests(_, commands) = self.phase { commands } else { self.commands };
            self.phase = Phase::Rests(now + HEALS_WITHIN, commands);
        }
    }

    /// Returns whether the faults have ended.
    pub(in crate::testing) fn is_at_its_end(&self) -> bool {
        matches!(self.phase, Phase::Rests(..) | Phase::Over(..) | Phase::Stopped)
    }

    pub(in crate::testing) fn world(&self) -> &World<M, Laws> {
        &self.world
    }

    /// Ends the history, for laws about its end.
    pub(in crate::testing) fn end(self) -> Laws {
        let truth = self.world.truth().clone();
        let rested = match self.phase {
            Phase::Over(rested, _) => Some(rested && self.world.is_at_rest()),
            Phase::Deploys(_) | Phase::Happens(..) | Phase::Rests(..) | Phase::Stopped => None,
        };
        let mut laws = self.world.into_watcher();
        if let Some(rested) = rested {
            laws.end(&truth, rested);
        }
        laws
    }
}

/// Returns the command with which an operator would complete a resting rollout.
#[expect(clippy::wildcard_enum_match_arm, reason = "an operator does nothing about the rest")]
fn says<M: Mesh>(world: &World<M, Laws>) -> Option<CommandKind> {
    world.waiting().iter().find_map(|waiting| match waiting.reason {
        WaitReason::PausedByUser | WaitReason::AnalysisInconclusive { .. } => Some(CommandKind::Resume),
        WaitReason::AnalysisBad { .. } => Some(CommandKind::PromoteFull),
        WaitReason::Pause => Some(CommandKind::Promote),
        WaitReason::Aborted => Some(CommandKind::Retry),
        WaitReason::StableCannotCarry { .. } => Some(CommandKind::Proceed),
        _ => None,
    })
}

fn happen<M: Mesh>(world: &mut World<M, Laws>, history: &History, happening: &Happening) {
    match happening {
        Happening::Say(kind) => drop(world.command(*kind)),
        Happening::SayLate(kind, back) => {
            let here = Position::of(&world.truth().status);
            let another = || Position::new(revision(1), 0);
            let mut at = here.unwrap_or_else(another);
            at.step = at.step.saturating_sub(u32::from(*back));
            if *back == 0 {
                at.revision = revision(9);
            }
            drop(world.command_at(*kind, at));
        }
        Happening::Update(number) => world.update_to(revision(*number)),
        Happening::EditSteps(steps) => {
            if let Ok(strategy) = history.recipe.strategy(steps) {
                world.set_spec(|spec| spec.strategy = strategy);
            }
        }
        Happening::Replicas(pods) => world.set_spec(|spec: &mut Spec| spec.replicas = *pods),
        Happening::LosePods(of, pods) => at(world, *of, |world, revision| {
            world.lose_pods(revision, usize::try_from(*pods).unwrap_or(usize::MAX));
        }),
        Happening::LoseWorkload(of) => at(world, *of, World::lose_workload),
        Happening::BreakPods(of) => at(world, *of, World::break_pods),
        Happening::HealPods(of) => at(world, *of, World::heal_pods),
        Happening::Reapply => world.reapply(),
        Happening::ReapplyOne(object) => world.reapply_object((*object).into()),
        Happening::Strip(object) => world.strip_annotations((*object).into()),
        Happening::WriteFault(after, fault) => world.fault(*after, *fault),
        Happening::Crash => world.crash(),
        Happening::OldProcess(fresh, delay) => world.old_process_decides(*delay, fresh),
        Happening::Mark(of, set) => {
            let scale_down_deadline = set.then(|| world.now());
            at(world, *of, |world, revision| world.mark_by_hand(revision, scale_down_deadline));
        }
        // If the data plane cannot be asked, writes must arrive within the grace period, because no engine could be
        // correct otherwise.
        Happening::Freeze | Happening::FreezeProxy(_) if !history.surroundings.can_be_asked => {}
        Happening::Freeze => world.freeze(),
        Happening::FreezeProxy(proxy) => world.freeze_proxy((*proxy).into()),
        Happening::Thaw => world.thaw(),
        Happening::ReadLag(kind, lag) => world.read_lag(*kind, *lag),
        Happening::ReadsFail(kind, fail) => world.reads_fail(*kind, *fail),
        Happening::RunsFail(fail) => world.runs_fail(*fail),
        Happening::DeleteRun => world.delete_run(),
        Happening::Clock(millis) => world.clock_offset(*millis),
    }
}

/// Applies `act` to the revision in a role.
fn at<M: Mesh>(world: &mut World<M, Laws>, of: Target, act: impl FnOnce(&mut World<M, Laws>, &Revision)) {
    let status = &world.truth().status;
    let revision = match of {
        Target::Stable => status.stable.clone(),
        Target::Canary => status.canary.clone(),
    };
    if let Some(revision) = revision {
        act(world, &revision);
    }
}
