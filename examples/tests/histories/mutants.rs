//! Each guard of the adapter, taken out, is noticed by a rule that is about it.

use crate::{
    analyses::{Analysed, Beside, Mood, Template},
    app::{Apart, App, ScaleDown, Step, Workload, WorkloadKind},
    history::{Happening, History, histories},
    laws::listeners,
    world::play,
};
use rollout_kube::guard::{Guard, switch_off};
use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// After so many histories a guard counts as missed by nobody.
const ENOUGH: u64 = 600;

/// A guard, the rules that must notice that it is gone, and what a history has to have for that.
type Expected = (Guard, &'static [&'static str], fn(&mut History));

const EXPECTED: [Expected; 18] = [
    (Guard::MetadataIsSeen, &["comes_to_rest"], |history| {
        each(history, |app| (app.labels, app.steps) = (true, Vec::new()));
        // Some writes fail while nothing else is wrong.
        (history.trouble, history.deploys) = (200, 60);
        history.happenings.push((400, Happening::WatchesCut));
    }),
    (Guard::OwnMetadataReturns, &["comes_to_rest"], |history| each(history, |app| app.labels = true)),
    (Guard::OwnPods, &["what_is_foreign_stays"], |history| each(history, |app| app.labels = true)),
    (Guard::EvictionLimit, &["few_pods_are_evicted"], |history| each(history, |app| app.replicas = 3)),
    (Guard::RestartEnds, &["comes_to_rest"], |_| {}),
    (Guard::AntiAffinityBegins, &["pods_keep_apart_in_an_update"], keeps_apart),
    (Guard::AntiAffinityEnds, &["comes_to_rest"], keeps_apart),
    (Guard::HandOver, &["no_gap_at_the_hand_over"], |history| {
        let of = Workload { kind: WorkloadKind::Deployment, pods: 3, scale_down: ScaleDown::Progressively };
        each(history, |app| app.workload = Some(of));
    }),
    (
        Guard::PresentRoles,
        &["live_service_keeps_its_pods", "no_unserved_write", "comes_to_rest"],
        |history| {
            each(history, |app| (app.has_services, app.by_turns) = (true, true));
            // Those of a mesh have no Services.
            history.mesh = None;
        },
    ),
    (Guard::RunIsUnchanged, &["verdict_is_final", "measured_as_often_as_asked"], |history| {
        each(history, |app| analysed(app, Template::Thrice, Mood::Slow));
        history.happenings.push((300, Happening::Overlap(60)));
    }),
    (Guard::ChangedRunIsAnew, &["ended_run_ends_soon"], |history| {
        each(history, |app| analysed(app, Template::Thrice, Mood::Slow));
        calm(history);
    }),
    (Guard::UnclearIsAskedAgain, &["unclear_question_waits"], |history| {
        each(history, |app| analysed(app, Template::Thrice, Mood::Unclear));
    }),
    (Guard::DueRunIsSeen, &["comes_to_rest"], |history| {
        each(history, |app| analysed(app, Template::Thrice, Mood::Good));
    }),
    (Guard::RunIsKnown, &["comes_to_rest", "one_run_for_each_attempt"], |history| {
        each(history, |app| analysed(app, Template::Once, Mood::Good));
    }),
    (Guard::RunNameIsFree, &["comes_to_rest"], |history| {
        each(history, |app| analysed(app, Template::Once, Mood::Good));
        let taken = |(_, what): &(u16, Happening)| what.app().map(|app| (10, Happening::NameTaken(app)));
        let all = std::mem::take(&mut history.happenings).into_iter();
        history.happenings =
            all.flat_map(|one| [taken(&one), Some(one)].into_iter().rev().flatten()).collect();
    }),
    (Guard::OldRunStops, &["comes_to_rest", "runs_end_with_their_position"], |history| {
        each(history, |app| analysed(app, Template::Watch, Mood::Good));
    }),
    (Guard::OldRunIsDeleted, &["few_runs_are_kept", "quiet_at_rest"], |history| {
        each(history, |app| analysed(app, Template::Once, Mood::Good));
    }),
    (Guard::EndedRunIsSeen, &["step_ends_by_evidence"], |history| {
        each(history, |app| analysed(app, Template::Thrice, Mood::Slow));
        let ends = |(_, what): &(u16, Happening)| what.app().map(|app| (60, Happening::RunEnded(app)));
        let more: Vec<_> = history.happenings.iter().filter_map(ends).collect();
        history.happenings.extend(more);
    }),
];

/// It is analysed beside its steps, and at a step of its own.
fn analysed(app: &mut App, template: Template, mood: Mood) {
    let beside = Some(Beside { template, starting_step: 0 });
    app.analysed = Some(Analysed { beside, mood, kept: Some((1, 1)) });
    if template != Template::Watch {
        app.steps.splice(0..0, [Step::Weight(20), Step::Analysis(template)]);
    }
}

/// Nothing goes wrong but what a controller hears of soon.
fn calm(history: &mut History) {
    (history.trouble, history.lag, history.mesh) = (0, 0, None);
    let ends = |(after, what): (u16, Happening)| {
        let app = what.app()?;
        let update = (after, Happening::Image(app, 1 + u8::try_from(after % 3).unwrap()));
        Some([update, (100 + after % 100, Happening::RunEnded(app))])
    };
    let happenings = std::mem::take(&mut history.happenings);
    history.happenings = happenings.into_iter().filter_map(ends).flatten().collect();
}

fn each(history: &mut History, change: impl Fn(&mut App)) {
    history.apps.iter_mut().for_each(change);
}

fn keeps_apart(history: &mut History) {
    each(history, |app| app.apart = Some(Apart::Required));
}

#[test]
fn every_guard_of_the_adapter_is_missed() {
    assert_eq!(EXPECTED.map(|(guard, ..)| guard), Guard::ALL);
    let _kept = listeners();
    let (next, unnoticed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((guard, rules, changes)) = EXPECTED.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (rule, needed) = noticed(*guard, rules, *changes).unwrap_or(("nobody", ENOUGH));
                    println!("{:<20} → {rule} · {needed}", format!("{guard:?}"));
                    if rule == "nobody" {
                        unnoticed.lock().unwrap().push(*guard);
                    }
                }
            });
        }
    });
    let unnoticed = unnoticed.into_inner().unwrap();
    assert!(unnoticed.is_empty(), "no rule notices that these are taken out: {unnoticed:?}");
}

/// The first rule that notices it, and in how many histories.
fn noticed(guard: Guard, rules: &[&'static str], changes: fn(&mut History)) -> Option<(&'static str, u64)> {
    let histories = histories();
    let broken = |history: &History, off| {
        switch_off(off);
        let broken = play(history).broken;
        switch_off(None);
        broken
    };
    (0..ENOUGH).find_map(|number| {
        let mut history = histories.draw(number).unwrap();
        changes(&mut history);
        let why = broken(&history, Some(guard))?;
        let rule = rules.iter().find(|rule| why.starts_with(**rule))?;
        // One that breaks a rule with all guards in place says nothing about this one.
        broken(&history, None).is_none().then_some((*rule, number + 1))
    })
}
