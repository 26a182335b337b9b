//! N Rollouts at rest, whose controller is started again.

use super::{
    apps::{Apps, image},
    asked::Asking,
    plan::{Contender, Plan},
    process::{cpu, memory},
    progress::Progress,
    table::Measured,
};
use crate::bed::{Process, pass};
use std::time::{Duration, Instant};

/// How often is looked at the clock of its process.
const LOOK: Duration = Duration::from_millis(50);
/// Used for so long hardly any of it: it is quiet.
const QUIET: Duration = Duration::from_secs(2);
/// A share of one processor that is hardly any.
const HARDLY: u32 = 50;

pub(super) fn measure(plan: &Plan, contender: &Contender, count: usize) -> Measured {
    let bed = plan.bed();
    let progress = Progress::follow(&bed);
    let mut asking = Asking::new(bed.file("audit.jsonl"));
    let mut measured = Measured::default();
    let first = contender.start(&bed, "first.log");
    let began = Instant::now();
    Apps::new(&bed, plan, count).create();
    let done = progress.until_done(&image(1), count, plan.limit);
    measured.add("first deploys: s", format!("{:.1}", began.elapsed().as_secs_f64()));
    measured.add("done of all", format!("{done} of {count}"));
    // Late events are the first deploys'.
    until_quiet(first.id(), plan.limit);
    measured.add("first deploys: CPU s", format!("{:.2}", cpu(first.id()).as_secs_f64()));
    asking.since();
    let before = cpu(first.id());
    pass(plan.rest);
    measured.add("at rest: CPU s", format!("{:.2}", cpu(first.id()).saturating_sub(before).as_secs_f64()));
    measured.add("at rest: requests", asking.since().count().to_string());
    measured.add("at rest: RSS, MB", memory(first.id()).0.to_string());
    drop(first);
    let began = Instant::now();
    let mut second = contender.start(&bed, "second.log");
    let seen = until_seen(&mut second, count, began, plan.limit);
    measured.add("restart: s until all are seen, by its log", seen);
    until_quiet(second.id(), plan.limit);
    let quiet = began.elapsed().saturating_sub(QUIET);
    measured.add("restart: s until quiet", format!("{:.1}", quiet.as_secs_f64()));
    measured.add("restart: CPU s", format!("{:.2}", cpu(second.id()).as_secs_f64()));
    // What comes late is the restart's, too.
    pass(plan.rest);
    let asked = asking.since();
    measured.add("restart: writes, events aside", asked.writes.to_string());
    measured.add("restart: events", asked.events.to_string());
    measured.add("restart: peak RSS, MB", memory(second.id()).1.to_string());
    for (what, count) in &asked.by {
        measured.add(&format!("– {what}"), count.to_string());
    }
    measured
}

/// Our controller says `seen` once about each Rollout; another one may not.
fn until_seen(controller: &mut Process, count: usize, began: Instant, within: Duration) -> String {
    let mut before = 0;
    loop {
        let log = controller.log();
        let seen = log.lines().filter(|line| line.contains(" seen ")).count();
        if seen >= count {
            return format!("{:.1}", began.elapsed().as_secs_f64());
        }
        if (seen == before && began.elapsed() > Duration::from_secs(20)) || began.elapsed() > within {
            return format!("– ({seen} of {count})");
        }
        before = seen;
        pass(LOOK);
    }
}

/// Waits until a process has used hardly any processor time for a while.
fn until_quiet(process: u32, within: Duration) {
    let until = Instant::now() + within;
    let (mut since, mut used) = (Instant::now(), cpu(process));
    while since.elapsed() < QUIET && Instant::now() < until {
        pass(LOOK);
        let now = cpu(process);
        if now.saturating_sub(used) > since.elapsed() / HARDLY {
            (since, used) = (Instant::now(), now);
        }
    }
}
