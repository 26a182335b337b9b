//! N Rollouts: created, at rest, updated all at once, at rest again.

use super::{
    apps::{Apps, image},
    asked::{Asked, Asking},
    plan::{Contender, Plan},
    process::{cpu, load_average, memory},
    progress::Progress,
    table::Measured,
};
use crate::bed::{Process, pass};
use std::time::{Duration, Instant};

/// So long is nothing done after the first deploys: late events and counts are theirs.
const BREATH: Duration = Duration::from_secs(15);

pub(super) fn measure(plan: &Plan, contender: &Contender) -> Measured {
    let bed = plan.bed();
    let progress = Progress::follow(&bed);
    let mut asking = Asking::new(bed.file("audit.jsonl"));
    let mut controller = contender.start(&bed, "controller.log");
    let apps = Apps::new(&bed, plan, plan.update);
    let mut measured = Measured::default();
    let mut phase = |what: &str, controller: &Process, act: &mut dyn FnMut()| -> (f64, Asked) {
        let (used, began) = (cpu(controller.id()), Instant::now());
        act();
        let seconds = began.elapsed().as_secs_f64();
        let used = cpu(controller.id()).saturating_sub(used);
        measured.add(&format!("{what}: s"), format!("{seconds:.1}"));
        measured.add(&format!("{what}: CPU s"), format!("{:.2}", used.as_secs_f64()));
        (used.as_secs_f64(), asking.since())
    };
    let until_done = |version| {
        let done = progress.until_done(&image(version), plan.update, plan.limit);
        assert!(
            done > 0,
            "none of {} is done after {:?}: see {}",
            plan.update,
            plan.limit,
            bed.file("").display()
        );
        done
    };
    phase("create", &controller, &mut || {
        apps.create();
        until_done(1);
    });
    phase("rest before", &controller, &mut || pass(BREATH));
    let load = load_average();
    let mut done = 0;
    let (busy, mut asked) = phase("update", &controller, &mut || {
        apps.update();
        done = until_done(2);
    });
    let loads = format!("{load} – {}", load_average());
    let (late, at_rest) = phase("rest after", &controller, &mut || pass(plan.rest));
    let (resident, most) = memory(controller.id());
    measured.add("updated of all", format!("{done} of {}", plan.update));
    measured.add("CPU s, update and rest", format!("{:.2}", busy + late));
    measured.add("RSS at rest, MB", resident.to_string());
    measured.add("peak RSS, MB", most.to_string());
    measured.add("requests at rest", format!("{} (events: {})", at_rest.count(), at_rest.events));
    asked.join(&at_rest);
    measured.add("requests, update and rest", asked.count().to_string());
    measured.add("events of these", asked.events.to_string());
    measured.add("events dropped, by its log", dropped(&controller.log()).to_string());
    measured.add("429", asked.refused.to_string());
    measured.settled(&progress.settles());
    measured.add("load average", loads);
    for (what, count) in &asked.by {
        measured.add(&format!("– {what}"), count.to_string());
    }
    measured
}

/// How many events it says it has dropped: as many as a line counts, or one a line.
pub(super) fn dropped(log: &str) -> u64 {
    let lines = log.lines().filter(|line| line.contains("event") && line.contains("dropped"));
    let counted = |line: &str| {
        let number = line.split_whitespace().find_map(|word| word.strip_prefix("dropped=")?.parse().ok());
        number.unwrap_or(1)
    };
    lines.map(counted).sum()
}
