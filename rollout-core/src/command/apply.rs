use super::{Answer, Command, CommandKind, Edit, Position, Proceed, Rejection, caused::caused};
use crate::{
    AbortReason, Observed, Spec, Status, Step, Time,
    reconcile::{
        guard::{Guard, off},
        inconclusive,
    },
};
use alloc::{vec, vec::Vec};

/// Applies a command to a status.
///
/// The position guards every command: it is `Stale` if another revision is being rolled out. A command about one step
/// (promote, skip, proceed) is also stale if the rollout is at another step.
///
/// ```
/// use rollout_core::{Answer, Command, CommandKind, Observed, Spec, Status, Strategy, Time, command::{Position, Rejection}};
/// let spec = Spec::new(Strategy::builder().build()?, "v1".into());
/// let mut status = Status::default();
/// status.stable = Some("v1".into());
/// status.canary = Some("v1".into());
/// let abort = Command::new(CommandKind::Abort, Position::new("v1".into(), 0));
/// let answer = rollout_core::apply(&abort, &spec, &status, &Observed::new(), Time::from_secs(0));
/// assert_eq!(answer, Answer::Rejected(Rejection::NothingUnderWay));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
///
/// The result of an accepted command reports its changes to the status as events:
///
/// ```
/// use rollout_core::{AbortReason, Answer, Command, CommandKind, Event, Observed, Spec, Status, Strategy, Time, command::Position};
/// let spec = Spec::new(Strategy::builder().build()?, "v2".into());
/// let mut status = Status::default();
/// (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
/// let abort = Command::new(CommandKind::Abort, Position::new("v2".into(), 0));
/// let answer = rollout_core::apply(&abort, &spec, &status, &Observed::new(), Time::from_secs(0));
/// let Answer::Accepted { status, edits, events } = answer else { panic!("{answer:?}") };
/// assert!(status.aborted.is_some() && edits.is_empty());
/// assert_eq!(events, [Event::Aborted { revision: "v2".into(), why: AbortReason::Command }]);
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
pub fn apply(command: &Command, spec: &Spec, status: &Status, observed: &Observed, now: Time) -> Answer {
    match change(command, spec, status, observed, now) {
        Ok((next, edits)) => {
            let events = caused(status, &next, spec.strategy.steps());
            Answer::Accepted { status: next, edits, events }
        }
        Err(rejection) => Answer::Rejected(rejection),
    }
}

fn change(
    command: &Command,
    spec: &Spec,
    status: &Status,
    observed: &Observed,
    now: Time,
) -> Result<(Status, Vec<Edit>), Rejection> {
    let here = Position::of(status).ok_or(Rejection::NothingUnderWay)?;
    let step_matters =
        matches!(command.kind, CommandKind::Promote | CommandKind::Skip | CommandKind::Proceed);
    if command.at.revision != here.revision || step_matters && command.at.step != here.step {
        return Err(Rejection::Stale);
    }
    let mut next = status.clone();
    let under_way = || match &status.stable {
        None => Err(Rejection::FirstDeploy),
        Some(_) if status.is_done() => Err(Rejection::NothingUnderWay),
        Some(_) => Ok(()),
    };
    let mut unpaused = if spec.paused { vec![Edit::Paused(false)] } else { Vec::new() };
    match command.kind {
        CommandKind::Promote => {
            promote(&mut next, spec, under_way(), inconclusive(spec, status, observed, now))?;
        }
        CommandKind::PromoteFull => {
            under_way()?;
            if status.promote_full && status.aborted.is_none() && !spec.paused {
                return Err(Rejection::AlreadyDone);
            }
            next.promote_full = true;
            next.aborted = None;
            next.paused_at = None;
        }
        CommandKind::Skip => {
            under_way()?;
            if status.aborted.is_some() {
                return Err(Rejection::IsAborted);
            }
            if status.step as usize >= spec.strategy.steps().len() || status.has_ended_step() {
                return Err(Rejection::AlreadyDone);
            }
            end_step(&mut next, spec);
            unpaused.clear();
        }
        CommandKind::Pause if spec.paused => return Err(Rejection::AlreadyDone),
        CommandKind::Pause => unpaused = vec![Edit::Paused(true)],
        CommandKind::Resume => {
            resume(&mut next, spec, inconclusive(spec, status, observed, now))?;
        }
        CommandKind::Abort => {
            under_way()?;
            if status.aborted.is_some() {
                return Err(Rejection::AlreadyDone);
            }
            if status.stable.as_ref().is_some_and(|stable| observed.is_gone(stable)) {
                return Err(Rejection::StableGone);
            }
            next.abort(now, AbortReason::Command);
            unpaused.clear();
        }
        CommandKind::Retry => {
            under_way()?;
            if status.aborted.is_none() {
                return Err(Rejection::NotAborted);
            }
            next.restart();
            next.begin_retry();
            if spec.strategy.has_analysis() && !off(Guard::RetryAnew) {
                next.analyse_anew();
            }
            unpaused.clear();
        }
        CommandKind::Undo => {
            let stable = status.stable.clone().ok_or(Rejection::FirstDeploy)?;
            if spec.target == stable {
                return Err(Rejection::AlreadyDone);
            }
            if observed.is_gone(&stable) {
                return Err(Rejection::StableGone);
            }
            unpaused.push(Edit::Template(stable));
        }
        CommandKind::Proceed => {
            let traffic = observed.traffic.as_ref().ok_or(Rejection::NotWaiting)?;
            if observed.proceed.as_ref().is_some_and(|proceed| proceed.holds(status, &traffic.version)) {
                return Err(Rejection::AlreadyDone);
            }
            if !crate::reconcile::can_be_overridden(spec, status, observed, now) {
                return Err(Rejection::NotWaiting);
            }
            unpaused = vec![Edit::Proceed(Proceed::new(here, &traffic.version))];
        }
    }
    Ok((next, unpaused))
}

/// Ends the pause, and accepts the analyses that wait for a person.
fn promote(
    next: &mut Status,
    spec: &Spec,
    under_way: Result<(), Rejection>,
    [of_step, beside]: [bool; 2],
) -> Result<(), Rejection> {
    let step = usize::try_from(next.step).ok().and_then(|index| spec.strategy.steps().get(index));
    let paused = matches!(step, Some(Step::Pause(_))) || of_step;
    let at_pause = under_way.is_ok() && (paused || beside);
    if !at_pause && !spec.paused {
        under_way?;
        return Err(if next.aborted.is_some() { Rejection::IsAborted } else { Rejection::NotPaused });
    }
    if at_pause && next.aborted.is_none() {
        if beside {
            next.attempts.background = next.attempts.background.saturating_add(1);
        }
        if paused && next.has_ended_step() && !beside && !spec.paused {
            return Err(Rejection::AlreadyDone);
        }
        if paused {
            end_step(next, spec);
        }
    }
    Ok(())
}

/// Ends the current step. In a fleet, the decision goes on once the other clusters allow it, and they follow a pause.
fn end_step(next: &mut Status, spec: &Spec) {
    match next.fleet.as_mut().filter(|_| spec.fleet.is_some()) {
        Some(member) => {
            (member.passed, member.ended) = (member.passed.max(Some(next.step)), Some(next.step));
            next.paused_at = None;
        }
        None => next.next_step(),
    }
}

/// Begins the analyses anew that wait for a person.
fn resume(next: &mut Status, spec: &Spec, [of_step, beside]: [bool; 2]) -> Result<(), Rejection> {
    if !spec.paused && !of_step && !beside {
        return Err(Rejection::NotPaused);
    }
    let anew = |attempt: u32, again: bool| attempt.saturating_add(u32::from(again));
    next.attempts.step = anew(next.attempts.step, of_step);
    next.attempts.background = anew(next.attempts.background, beside);
    Ok(())
}
