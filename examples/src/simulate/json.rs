//! The timeline as JSON lines. What stands in them is described in `examples/README.md`; version 1.

use super::{
    clock::Clock,
    diagnostics::Findings,
    happening::{By, Happening, Kind, Layer, PodChange, State},
    names::Names,
    play::Play,
    replay::Replay,
    seeds::Tally,
    summary::Line,
    text::rest,
    traffic::{Answers, Ended},
    words::{step, words},
};
use rollout_core::{
    Event, Finding, Range, Revision, Time,
    traffic::{ManagedChange, Routes, Selection, WeightChange},
    waiting::EndsBy,
};
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write},
    time::Duration,
};

/// One line for each happening of one Rollout.
pub(crate) fn write(out: &mut dyn Write, play: &Play<'_>) -> io::Result<()> {
    let recorder = play.world.watcher();
    for happening in &recorder.happenings {
        line(out, &event(happening, &play.name, &recorder.names, play.clock))?;
    }
    Ok(())
}

/// One line for each Rollout, with the figures.
pub(crate) fn end(out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
    for one in lines {
        let summary = &one.summary;
        let value = json!({
            "v": 1,
            "rollout": one.name,
            "kind": "summary",
            "ends": one.rest.word(),
            "as_expected": one.as_expected(),
            "took_ms": u64::try_from(summary.took.as_millis()).unwrap_or(u64::MAX),
            "decisions": summary.decisions,
            "writes": {
                "all": summary.writes(),
                "status": summary.stores,
                "pods": summary.workload_writes,
                "selectors": summary.selects,
                "routes": summary.routes,
                "nonces": summary.fences,
            },
            "deliveries": summary.deliveries,
            "failed_per_thousand": summary.requests.per_thousand(),
            "answers": one.answers.map(answers),
        });
        line(out, &value)?;
    }
    Ok(())
}

fn answers(answers: Answers) -> Value {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
    let ended = |ended: Ended| json!({"all": ended.all as u64, "bad": ended.bad as u64});
    json!({"stable": ended(answers.stable), "canary": ended(answers.canary)})
}

/// One line for each stored run.
pub(crate) fn replayed(out: &mut dyn Write, replay: &Replay) -> io::Result<()> {
    for (run, why) in &replay.left_out {
        line(out, &json!({"v": 1, "kind": "left-out", "run": run, "why": why}))?;
    }
    for run in &replay.runs {
        let after = run.after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        let value = json!({
            "v": 1,
            "kind": "replayed",
            "run": run.name,
            "was": run.was.as_str(),
            "would_be": run.now.as_str(),
            "after_ms": after,
            "why": run.why,
            "but": run.but,
        });
        line(out, &value)?;
    }
    Ok(())
}

/// One line for each Rollout: how its releases ended with other seeds.
pub(crate) fn seeds(out: &mut dyn Write, tallies: &[Tally]) -> io::Result<()> {
    for tally in tallies {
        let ms =
            |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let value = json!({
            "v": 1,
            "rollout": tally.name,
            "kind": "seeds",
            "seeds": tally.seeds,
            "ends": tally.ends,
            "aborted_ms": {
                "first": ms(tally.aborted_by(0.0)),
                "median": ms(tally.aborted_by(0.5)),
                "nine_of_ten": ms(tally.aborted_by(0.9)),
            },
        });
        line(out, &value)?;
    }
    Ok(())
}

/// One line for each thing that is to be said about the input.
pub(crate) fn findings(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    findings.values().iter().try_for_each(|value| line(out, value))
}

/// Something that is to be said about the input, with its place if it has one.
pub(crate) fn finding(severity: &str, found: Option<&Finding>, what: &str, instead: &str) -> Value {
    let at = found.and_then(|found| found.located.as_deref());
    json!({
        "v": 1,
        "kind": "finding",
        "severity": severity,
        "file": at.map(|at| &*at.file),
        "line": at.map(|at| at.place.line),
        "column": at.map(|at| at.place.column),
        "path": found.map(|found| &found.path),
        "what": what,
        "instead": instead,
        "reference": at.map(|at| &at.reference),
    })
}

fn line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

fn event(happening: &Happening, rollout: &str, names: &Names, clock: Clock) -> Value {
    let (kind, own) = own(&happening.kind, clock);
    let mut event = Map::new();
    event.insert("v".to_owned(), json!(1));
    event.insert("rollout".to_owned(), json!(rollout));
    event.insert("ms".to_owned(), json!(clock.millis(happening.at)));
    event.insert("kind".to_owned(), json!(kind));
    event.insert("text".to_owned(), json!(words(happening, names, clock)));
    if let Value::Object(own) = own {
        event.extend(own);
    }
    event.insert("state".to_owned(), state(&happening.state, names, clock));
    Value::Object(event)
}

/// What only this kind of event has.
fn own(kind: &Kind, clock: Clock) -> (&'static str, Value) {
    let ms = |at: &Option<Time>| at.map(|at| clock.millis(at));
    match kind {
        Kind::FirstDeploy(revision) => ("first-deploy", json!({"revision": revision})),
        Kind::Update { revision, changes, another } => {
            ("update", json!({"revision": revision, "changes": changes, "another_revision": another}))
        }
        Kind::Command { what, by, answer } => {
            let by = match by {
                By::Script => "script",
                By::Simulation(_) => "simulation",
            };
            let reason = answer.as_ref().err();
            ("command", json!({"command": what, "by": by, "accepted": answer.is_ok(), "reason": reason}))
        }
        Kind::Fault(what) => ("fault", json!({"what": what})),
        Kind::Evicted { revision, pods } => ("evicted", json!({"revision": revision, "pods": pods})),
        Kind::Labelled { revision, field, metadata } => {
            ("labelled", json!({"revision": revision, "field": field, "metadata": metadata}))
        }
        Kind::Failed(why) => ("failed", json!({"why": why})),
        Kind::Fenced => ("fenced", json!({})),
        Kind::Scaled { revision, pods, scale_down_deadline, .. } => (
            "scaled",
            json!({"revision": revision, "pods": pods, "scale_down_deadline_ms": ms(scale_down_deadline)}),
        ),
        Kind::Pods { revision, change, pods } => {
            let change = match change {
                PodChange::Ready => "ready",
                PodChange::Lost => "lost",
                PodChange::Ended => "gone",
            };
            ("pods", json!({"revision": revision, "change": change, "pods": pods}))
        }
        Kind::Settled { layer, proxies, after } => {
            let layer = match layer {
                Layer::Routes => "routes",
                Layer::Selectors => "selectors",
            };
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            ("settled", json!({"layer": layer, "proxies": proxies, "after_ms": after}))
        }
        Kind::Waiting { waiting, deadline } => {
            let until =
                if let EndsBy::Time(at) = &waiting.ends { Some(clock.millis(*at)) } else { ms(deadline) };
            let reason = waiting.reason.to_string();
            ("waiting", json!({"reason": reason, "since_ms": ms(&waiting.since), "until_ms": until}))
        }
        Kind::Measured(run) => {
            let metric = run.metric.as_ref().map(|metric| {
                json!({
                    "name": &*metric.name,
                    "value": &*metric.value,
                    "condition": &*metric.condition,
                    "left": &*metric.left,
                    "next_ms": ms(&metric.next),
                })
            });
            let (name, message) = (&*run.name, &*run.message);
            (
                "measured",
                json!({"run": name, "phase": run.phase.as_str(), "message": message, "metric": metric}),
            )
        }
        Kind::Object { name, diff } => ("object", json!({"object": name.to_string(), "diff": diff})),
        Kind::Rest(rest) => ("rest", json!({"ends": rest.word()})),
        Kind::Engine(event) => engine(event, clock),
    }
}

fn engine(event: &Event, clock: Clock) -> (&'static str, Value) {
    let ms = |at: &Option<Time>| at.map(|at| clock.millis(at));
    match event {
        Event::Started { revision, instead_of } => {
            ("started", json!({"revision": revision, "instead_of": instead_of}))
        }
        Event::RolledBack { revision } => ("rolled-back", json!({"revision": revision})),
        Event::StepsSkipped { revision } => ("steps-skipped", json!({"revision": revision})),
        Event::StepsEdited => ("steps-edited", json!({})),
        Event::StepCompleted { step: index, of, what } => {
            ("step-completed", json!({"step": index.saturating_add(1), "of": of, "what": step(what)}))
        }
        Event::Paused { until } => ("paused", json!({"until_ms": ms(until)})),
        Event::Aborted { revision, why } => ("aborted", json!({"revision": revision, "why": why})),
        Event::Completed { revision, before } => {
            ("completed", json!({"revision": revision, "before": before}))
        }
        Event::ProgressDeadlineExceeded { revision } => {
            ("progress-deadline-exceeded", json!({"revision": revision}))
        }
        Event::ScaledToZero => ("scaled-to-zero", json!({})),
        Event::ScaledFromZero => ("scaled-from-zero", json!({})),
        Event::Selected(to) => (
            "selected",
            json!({"stable": to.stable.as_ref().map(selection), "canary": to.canary.as_ref().map(selection)}),
        ),
        Event::Routed(to) => ("routed", routed(to)),
        Event::Run(_) => ("analysis", json!({"what": event.to_string()})),
        Event::Pruned { revision } => ("pruned", json!({"revision": revision})),
        _ => ("event", json!({})),
    }
}

/// A revision's hash, or null for the user's own selector.
fn selection(selection: &Selection) -> Value {
    json!(selection.revision().map_or("*", Revision::as_str))
}

fn routed(routes: &Routes) -> Value {
    let weight = match routes.weight {
        WeightChange::Keep => Value::Null,
        WeightChange::To(weight) => {
            json!({"stable": weight.rest(), "canary": weight.parts(), "of": weight.of()})
        }
    };
    let managed: Option<Vec<&str>> = match &routes.managed {
        ManagedChange::Keep => None,
        ManagedChange::Retain(names) => Some(names.iter().map(|name| &**name).collect()),
        ManagedChange::To(routes) => Some(routes.iter().map(|route| &*route.name).collect()),
    };
    json!({"weight": weight, "managed": managed})
}

fn state(state: &State, names: &Names, clock: Clock) -> Value {
    let range = |range: Range| json!([range.lo(), range.hi()]);
    let traffic = state.traffic.as_ref().map(|traffic| {
        let behind = |selections: &[Selection]| selections.iter().map(selection).collect::<Vec<_>>();
        json!({
            "stable": range(rest(traffic.canary, traffic.of)),
            "canary": range(traffic.canary),
            "of": traffic.of,
            "managed": traffic.managed,
            "behind_stable": behind(&traffic.behind_stable),
            "behind_canary": behind(&traffic.behind_canary),
        })
    });
    let pods: Vec<Value> = state
        .pods
        .iter()
        .map(|pods| {
            json!({
                "revision": pods.revision,
                "name": names.of(&pods.revision),
                "wanted": pods.wanted,
                "ready": pods.ready,
                "scale_down_deadline_ms": pods.scale_down_deadline.map(|at| clock.millis(at)),
            })
        })
        .collect();
    json!({"step": state.step, "steps": state.steps, "done": state.done, "traffic": traffic, "pods": pods})
}
