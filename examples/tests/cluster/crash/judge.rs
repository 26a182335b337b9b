//! Brings a recorded history before the laws: the objects version by version, with the decisions in between.

use super::{
    proxy::Write,
    recorder::Seen,
    world::{World, label},
};
use rollout_core::{
    Action, Answer, Command, Position, Revision,
    backend::FENCE_ANNOTATION,
    sim::Writer,
    testing::{Cause, Record, Recorded, laws::Laws},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that was recorded of one namespace.
#[derive(Default, Clone)]
pub(crate) struct History {
    /// In the order of the API server.
    pub(crate) seen: Vec<Seen>,
    pub(crate) writes: Vec<Write>,
    /// By process, from 1 on.
    pub(crate) decisions: BTreeMap<u32, Vec<Record>>,
    /// When the controller was killed, and when the last one was started. Milliseconds UTC.
    pub(crate) killed: Vec<i64>,
    pub(crate) restarted: Option<i64>,
    pub(crate) rested: bool,
}

/// What happened, in the order in which it did.
enum Happened<'h> {
    Version(&'h Seen),
    Decided(u32, &'h Record),
    /// A write that was refused.
    Refused(&'h Write),
    Killed,
    Restarted,
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
    for (at, what) in in_order(history) {
        if let Happened::Version(seen) = what {
            let before = world.becomes(seen);
            let Some(truth) = world.truth(at) else { continue };
            let Some(recorded) = &mut recorded else {
                recorded = laws.take().map(|laws| Recorded::new(laws, truth));
                continue;
            };
            let write = history.writes.iter().find(|write| write.version() == Some(seen.version));
            match book.cause(write, seen, before.as_ref()) {
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
                if let Some(at) = Position::of(was).filter(|_| was != heard) {
                    for kind in std::mem::take(&mut world.requests) {
                        let answer = Answer::Accepted { status: heard.clone(), edits: Vec::new() };
                        recorded.commanded(&Command::new(kind, at.clone()), &answer);
                    }
                }
                let by = recorded.decided(process, record);
                book.decided(process, by, record);
            }
            Happened::Refused(write) => {
                if let Some((by, action)) = book.refused(write) {
                    let mut truth = recorded.truth().clone();
                    truth.now = rollout_core::Time::from_millis(at);
                    recorded.becomes(truth, Cause::Acted { by, action, refused: true });
                }
            }
            Happened::Killed => recorded.crashed(),
            Happened::Restarted => recorded.faults_end(),
        }
    }
    let mut recorded = recorded?;
    recorded.end(history.rested);
    Some(Verdict { recorded, unexplained })
}

/// Everything by time. The order of the versions is the API server's; their times are corrected by what is
/// known of our own writes, since a watch tells of them a little later.
fn in_order(history: &History) -> Vec<(i64, Happened<'_>)> {
    let mut all = Vec::new();
    let mut at_most = i64::MAX;
    for seen in history.seen.iter().rev() {
        let write = history.writes.iter().find(|write| write.version() == Some(seen.version));
        let at = write.and_then(|write| write.answered).unwrap_or(seen.at);
        at_most = at_most.min(at);
        all.push((at_most, Happened::Version(seen)));
    }
    all.reverse();
    for (process, records) in &history.decisions {
        let records = records.iter();
        all.extend(records.map(|record| (record.now.as_millis(), Happened::Decided(*process, record))));
    }
    let refused = history.writes.iter().filter(|write| write.answered.is_some() && write.version().is_none());
    all.extend(refused.map(|write| (write.answered.unwrap_or(write.sent), Happened::Refused(write))));
    all.extend(history.killed.iter().map(|at| (*at, Happened::Killed)));
    all.extend(history.restarted.map(|at| (at, Happened::Restarted)));
    // Stable: versions of the same millisecond stay in their order, and a decision comes after what it saw.
    all.sort_by_key(|(at, _)| *at);
    all
}

/// Who decided what, so that writes can be told whose they are.
#[derive(Default)]
struct Book<'h> {
    decisions: BTreeMap<u32, Vec<(Writer, &'h Record)>>,
}

impl<'h> Book<'h> {
    fn decided(&mut self, process: u32, by: Writer, record: &'h Record) {
        self.decisions.entry(process).or_default().push((by, record));
    }

    /// The decision that a write comes from.
    fn behind(&self, write: &Write) -> Option<(Writer, &'h Record)> {
        let all = self.decisions.get(&write.process)?;
        let (by, record) = *all.iter().rev().find(|(_, record)| record.now.as_millis() <= write.sent)?;
        let mut by = by;
        by.late = write.late;
        Some((by, record))
    }

    /// Why an object has a new version.
    fn cause(&self, write: Option<&Write>, seen: &Seen, before: Option<&Value>) -> Result<Cause<'h>, String> {
        let Some(write) = write else {
            let is_world = ["Pod", "EndpointSlice", "ReplicaSet"].contains(&seen.kind);
            return Ok(if is_world { Cause::World } else { Cause::Foreign });
        };
        let said = || format!("{} {} of process {}", write.method, write.path, write.process);
        let (by, record) = self.behind(write).ok_or_else(|| format!("{}: before any decision", said()))?;
        let kind = kind_of(seen, before);
        let wanted = match kind {
            Changed::Status => return Ok(Cause::Stored(by)),
            Changed::Nonce => return Ok(Cause::Fenced(by)),
            Changed::Nothing => return Ok(Cause::World),
            wanted @ (Changed::Pods(_) | Changed::Gone(_) | Changed::Selectors | Changed::Routes) => wanted,
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
            Action::Workload { revision, .. } | Action::Prune { revision } => {
                kind == "replicasets" && (name.is_empty() || name.ends_with(revision.as_str()))
            }
            Action::Select(_) => kind == "destinationrules" || kind == "services",
            Action::Route(_) => kind == "virtualservices",
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
    /// What clients read beside it.
    Nothing,
}

impl Changed {
    fn is_by(&self, action: &Action) -> bool {
        match (self, action) {
            (Self::Pods(of), Action::Workload { revision, .. })
            | (Self::Gone(of), Action::Prune { revision }) => of == revision,
            (Self::Selectors, Action::Select(_)) | (Self::Routes, Action::Route(_)) => true,
            _ => false,
        }
    }
}

fn kind_of(seen: &Seen, before: Option<&Value>) -> Changed {
    let same = |path: &str| before.and_then(|before| before.pointer(path)) == seen.value.pointer(path);
    let annotation = |key: &str| same(&format!("/metadata/annotations/{}", key.replace('/', "~1")));
    let revision = || Revision::from(label(&seen.value).unwrap_or_default());
    match seen.kind {
        "Rollout" if !same("/status") => Changed::Status,
        "ReplicaSet" if seen.gone => Changed::Gone(revision()),
        "ReplicaSet" if before.is_none() || !same("/spec/replicas") || !annotation("scale-down-deadline") => {
            Changed::Pods(revision())
        }
        "VirtualService" if !same("/spec") => Changed::Routes,
        "DestinationRule" | "Service" if !same("/spec") => Changed::Selectors,
        _ if !annotation(FENCE_ANNOTATION) => Changed::Nonce,
        // For whom the routes were written, which stands beside them.
        "VirtualService" => Changed::Routes,
        _ => Changed::Nothing,
    }
}
