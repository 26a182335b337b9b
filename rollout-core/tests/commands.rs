//! Every command in every state. The table in `ARCHITECTURE.md` is what this test prints.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;
use rollout_core::{
    AbortReason, Aborted, Answer, Command, CommandKind, Event, Gone, Observed, Range, RevisionSeen, Spec,
    Status, Step, Strategy, Time, apply,
    command::{Edit, Position},
    traffic::{RoutesSeen, Seen, Selection, Settled},
};
use std::fmt::Write;

/// What a person says a command about.
struct State {
    name: &'static str,
    spec: Spec,
    status: Status,
    observed: Observed,
}

/// `v2` is being released over `v1`: the weight 5, a pause, the weight 50, a pause.
fn state(name: &'static str, change: impl Fn(&mut Spec, &mut Status, &mut Seen)) -> State {
    let pause = Step::Pause(Some(Duration::from_secs(600)));
    let steps = [Step::SetWeight(5), pause.clone(), Step::SetWeight(50), pause];
    let strategy = Strategy::builder().traffic_routing(true).steps(steps).build().unwrap();
    let mut status = Status::default();
    (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
    (status.step, status.step_hash) = (2, Some(strategy.step_hash().into()));
    let mut spec = Spec::new(strategy, "v2".into());
    let mut seen = Seen::nothing();
    (seen.behind.stable, seen.behind.canary) =
        (vec![Selection::Revision("v1".into())], vec![Selection::Revision("v2".into())]);
    seen.routes = vec![RoutesSeen::new(Range::exact(5))];
    seen.endpoints = ["v1", "v2"].map(|revision| (revision.into(), Settled::Yes)).into();
    change(&mut spec, &mut status, &mut seen);
    let one = Range::exact(1);
    let pods = [("v1", 1), ("v2", 2)].map(|(name, number)| {
        RevisionSeen::new(name.into()).number(number).wanted(1).ready(one).available(one)
    });
    let observed = Observed::new().user_selector(Range::exact(2)).revisions(pods).traffic(seen);
    State { name, spec, status, observed }
}

fn states() -> Vec<State> {
    vec![
        state("first deploy", |spec, status, _| {
            (status.stable, status.canary, status.step) = (None, Some("v1".into()), 0);
            spec.target = "v1".into();
        }),
        state("at rest", |_, status, _| (status.stable, status.step) = (Some("v2".into()), 4)),
        state("at a step", |_, _, _| {}),
        state("in a pause", |_, status, _| (status.step, status.paused_at) = (3, Some(Time::from_secs(100)))),
        state("after the last step", |_, status, _| status.step = 4),
        state("stopped by `paused`", |spec, _, _| spec.paused = true),
        state("promoted in full", |_, status, _| status.promote_full = true),
        state("proxies behind", |_, _, seen| {
            let since = Time::from_secs(100);
            seen.selectors_settled = Settled::NotYet { since, behind: vec!["proxy-1".into()] };
        }),
        state("aborted", |_, status, _| {
            status.aborted = Some(Aborted::new(Time::from_secs(100), AbortReason::Command).into());
        }),
        stable_gone(),
    ]
}

/// Somebody deleted the workload of the stable revision.
fn stable_gone() -> State {
    let mut state = state("stable is gone", |_, _, _| {});
    let canary =
        RevisionSeen::new("v2".into()).number(2).wanted(1).ready(Range::exact(1)).available(Range::exact(1));
    let gone = Some(Gone::new("v1".into(), Duration::from_secs(60)));
    state.observed = state.observed.revisions([canary]).gone(gone);
    state
}

/// What the answer changes, in a few words.
fn words(state: &State, answer: &Answer) -> String {
    let (status, edits) = match answer {
        Answer::Rejected(why) => return format!("*{why:?}*"),
        Answer::Accepted { status, edits, .. } => (status, edits),
    };
    let old = &state.status;
    let mut changes = Vec::new();
    if status.step != old.step {
        changes.push(format!("step {} → {}", old.step, status.step));
    }
    if status.aborted != old.aborted {
        changes.push(if status.aborted.is_some() { "aborted" } else { "no longer aborted" }.into());
    }
    if status.promote_full && !old.promote_full {
        changes.push("to the end".into());
    }
    changes.extend(edits.iter().map(|edit| match edit {
        Edit::Paused(paused) => format!("`paused: {paused}`"),
        Edit::Template(revision) => format!("template {revision}"),
        Edit::Proceed(_) => "the wait ends".into(),
    }));
    assert!(!changes.is_empty(), "{}: accepted, but changes nothing: {answer:?}", state.name);
    changes.join(", ")
}

fn table() -> String {
    let states = states();
    let mut table = String::from("| |");
    for state in &states {
        write!(table, " {} |", state.name).unwrap();
    }
    writeln!(table, "\n|---|{}", "---|".repeat(states.len())).unwrap();
    for kind in CommandKind::ALL {
        write!(table, "| **{kind}** |").unwrap();
        for state in &states {
            let command = Command::new(kind, Position::of(&state.status).unwrap());
            let answer = apply(&command, &state.spec, &state.status, &state.observed, Time::from_secs(200));
            write!(table, " {} |", words(state, &answer)).unwrap();
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_table_of_commands_is_what_is_answered() {
    let document = include_str!("../../ARCHITECTURE.md");
    let table = table();
    assert!(document.contains(&table), "ARCHITECTURE.md must contain:\n\n{table}");
}

/// Said about another revision, no command does anything; said about another step, none that is about a step.
#[test]
fn a_command_that_comes_too_late_is_stale() {
    for state in states() {
        for kind in CommandKind::ALL {
            let here = Position::of(&state.status).unwrap();
            let about_a_step =
                matches!(kind, CommandKind::Promote | CommandKind::Skip | CommandKind::Proceed);
            let elsewhere =
                [Position::new("v9".into(), here.step), Position::new(here.revision, here.step + 1)];
            for (position, stale) in elsewhere.into_iter().zip([true, about_a_step]) {
                let command = Command::new(kind, position);
                let answer =
                    apply(&command, &state.spec, &state.status, &state.observed, Time::from_secs(200));
                let is_stale = answer == Answer::Rejected(rollout_core::command::Rejection::Stale);
                assert_eq!(is_stale, stale, "{kind} in {}: {answer:?}", state.name);
            }
        }
    }
}

/// Without them, each loop would make its own, and nobody would hear of an abort where one forgot it.
#[test]
fn an_accepted_command_says_what_has_happened() {
    let pause =
        |step| Event::StepCompleted { step, of: 4, what: Step::Pause(Some(Duration::from_secs(600))) };
    let weight = Event::StepCompleted { step: 2, of: 4, what: Step::SetWeight(50) };
    let aborted = Event::Aborted { revision: "v2".into(), why: AbortReason::Command };
    let expected = |state: &str, kind| match (kind, state) {
        (CommandKind::Promote | CommandKind::Skip, "in a pause") => vec![Event::Resumed, pause(3)],
        (CommandKind::PromoteFull, "in a pause") => vec![Event::Resumed],
        (CommandKind::Skip, _) => vec![weight.clone()],
        (CommandKind::Abort, _) => vec![aborted.clone()],
        _ => Vec::new(),
    };
    for state in states() {
        for kind in CommandKind::ALL {
            let command = Command::new(kind, Position::of(&state.status).unwrap());
            let answer = apply(&command, &state.spec, &state.status, &state.observed, Time::from_secs(200));
            if let Answer::Accepted { events, .. } = answer {
                assert_eq!(events, expected(state.name, kind), "{kind} {}", state.name);
            }
        }
    }
}

/// `kubectl argo rollouts promote` takes the beginning of the pause out of the status before the engine hears of it.
#[test]
fn a_pause_that_a_client_has_ended_is_resumed() {
    let state = state("", |_, status, _| status.step = 3);
    let promote = Command::new(CommandKind::Promote, Position::of(&state.status).unwrap());
    let answer = apply(&promote, &state.spec, &state.status, &state.observed, Time::from_secs(200));
    let Answer::Accepted { events, .. } = answer else { panic!("{answer:?}") };
    assert!(matches!(&*events, [Event::Resumed, Event::StepCompleted { step: 3, .. }]), "{events:?}");
}
