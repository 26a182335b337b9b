use super::{Happening, History, Target, recipe::revision};
use crate::{
    Answer, CommandKind, Position, Revision, Spec, WaitReason,
    sim::{CoreMesh, Delay, Mesh, Sim, World},
    testing::laws::{Laws, all},
    traffic::Destination,
};
use alloc::format;
use core::time::Duration;

/// How long a world may take to come to rest once the faults have ended. Longer than all pauses, delays and
/// deadlines that a history can have, one after the other.
const HEALS_WITHIN: Duration = Duration::from_secs(6 * 3_600);
/// How often a person ends a pause, or takes a stop back.
const COMMANDS: u32 = 24;

/// Plays a history under all laws, up to the first violation.
#[must_use]
pub fn play(history: &History) -> Laws {
    play_under(history, Laws::new(all()))
}

/// Plays a history under these laws, with the core's own traffic manager.
#[must_use]
pub fn play_under(history: &History, laws: Laws) -> Laws {
    let recipe = &history.recipe;
    let mesh = match (recipe.routed, recipe.services) {
        (false, _) => {
            [(recipe.stable_service, Destination::Stable), (recipe.canary_service, Destination::Canary)]
                .into_iter()
                .filter(|(there, _)| *there)
                .fold(CoreMesh::none(), |mesh, (_, destination)| mesh.service(destination))
        }
        (true, false) => CoreMesh::new().routes(recipe.objects.into()),
        (true, true) => CoreMesh::new().routes(recipe.objects.into()).services(),
    };
    play_over(history, mesh, laws)
}

/// Plays a history with another traffic manager, under `laws`: made of real objects, for example.
#[must_use]
pub fn play_over<M: Mesh>(history: &History, mesh: M, mut laws: Laws) -> Laws {
    let spec = match history.recipe.spec() {
        Ok(spec) => spec,
        Err(error) => {
            laws.broken("history", format!("no such strategy: {error}"));
            return laws;
        }
    };
    let surroundings = &history.surroundings;
    let up_to = |longest| Delay::between(Duration::ZERO, longest);
    let mut world = Sim::new(spec)
        .seed(history.seed)
        .proxies(surroundings.proxies)
        .proxy_lag(up_to(surroundings.proxy_lag))
        .pods_ready_after(up_to(surroundings.pods_ready))
        .pods_end_after(up_to(surroundings.pods_end))
        .counts_lag(surroundings.counts_lag)
        .writes_take(surroundings.writes_take)
        .data_plane_answers(surroundings.can_be_asked)
        .build_with(mesh, laws);
    let rested = play_in(&mut world, history);
    let truth = world.truth().clone();
    let mut laws = world.into_watcher();
    if let Some(rested) = rested {
        laws.end(&truth, rested);
    }
    laws
}

/// Whether it came to rest; `None` when it was stopped before.
fn play_in<M: Mesh>(world: &mut World<M, Laws>, history: &History) -> Option<bool> {
    if let Some(number) = history.surroundings.never_ready {
        world.pods_never_ready(&revision(number));
    }
    if history.deployed {
        rest(world)?;
    }
    for (after, happening) in &history.happenings {
        let until = world.now() + *after;
        while world.next_at().is_some_and(|at| at <= until) {
            step(world)?;
        }
        if let Err(stuck) = world.run_until(until) {
            return stopped(world, &stuck);
        }
        happen(world, history, happening);
        if world.watcher().violation().is_some() {
            return None;
        }
    }
    world.end_faults();
    if let Some(number) = history.surroundings.never_ready {
        world.pods_never_ready(&revision(number));
    }
    let mut rested = rest(world)?;
    for _ in 0..COMMANDS {
        let Some(kind) = says(world).filter(|_| rested && history.finished_by_a_person) else { break };
        if let Answer::Rejected(_) = world.command(kind) {
            break;
        }
        rested = rest(world)?;
    }
    Some(rested)
}

fn step<M: Mesh>(world: &mut World<M, Laws>) -> Option<bool> {
    match world.step() {
        Ok(more) => world.watcher().violation().is_none().then_some(more),
        Err(stuck) => stopped(world, &stuck),
    }
}

fn stopped<M: Mesh>(world: &mut World<M, Laws>, stuck: &impl core::fmt::Display) -> Option<bool> {
    world.watcher_mut().broken("no_wedge", format!("{stuck}"));
    None
}

fn rest<M: Mesh>(world: &mut World<M, Laws>) -> Option<bool> {
    let until = world.now() + HEALS_WITHIN;
    while world.next_at().is_none_or(|at| at <= until) {
        if !step(world)? {
            return Some(true);
        }
    }
    Some(false)
}

/// What a person would say to get a resting rollout done.
#[expect(clippy::wildcard_enum_match_arm, reason = "a person does nothing about the rest")]
fn says<M: Mesh>(world: &World<M, Laws>) -> Option<CommandKind> {
    world.waiting().iter().find_map(|waiting| match waiting.reason {
        WaitReason::PausedByUser => Some(CommandKind::Resume),
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
            let mark = set.then(|| world.now());
            at(world, *of, |world, revision| world.mark_by_hand(revision, mark));
        }
        // Where nobody can be asked, what is written must arrive within the dwell: nobody could be right else.
        Happening::Freeze | Happening::FreezeProxy(_) if !history.surroundings.can_be_asked => {}
        Happening::Freeze => world.freeze(),
        Happening::FreezeProxy(proxy) => world.freeze_proxy((*proxy).into()),
        Happening::Thaw => world.thaw(),
        Happening::ReadLag(kind, lag) => world.read_lag(*kind, *lag),
        Happening::ReadsFail(kind, fail) => world.reads_fail(*kind, *fail),
        Happening::Clock(millis) => world.clock_offset(*millis),
    }
}

/// Does something to the pods of a role.
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
