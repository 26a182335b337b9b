use super::{
    abandoned::{self, Cleanup},
    adopt, analysis, bounds, claims, command,
    context::{Context, INSTANCE},
    interpret::{Interpreted, interpret},
    log,
    memory::{Key, RolloutMemory},
    observe::{Reading, observe},
    publish::KubeEvent,
    runner::TurnRunner,
    store::{self, Decided},
    target,
    traffic::backend,
    workload_ref,
};
use crate::{
    cache::{Entry, View},
    guard::{Guard, off},
    replica_set::ReplicaSet,
};
use rollout_core::{
    Answer, Command, CommandKind, Failure, Observed, Spec, Status, Strategy, Time, apply,
    argo::{Report, WireStatus, read_status, way_back},
    backend::{StoreError, TrafficBackend},
    command::Position,
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The pause before another look at a Rollout that is held for a moment.
const HELD: Duration = Duration::from_secs(1);

/// The result of a turn.
pub(crate) struct After {
    /// When the next turn is due if nothing changes.
    pub(crate) next: Option<Instant>,
    /// The Rollout is gone, or belongs to another controller.
    pub(crate) is_over: bool,
}

/// Runs one turn of one rollout: read, decide, store, carry out, report.
pub(crate) async fn turn(context: &Context, key: &Key, memory: &mut RolloutMemory) -> After {
    let view = Arc::new(View::new(Arc::clone(&context.caches), key.clone()));
    let name = format!("{}/{}", key.0, key.1);
    let (next, is_over) = match run_turn(context, key, &name, memory, &view).await {
        Ok(Some(next)) => (next, false),
        Ok(None) => (None, true),
        Err(error) => {
            let is_conflict = matches!(error, StoreError::Conflict(_));
            let failure = if is_conflict { Failure::Conflict } else { Failure::Refused(error.to_string()) };
            log::trouble(memory, &name, &error.to_string());
            (Some(memory.failed(&failure)), false)
        }
    };
    if is_over {
        context.data_planes.forget(key);
        context.forget_in_clusters(key);
    }
    context.caches.interests().keep(key, &view.asked());
    After { next, is_over }
}

/// Returns `None` if the Rollout is not ours or gone; otherwise when to look again.
async fn run_turn(
    context: &Context,
    key: &Key,
    name: &str,
    memory: &mut RolloutMemory,
    view: &Arc<View>,
) -> Result<Option<Option<Instant>>, StoreError> {
    let live = memory.driver.take_live();
    let Some(rollout) = read_rollout(context, key, live).await? else {
        forget_deleted(context, memory, name);
        let cleanup = abandoned::clean_up(context, memory, key, None).await?;
        return Ok((!matches!(cleanup, Cleanup::Done)).then(|| Some(Instant::now() + HELD)));
    };
    if rollout.text("/metadata/deletionTimestamp").is_some() {
        forget_deleted(context, memory, name);
        return Ok(None);
    }
    if !context.is_mine(rollout.label(INSTANCE)) {
        return Ok(None);
    }
    if memory.rollout.as_ref().is_some_and(|known| uid(known) != rollout.uid()) {
        // Another Rollout of the same name: the memory is of the old one.
        forget_deleted(context, memory, name);
        *memory = RolloutMemory::new(&context.process);
        return Ok(Some(Some(Instant::now())));
    }
    memory.rollout = Some(Arc::clone(&rollout.value));
    if let Some(until) = memory.rivals.yields(Instant::now()) {
        return Ok(Some(Some(until)));
    }
    announce(context, memory, name, &rollout);
    if let Some(next) = too_large(context, memory, name, &rollout).await {
        return Ok(Some(next));
    }
    let resolved = workload_ref::resolve(view, &rollout, live).await?;
    let (rollout, workload, missing) = resolved.with(rollout);
    if !context.dry_run {
        adopt::orphans(context, view, &rollout, is_new(&rollout)).await?;
    }
    let sets = target::replica_sets(view, &rollout, live).await?;
    let manager = context.caches.requests().manager();
    if let Some(why) = target::foreign(&rollout, &sets, manager) {
        if log::trouble(memory, name, &why) && !context.dry_run {
            context.publisher.publish(&rollout.value, &KubeEvent::warning("RolloutHeld", why), context.now());
        }
        return Ok(Some(None));
    }
    let too_much = workload.as_ref().and_then(|_| bounds::too_large(&rollout.value));
    if let Some(why) = too_much.or_else(|| bounds::too_many(&sets)) {
        let reading = Reading::without_traffic(rollout, Vec::new()).with_workload(workload);
        return Ok(Some(refuse(context, memory, name, reading, &Status::default(), &why).await));
    }
    let target = target::target(&rollout.value, &sets);
    let Interpreted { report, spec, mut complaints, notes } = interpret(&rollout, &target, missing, context);
    publish_ignored(context, memory, name, &rollout, notes);
    let read = match read_status(rollout.value.get("status").unwrap_or(&Value::Null)) {
        Ok(read) => read,
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let reading = Reading::without_traffic(rollout, sets).with_workload(workload);
            return Ok(Some(unreadable(context, memory, name, reading, &errors.join("; ")).await));
        }
    };
    let present = read.status.stable_ping_pong.filter(|_| !off(Guard::PresentRoles));
    let roles = present.unwrap_or_default();
    let backend = match backend(context, key, &report.rollout.clone().with_roles(roles), view) {
        Ok(backend) => Some(backend),
        Err(invalid) => {
            complaints.extend(invalid.iter().map(ToString::to_string));
            None
        }
    };
    complaints.extend(analysis::check((context, view), memory, &rollout, spec.as_ref(), &read.status).await);
    let why = (spec.is_none() || !complaints.is_empty()).then(|| complaints.join("; "));
    let spec = if why.is_none() { spec } else { spec_back(&report, &read, &rollout, &sets) };
    let (Some(spec), Some(backend)) = (spec, backend) else {
        let reading = Reading::without_traffic(rollout, sets).with_workload(workload);
        let status = with_pending_abort(&read, context.now());
        return Ok(Some(refuse(context, memory, name, reading, &status, &why.unwrap_or_default()).await));
    };
    match blocked(context, memory, key, view, (&rollout, &*backend)).await? {
        None => {}
        Some(Blocked::Until(at)) => return Ok(Some(Some(at))),
        Some(Blocked::Refused(why)) => {
            let reading = Reading::without_traffic(rollout, sets).with_workload(workload);
            return Ok(Some(refuse(context, memory, name, reading, &read.status, &why).await));
        }
    }
    view.read_live(live);
    let reading =
        observe((context, view), memory, rollout, sets, (&spec, &read.status), &*backend, live).await;
    let mut reading = reading.with_workload(workload);
    reading.observed.peers = context.peers(key, &spec);
    view.read_live(false);
    if let Some(until) = yield_to_rival(context, memory, name, &reading.rollout.value) {
        return Ok(Some(Some(until)));
    }
    let mut runner = TurnRunner::new(context, memory, name, (reading, spec, target), (&*backend, view))
        .with_invalid_spec(why.clone());
    let status = runner.apply_commands(read.status, &read.requests);
    match runner.or_held(&status) {
        Ok(runner) => Ok(Some(runner.run(&status).await)),
        Err(reading) => {
            Ok(Some(refuse(context, memory, name, *reading, &status, &why.unwrap_or_default()).await))
        }
    }
}

/// Returns the spec with which an update that was aborted, or is about to be, goes back although the spec is invalid.
fn spec_back(report: &Report, read: &WireStatus, rollout: &Entry, sets: &[ReplicaSet]) -> Option<Spec> {
    let goes_back = read.status.aborted.is_some()
        || read.requests.contains(&CommandKind::Abort)
        || command::is_abort(rollout);
    let pods = sets.iter().find(|set| Some(&set.revision) == read.status.stable.as_ref());
    let pods = pods.map_or(1, |set| set.wanted);
    goes_back.then(|| way_back(&report.rollout, &read.status, pods)).flatten()
}

/// Returns the status with a requested abort that cannot be carried out yet, because no strategy names the routes. It
/// is carried out once one does.
fn with_pending_abort(read: &WireStatus, now: Time) -> Status {
    let position = Position::of(&read.status).filter(|_| read.requests.contains(&CommandKind::Abort));
    let strategy = Strategy::builder().build();
    let (Some(at), Ok(strategy)) = (position, strategy) else { return read.status.clone() };
    let spec = Spec::new(strategy, at.revision.clone());
    let abort = Command::new(CommandKind::Abort, at);
    match apply(&abort, &spec, &read.status, &Observed::new(), now) {
        Answer::Accepted { status, .. } => status,
        Answer::Rejected(_) => read.status.clone(),
    }
}

/// Reports each field that the engine ignores, once while that lasts.
fn publish_ignored(
    context: &Context,
    memory: &mut RolloutMemory,
    name: &str,
    rollout: &Entry,
    notes: Vec<String>,
) {
    // An earlier process has reported what it found in the same spec.
    let is_known = memory.ignored.is_none() && is_observed(rollout);
    let before = memory.ignored.take().unwrap_or_default();
    for note in notes.iter().filter(|note| !before.contains(note)) {
        tracing::warn!(rollout = name, %note, "field ignored");
        if !context.dry_run && !is_known {
            let event = KubeEvent::warning("FieldIgnored", note.clone());
            context.publisher.publish(&rollout.value, &event, context.now());
        }
    }
    memory.ignored = Some(notes);
}

/// Returns whether a process has stored a status for this content of the spec.
fn is_observed(rollout: &Entry) -> bool {
    let generation = rollout.value.pointer("/metadata/generation").and_then(Value::as_i64);
    let observed = rollout.text("/status/observedGeneration");
    generation.is_some() && observed.and_then(|text| text.parse().ok()) == generation
}

/// Reports an unreadable status in a condition; all other fields stay unchanged, for the user to fix.
async fn unreadable(
    context: &Context,
    memory: &mut RolloutMemory,
    name: &str,
    reading: Reading,
    errors: &str,
) -> Option<Instant> {
    let why = format!("the Rollout is held because its status cannot be read: {errors}");
    let is_news = memory.last_logged != why;
    let next = refuse(context, memory, name, reading, &Status::default(), &why).await;
    if is_news && !context.dry_run {
        let rollout = memory.rollout.clone().unwrap_or_default();
        context.publisher.publish(&rollout, &KubeEvent::warning("RolloutHeld", why), context.now());
    }
    next
}

/// Reports that a Rollout is seen for the first time.
fn announce(context: &Context, memory: &mut RolloutMemory, name: &str, rollout: &Entry) {
    if !std::mem::replace(&mut memory.was_seen, true) {
        tracing::info!(rollout = name, "seen");
        // After a restart, all Rollouts are seen again: users need no event for that.
        if !context.dry_run && is_new(rollout) {
            let note = format!("Rollout resource added to informer: {name}");
            let event = KubeEvent::normal("RolloutAddedToInformer", note);
            context.publisher.publish(&rollout.value, &event, context.now());
        }
    }
}

/// Why this turn decides nothing.
enum Blocked {
    /// Another Rollout drives the same object.
    Refused(String),
    /// Something else has to end first.
    Until(Instant),
}

/// Checks what blocks a Rollout: another one that drives the same object, and objects that still select its pods
/// although it no longer names them.
async fn blocked(
    context: &Context,
    memory: &mut RolloutMemory,
    key: &Key,
    view: &View,
    (rollout, backend): (&Entry, &dyn TrafficBackend),
) -> Result<Option<Blocked>, StoreError> {
    let claims = backend.claims();
    if let Some(collision) = claims::collision(context, view, rollout, &claims) {
        let why = collision.to_string();
        if memory.last_logged != why && !context.dry_run {
            let event = KubeEvent::warning("InvalidSpec", why.clone());
            context.publisher.publish(&rollout.value, &event, context.now());
        }
        return Ok(Some(Blocked::Refused(why)));
    }
    let named = claims.into_iter().map(|claim| claim.object).collect();
    let soon = Instant::now() + HELD;
    match abandoned::clean_up(context, memory, key, Some((&rollout.version.write, &named))).await? {
        Cleanup::Done => Ok(None),
        Cleanup::Retry => {
            memory.driver.read_live();
            Ok(Some(Blocked::Until(soon)))
        }
        Cleanup::Wait(why) => {
            if log::trouble(memory, &format!("{}/{}", key.0, key.1), &why) {
                let event = KubeEvent::warning("RolloutHeld", why);
                context.publisher.publish(&rollout.value, &event, context.now());
            }
            Ok(Some(Blocked::Until(soon)))
        }
    }
}

/// Reports once that another process works on this Rollout; returns until when the Rollout is left to that process.
fn yield_to_rival(
    context: &Context,
    memory: &mut RolloutMemory,
    name: &str,
    rollout: &Value,
) -> Option<Instant> {
    if let Some(why) = memory.rivals.take_warning() {
        log::trouble(memory, name, &why);
        if !context.dry_run {
            context.publisher.publish(rollout, &KubeEvent::warning("AnotherController", why), context.now());
        }
    }
    memory.rivals.yields(Instant::now())
}

/// Returns whether no controller has stored anything in the Rollout yet.
fn is_new(rollout: &Entry) -> bool {
    let is_set = |pointer: &str| rollout.text(pointer).is_some_and(|text| !text.is_empty());
    !is_set("/status/stableRS") && !is_set("/status/currentPodHash") && !is_set("/status/phase")
}

/// Reports a Rollout that is too large, once; then it does nothing else and returns when to look again. Each version of
/// the Rollout is measured once.
async fn too_large(
    context: &Context,
    memory: &mut RolloutMemory,
    name: &str,
    rollout: &Entry,
) -> Option<Option<Instant>> {
    let version = &rollout.version.write;
    if memory.size.as_ref().is_none_or(|(measured, _)| measured != version) {
        memory.size = Some((version.clone(), bounds::too_large(&rollout.value)));
    } else if memory.size.as_ref().is_some_and(|(_, why)| why.is_some()) && !memory.driver.is_failing() {
        return Some(None);
    }
    let why = memory.size.as_ref().and_then(|(_, why)| why.clone())?;
    let reading = Reading::without_traffic(rollout.clone(), Vec::new());
    Some(refuse(context, memory, name, reading, &Status::default(), &why).await)
}

fn uid(rollout: &Value) -> &str {
    rollout.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

/// Reads the Rollout; returns `None` if it does not exist.
async fn read_rollout(context: &Context, key: &Key, live: bool) -> Result<Option<Entry>, StoreError> {
    let object = ObjectRef::new("argoproj.io", "Rollout", &key.0, &key.1);
    let rollout = if live {
        context.caches.get_live(&object, Some(key)).await
    } else {
        context.caches.get(&object).await
    };
    match rollout {
        Err(StoreError::NotFound(_)) => Ok(None),
        rollout => rollout.map(Some),
    }
}

/// Reports that the Rollout is gone or being deleted.
fn forget_deleted(context: &Context, memory: &mut RolloutMemory, name: &str) {
    let Some(rollout) = memory.rollout.take() else { return };
    tracing::info!(rollout = name, "deleted");
    if !context.dry_run {
        let event = KubeEvent::normal("RolloutDeleted", format!("Rollout {name} is deleted."));
        context.publisher.publish(&rollout, &event, context.now());
    }
}

/// Reports in the Rollout's status why it is refused, and does nothing else.
async fn refuse(
    context: &Context,
    memory: &mut RolloutMemory,
    name: &str,
    mut reading: Reading,
    status: &Status,
    why: &str,
) -> Option<Instant> {
    log::trouble(memory, name, why);
    let wire = store::wire(&reading, None, &Decided::nothing(status), Some(why), context.now());
    if context.dry_run || store::is_stored(&reading, &wire) {
        memory.succeeded();
        return None;
    }
    if !memory.display_rate.allows(Instant::now()) {
        return memory.display_rate.due();
    }
    match store::put(context, &mut reading, &wire).await {
        Ok(_) => {
            memory.succeeded();
            None
        }
        Err(failure) => Some(memory.failed(&failure)),
    }
}
