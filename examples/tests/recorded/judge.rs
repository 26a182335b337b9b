//! Brings a recorded history before the laws: the objects version by version, with the decisions in between.

use super::{
    History, Place, Seen, Write,
    world::{World, label},
};
use rollout_core::{
    Action, Answer, Command, Revision,
    analysis::{RunChange, RunId},
    backend::FENCE_ANNOTATION,
    command::Position,
    sim::{TrafficObject, Truth, Writer},
    testing::{Cause, Record, Recorded, laws::Laws},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What happened, in the order in which it did.
enum Happened<'h> {
    Version(&'h Seen),
    Decided(u32, &'h Record),
    /// A write that was refused.
    Refused(&'h Write),
    Killed,
    Calm,
}

/// What the laws say to a history, and what is wrong beside them.
pub(crate) struct Verdict {
    pub(crate) recorded: Recorded,
    /// Writes that no decision explains.
    pub(crate) unexplained: Vec<String>,
}

/// Judges a history by these laws.
pub(crate) fn judge(history: &History, laws: Laws) -> Option<Verdict> {
    let mut laws = Some(laws);
    let mut world = World::default();
    let mut recorded: Option<Recorded> = None;
    let mut book = Book::default();
    let mut unexplained = Vec::new();
    let writes: BTreeMap<u64, &Write> =
        history.writes.iter().filter_map(|write| Some((write.version?, write))).collect();
    for (at, what) in in_order(history) {
        if let Happened::Version(seen) = what {
            let before = world.becomes(seen);
            let Some(truth) = world.truth(at.0) else { continue };
            let Some(recorded) = &mut recorded else {
                recorded = laws.take().map(|laws| Recorded::new(laws, truth));
                continue;
            };
            let write = writes.get(&seen.version).copied();
            match book.cause(write, (seen, before.as_deref()), (recorded.truth(), &truth)) {
                Ok(cause) => recorded.becomes(truth, cause),
                Err(why) => {
                    unexplained.push(why);
                    recorded.becomes(truth, Cause::World);
                }
            }
            continue;
        }
        let Some(recorded) = &mut recorded else { continue };
        match what {
            Happened::Version(_) => {}
            Happened::Decided(process, record) => {
                // What was asked for is in the status that was decided on.
                let (was, heard) = (&recorded.truth().status, &record.stored);
                let is_heard = was != heard || heard.promote_full;
                if let Some(at) = Position::of(was).filter(|_| is_heard) {
                    for kind in std::mem::take(&mut world.requests) {
                        let answer =
                            Answer::Accepted { status: heard.clone(), edits: Vec::new(), events: Vec::new() };
                        recorded.commanded(&Command::new(kind, at.clone()), &answer);
                    }
                }
                let by = recorded.decided(process, record, record.now.as_millis() - history.lag);
                book.decided(process, (at, by, record));
            }
            Happened::Refused(write) => {
                if let Some((by, action)) = book.refused(write) {
                    let mut truth = recorded.truth().clone();
                    truth.now = rollout_core::Time::from_millis(at.0);
                    recorded.becomes(truth, Cause::Acted { by, action, refused: true });
                }
            }
            Happened::Killed => recorded.crashed(),
            Happened::Calm => recorded.faults_end(),
        }
    }
    let mut recorded = recorded?;
    if !history.is_cut {
        recorded.end(history.rested);
    }
    Some(Verdict { recorded, unexplained })
}

/// Everything by time. The order of the versions is the API server's; their times are corrected by what is
/// known of our own writes, since a watch tells of them a little later.
fn in_order(history: &History) -> Vec<(Place, Happened<'_>)> {
    let mut all = Vec::new();
    let mut at_most = (i64::MAX, u64::MAX);
    let answers: BTreeMap<u64, Place> =
        history.writes.iter().filter_map(|write| Some((write.version?, write.answered?))).collect();
    for seen in history.seen.iter().rev() {
        let at = answers.get(&seen.version).copied().unwrap_or(seen.at);
        at_most = at_most.min(at);
        all.push((at_most, Happened::Version(seen)));
    }
    all.reverse();
    for (process, records) in &history.decisions {
        all.extend(records.iter().map(|(at, record)| (*at, Happened::Decided(*process, record))));
    }
    let refused = history.writes.iter().filter(|write| write.answered.is_some() && write.version.is_none());
    all.extend(refused.map(|write| (write.answered.unwrap_or(write.sent), Happened::Refused(write))));
    all.extend(history.killed.iter().map(|at| (*at, Happened::Killed)));
    all.extend(history.calm.map(|at| (at, Happened::Calm)));
    // Stable: versions of the same place stay in their order, and a decision comes after what it saw.
    all.sort_by_key(|(at, _)| *at);
    all
}

/// Who decided what, so that writes can be told whose they are.
#[derive(Default)]
struct Book<'h> {
    decisions: BTreeMap<u32, Vec<(Place, Writer, &'h Record)>>,
}

impl<'h> Book<'h> {
    fn decided(&mut self, process: u32, decision: (Place, Writer, &'h Record)) {
        self.decisions.entry(process).or_default().push(decision);
    }

    /// The decision that a write comes from.
    fn behind(&self, write: &Write) -> Option<(Writer, &'h Record)> {
        let all = self.decisions.get(&write.process)?;
        let (_, mut by, record) = *all.iter().rev().find(|(at, ..)| *at <= write.sent)?;
        by.late = write.late;
        Some((by, record))
    }

    /// Why an object has a new version, and the world is like this instead of like that.
    fn cause(
        &self,
        write: Option<&Write>,
        (seen, before): (&Seen, Option<&Value>),
        (was, is): (&Truth, &Truth),
    ) -> Result<Cause<'h>, String> {
        let Some(write) = write else {
            let is_world = ["Pod", "EndpointSlice", "ReplicaSet"].contains(&seen.kind);
            return Ok(if is_world { Cause::World } else { Cause::Foreign });
        };
        let changed = match changed(seen, before, (was, is)) {
            // What a run has measured, no decision asks for.
            Changed::Nothing if seen.kind == "AnalysisRun" => return Ok(Cause::World),
            // For another Rollout, which has its part in the same object.
            Changed::Nothing if seen.kind != "Rollout" => return Ok(Cause::Foreign),
            Changed::Nothing => return Ok(Cause::World),
            changed @ (Changed::Status
            | Changed::Nonce
            | Changed::Pods(_)
            | Changed::Gone(_)
            | Changed::Selectors
            | Changed::Routes
            | Changed::Run(_)) => changed,
        };
        let said = || format!("{} of process {}", write.path, write.process);
        if matches!(changed, Changed::Status) && self.behind(write).is_none() {
            // It says why nothing can be decided.
            return Ok(Cause::Foreign);
        }
        let (by, record) = self.behind(write).ok_or_else(|| format!("{}: before any decision", said()))?;
        let wanted = match changed {
            Changed::Status => return Ok(Cause::Stored(by)),
            Changed::Nonce => return Ok(Cause::Fenced(by)),
            Changed::Nothing => return Ok(Cause::World),
            wanted @ (Changed::Pods(_)
            | Changed::Gone(_)
            | Changed::Selectors
            | Changed::Routes
            | Changed::Run(_)) => wanted,
        };
        let action = record.plan.actions.iter().find(|action| wanted.is_by(action));
        match action {
            Some(action) => Ok(Cause::Acted { by, action, refused: false }),
            None => Err(format!("{}: no action of its decision asks for it", said())),
        }
    }

    /// The action that a refused write was for.
    fn refused(&self, write: &Write) -> Option<(Writer, &'h Action)> {
        let (by, record) = self.behind(write)?;
        let kind = write.path.split('/').next().unwrap_or_default();
        let name = write.path.split('/').nth(1).unwrap_or_default();
        let is_for = |action: &&Action| match action {
            Action::Scale { revision, .. } | Action::Prune { revision } => {
                kind == "replicasets" && (name.is_empty() || name.ends_with(revision.as_str()))
            }
            Action::Select(_) => kind == "destinationrules" || kind == "services",
            Action::Route(_) => kind == "virtualservices",
            Action::Run(_) => kind == "analysisruns",
        };
        record.plan.actions.iter().find(is_for).map(|action| (by, action))
    }
}

/// What a write changed.
enum Changed {
    Status,
    Nonce,
    Pods(Revision),
    Gone(Revision),
    Selectors,
    Routes,
    Run(OfRun),
    /// What clients read beside it.
    Nothing,
}

/// What became of an AnalysisRun.
enum OfRun {
    Begun(RunId),
    Ended(String),
    Deleted(String),
}

/// The annotation of a run that says what it is for.
const RUN: &str = "/metadata/annotations/rollout-core~1run";

/// What a run is for.
fn run_id(run: &Value) -> Option<RunId> {
    serde_json::from_str(run.pointer(RUN)?.as_str()?).ok()
}

impl Changed {
    fn is_by(&self, action: &Action) -> bool {
        match (self, action) {
            (Self::Pods(of), Action::Scale { revision, .. })
            | (Self::Gone(of), Action::Prune { revision }) => of == revision,
            (Self::Selectors, Action::Select(_)) | (Self::Routes, Action::Route(_)) => true,
            (Self::Run(OfRun::Begun(begun)), Action::Run(RunChange::Start { id, .. })) => begun == id,
            (Self::Run(OfRun::Ended(of)), Action::Run(RunChange::Stop { name }))
            | (Self::Run(OfRun::Deleted(of)), Action::Run(RunChange::Prune { name })) => **of == **name,
            _ => false,
        }
    }
}

fn changed(seen: &Seen, before: Option<&Value>, (was, is): (&Truth, &Truth)) -> Changed {
    let same = |path: &str| before.and_then(|before| before.pointer(path)) == seen.value.pointer(path);
    let annotation = |key: &str| same(&format!("/metadata/annotations/{}", key.replace('/', "~1")));
    let revision = || Revision::from(label(&seen.value).unwrap_or_default());
    let of = |truth: &Truth| -> Option<TrafficObject> {
        let is_it =
            |object: &&TrafficObject| *object.name.kind == *seen.kind && *object.name.name == seen.name;
        truth.traffic.iter().find(is_it).cloned()
    };
    match seen.kind {
        "Rollout" if !same("/status") => Changed::Status,
        "AnalysisRun" if seen.gone => Changed::Run(OfRun::Deleted(seen.name.clone())),
        "AnalysisRun" if before.is_none() => {
            run_id(&seen.value).map_or(Changed::Nothing, |id| Changed::Run(OfRun::Begun(id)))
        }
        "AnalysisRun" if !same("/spec/terminate") => Changed::Run(OfRun::Ended(seen.name.clone())),
        "AnalysisRun" => Changed::Nothing,
        "ReplicaSet" if seen.gone => Changed::Gone(revision()),
        "ReplicaSet" if before.is_none() || !same("/spec/replicas") || !annotation("scale-down-deadline") => {
            Changed::Pods(revision())
        }
        "VirtualService" | "DestinationRule" | "Service" => match (of(was), of(is)) {
            (Some(was), Some(is)) if was.content != is.content && seen.kind == "VirtualService" => {
                Changed::Routes
            }
            (Some(was), Some(is)) if was.content != is.content => Changed::Selectors,
            (Some(was), Some(is)) if was.nonce != is.nonce => Changed::Nonce,
            _ => Changed::Nothing,
        },
        _ if !annotation(FENCE_ANNOTATION) => Changed::Nonce,
        _ => Changed::Nothing,
    }
}
